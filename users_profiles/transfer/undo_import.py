"""Takes an import back, row by row, and leaves alone what has had a life of its own since.

Planning an undo and doing it are one code path, like a check and an apply: the plan stops before it writes. Each
chunk's writes, the fate of its rows and the job's cursor commit together, so that a killed worker's successor goes on
where it stopped. Here the cursor is the number of the last row dealt with.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from users_profiles.among import among
from users_profiles.models import Import, ImportRow, User
from users_profiles.roles import Action
from users_profiles.sentences import sentence as _
from users_profiles.transfer import columns, lease
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.gate import Gate
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Known, Outcome
from users_profiles.transfer.undo_rules import REASONS, Decision, Fate, Person, Undo

logger = logging.getLogger(__name__)

CHUNK = 500
ATTEMPTS = 3
PLAN = ImportRow.PLAN


@dataclass
class Explained:
    """The fate of a row for people to read; ``why`` is empty where there is nothing to explain."""

    fate: str
    label: str
    why: str


def explain(row: ImportRow) -> Explained | None:
    """What an undo has noted on a row; None when it has not come by."""
    if not row.undone:
        return None
    fate, reason, kept = row.note
    why = str(REASONS.get(reason, ""))
    if why and kept:
        labels = columns.labels()
        why = f"{', '.join(labels.get(name, name) for name in kept)}: {why}"
    return Explained(fate, str(Fate(fate).label), why)


def rows_with(job: Import, fate: str) -> QuerySet[ImportRow]:
    """The rows of an import that an undo has dealt with in this way, or plans to."""
    done = job.state == Import.State.UNDONE
    return job.rows.filter(undone__startswith=f"{'' if done else PLAN}{fate}", outcome__in=ImportRow.WRITTEN)


def counts(job: Import) -> dict[str, int]:
    """How many people the undo has dealt with in each way, or plans to."""
    source = job.undo if job.state == Import.State.UNDONE else job.undo.get("plan", {})
    return {fate.value: source.get(fate.value, 0) for fate in Fate}


def invited(job: Import) -> int:
    """How many of those whom an undo plans to remove have a link to choose a password, or are about to get one."""
    return rows_with(job, Fate.REMOVED).exclude(invited__in=["", ImportRow.Invited.FAILED]).count()


def run(job: Import, after_chunk: Callable[[Import], object] | None = None) -> None:
    """Plan or do an undo, from wherever it stands, until it is done or cancelled, or ends with a reason."""
    lease.work(job, lambda holder: ImportUndo(job, holder, after_chunk).go())


class ImportUndo(Undo):
    """One go at an undo by one process."""

    def __init__(self, job: Import, holder: str, after_chunk: Callable[[Import], object] | None = None) -> None:
        self.after_chunk = after_chunk
        self.job = job
        self.holder = holder
        self.writing = bool(job.undo.get("write"))
        self.options = Options.from_json(job.options)
        resource = columns.PersonResource(region=self.options.region, date_order=self.options.date_order)
        super().__init__(job.undone_by, resource)
        # What its row does not say of somebody new; but when they came is then the moment they were made.
        unsaid = {**dict.fromkeys(columns.NAMES, ""), "birth_date": None, "is_active": True}
        del unsaid["date_joined"]
        self._blank = {name: self.text(name, value) for name, value in unsaid.items()}

    def go(self) -> None:
        """Deal with the rows that are left; raises ``FileRefused`` when nobody answers for it."""
        if self.actor is None and not self.job.undo.get("operator"):
            raise FileRefused(_("Whoever began to undo this import has been deleted, so nobody answers for it."))
        Gate(self.actor).check_columns(self.options.mapping)
        while rows := self._next_rows():
            if not self._deal_with(rows) or lease.is_stopping():
                return
            if self.after_chunk is not None:
                self.after_chunk(self.job)
        self.job.finish_undo()

    def _next_rows(self) -> list[Any]:
        """The next chunk; rows that an earlier, cancelled undo has done are done."""
        open_rows = Q(undone="") | Q(undone__startswith=PLAN)
        rows = self.job.rows.filter(open_rows, outcome__in=ImportRow.WRITTEN, number__gt=self.job.cursor)
        rows = rows.filter(number__lte=self.job.applied_through).order_by("number")
        return list(rows.values_list("pk", "number", "outcome", "user_id", "changes", named=True)[:CHUNK])

    def _deal_with(self, rows: Sequence[Any]) -> bool:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    decisions = self.decide(rows, lock=self.writing)
                    if self.writing:
                        self.write(decisions)
                    self._record(decisions)
                    return self._advance(decisions)
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
                logger.warning("undo of import %s: chunk after row %s is tried again", self.job.pk, self.job.cursor)
        return False

    # What is to become of each row

    def decide_one(self, row: Any, person: Person | None) -> Decision:
        if person is None:
            return Decision(row, Fate.KEPT, "gone")
        if person.known.is_superuser:
            return Decision(row, Fate.KEPT, "superuser")
        if not self.may_touch(person):
            return Decision(row, Fate.KEPT, "above")
        return self._take_back(row, person) if row.outcome == Outcome.CREATED else self.restore(row, person)

    def _take_back(self, row: Any, person: Person) -> Decision:
        """Somebody the import created: removed, or deactivated when they have been used since."""
        if self.actor is not None and person.known.pk == self.actor.pk:
            return Decision(row, Fate.KEPT, "oneself")
        used = person.used() or ("changed" if person.extra or self._differs(row.changes, person.known) else "")
        if not used:
            return Decision(row, Fate.REMOVED)
        if not person.known.values["is_active"]:
            return Decision(row, Fate.KEPT, "inactive")
        if not self.may(Action.DEACTIVATE, person.known):
            return Decision(row, Fate.KEPT, "forbidden")
        return Decision(row, Fate.DEACTIVATED, used)

    def _differs(self, changes: dict[str, list[Any]], known: Known) -> bool:
        """Whether a person is not as the import made them."""
        return any(
            self.text(name, known.values[name]) != (changes[name][1] if name in changes else self._blank[name])
            for name in self._blank.keys() | changes.keys()
        )

    # Doing it

    def write(self, decisions: Sequence[Decision]) -> None:
        removed = [decision.row.user_id for decision in decisions if decision.fate is Fate.REMOVED]
        if removed:
            User.objects.filter(pk__in=removed).delete()
        deactivated = [decision.row.user_id for decision in decisions if decision.fate is Fate.DEACTIVATED]
        if deactivated:
            User.objects.filter(pk__in=among(deactivated, "bigint")).update(is_active=False)
        super().write(decisions)

    def _record(self, decisions: Iterable[Decision]) -> None:
        by_text: dict[str, list[int]] = {}
        for decision in decisions:
            by_text.setdefault(f"{'' if self.writing else PLAN}{decision}", []).append(decision.row.pk)
        for text, keys in by_text.items():
            ImportRow.objects.filter(pk__in=among(keys, "bigint")).update(undone=text)

    def _advance(self, decisions: Sequence[Decision]) -> bool:
        note = {**self.job.undo}
        found = Counter(decision.fate.value for decision in decisions)
        target = note if self.writing else {**note.get("plan", {})}
        for fate, count in found.items():
            target[fate] = target.get(fate, 0) + count
        if not self.writing:
            note["plan"] = target
        if self.job.advance(self.holder, decisions[-1].row.number, undo=note):
            return True
        transaction.set_rollback(True)
        return False
