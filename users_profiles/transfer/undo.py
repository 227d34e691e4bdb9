"""Takes an import back, row by row, and leaves alone what has had a life of its own since.

Planning an undo and doing it are one code path, like a check and an apply: the plan stops before it writes. Each
chunk's writes, the fate of its rows and the job's cursor commit together, so that a killed worker's successor goes on
where it stopped. Here the cursor is the number of the last row dealt with.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import roles
from users_profiles.models import Import, ImportRow, Role, User
from users_profiles.roles import Action
from users_profiles.transfer import columns, lease, people
from users_profiles.transfer.bulk import among
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.gate import Gate
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Candidate, Known, Outcome
from users_profiles.transfer.writer import Writer

logger = logging.getLogger(__name__)

CHUNK = 500
ATTEMPTS = 3
# What an import does to people; the other outcomes left them as they were.
WRITTEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.MISSING)
# Before the fate of a row for as long as it is only a plan.
PLAN = "plan:"


class Fate(StrEnum):
    """What becomes of a row when its import is undone."""

    REMOVED = "removed"
    DEACTIVATED = "deactivated"
    RESTORED = "restored"
    KEPT = "kept"


# Why somebody is kept, or not removed, or not restored in full. Stored by their keys, so that they can be translated.
REASONS = {
    "gone": gettext_lazy("has been deleted since"),
    "superuser": gettext_lazy("is a superuser"),
    "oneself": gettext_lazy("is whoever undoes this import"),
    "above": gettext_lazy("has a role that may not be touched by whoever undoes this import"),
    "forbidden": gettext_lazy("may not be changed by whoever undoes this import"),
    "signed_in": gettext_lazy("has signed in since"),
    "password": gettext_lazy("has chosen a password since"),
    "edited": gettext_lazy("the profile was edited since"),
    "changed": gettext_lazy("was changed again since"),
    "inactive": gettext_lazy("was used since and is inactive already"),
    "taken": gettext_lazy("the old value belongs to somebody else now"),
    "unreadable": gettext_lazy("the old value is not valid any more"),
}
FATES = {
    Fate.REMOVED: gettext_lazy("Removed"),
    Fate.DEACTIVATED: gettext_lazy("Deactivated"),
    Fate.RESTORED: gettext_lazy("Restored"),
    Fate.KEPT: gettext_lazy("Kept"),
}


@dataclass
class Explained:
    """The fate of a row for people to read; ``why`` is empty where there is nothing to explain."""

    fate: str
    label: str
    why: str


def explain(undone: str) -> Explained | None:
    """Read what an undo has noted on a row; None when it has not come by."""
    if not undone:
        return None
    fate, reason, names = f"{undone.removeprefix(PLAN)}::".split(":")[:3]
    why = str(REASONS.get(reason, ""))
    if why and names:
        labels = columns.labels()
        why = f"{', '.join(labels.get(name, name) for name in names.split(','))}: {why}"
    return Explained(fate, str(FATES[Fate(fate)]), why)


def kept(undone: str) -> list[str]:
    """The fields that an undo has left alone on a row of which it has restored others."""
    return f"{undone.removeprefix(PLAN)}::".split(":")[2].split(",")


def rows_with(job: Import, fate: str) -> QuerySet[ImportRow]:
    """The rows of an import that an undo has dealt with in this way, or plans to."""
    done = job.state == Import.State.UNDONE
    return job.rows.filter(undone__startswith=f"{'' if done else PLAN}{fate}", outcome__in=WRITTEN)


def counts(job: Import) -> dict[str, int]:
    """How many people the undo has dealt with in each way, or plans to."""
    source = job.undo if job.state == Import.State.UNDONE else job.undo.get("plan", {})
    return {fate.value: source.get(fate.value, 0) for fate in Fate}


@dataclass(slots=True)
class _Person:
    """Somebody the import wrote, as they are now."""

    known: Known
    last_login: datetime | None
    password: str
    extra: bool = False  # has permissions or groups that no import gives

    def used(self) -> str:
        """Why a person that the import created is not just removed, as far as that is not a matter of values."""
        if self.last_login is not None:
            return "signed_in"
        if not self.password.startswith(UNUSABLE_PASSWORD_PREFIX):
            return "password"
        return "edited" if self.known.version > 1 else ""


@dataclass(slots=True)
class _Decision:
    row: Any
    fate: Fate
    reason: str = ""
    kept: list[str] = field(default_factory=list)
    restore: Candidate | None = None

    def __str__(self) -> str:
        return ":".join(part for part in (self.fate, self.reason, ",".join(self.kept)) if part)


def run(job: Import, after_chunk: Callable[[Import], object] | None = None) -> None:
    """Plan or do an undo, from wherever it stands, until it is done or cancelled, or ends with a reason."""
    lease.work(job, lambda holder: Undo(job, holder, after_chunk).go())


class Undo:
    """One go at an undo by one process."""

    def __init__(self, job: Import, holder: str, after_chunk: Callable[[Import], object] | None = None) -> None:
        self.after_chunk = after_chunk
        self.job = job
        self.holder = holder
        self.writing = bool(job.undo.get("write"))
        self.actor = job.undone_by
        self.options = Options.from_json(job.options)
        self.resource = columns.PersonResource(region=self.options.region, date_order=self.options.date_order)
        self.writer = Writer()
        self._blank = {name: self._text(name, None if name == "birth_date" else "") for name in columns.NAMES}
        self._blank["is_active"] = self._text("is_active", True)

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
        rows = self.job.rows.filter(open_rows, outcome__in=WRITTEN, number__gt=self.job.cursor)
        rows = rows.filter(number__lte=self.job.applied_through).order_by("number")
        return list(rows.values_list("pk", "number", "outcome", "user_id", "changes", named=True)[:CHUNK])

    def _deal_with(self, rows: Sequence[Any]) -> bool:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction.atomic():
                    decisions = self._decide(rows)
                    if self.writing:
                        self._write(decisions)
                    self._record(decisions)
                    return self._advance(decisions)
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
                logger.warning("undo of import %s: chunk after row %s is tried again", self.job.pk, self.job.cursor)
        return False

    # What is to become of each row

    def _decide(self, rows: Sequence[Any]) -> list[_Decision]:
        persons = _load({row.user_id for row in rows if row.user_id}, lock=self.writing)
        decisions = [self._decide_one(row, persons.get(row.user_id)) for row in rows]
        self._keep_taken(decisions)
        return decisions

    def _decide_one(self, row: Any, person: _Person | None) -> _Decision:
        if person is None:
            return _Decision(row, Fate.KEPT, "gone")
        if person.known.is_superuser:
            return _Decision(row, Fate.KEPT, "superuser")
        if self.actor is not None and not roles.may(self.actor, Action.EDIT, person.known):
            return _Decision(row, Fate.KEPT, "above")
        return self._take_back(row, person) if row.outcome == Outcome.CREATED else self._restore(row, person)

    def _take_back(self, row: Any, person: _Person) -> _Decision:
        """Somebody the import created: removed, or deactivated when they have been used since."""
        if self.actor is not None and person.known.pk == self.actor.pk:
            return _Decision(row, Fate.KEPT, "oneself")
        used = person.used() or ("changed" if person.extra or self._differs(row.changes, person.known) else "")
        if not used:
            return _Decision(row, Fate.REMOVED)
        if not person.known.values["is_active"]:
            return _Decision(row, Fate.KEPT, "inactive")
        if not self._may(Action.DEACTIVATE, person.known):
            return _Decision(row, Fate.KEPT, "forbidden")
        return _Decision(row, Fate.DEACTIVATED, used)

    def _differs(self, changes: dict[str, list[Any]], known: Known) -> bool:
        """Whether a person is not as the import made them."""
        return any(
            self._text(name, known.values[name]) != (changes[name][1] if name in changes else self._blank[name])
            for name in columns.NAMES
        )

    def _restore(self, row: Any, person: _Person) -> _Decision:
        """Somebody the import changed: each field gets its old value back, unless it was changed again since."""
        known = person.known
        candidate = Candidate(row.number, {}, [], known=known, user_id=known.pk)
        kept: dict[str, str] = {}
        for name, (old, new) in row.changes.items():
            reason = self._obstacle(name, old, new, known)
            if reason:
                kept[name] = reason
            else:
                value = self._value(name, old)
                candidate.values[name] = value
                candidate.changes[name] = (known.values[name], value)
        reason = next(iter(kept.values()), "")
        if not candidate.changes:
            return _Decision(row, Fate.KEPT, reason, list(kept))
        return _Decision(row, Fate.RESTORED, reason, list(kept), candidate)

    def _obstacle(self, name: str, old: str, new: str, known: Known) -> str:
        """Why a field does not get its old value back; empty where nothing is in the way."""
        if self._text(name, known.values[name]) != new:
            return "changed"
        try:
            value = self._value(name, old)
        except ValueError:
            return "unreadable"
        if name == "is_active" and not self._may(Action.DEACTIVATE, known):
            return "forbidden"
        if name == "role" and self.actor is not None and not roles.may_grant(self.actor, value, known):
            return "forbidden"
        return ""

    def _keep_taken(self, decisions: Sequence[_Decision]) -> None:
        """Keep usernames and e-mails whose old value belongs to somebody else by now."""
        for name in ("username", "email"):
            wanted = {
                value.lower(): decision
                for decision in decisions
                if decision.restore is not None and (value := decision.restore.values.get(name))
            }
            if not wanted:
                continue
            holders = User.objects.annotate(key=Lower(name)).filter(key__in=among(wanted))
            for key, holder in holders.values_list("key", "pk"):
                decision = wanted[key]
                if holder != decision.row.user_id:
                    _keep(decision, name, "taken")

    def _may(self, action: Action, known: Known) -> bool:
        return self.actor is None or roles.may(self.actor, action, known)

    def _text(self, name: str, value: Any) -> str:
        return people.rendered(name, value, self.resource)

    def _value(self, name: str, text: str) -> Any:
        """What the change record has as text. Text itself is taken as it is: what was stored need not be cleaned."""
        if name not in {"is_active", "role", "birth_date"}:
            return text
        return self.resource.fields[name].widget.clean(text) if text else None

    # Doing it

    def _write(self, decisions: Sequence[_Decision]) -> None:
        removed = [decision.row.user_id for decision in decisions if decision.fate is Fate.REMOVED]
        if removed:
            User.objects.filter(pk__in=removed).delete()
        deactivated = [decision.row.user_id for decision in decisions if decision.fate is Fate.DEACTIVATED]
        if deactivated:
            User.objects.filter(pk__in=among(deactivated, "bigint")).update(is_active=False)
        restored = [decision.restore for decision in decisions if decision.restore is not None]
        if restored:
            self.writer.update(restored)

    def _record(self, decisions: Iterable[_Decision]) -> None:
        by_text: dict[str, list[int]] = {}
        for decision in decisions:
            by_text.setdefault(f"{'' if self.writing else PLAN}{decision}", []).append(decision.row.pk)
        for text, keys in by_text.items():
            ImportRow.objects.filter(pk__in=among(keys, "bigint")).update(undone=text)

    def _advance(self, decisions: Sequence[_Decision]) -> bool:
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


def _keep(decision: _Decision, name: str, reason: str) -> None:
    """Take one field out of what is restored."""
    assert decision.restore is not None  # noqa: S101
    del decision.restore.changes[name], decision.restore.values[name]
    decision.reason = decision.reason or reason
    decision.kept.append(name)
    if not decision.restore.changes:
        decision.fate, decision.restore = Fate.KEPT, None


_LOADED = ("pk", "is_superuser", "last_login", "password", "profile__version", "version")
_VALUES = [name for name in columns.NAMES if name != "role"]


def _load(keys: Collection[int], lock: bool) -> dict[int, _Person]:
    """The people with these keys, in a fixed number of queries; with ``lock``, as nobody else can change them."""
    found: Any = User.objects.filter(pk__in=among(keys, "bigint")).order_by("pk")
    if lock:
        found = found.select_for_update(of=("self",))
    fields = columns.PersonResource().fields
    paths = [fields[name].path for name in _VALUES]
    persons = {}
    for pk, is_superuser, last_login, password, version, person_version, *values in found.values_list(*_LOADED, *paths):
        own = dict(zip(_VALUES, values, strict=True))
        if version is None:  # raw SQL can leave somebody without a profile
            own.update(dict.fromkeys(("phone_number", "location", "bio"), ""))
        known = Known(pk, is_superuser, version or 0, person_version, {**own, "role": ""})
        persons[pk] = _Person(known, last_login, password)
    _load_groups(persons)
    return persons


def _load_groups(persons: dict[int, _Person]) -> None:
    names = dict(Group.objects.values_list("pk", "name"))
    held = User.groups.through._default_manager.filter(user_id__in=among(persons, "bigint"))
    for user_id, group_id in held.values_list("user_id", "group_id"):
        if names[group_id] in Role.values:
            persons[user_id].known.values["role"] = names[group_id]
        else:
            persons[user_id].extra = True
    own = User.user_permissions.through._default_manager.filter(user_id__in=among(persons, "bigint"))
    for (user_id,) in own.values_list("user_id").distinct():
        persons[user_id].extra = True
