import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from users_profiles.demo.people import COMPANY_SIZE
from users_profiles.demo.seed import Seeded, seed_people


def _count(raw: str) -> int:
    if not raw.isdigit():
        raise ArgumentTypeError("write a whole number")
    return int(raw)


class Command(BaseCommand):
    help = (
        "Add made-up people. The same seed gives the same people; only when they joined and were last seen moves with "
        "the day (--today fixes it). Nobody who is there already is touched, so a second run adds nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=_count, default=COMPANY_SIZE, help="how many people (default: %(default)s)")
        parser.add_argument("--seed", type=_count, default=1, help="which company (default: %(default)s)")
        parser.add_argument(
            "--today", type=date.fromisoformat, help="the day dates are counted back from (default: today)"
        )

    def handle(self, *args: Any, users: int, seed: int, today: date | None, **options: Any) -> None:
        seeded = seed_people(users, seed, today or timezone.now().date(), after_chunk=self._progress)
        if self._shows_progress:
            self.stderr.write("")
        self.stdout.write(f"{seeded.added} people added, {seeded.taken} were there already.")

    @property
    def _shows_progress(self) -> bool:
        """On a terminal only: in a pipe or a log the lines would pile up."""
        return sys.stderr.isatty()

    def _progress(self, seeded: Seeded) -> None:
        if self._shows_progress:
            self.stderr.write(f"\r{seeded.added + seeded.taken} people", ending="")
