"""The engine: a file in chunks through clean, match and diff, then either shown (check) or written (apply).

Both are one code path. Each chunk's writes, its rows' records and the job's cursor commit in one transaction, so a
worker that dies at any moment leaves whole chunks behind, and whoever takes over goes on after the last of them.
"""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import translation

from users_profiles import roles
from users_profiles.models import Import
from users_profiles.sentences import sentence as _
from users_profiles.speaking import spoken
from users_profiles.transfer import columns, dates, intake, lease, people, reader, reconcile
from users_profiles.transfer.bulk import look_up_by_index
from users_profiles.transfer.cleaning import Cleaner
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.gate import Gate
from users_profiles.transfer.newcomers import Newcomers
from users_profiles.transfer.options import Match, Mode, Options, Row
from users_profiles.transfer.people import Candidate, Directory, Outcome
from users_profiles.transfer.seen import Seen
from users_profiles.transfer.writer import Writer

logger = logging.getLogger(__name__)

CHUNK = 2_000
# Somebody may take a username between our look and our write; then the chunk is looked at again.
ATTEMPTS = 4
FORGOTTEN_AT_ONCE = 20_000
COUNTERS = {
    Outcome.CREATED: "created",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.REFUSED: "refused",
    Outcome.LEFT_OUT: "left_out",
    Outcome.MISSING: "missing",
    Outcome.OVERTAKEN: "overtaken",
}
# As plain text: to look up a member of an enum, a million times over, takes as long as to match a row.
CREATED, UPDATED, REFUSED, LEFT_OUT, OVERTAKEN = map(
    str, (Outcome.CREATED, Outcome.UPDATED, Outcome.REFUSED, Outcome.LEFT_OUT, Outcome.OVERTAKEN)
)


def run(job: Import, after_chunk: Callable[[Import], object] | None = None) -> None:
    """Check or apply a job, from wherever it stands, until it is done, cancelled, or fails with a reason.

    Leaves it alone while somebody else works on it, or while another import writes. ``after_chunk`` is for progress.
    """

    def go(holder: str) -> None:
        with intake.opened(job) as file, _rare_collections():
            _Run(job, holder, file, after_chunk).go()

    lease.work(job, go)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often: a chunk makes a hundred thousand objects, and no cycles.

    Looking through them again and again took a fifth of the time of an import.
    """
    usual = gc.get_threshold()
    gc.set_threshold(200_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _made_ahead(chunks: Iterator[list[Candidate]]) -> Iterator[list[Candidate]]:
    """Yield chunks while a thread makes the next one: the database is at work then, and Python has nothing to do.

    The thread has no business with the database, and speaks the language of whoever started it: that does not come
    along with the context, which Django keeps apart for every thread.
    """
    context, language = copy_context(), spoken()

    def make() -> list[Candidate] | None:
        with translation.override(language):
            return next(chunks, None)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader") as thread:
        coming = thread.submit(context.run, make)
        while (chunk := coming.result()) is not None:
            coming = thread.submit(context.run, make)
            yield chunk


class _Run:
    """One go at a job by one process."""

    def __init__(
        self, job: Import, holder: str, file: Any, after_chunk: Callable[[Import], object] | None = None
    ) -> None:
        self.after_chunk = after_chunk
        self.job = job
        self.holder = holder
        self.file = file
        self.options = Options.from_json(job.options)
        self.applying = job.state == Import.State.APPLYING
        self.resource = columns.PersonResource(region=self.options.region, date_order=self.options.date_order)
        self.gate = Gate(job.owner)
        self.cleaner = Cleaner(self.options, self.resource)
        self.seen = Seen()
        self.newcomers = Newcomers(job, self.options, self.resource, self.seen)
        self.writer = Writer()
        # The same roles and days come again and again.
        self.renders = {
            name: lru_cache(maxsize=10_000)(self.resource.fields[name].widget.note) for name in people.NOT_TEXT
        }
        self.also = [name for name in people.SELDOM if name in self.options.mapping]

    def go(self) -> None:
        columns.refuse_forbidden(self.options.headers)
        columns.check_mapping(self.options.headers, self.options.mapping)
        self._check_origin()
        self.gate.check_columns([*self.options.mapping, *self.options.defaults])
        if self.job.cursor == 0 and not self.applying:
            self._forget_rows()
        # What a check, or a predecessor, has said about rows is overwritten.
        self.has_rows = self.job.rows.exists()
        rows = reader.rows(self.file, self.options)
        self._skip(rows, self.job.cursor)
        chunks = self._chunks(rows)
        # SQLite is at work in this very process, and would only be kept waiting.
        for chunk in _made_ahead(chunks) if connection.vendor == "postgresql" else chunks:
            if not self._deal_with(chunk) or lease.is_stopping():
                return
            if self.after_chunk is not None:
                self.after_chunk(self.job)
        if self.options.roster and not reconcile.Roster(self.job, self.holder, self.gate, self.seen).go():
            return
        finish = self.job.finish_apply if self.applying else self.job.finish_check
        self._record_total()
        finish()

    def _forget_rows(self) -> None:
        """Drop what an earlier check found, a few at a time: nobody else should wait for a million rows to go."""
        while numbers := list(self.job.rows.order_by("number").values_list("number", flat=True)[:FORGOTTEN_AT_ONCE]):
            self.job.rows.filter(number__lte=numbers[-1]).delete()

    def _check_origin(self) -> None:
        """The file is the one that was uploaded, and whoever uploaded it is still with us."""
        if self.job.owner is None and not self.job.by_operator:
            raise FileRefused(_("Whoever started this import has been deleted, so nobody answers for it."))
        if intake.digest(self.file) != self.job.digest:
            raise FileRefused(_("The stored file is not the one that was uploaded. Upload it again."))

    def _skip(self, rows: Iterator[tuple[int, Row]], count: int) -> None:
        """Pass over what a predecessor dealt with, remembering who was in it."""
        while count > 0 and (chunk := list(islice(rows, min(CHUNK, count)))):
            cleaned = self.cleaner.clean(chunk)
            self.seen.check(cleaned)
            self.newcomers.remember(cleaned)
            count -= len(chunk)

    def _chunks(self, rows: Iterator[tuple[int, Row]]) -> Iterator[list[Candidate]]:
        """The rows cleaned, a chunk at a time."""
        while chunk := list(islice(rows, CHUNK)):
            yield self.cleaner.clean(chunk)

    def _record_total(self) -> None:
        self.options.hints = self.cleaner.hints.to_json()
        self.job.total, self.job.options = self.job.cursor, self.options.to_json()
        self.job.save(update_fields=["total", "options"])

    def _deal_with(self, cleaned: Sequence[Candidate]) -> bool:
        """Decide about a chunk and commit it with the cursor; False when the job is no longer ours."""
        self.seen.check(cleaned)
        given = [(row.values, len(row.problems)) for row in cleaned]
        start = self.job.cursor
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    look_up_by_index()
                    self._decide(cleaned)
                    if self.applying:
                        self._write(cleaned)
                    self._record(cleaned)
                    return self._advance(cleaned)
            except (IntegrityError, *lease.TRANSIENT) as error:
                if attempt == ATTEMPTS:
                    raise
                logger.warning("import %s: chunk after row %s is tried again: %s", self.job.pk, start, error)
                lease.recover(0.1 * 2**attempt)
                self.job.refresh_from_db()
                if self.job.cursor > start:
                    return True  # it was committed, only the answer was lost
                for row, (values, found) in zip(cleaned, given, strict=True):
                    row.begin_again(values, found)
        return False

    def _decide(self, candidates: Sequence[Candidate]) -> None:
        """Match and diff: what each row means, and what becomes of it."""
        directory = Directory(
            people.keys_of(candidates, "username"), people.keys_of(candidates, "email"), self.applying, self.also
        )
        for candidate in candidates:
            if candidate.problems:
                continue
            if directory.is_empty:  # a file of new people
                self._plan_new(candidate)
            else:
                self._match(candidate, directory)
        self.newcomers.name(candidates)
        for candidate in candidates:
            if candidate.problems:
                candidate.outcome = REFUSED
        if self.applying:
            self._leave_out_unticked(candidates)

    def _leave_out_unticked(self, candidates: Sequence[Candidate]) -> None:
        """Rows that staff unticked at the preview are not written, and recorded as left out.

        What has been changed here since it was exported is written only where staff saw that and ticked it.
        """
        seen = self.job.rows.filter(number__range=(candidates[0].number, candidates[-1].number))
        unticked = set(seen.filter(ticked=False).values_list("number", flat=True)) if self.has_rows else set()
        overtaken = [candidate for candidate in candidates if candidate.outcome == OVERTAKEN]
        if overtaken:
            chosen = set(seen.filter(ticked=True, outcome=OVERTAKEN).values_list("number", flat=True))
            for candidate in overtaken:
                candidate.outcome, candidate.ticked = UPDATED, True
            unticked.update(candidate.number for candidate in overtaken if candidate.number not in chosen)
        for candidate in candidates:
            if candidate.number in unticked:
                candidate.ticked, candidate.outcome = False, LEFT_OUT

    def _match(self, candidate: Candidate, directory: Directory) -> None:
        """Find whom a row means, and what it would do to them."""
        by_username, by_email = directory.find(candidate)
        if self.options.match is Match.USERNAME:
            known, rival, column = by_username, by_email, "email"
        else:
            known, rival, column = by_email, by_username, "username"
        if rival is not None and rival is not known:
            who = rival.values["username"]
            candidate.refuse("taken", column, candidate.values[column], who=who)
        elif known is not None and self._is_mistaken(candidate, known):
            who = known.values["username"]
            candidate.refuse("other_person", "username", candidate.values["username"], who=who)
        elif known is not None:
            candidate.known, candidate.user_id = known, known.pk
            self._diff(candidate)
        else:
            self._plan_new(candidate)

    def _is_mistaken(self, candidate: Candidate, known: people.Known) -> bool:
        """Whether a username that differs in its letters' case, and comes with another e-mail, is hardly that person.

        Without this, a row that was refused as a duplicate overwrites the person it duplicated when it is sent again.
        """
        name, mail = candidate.values.get("username", ""), candidate.values.get("email", "")
        other_name = bool(name) and name != known.values["username"]
        other_mail = bool(mail) and bool(known.values["email"]) and mail.lower() != known.values["email"].lower()
        return self.options.match is Match.USERNAME and other_name and other_mail

    def _plan_new(self, candidate: Candidate) -> None:
        if self.options.mode is Mode.UPDATE:
            candidate.refuse("unknown")
        elif not candidate.values.get("username") and not self.options.username_pattern:
            candidate.refuse("no_username", "username")
        else:
            candidate.outcome = CREATED
            self.newcomers.fill(candidate)
            self.gate.check_new(candidate)

    def _diff(self, candidate: Candidate) -> None:
        if self.options.mode is Mode.CREATE:
            return
        known = candidate.known
        assert known is not None  # noqa: S101
        for name, new in candidate.values.items():
            old = known.values[name]
            if new != old and not self._same(known, name, old, new):
                candidate.changes[name] = (old, new)
        if candidate.changes:
            candidate.outcome = UPDATED
            if 0 < candidate.version < known.total_version and not self.options.overtakes:
                candidate.outcome, candidate.ticked = OVERTAKEN, False
            self.gate.check_change(candidate)

    def _same(self, known: people.Known, name: str, old: Any, new: Any) -> bool:
        """Whether two unequal values differ only in how they are written: what we exported must come back unchanged."""
        if name == "role" and known.is_superuser and new == roles.SUPERUSER_WORD:
            return True
        if isinstance(old, str) and isinstance(new, str) and name in {"username", "email"}:
            return old.lower() == new.lower()
        if name == "date_joined":
            return dates.is_same_arrival(old, new)
        if not isinstance(old, str) or not old:
            return False
        try:
            return bool(self.resource.fields[name].widget.clean(old) == new)
        except ValueError:
            return False

    def _write(self, candidates: Sequence[Candidate]) -> None:
        created = [candidate for candidate in candidates if candidate.outcome == CREATED]
        updated = [candidate for candidate in candidates if candidate.outcome == UPDATED]
        if created:
            self.writer.create(created)
        if updated:
            self.writer.update(updated)

    def _record(self, candidates: Sequence[Candidate]) -> None:
        """Keep what became of each row; applying overwrites what checking said."""
        for candidate in candidates:
            if candidate.outcome == REFUSED:
                candidate.changes = {}
            elif candidate.known is None:
                candidate.changes = self._everything(candidate.values)
            elif candidate.changes:
                self._render(candidate)
        self.writer.record(self.job, candidates, anew=self.has_rows)

    def _render(self, candidate: Candidate) -> None:
        """Turn the changes into text. Most are text already; only the others are touched."""
        changes = candidate.changes
        for name, render in self.renders.items():
            if name in changes:
                old, new = changes[name]
                changes[name] = (render(old), render(new))

    def _everything(self, values: dict[str, Any]) -> dict[str, tuple[None, str]]:
        """What somebody new begins with, as changes from nothing."""
        renders = self.renders
        return {
            name: (None, renders[name](value) if name in renders else value)
            for name, value in values.items()
            if value != ""
        }

    def _advance(self, candidates: Sequence[Candidate]) -> bool:
        found = Counter(candidate.outcome for candidate in candidates)
        counts = {name: getattr(self.job, name) + found[outcome] for outcome, name in COUNTERS.items()}
        if self.applying:
            counts["applied_through"] = candidates[-1].number
        if self.job.advance(self.holder, self.job.cursor + len(candidates), **counts):
            return True
        transaction.set_rollback(True)
        return False
