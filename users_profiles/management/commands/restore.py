from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.management.base import BaseCommand, CommandError

from users_profiles.operations import backups
from users_profiles.operations.errors import BackupError


class Command(BaseCommand):
    help = (
        "Fill an empty database and an empty storage from a backup, and check that every row and every file is as it "
        "was. Run migrate afterwards."
    )
    # There are no tables yet that they could look into.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what the command backup has written")
        parser.add_argument("--dry-run", action="store_true", help="only check that the backup is whole")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            if dry_run:
                found = backups.check(file)
                what = f"{found.people:,} people and {found.files:,} files of {found.made_at[:16]}"
                self.stdout.write(f"Whole: {what}, for {found.database}.")
                return
            backups.restore(file, file.resolve().parent, self.stdout.write)
        except (BackupError, OSError, SuspiciousFileOperation) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Restored, and every row and file is as it was. Now run manage.py migrate.")
