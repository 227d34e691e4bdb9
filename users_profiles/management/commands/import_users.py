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
from django.core.management.base import BaseCommand, CommandError

from users_profiles.management.progress import peak_memory_mb, work_through
from users_profiles.models import Import, ImportRow, User
from users_profiles.transfer import columns, intake, reader, refused
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Match, Mode, Options

SHOWN = 10  # refused rows that are named where there is no --errors


def _pair(raw: str) -> tuple[str, str]:
    """``a=b``; cut at the last sign, because a header may have one in it."""
    left, sign, right = raw.rpartition("=")
    if not sign or not left.strip():
        raise ArgumentTypeError(f"{raw!r} should look like name=value")
    return left.strip(), right.strip()


class Command(BaseCommand):
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
            "--overtakes", action="store_true",
            help="a file of our own exports also changes people whom somebody has changed since; otherwise left out",
        )  # fmt: skip
        parser.add_argument("--errors", type=Path, metavar="OUT.csv", help="where refused rows are written")
        parser.add_argument("--json", action="store_true", help="print one JSON object, last")
        parser.add_argument("--actor", metavar="USERNAME", help="act as this person, with their rights and no more")

    def handle(self, *args: Any, file: str, json: bool, dry_run: bool, errors: Path | None, **options: Any) -> None:
        started = time.monotonic()
        try:
            job = self._receive(file, options)
            self._begin(job, dry_run)
        except FileRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self._work(job)
        self._refuse_unfinished(job)
        if errors is not None:
            self._write_refused(job, errors)
        self._tell(job, time.monotonic() - started, as_json=json, dry_run=dry_run, errors=errors)
        if job.refused:
            sys.exit(2)

    # Taking in ------------------------------------------------------------------------------------------------------

    def _receive(self, name: str, chosen: dict[str, Any]) -> Import:
        owner = self._actor(chosen["actor"])
        with _opened(name) as source:
            job = intake.receive(source, "standard input" if name == "-" else Path(name).name, owner)
        try:
            job.options = self._options(job, chosen).to_json()
        except (FileRefused, CommandError):
            job.delete()
            raise
        job.save(update_fields=["options"])
        return job

    def _actor(self, username: str | None) -> User | None:
        if username is None:
            return None
        try:
            return User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            raise CommandError(f"Nobody has the username {username!r}.") from None

    def _options(self, job: Import, chosen: dict[str, Any]) -> Options:
        options = Options.from_json(job.options)
        options.mode = Mode(chosen["mode"])
        options.blank_clears, options.overtakes = chosen["blank_clears"], chosen["overtakes"]
        for header, name in chosen["mapping"]:
            options.mapping[self._column(options.headers, header)] = self._field(name, may_be_empty=True)
        columns.check_mapping(options.headers, options.mapping)
        options.defaults = {self._field(name): value for name, value in chosen["defaults"]}
        options.match = Match(chosen["match"] or (Match.USERNAME if "username" in options.mapping else Match.EMAIL))
        if options.match not in options.mapping:
            raise CommandError(f"No column is taken for {options.match.value}, so people cannot be recognised by it.")
        return options

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

    def _begin(self, job: Import, dry_run: bool) -> None:
        if dry_run:
            job.start_check()
            return
        # Nobody looks at a preview here, but a file that is broken near its end must still change nothing.
        with intake.opened(job) as file:
            job.total = sum(1 for _row in reader.rows(file, Options.from_json(job.options)))
        job.save(update_fields=["total"])
        job.start_apply(unchecked=True)

    def _work(self, job: Import) -> None:
        try:
            work_through(job, self.stderr)
        except KeyboardInterrupt:
            job.cancel()
            job.refresh_from_db()
            self.stderr.write(f"Stopped. {job.cursor:,} rows are dealt with, the others are not.")
            sys.exit(130)

    def _refuse_unfinished(self, job: Import) -> None:
        if job.state == Import.State.CANCELLED:
            raise CommandError(f"Cancelled by somebody. {job.cursor:,} rows are dealt with, the others are not.")
        if job.state == Import.State.FAILED:
            raise CommandError(job.failure)

    # Telling --------------------------------------------------------------------------------------------------------

    def _write_refused(self, job: Import, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(refused.lines(job))

    def _tell(self, job: Import, seconds: float, as_json: bool, dry_run: bool, errors: Path | None) -> None:
        if job.refused and errors is None:
            self._name_refused(job)
        if as_json:
            self.stdout.write(json.dumps(_figures(job, seconds)))
            return
        verb = "Nothing is written. Would be" if dry_run else "Done"
        self.stdout.write(
            f"{verb}: {job.created:,} new, {job.updated:,} changed, {job.unchanged:,} unchanged, "
            f"{job.refused:,} refused. {job.total:,} rows in {seconds:.1f} s, import {job.pk}."
        )
        if left_out := job.overtaken + job.left_out:
            self.stdout.write(f"{left_out:,} left out: changed here since the file was exported. --overtakes takes them.")
        if job.refused and errors is not None:
            self.stdout.write(f"The refused rows are in {errors}, with the reasons.")

    def _name_refused(self, job: Import) -> None:
        for row in job.rows.filter(outcome=ImportRow.Outcome.REFUSED)[:SHOWN]:
            why = " ".join(f"{problem['column']}: {problem['reason']}".removeprefix(": ") for problem in row.errors)
            self.stderr.write(f"Row {row.number}: {why}")
        if job.refused > SHOWN:
            self.stderr.write(f"... and {job.refused - SHOWN:,} more; --errors OUT.csv writes all of them to a file.")


def _figures(job: Import, seconds: float) -> dict[str, Any]:
    return {
        "import": job.pk,
        "created": job.created,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "refused": job.refused,
        "left_out": job.overtaken + job.left_out,
        "rows": job.total,
        "seconds": round(seconds, 3),
        "rows_per_second": round(job.total / seconds),
        "peak_memory_mb": peak_memory_mb(),
    }


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
