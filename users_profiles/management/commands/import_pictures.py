import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from users_profiles.management.pipeline import PipelineCommand
from users_profiles.models import Import, User
from users_profiles.transfer import pictures, tasks
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
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, file: Path, dry_run: bool, actor: str | None, **options: Any) -> None:
        job = self._checked(file, self._actor(actor))
        if not dry_run:
            job.start_apply()
            self._work(job)
        report = _report(job)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self._tell(job, report)
        if dry_run:
            job.delete()
        if report["refused"]:
            sys.exit(2)

    def _actor(self, username: str | None) -> User | None:
        if username is None:
            return None
        try:
            return User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            raise CommandError(_("There is nobody with the username %(name)s.") % {"name": username}) from None

    def _checked(self, path: Path, actor: User | None) -> Import:
        try:
            with path.open("rb") as file:
                job = pictures.receive(File(file), path.name, actor)
        except (OSError, FileRefused) as error:
            raise CommandError(str(error)) from error
        job.start_check()
        self._work(job)
        return job

    def _work(self, job: Import) -> None:
        """Work on the job to its end, with a line of progress on a terminal."""
        tasks.run(job, self._show_progress if self.stderr.isatty() else None)
        job.refresh_from_db()
        if job.is_under_way:
            raise CommandError(_("Another import is being written; this one goes on when a worker takes it up."))
        if job.state == Import.State.FAILED:
            raise CommandError(job.failure)

    def _show_progress(self, job: Import) -> None:
        self.stderr.write(f"\r{job.cursor} / {job.total}", ending="" if job.cursor < job.total else "\n")

    def _tell(self, job: Import, report: dict[str, Any]) -> None:
        for row in job.rows.filter(outcome="refused").iterator():
            self.stderr.write(f"{row.label}: {row.errors[0]['reason']}")
        self.stdout.write(
            _("%(added)s added, %(replaced)s replaced, %(unchanged)s unchanged, %(refused)s refused.") % report
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
