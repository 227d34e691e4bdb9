from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from users_profiles.models import Profile, User

CHUNK = 1_000


class Command(BaseCommand):
    help = (
        "Give a profile to every person without one. Such people come from raw SQL or another program, never from us."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            found = User.objects.without_profile().count()
            self.stdout.write(f"People without a profile: {found:,}.")
            return
        made = self._create()
        self.stdout.write(f"Profiles made: {made:,}.")

    def _create(self) -> int:
        """Create the missing profiles, chunk by chunk: what is done stays done, and memory stays flat."""
        made = 0
        while keys := list(User.objects.without_profile().order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            with transaction.atomic():
                Profile.objects.bulk_create([Profile(user_id=key) for key in keys], ignore_conflicts=True)
            made += len(keys)
        return made
