from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users_profiles.reports import mailing
from users_profiles.transfer import lease


class Command(BaseCommand):
    help = (
        "Mail the reports that are due, and try again what could not be mailed. For cron, where no worker runs; beside "
        "one it does no harm: nothing is sent twice. Ends with 1 when a mail was given up."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be sent to whom")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            self._tell()
            return
        with lease.Heart(lease.renew):
            sent = mailing.send_due()
        self.stdout.write(
            f"{sent.runs} reports were due: {sent.mails} mails sent, {sent.skipped} people left out, "
            f"{sent.failed} mails given up."
        )
        if sent.failed:
            raise SystemExit(1)

    def _tell(self) -> None:
        due = mailing.dry_run()
        for report, person, reason in due:
            self.stdout.write(f"{report.name} to {person.username}" + (f": left out, {reason}" if reason else ""))
        if not due:
            self.stdout.write("Nothing is due.")
