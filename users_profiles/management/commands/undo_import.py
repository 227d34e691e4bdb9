import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from users_profiles.management.pipeline import PipelineCommand
from users_profiles.management.progress import work_through
from users_profiles.models import Import, ImportRow
from users_profiles.transfer import undo_import


class Command(PipelineCommand):
    help = (
        "Take an import back: whoever it added is removed (deactivated, when used since), whatever it changed is "
        "restored (kept, when changed again since). Ends with 0, with 2 when something was kept, with 1 when nothing "
        "was done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="the number of the import, as its address has it")
        parser.add_argument("--dry-run", action="store_true", help="find out what would be done, and do nothing")

    def handle(self, *args: Any, id: int, dry_run: bool, **options: Any) -> None:  # noqa: A002 (as it is called)
        job = Import.objects.filter(pk=id).first()
        if job is None:
            raise CommandError(f"There is no import {id}.")
        if not job.start_undo(None, write=not dry_run):
            raise CommandError(f"Import {id} ({job.filename}) has nothing that can be undone.")
        work_through(job, self.stderr)
        if job.failure:
            raise CommandError(job.failure)
        self._tell(job, dry_run)

    def _tell(self, job: Import, dry_run: bool) -> None:
        counts = undo_import.counts(job)
        parts = ", ".join(f"{counts.get(fate, 0):,} {fate.label.lower()}" for fate in ImportRow.Fate)
        self.stdout.write(f"{'Nothing is written. Would be' if dry_run else 'Done'}: {parts}.")
        if counts.get(ImportRow.Fate.KEPT) and not dry_run:
            sys.exit(2)
