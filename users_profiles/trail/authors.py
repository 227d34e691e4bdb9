"""Who gave the fields of one person the values they have: what somebody is told who was about to write over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from users_profiles import roles
from users_profiles.models import TrailEntry
from users_profiles.trail.entries import (
    Kind,
    nobody,
    owner,
    pair,
    people_type,
    taken_back,
    undoer,
    undone_at,
    undone_rows,
    written,
    written_rows,
)

# How far back to look. Whoever is asked about edits that crossed has opened a page a moment ago.
LATEST = 30


class Author(NamedTuple):
    """Who changed something, and when."""

    who: str
    when: datetime


def authors(person: int, values: Mapping[str, str]) -> dict[str, Author]:
    """Who gave these fields of a person the values they have (as text), as far as the latest entries tell.

    Three queries. Asks nobody who asks: it names people, and no values.
    """
    latest: dict[str, Author | None] = {}
    for author, changes in sorted(_latest(person), key=lambda one: one[0].when, reverse=True):
        for name in changes.keys() & values.keys() - latest.keys():
            # The trail may not know of the change, of raw SQL for one: then it was not who changed it before, either.
            latest[name] = author if _new(changes[name]) == values[name] else None
    return {name: author for name, author in latest.items() if author is not None}


def _new(change: Any) -> str:
    new = pair(change)[1] or ""
    return roles.MEMBER if new == roles.MEMBER_WORD else new


def _latest(person: int) -> Iterator[tuple[Author, dict[str, Any]]]:
    noted = TrailEntry.objects.filter(content_type=people_type(), object_id=person).exclude(action=Kind.ACCESS)
    for entry in noted.order_by("-timestamp", "-pk")[:LATEST]:
        yield Author(entry.actor_name or nobody(entry.road), entry.timestamp), entry.changes or {}
    rows = written_rows().filter(user=person)
    for row in rows.order_by("-job__applied_at", "-pk")[:LATEST]:
        assert row.job.applied_at is not None  # noqa: S101
        yield Author(owner(row.job), row.job.applied_at), written(row)
    for row in undone_rows(rows).order_by("-pk")[:LATEST]:
        yield Author(undoer(row.job), undone_at(row.job)), taken_back(row)
