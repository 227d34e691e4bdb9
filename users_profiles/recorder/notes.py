"""What is noted of people: one entry a person for all that belongs together, written at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db.models import Model
from django.utils.text import slugify

from users_profiles.models import Report, TrailEntry, User
from users_profiles.recorder.origin import origin

Action = TrailEntry.Action
Change = list[str | None]

# Who looks at the same thing again within so many seconds is still looking.
STILL_LOOKING = 600

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quietly() -> Iterator[None]:
    """Note nothing: of imports and their undoing the rows are the entries, and made-up people have no past."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def is_recording() -> bool:
    return not _quiet.get()


@dataclass
class Note:
    """What is to be written about one person."""

    label: str
    action: int = Action.UPDATE
    changes: dict[str, Change] = field(default_factory=dict)


@dataclass
class Unit:
    """What belongs together: notes by person, and what people were before the first of them."""

    notes: dict[int, Note] = field(default_factory=dict)
    before: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, key: int, note: Note) -> None:
        known = self.notes.setdefault(key, note)
        if known is note:
            return
        if note.action != Action.UPDATE:
            known.action = note.action
        for name, (old, new) in note.changes.items():
            first = known.changes.pop(name, [old])[0]
            if first != new or first is None:
                known.changes[name] = [first, new]

    def write(self) -> None:
        notes = {key: note for key, note in self.notes.items() if note.changes or note.action != Action.UPDATE}
        if notes:
            whence = origin()
            entries = [_entry(key, note.label, note.action, note.changes, whence) for key, note in notes.items()]
            TrailEntry.objects.bulk_create(entries, batch_size=500)


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)


def present_unit() -> Unit | None:
    """What is being put together here, if anything is."""
    return _unit.get()


@contextmanager
def together() -> Iterator[None]:
    """Make all that this block changes of a person one entry, written when it ends well.

    Call it inside a transaction, so that the change and its entry are kept both or neither.
    """
    if present_unit() is not None:
        yield
        return
    unit = Unit()
    token = _unit.set(unit)
    try:
        yield
    finally:
        _unit.reset(token)
    unit.write()


def note(people: Iterable[User], changes: Mapping[int, dict[str, Change]]) -> None:
    """Note what one statement changes of many people: ``changes`` by the key of each."""
    if not is_recording():
        return
    with together():
        for person in people:
            if person.pk in changes:
                add(person.pk, Note(str(person), changes=changes[person.pk]))


def note_same(people: Iterable[User], name: str, old: str | None, new: str) -> None:
    """Note the same change of each of these people."""
    people = list(people)
    note(people, {person.pk: {name: [old, new]} for person in people})


def add(key: int, made: Note) -> None:
    """Put a note beside what else happens to its person in the same block, or write it at once where there is none."""
    unit = present_unit()
    if unit is not None:
        unit.add(key, made)
        return
    unit = Unit()
    unit.add(key, made)
    unit.write()


def note_report(report: Report, changes: dict[str, Change], *, is_new: bool = False, is_gone: bool = False) -> None:
    """Note that somebody saved, changed or deleted a report: who may use it, and who is mailed what."""
    if changes or is_gone:
        action = Action.CREATE if is_new else Action.DELETE if is_gone else Action.UPDATE
        _entry(report.pk, str(report), action, changes, origin(), Report).save()


def _entry(
    key: int | None, label: str, action: int, changes: Any, whence: dict[str, Any], model: type[Model] = User
) -> TrailEntry:
    return TrailEntry(
        content_type=ContentType.objects.get_for_model(model),
        object_id=key,
        object_pk="" if key is None else str(key),
        object_repr=label[:320],
        action=action,
        changes=changes,
        **whence,
    )


def note_erasure(key: int, label: str) -> None:
    """Note that somebody was erased, by a number and without a name."""
    add(key, Note(label, Action.DELETE))


def looked_at(person: User | None, page: str = "") -> None:
    """Note that whoever asks was shown private fields of a person, or of many on a page; once in a while is enough."""
    whence = origin()
    actor, key = whence.get("actor_id"), person.pk if person else None
    if actor in (None, key):
        return
    if cache.add(f"trail:looked:{actor}:{key or slugify(page)}", 1, STILL_LOOKING):
        _entry(key, str(person) if person else page, Action.ACCESS, {}, whence).save()
