import json
import sys
import tempfile
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.management.base import CommandError

from users_profiles.management.files import private_file
from users_profiles.management.people import actor_named
from users_profiles.management.pipeline import PipelineCommand
from users_profiles.management.progress import import_through, peak_memory_mb
from users_profiles.models import Import, ImportRow
from users_profiles.transfer import columns, hints, intake, reader, reconcile, refused, usernames
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Match, Mode, Options
from users_profiles.transfer.people import problems_of

SHOWN = 10  # refused rows that are named where there is no --errors


def _pair(raw: str) -> tuple[str, str]:
    """``a=b``; cut at the last sign, because a header may have one in it."""
    left, sign, right = raw.rpartition("=")
    if not sign or not left.strip():
        raise ArgumentTypeError(f"{raw!r} should look like name=value")
    return left.strip(), right.strip()


def _roster(raw: str) -> tuple[str, str]:
    """``everybody``, ``location=Berlin`` or ``role=Reader``: among whom, and which."""
    among, _sign, value = raw.partition("=")
    if among not in {*reconcile.Among} - {reconcile.Among.NOBODY}:
        raise ArgumentTypeError(f"{raw!r} should be everybody, location=PLACE or role=ROLE")
    return among, value.strip()


class Command(PipelineCommand):
    help = (
        "Import people from a CSV, TSV or Excel file. Ends with 0 when every row was taken, 2 when some were refused, "
        "and 1 when nothing was done. Without --actor it has the full rights of whoever runs this host."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="the file; - reads standard input")
        parser.add_argument("--dry-run", action="store_true", help="check every row and write nothing")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default=Mode.UPSERT.value)
        parser.add_argument("--match", choices=[match.value for match in Match], help="how people are recognised")
        parser.add_argument(
            "--map", type=_pair, action="append", default=[], metavar='"Header=field"', dest="mapping",
            help="what a column means; nothing after the = ignores it",
        )  # fmt: skip
        parser.add_argument(
            "--default", type=_pair, action="append", default=[], metavar="field=value", dest="defaults",
            help="what new people get where the file says nothing",
        )  # fmt: skip
        parser.add_argument("--blank-clears", action="store_true", help="an empty cell empties the field")
        parser.add_argument(
            "--username-pattern", metavar='"{first}.{last}"', default="",
            help="how usernames of new people are made where the file has none",
        )  # fmt: skip
        parser.add_argument(
            "--overtakes", action="store_true",
            help="a file of our own exports also changes people whom somebody has changed since; otherwise left out",
        )  # fmt: skip
        self._add_roster(parser)
        parser.add_argument(
            "--errors", type=Path, metavar="OUT.csv",
            help="where refused rows are written, with the reasons; an Excel file if it ends in .xlsx",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one JSON object, last, whatever happens")
        parser.add_argument("--actor", metavar="USERNAME", help="act as this person, with their rights and no more")

    def _add_roster(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--roster", type=_roster, default=("", ""), metavar="everybody|location=PLACE|role=ROLE",
            help="deactivate those of these people who are not in the file; never a superuser, never the actor",
        )  # fmt: skip
        parser.add_argument(
            "--deactivates", type=int, metavar="NUMBER",
            help="so many are to be deactivated for that; asked for where it is a large share of them",
        )  # fmt: skip

    def handle(self, *args: Any, json: bool, errors: Path | None, dry_run: bool, **options: Any) -> None:
        self._started = time.monotonic()
        self._job: Import | None = None
        try:
            job = self._import(errors, dry_run, options)
        except (CommandError, FileRefused) as error:
            if json:
                self._print({"error": str(error)})
            raise CommandError(str(error), returncode=getattr(error, "returncode", 1)) from error
        if errors is None:
            self._name_refused(job)
        if json:
            self._print({})
        else:
            self._tell(job, dry_run, errors)
        if job.refused:
            sys.exit(2)

    def _import(self, errors: Path | None, dry_run: bool, chosen: dict[str, Any]) -> Import:
        if errors is not None:
            _refuse_unwritable(errors)
        job = self._job = self._receive(chosen["file"], chosen)
        options = Options.from_json(job.options)
        if dry_run or options.roster:
            job.start_check()
            import_through(job, self.stderr)
        if not dry_run:
            self._begin(job, options, chosen["deactivates"])
            import_through(job, self.stderr)
        if errors is not None:
            with private_file(errors) as out:
                out.writelines(refused.blocks(job, errors.suffix.lower().removeprefix(".")))
        return job

    # Taking in ------------------------------------------------------------------------------------------------------

    def _receive(self, name: str, chosen: dict[str, Any]) -> Import:
        owner = actor_named(chosen["actor"])
        with _opened(name) as source:
            job = intake.receive(source, "standard input" if name == "-" else Path(name).name, owner)
        try:
            job.options = self._options(job, chosen).to_json()
        except (FileRefused, CommandError):
            job.delete()
            raise
        job.save(update_fields=["options"])
        return job

    def _options(self, job: Import, chosen: dict[str, Any]) -> Options:
        options = Options.from_json(job.options)
        options.mode = Mode(chosen["mode"])
        options.blank_clears, options.overtakes = chosen["blank_clears"], chosen["overtakes"]
        options.username_pattern = chosen["username_pattern"]
        for header, name in chosen["mapping"]:
            options.mapping[self._column(options.headers, header)] = self._field(name, may_be_empty=True)
        columns.check_mapping(options.headers, options.mapping)
        options.defaults = {self._field(name): value for name, value in chosen["defaults"]}
        options.match = Match(chosen["match"] or (Match.USERNAME if "username" in options.mapping else Match.EMAIL))
        if options.match not in options.mapping:
            raise CommandError(f"No column is taken for {options.match.value}, so people cannot be recognised by it.")
        self._check_pattern(options)
        self._choose_roster(options, *chosen["roster"])
        return options

    def _check_pattern(self, options: Options) -> None:
        if not options.username_pattern:
            return
        try:
            usernames.check_pattern(options.username_pattern)
        except ValueError as error:
            raise CommandError(str(error)) from error
        needed = (usernames.fields_of(options.username_pattern) | {"email"}) - {*options.mapping}
        if needed:
            raise CommandError(f"To make usernames, the file needs a column for {', '.join(sorted(needed))}.")

    def _choose_roster(self, options: Options, among: str, value: str) -> None:
        form = reconcile.RosterFields({"roster": among, f"roster_{among}": value})
        if not form.is_valid():
            raise CommandError(" ".join(str(error) for errors in form.errors.values() for error in errors))
        form.save_roster(options)

    def _column(self, headers: list[str], header: str) -> int:
        for spelling in (str, str.casefold):
            found = [at for at, known in enumerate(headers) if spelling(known.strip()) == spelling(header)]
            if found:
                return found[0]
        raise CommandError(f"The file has no column {header!r}. It has: {', '.join(headers)}.")

    def _field(self, name: str, may_be_empty: bool = False) -> str:
        if name in columns.NAMES or (may_be_empty and not name):
            return name
        raise CommandError(f"There is no field {name!r}. There are: {', '.join(columns.NAMES)}.")

    # Working --------------------------------------------------------------------------------------------------------

    def _begin(self, job: Import, options: Options, deactivates: int | None) -> None:
        """Begin to write, once it is known that the whole file can be read, and how many it would deactivate."""
        if options.roster:
            if job.missing != deactivates and reconcile.is_many(job.missing, options):
                raise CommandError(
                    f"{job.missing:,} people are not in the file and would be deactivated. Nothing is done. "
                    f"If that is right, add --deactivates {job.missing}."
                )
            job.start_apply()
            return
        # Nobody looks at a preview here, but a file that is broken near its end must still change nothing.
        with intake.opened(job) as file:
            job.total = sum(1 for _row in reader.rows(file, options))
        job.save(update_fields=["total"])
        job.start_apply(unchecked=True)

    # Telling --------------------------------------------------------------------------------------------------------

    def _tell(self, job: Import, dry_run: bool, errors: Path | None) -> None:
        verb = "Nothing is written. Would be" if dry_run else "Done"
        gone = f"{job.missing:,} deactivated, " if job.missing else ""
        self.stdout.write(
            f"{verb}: {job.created:,} new, {job.updated:,} changed, {gone}{job.unchanged:,} unchanged, "
            f"{job.refused:,} refused. {job.total:,} rows in {self._seconds():.1f} s, import {job.pk}."
        )
        for hint in hints.said(Options.from_json(job.options)):
            self.stdout.write(hint.text)
        if left_out := job.overtaken + job.left_out:
            self.stdout.write(f"{left_out:,} left out, changed here since the export; --overtakes takes them.")
        if job.refused and errors is not None:
            self.stdout.write(f"The refused rows are in {errors}, with the reasons.")

    def _name_refused(self, job: Import) -> None:
        options = Options.from_json(job.options)
        for row in job.rows.filter(outcome=ImportRow.Outcome.REFUSED)[:SHOWN]:
            self.stderr.write(f"Row {row.number}: {' '.join(map(str, problems_of(row.errors, options)))}")
        if job.refused > SHOWN:
            self.stderr.write(f"... and {job.refused - SHOWN:,} more; --errors OUT.csv writes all of them to a file.")

    def _print(self, report: dict[str, Any]) -> None:
        """The report and the figures of the import, as far as there is one, as JSON."""
        if self._job is not None:
            report |= _figures(self._job, self._seconds())
        self.stdout.write(json.dumps(report))

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _figures(job: Import, seconds: float) -> dict[str, Any]:
    return {
        "import": job.pk,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "rows": job.total,
        "seconds": round(seconds, 3),
        "rows_per_second": round(job.total / seconds),
        "peak_memory_mb": peak_memory_mb(),
        "left_out": job.overtaken + job.left_out,
        "deactivated": job.missing,
    }


def _refuse_unwritable(path: Path) -> None:
    """Said before anything is written to people, not after."""
    try:
        private_file(path, "ab").close()
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def _opened(name: str) -> Iterator[File[bytes]]:
    """The file to read; standard input is put into a temporary one first, because it is read more than once."""
    if name != "-":
        try:
            with Path(name).open("rb") as file:
                yield File(file)
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
        return
    with tempfile.TemporaryFile() as file:
        for block in iter(lambda: sys.stdin.buffer.read(1024 * 1024), b""):
            file.write(block)
        file.seek(0)
        yield File(file, name="standard input")
