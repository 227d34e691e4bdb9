from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users_profiles.management.files import private_file
from users_profiles.management.people import person_named
from users_profiles.privacy import holding


class Command(BaseCommand):
    help = "Write all that is held about a person to a ZIP file: what they are owed when they ask. It is written down."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument("-o", "--output", metavar="FILE", help="where to; without it, all-we-hold-DATE.zip here")

    def handle(self, *args: Any, username: str, output: str | None, **options: Any) -> None:
        person = person_named(username)
        export, data = holding.archive(person, None)
        path = Path(output or export.filename)
        try:
            with private_file(path) as file:
                file.write(data)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"{path}: {len(data):,} bytes.")
