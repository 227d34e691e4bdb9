import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.management.base import CommandError

from users_profiles.management.people import actor_named
from users_profiles.management.pipeline import PipelineCommand
from users_profiles.management.progress import import_through
from users_profiles.models import Import, User
from users_profiles.transfer import pictures
from users_profiles.transfer.errors import FileRefused


class Command(PipelineCommand):
    help = (
        "Import pictures of people from a ZIP archive; each file is named after a username or an e-mail. "
        "Exit status: 0 all taken, 2 some refused, 1 nothing done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the ZIP archive")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--actor", metavar="USERNAME", help="act with this person's rights, not the operator's")
        parser.add_argument("--json", action="store_true", help="print one JSON object, whatever happens")

    def handle(self, *args: Any, file: Path, dry_run: bool, actor: str | None, **options: Any) -> None:
        try:
            job = self._import(file, actor_named(actor), dry_run)
        except CommandError as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": str(error)}))
            raise
        report = _report(job)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self._tell(job, report)
        if dry_run:
            job.delete()
        if report["refused"]:
            sys.exit(2)

    def _import(self, path: Path, actor: User | None, dry_run: bool) -> Import:
        try:
            with path.open("rb") as file:
                job = pictures.receive(File(file), path.name, actor)
        except (OSError, FileRefused) as error:
            raise CommandError(str(error)) from error
        job.start_check()
        import_through(job, self.stderr)
        if not dry_run:
            job.start_apply()
            import_through(job, self.stderr)
        return job

    def _tell(self, job: Import, report: dict[str, Any]) -> None:
        for row in job.rows.filter(outcome="refused").iterator():
            self.stderr.write(f"{row.label}: {pictures.reason(row)}")
        self.stdout.write(
            "{added:,} added, {replaced:,} replaced, {unchanged:,} unchanged, {refused:,} refused.".format(**report)
        )


def _report(job: Import) -> dict[str, Any]:
    return {
        "import": job.pk,
        "added": job.created,
        "replaced": job.updated,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "pictures": job.total,
    }
