"""Brings the texts up to date with the people, some at a time: each step is kept, whatever happens to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Max

from users_profiles.models import Import, SearchNote, SearchText, User
from users_profiles.search import making, ordering, tables, texts

# Of a step. Others can write in between, and on SQLite only then.
AT_ONCE = 1_000
PAUSE = 0.2  # seconds at most, after each step, in which others write

# Told how many people a step dealt with.
OnStep = Callable[[int], object]
IsOver = Callable[[], bool]


def settle(
    on_step: OnStep | None = None, most: int | None = None, pause: float = 0.0, is_over: IsOver | None = None
) -> int:
    """Write the text of everybody who is noted, or of about ``most`` of them; return how many were looked at."""
    done, gone = 0, 0
    while (most is None or done < most) and not (is_over and is_over()):
        began = time.monotonic()
        with transaction.atomic():
            step = _step()
        if step is None:
            break
        done, gone = done + step.done, gone + step.gone
        if on_step:
            on_step(step.done)
        time.sleep(min(pause, time.monotonic() - began))
    if done >= AT_ONCE:
        tables.tidy()
    if gone:
        tables.drop_what_is_gone(pause)
    return done


def settle_in_background(is_over: IsOver | None = None) -> None:
    """What a worker does now and then. On SQLite, where only one can write, a step at a time while an import does."""
    if is_behind():
        shares = connection.vendor == "sqlite" and Import.objects.under_way().exists()
        settle(pause=PAUSE, is_over=is_over, most=1 if shares else None)


def is_behind() -> bool:
    """Whether somebody is noted who is there."""
    notes = SearchNote.objects.order_by("pk").values_list("first", "last")[:2]
    return any(last != SearchNote.OPEN or User.objects.filter(pk__gte=first).exists() for first, last in notes)


def count_differences() -> int:
    """How many texts are missing, of somebody who is gone, or not what they should be."""
    orphans = SearchText.objects.exclude(pk__in=User.objects.values("pk")).count()
    people = texts.people("search_text__words", "search_text__phone")
    return orphans + sum(texts.text_of(*values) != (words, phone) for _key, *values, words, phone in people.iterator())


def note_everybody() -> None:
    """Have every text compared with its person; what is the same already is not written again."""
    with transaction.atomic():
        SearchNote.objects.filter(last=SearchNote.OPEN).delete()
        SearchNote.objects.create(first=1, last=SearchNote.OPEN)


class _Step(NamedTuple):
    """How many people a step dealt with, and how many of them it found gone."""

    done: int
    gone: int = 0


def _step() -> _Step | None:
    """Deal with some notes within a transaction; None when there are none, or somebody else is at it."""
    if not tables.is_mine_to_write():
        return None
    singles = list(SearchNote.objects.filter(first=F("last")).order_by("pk")[:AT_ONCE])
    if singles:
        SearchNote.objects.filter(pk__in=[note.pk for note in singles]).delete()
        return _some({note.first for note in singles})
    wide = SearchNote.objects.order_by("first", "pk").first()
    if wide is not None:
        return _part_of(wide)
    _keep_open_end()
    return None


def _some(keys: set[int]) -> _Step | None:
    """Deal with single people. Of those who are gone the trigger has dropped the text, where there is one."""
    there, busy = _write(keys)
    SearchText.objects.filter(pk__in=keys - there).delete()
    return _Step(len(there - busy), len(keys - there)) if len(keys) > len(busy) else None


def _part_of(note: SearchNote) -> _Step | None:
    """Deal with the first people of a range, and leave the rest of it noted."""
    people = User.objects.filter(pk__gte=note.first, pk__lte=note.last).order_by("pk")
    keys = list(people.values_list("pk", flat=True)[:AT_ONCE])
    is_last = len(keys) < AT_ONCE
    stays_open = note.last == SearchNote.OPEN and connection.vendor == "sqlite"
    if not keys and stays_open:
        return None
    end = note.last if is_last and not stays_open else keys[-1]
    orphans = SearchText.objects.filter(pk__gte=note.first, pk__lte=note.last if is_last else end)
    orphans.exclude(pk__in=User.objects.values("pk")).delete()
    # Every note of these people, and before they are looked at: one that comes after that is about something newer.
    notes = SearchNote.objects.filter(first__range=(note.first, end))
    notes.filter(last__lte=end).delete()
    if end < SearchNote.OPEN:
        notes.update(first=end + 1)
    _write(keys)
    return _Step(len(keys))


def _keep_open_end() -> None:
    """On SQLite everybody from the next key on is noted by one note for them all, which spares each new person one.

    PostgreSQL hands out keys to several transactions at once, so that a key may come up behind a larger one; there
    each statement notes its own.
    """
    if connection.vendor != "sqlite" or SearchNote.objects.filter(last=SearchNote.OPEN).exists():
        return
    highest = User.objects.aggregate(highest=Max("pk"))["highest"] or 0
    SearchNote.objects.create(first=highest + 1, last=SearchNote.OPEN)


def _write(keys: Collection[int]) -> tuple[set[int], set[int]]:
    """Write the texts of these people, and mend what they are put in order by.

    Returns who was there, and who of them is busy and stays noted.
    """
    held = tables.hold(keys)
    people = {key: values for key, *values in texts.people(*ordering.PATHS).filter(pk__in=keys)}
    rows = [(key, *texts.text_of(*values[: texts.FIELDS])) for key, values in people.items() if key in held]
    for at in range(0, len(rows), 500):
        tables.write(rows[at : at + 500])
    in_order = {key: values[texts.FIELDS :] for key, values in people.items() if key in held}
    busy = (people.keys() - held) | ordering.mend(in_order)
    SearchNote.objects.bulk_create(SearchNote(first=key, last=key) for key in busy)
    return set(people), set(busy)


def keep_triggers(**kwargs: object) -> None:
    """After ``migrate``: make what is missing or old of the triggers, and look at everybody, who may have changed."""
    if making.are_there() and making.make_triggers():
        note_everybody()
