from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from users_profiles.demo.fixtures import write_all


class Command(BaseCommand):
    help = "Write the sample files in fixtures/ anew: the demo company as JSON, and new colleagues as CSV and Excel."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "fixtures", help="where to write them")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        for path in write_all(folder):
            self.stdout.write(f"{path.name}: {path.stat().st_size:,} bytes")
