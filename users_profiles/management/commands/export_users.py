import contextlib
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from users_profiles import criteria
from users_profiles.keys import is_key
from users_profiles.management.files import private_file
from users_profiles.management.people import actor_named
from users_profiles.management.progress import Progress
from users_profiles.models import Export, Report, User
from users_profiles.reports import running
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import USUAL, Wanted, to_begin_with

STDOUT = "-"


class Command(BaseCommand):
    help = (
        "Export people to a CSV, Excel or JSON file. Ends with 0 when the file is complete and 1 when there is none. "
        "Without --actor it has the full rights of whoever runs this host. Every export is written down."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "-o", "--output", metavar="FILE",
            help="where to; - writes to standard output; without it, people-DATE in this folder",
        )  # fmt: skip
        parser.add_argument(
            "--format",
            choices=Export.Format.values,
            help="without it, what the name of the file ends in, else csv or the report's",
        )
        parser.add_argument("--columns", metavar="a,b", help=f"which, in this order; without it: {','.join(USUAL)}")
        parser.add_argument(
            "--query", default="", metavar='"role=Editor&q=ada"', help="whom, as the address of the list says it"
        )
        parser.add_argument(
            "--order", default="", metavar="last_name,-date_joined", help="in what order; --order=-x goes down"
        )
        parser.add_argument("--report", metavar="NAME", help="a saved report, by its name or its number")
        parser.add_argument(
            "--since", type=_day, metavar="2026-01-01", help="of a report of changes: from this day, not the last run"
        )
        parser.add_argument("--until", type=_day, metavar="2026-01-31", help="and until the end of this one, not now")
        parser.add_argument("--actor", metavar="USERNAME", help="act as this person, with their rights and no more")

    def handle(self, *args: Any, output: str | None, **options: Any) -> None:
        actor = actor_named(options["actor"])
        try:
            wanted = self._wanted(actor, output, options)
            wanted.check()
            total = wanted.count()
            wanted.check(total)
        except FileRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        path = output or wanted.filename
        with self._opened(path) as file:
            export = self._write(wanted.entry(total), file)
        where = "standard output" if path == STDOUT else path
        what = "changes" if wanted.is_about_changes else "people"
        self._say(f"{export.cursor:,} {what} in {export.seconds:.1f} s to {where}, export {export.pk}.", path)

    def _wanted(self, actor: User | None, output: str | None, options: dict[str, Any]) -> Wanted:
        """What the arguments ask for."""
        days = running.Days(options["since"], options["until"])
        if options["report"] is None:
            if days != running.Days():
                raise CommandError("--since and --until are for a --report of what changed.")
            wanted = Wanted(actor, options["query"], options["order"], format=_format(options["format"], output))
            wanted.columns = _columns(options["columns"], actor)
            return wanted
        if options["query"] or options["order"] or options["columns"]:
            raise CommandError("A report brings its own --query, --order and --columns.")
        report = self._report(options["report"], actor)
        if days != running.Days() and not report.is_about_changes:
            raise CommandError(f"The report {report.name!r} is of people, not of what changed: it has no days.")
        run = running.run(report, actor, days)
        if run.dropped:
            self.stderr.write(f"Left out, because {actor} may not see it: {', '.join(run.dropped)}.")
        run.wanted.format = _format(options["format"], output, run.wanted.format)
        return run.wanted

    def _report(self, name: str, actor: User | None) -> Report:
        """The one report of this name, or of this number, that the actor may use."""
        reports = Report.objects.all() if actor is None else Report.objects.visible_to(actor)
        found = list(reports.filter(name__iexact=name))
        if not found and is_key(name):
            found = list(reports.filter(pk=name))
        if len(found) == 1:
            return found[0]
        if not found:
            raise CommandError(f"There is no report {name!r}.")
        numbers = ", ".join(str(report.pk) for report in found)
        raise CommandError(f"There are several reports {name!r}. Say which by its number: {numbers}.")

    def _write(self, export: Export, file: IO[bytes]) -> Export:
        sending = None
        try:
            with Progress(self.stderr, export.total) as progress:

                def show(rows: int) -> None:
                    export.cursor = rows
                    progress.show(export)

                sending = Sending(export, show)
                for block in sending:
                    file.write(block)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
            sys.exit(130)
        except OSError as error:
            raise CommandError(f"Writing stopped after {export.cursor:,} people: {error.strerror}.") from error
        finally:
            if sending is not None:
                sending.close()
        return export

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[IO[bytes]]:
        """The file to write, which takes its name only once it is whole: nobody is to read half of the people."""
        if path == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        target = Path(path)
        part = target.with_name(f".{target.name}.part")
        try:
            with private_file(part) as file:
                yield file
            part.replace(target)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)

    def _say(self, sentence: str, path: str) -> None:
        """Beside the data, where that goes to standard output."""
        (self.stderr if path == STDOUT else self.stdout).write(sentence)


def _day(text: str) -> date | None:
    """A day out of an argument."""
    try:
        return criteria.read_day(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it like 2026-01-31") from None


def _format(chosen: str | None, output: str | None, usual: str = Export.Format.CSV.value) -> str:
    ending = Path(output or "").suffix.removeprefix(".").lower()
    return chosen or (ending if ending in Export.Format.values else usual)


def _columns(chosen: str | None, actor: User | None) -> list[str]:
    """The columns that were named; else the usual ones, as far as the actor may have them."""
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip()]
    return to_begin_with(USUAL, actor)
