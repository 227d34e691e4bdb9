from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users_profiles.transfer import retention


class Command(BaseCommand):
    help = (
        "Delete what imports leave behind and has been kept long enough: files, and records of what they changed. "
        "IMPORT_KEEP_... in the settings say how long. The background worker does the same every few hours."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        pruned = retention.prune(dry_run)
        sentence = "{} imports that were never applied, {} files, {} records of rows."
        counts = sentence.format(pruned.previews, pruned.files, pruned.rows)
        self.stdout.write(("Would delete: " if dry_run else "Deleted: ") + counts)
