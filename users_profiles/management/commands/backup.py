import os
import re
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from users_profiles.management.files import private_file
from users_profiles.operations import backups
from users_profiles.operations.errors import BackupError

OURS = re.compile(r"backoffice-\d{4}-\d\d-\d\d-\d{6}\.tar")


class Command(BaseCommand):
    help = (
        "Write everything, database and files, into one file, while people go on working. It holds all that is known "
        "about everybody: keep it as safe as the database. Settings and SECRET_KEY are not in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", help="where to put the file; - writes it to standard output")
        parser.add_argument(
            "--keep", type=int, metavar="N", help="afterwards delete all but the latest N in the folder"
        )

    def handle(self, *args: Any, folder: str, keep: int | None, **options: Any) -> None:
        if keep is not None and (keep < 1 or folder == "-"):
            raise CommandError("--keep takes 1 or more, and a folder.")
        try:
            if folder == "-":
                backups.make(sys.stdout.buffer, Path(os.environ.get("TMPDIR") or "/var/tmp"))  # noqa: S108
            else:
                self._into(Path(folder))
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        if keep is not None:
            self._forget_old(Path(folder), keep)

    def _into(self, folder: Path) -> None:
        """What was not written to the end must never pass for a backup, so it has another name until then."""
        path = folder / f"backoffice-{timezone.localtime():%Y-%m-%d-%H%M%S}.tar"
        unfinished = path.with_suffix(".part")
        try:
            with private_file(unfinished, "xb") as file:
                made = backups.make(file, folder)
                os.fsync(file.fileno())
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        size = path.stat().st_size / 1024 / 1024
        self.stdout.write(f"Backed up {made.people:,} people and {made.files:,} files, {size:,.1f} MB, to {path}.")

    def _forget_old(self, folder: Path, keep: int) -> None:
        ours = sorted(path for path in folder.iterdir() if OURS.fullmatch(path.name))
        for path in ours[:-keep]:
            path.unlink()
            self.stdout.write(f"Deleted {path.name}.")
