"""Takes back what was done to several people in the list: a role given, people activated or deactivated.

There is nothing to keep for that: the trail has the old and the new value of each person. What belongs together has
one mark there, and so has the undo of it, which is how a second one knows for whom it comes too late.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from users_profiles import recorder, roles
from users_profiles.among import among
from users_profiles.models import Road, TrailEntry, User
from users_profiles.sentences import sentence as _
from users_profiles.superusers import changing
from users_profiles.trail.entries import people_type, readable
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.undo_rules import REASONS, Decision, Fate, Person, Undo

CHUNK = 500
# How far from the moment in its mark the entries of an action can be: they are written within one request.
NEAR = timedelta(minutes=15)
# What an action changes that can be given back. A mail that was sent cannot, nor a person who was deleted.
FIELDS = frozenset({"is_active", "role"})


def new_mark() -> UUID:
    """A mark for an action that begins now. It holds the moment, by which the trail finds its entries without looking
    through all of them."""
    return UUID(int=(int(timezone.now().timestamp() * 1000) << 80) | secrets.randbits(80))


def _moment_of(mark: UUID) -> datetime:
    """When the action of this mark began; long ago for a mark that nobody made here."""
    try:
        return datetime.fromtimestamp((mark.int >> 80) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """What was done to one person, in the words of ``Undo``."""

    number: int
    user_id: int
    label: str
    changes: dict[str, list[str]]


@dataclass(frozen=True)
class Told:
    """What becomes of one person, for people to read: what they have and what comes back, or why nothing does."""

    key: int
    label: str
    now: str
    then: str
    why: str


class ActionUndo(Undo):
    """One action, by its mark, and whoever wants it undone."""

    def __init__(self, mark: UUID, actor: User) -> None:
        super().__init__(actor, columns.PersonResource())
        self.mark = str(mark)
        began = _moment_of(mark)
        entries: QuerySet[TrailEntry] = TrailEntry.objects.filter(content_type=people_type(), cid=self.mark)
        self._done = entries.filter(road=Road.ACTION, timestamp__range=(began - NEAR, began + NEAR))
        self._undone = entries.filter(road=Road.UNDO, timestamp__gte=began - NEAR)

    @property
    def is_ours(self) -> bool:
        """Whether there is such an action, and the actor is who did it or sees what everybody does."""
        assert self.actor is not None  # noqa: S101
        done = self._done
        if not roles.may(self.actor, roles.Action.GRANT):
            done = done.filter(actor=self.actor)
        return done.exists()

    @property
    def undone(self) -> TrailEntry | None:
        """An entry of the undo there has been already, once nobody is left who was given nothing back."""
        return None if self._rows() else self._undone.first()

    def plan(self) -> list[Decision]:
        """What an undo would do; nothing is written."""
        rows = self._rows()
        return [one for at in range(0, len(rows), CHUNK) for one in self.decide(rows[at : at + CHUNK], lock=False)]

    def go(self) -> list[Decision]:
        """Give back what can be given back, all in one, and note it.

        Raises ``FileRefused`` when it has been undone meanwhile, and ``LastSuperuserError``.
        """
        done: list[Decision] = []
        people = User.objects.filter(pk__in=among([row.user_id for row in self._rows()], "bigint")).order_by("pk")
        with changing(people):
            list(people.select_for_update(of=("self",)).values_list("pk"))
            # Whoever waited for these people to be free looks again, so that nobody undoes what is undone.
            rows = self._rows()
            if not rows:
                raise FileRefused(already())
            with recorder.quietly():
                for at in range(0, len(rows), CHUNK):
                    decisions = self.decide(rows[at : at + CHUNK], lock=True)
                    self.write(decisions)
                    done += decisions
            self._note(done)
        return done

    def decide_one(self, row: Any, person: Person | None) -> Decision:
        if person is None:
            return Decision(row, Fate.KEPT, "gone")
        if not self.may_touch(person):
            return Decision(row, Fate.KEPT, "above")
        return self.restore(row, person)

    def _rows(self) -> list[Row]:
        """What was done to whom, without those who were given it back: whoever was left alone can be tried again."""
        given_back = self._undone.filter(object_id__isnull=False).values("object_id")
        entries = self._done.exclude(object_id__in=given_back).order_by("object_id", "pk")
        return [
            Row(entry.pk, entry.object_id, entry.object_repr, _changes(entry.changes or {}))
            for entry in entries
            if entry.object_id is not None and FIELDS.issuperset(entry.changes or {"": []})
        ]

    def _note(self, decisions: list[Decision]) -> None:
        restored = [one for one in decisions if one.restore is not None]
        people = [User(pk=one.row.user_id, username=one.row.label) for one in restored]
        changes = {one.row.user_id: _back(one) for one in restored}
        with recorder.by(Road.UNDO), recorder.marked(self.mark):
            recorder.note(people, changes)


def already() -> str:
    """What is said of an action that was undone before."""
    return _("This has been undone already.")


def told(decision: Decision) -> Told:
    """A decision in words."""
    row, fields = decision.row, columns.labels()
    shown = decision.restore.changes if decision.restore else row.changes
    now = ", ".join(_said(name, row.changes[name][1]) for name in shown)
    then = ", ".join(_said(name, row.changes[name][0]) for name in shown)
    why = str(REASONS.get(decision.reason, ""))
    if why and decision.kept:
        why = f"{', '.join(fields[name] for name in decision.kept)}: {why}"
    return Told(row.user_id, row.label, now, then if decision.restore else "", why)


def _said(name: str, text: str) -> str:
    if name == "is_active":
        return _("Active") if text == "yes" else _("Inactive")
    return readable(name, text)


def _changes(noted: dict[str, list[str]]) -> dict[str, list[str]]:
    """What the trail has of an action, as the rows of an import have it: of members by a word."""
    return {
        name: [value or roles.MEMBER_WORD if name == "role" else value for value in values]
        for name, values in noted.items()
    }


def _back(decision: Decision) -> dict[str, recorder.Change]:
    """What is to be noted of somebody who got something back."""
    assert decision.restore is not None  # noqa: S101
    given = {name: decision.row.changes[name] for name in decision.restore.changes}
    return {name: [_noted(new), _noted(old)] for name, (old, new) in given.items()}


def _noted(text: str) -> str:
    return "" if text == roles.MEMBER_WORD else text
