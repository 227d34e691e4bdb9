"""Take somebody's second factor away, so that they get in by password alone and set up a new one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from users_profiles import recorder
from users_profiles.accounts import second_factor
from users_profiles.management.people import person_named


class Command(BaseCommand):
    help = "Take away the second factor of somebody who has lost it, recovery codes included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--dry-run", action="store_true", help="only say what there is")

    def handle(self, *args: Any, username: str, dry_run: bool, **options: Any) -> None:
        person = person_named(username)
        if not second_factor.has_one(person):
            self.stdout.write(f"{person} has no second factor.")
        elif dry_run:
            self.stdout.write(f"{person} has a second factor. Nothing was changed.")
        else:
            with transaction.atomic():
                second_factor.remove(person)
                recorder.note_same([person], "second_factor", "all", "")
            self.stdout.write(f"{person} signs in by password alone from now on.")
