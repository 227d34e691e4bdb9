from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users_profiles.transfer import retention

# What each count of ``retention.Pruned`` is of.
WORDS = {
    "previews": "imports that were never applied",
    "files": "files",
    "rows": "records of rows",
    "entries": "entries of the trail",
    "exports": "exports",
    "tasks": "results of tasks",
    "mails": "mails of reports and invitations",
    "strays": "files that nothing refers to",
}


class Command(BaseCommand):
    help = (
        "Delete what has been kept long enough: files of imports and exports, records of what was changed, the trail, "
        "sessions that are over, results of background tasks. The settings with KEEP in their name say how long. The "
        "background worker does the same every few hours."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            pruned = retention.prune(dry_run).to_json()
        except retention.ClocksDiffer as refusal:
            raise CommandError(str(refusal)) from refusal
        counts = ", ".join(f"{pruned[name]} {words}" for name, words in WORDS.items())
        self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'}: {counts}.")
