from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from users_profiles.management.progress import Progress
from users_profiles.models import User
from users_profiles.search import making, settling, tables


class Command(BaseCommand):
    help = (
        "Compare what the search finds everybody by with the people themselves, and put right what differs; make its "
        "index and triggers where they are missing. People can search and work meanwhile. Cut short, the worker goes "
        "on with it, and so does this command when run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what differs")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        if dry_run:
            found = settling.count_differences()
            self.stdout.write(f"Texts that differ: {found:,}.")
            return
        has_index = making.make_index()
        making.make_triggers()
        settling.note_everybody()
        done = 0
        with Progress(self.stdout, User.objects.count()) as progress:

            def show(count: int) -> None:
                nonlocal done
                done += count
                progress.draw(done)

            settling.settle(show)
        tables.mend()
        if settling.is_behind():
            self.stdout.write("Somebody else is at work on it, too, and goes on with the rest.")
        if not has_index:
            raise CommandError(making.NO_TRIGRAMS)
        self.stdout.write(f"People who can be found now: {done:,}.")
