from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from users_profiles.transfer import retention


class Command(BaseCommand):
    help = (
        "Delete what has been kept long enough: files of imports and exports, records of what was changed, the trail. "
        "IMPORT_KEEP_..., TRAIL_KEEP_YEARS and EXPORT_KEEP_HOURS in the settings say how long. "
        "The background worker does the same every few hours."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        pruned = retention.prune(dry_run)
        sentence = (
            "{} imports that were never applied, {} files, {} records of rows, {} entries of the trail, {} exports."
        )
        counts = sentence.format(pruned.previews, pruned.files, pruned.rows, pruned.entries, pruned.exports)
        self.stdout.write(("Would delete: " if dry_run else "Deleted: ") + counts)
