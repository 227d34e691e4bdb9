from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users_profiles.management.people import person_named
from users_profiles.privacy import erasing


class Command(BaseCommand):
    help = (
        "Erase a person for good: account, profile, pictures, uploaded and exported files that mention them, and their "
        "name and values in the history. What happened stays, under a number. Backups are not touched. Ends with 1 "
        "when nothing was erased."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go and what would stay")

    def handle(self, *args: Any, username: str, dry_run: bool, **options: Any) -> None:
        person = person_named(username)
        try:
            plan = erasing.plan(person) if dry_run else erasing.erase(person, None)
        except erasing.NotErased as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write("Nothing is erased yet." if dry_run else f"{plan.label}: erased.")
        for title, counts in (("Goes", plan.goes), ("Blanked", plan.blanked), ("Stays", plan.stays)):
            for label, count in counts:
                self.stdout.write(f"{title}: {label}: {count:,}")
        for job in plan.uploads:
            self.stdout.write(f"Deleted as a whole: {job.filename}, import {job.pk}")
        for export in plan.exports:
            self.stdout.write(f"Deleted as a whole: {export.filename}, export {export.pk}")
