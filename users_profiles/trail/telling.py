"""Everything that changed between two moments, field by field, for reports."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from heapq import merge
from typing import Any, NamedTuple

from django.db.models import QuerySet

from users_profiles.models import Import, ImportRow, Road, TrailEntry
from users_profiles.trail.entries import (
    Kind,
    Outcome,
    nobody,
    owner,
    pair,
    people_type,
    road_of,
    taken_back,
    undoer,
    undone_at,
    undone_rows,
    whom,
    written,
    written_rows,
)

CHUNK = 2_000


class Changed(NamedTuple):
    """One field of one person: when, whose (key and name), by whom, from what to what as text, by which road.

    ``field`` is empty, and so are the values, where somebody was added (``new`` is "added") or deleted ("deleted").
    """

    when: datetime
    person: int | None
    label: str
    who: str
    field: str
    old: str
    new: str
    road: str


def changes(since: datetime, until: datetime, fields: Collection[str] | None = None) -> Iterator[Changed]:
    """Every change from ``since`` until before ``until``, oldest first, in bounded memory; of all fields, or some.

    Asks nobody: leave out of ``fields`` what the reader of a report may not see.
    """
    told = merge(
        _told_notes(since, until), _told_rows(since, until), _told_undone(since, until), key=lambda one: one[0]
    )
    for when, person, label, who, what, pairs, road in told:
        if what:
            yield Changed(when, person, label, who, "", "", what, road)
        for name, value in pairs.items():
            if fields is None or name in fields:
                old, new = pair(value)
                yield Changed(when, person, label, who, name, old or "", new or "", road)


Told = tuple[datetime, "int | None", str, str, str, dict[str, Any], str]


def _told_notes(since: datetime, until: datetime) -> Iterator[Told]:
    words = {Kind.CREATE: "added", Kind.DELETE: "deleted"}
    found = TrailEntry.objects.filter(content_type=people_type(), timestamp__gte=since, timestamp__lt=until)
    for entry in found.exclude(action=Kind.ACCESS).order_by("timestamp", "pk").iterator(CHUNK):
        who = entry.actor_name or nobody(entry.road)
        what = words.get(entry.action, "")
        yield entry.timestamp, entry.object_id, entry.object_repr, who, what, entry.changes or {}, entry.road


def _told_rows(since: datetime, until: datetime) -> Iterator[Told]:
    jobs = Import.objects.filter(applied_at__gte=since, applied_at__lt=until).select_related("owner")
    for job in jobs.order_by("applied_at", "pk"):
        assert job.applied_at is not None  # noqa: S101
        for row in _rows_of(job, written_rows()):
            is_new = row.outcome == Outcome.CREATED and job.subject == Import.Subject.PEOPLE
            what = "added" if is_new else ""
            yield job.applied_at, row.user_id, whom(row), owner(job), what, written(row), road_of(row)


def _told_undone(since: datetime, until: datetime) -> Iterator[Told]:
    jobs = Import.objects.filter(undo__has_key="started", applied_at__lt=until).select_related("undone_by")
    begun = [(undone_at(job), job.pk, job) for job in jobs if job.undo.get("begun")]
    for when, _key, job in sorted(begun):
        if since <= when < until:
            for row in _rows_of(job, undone_rows(written_rows())):
                taken = taken_back(row)
                yield when, row.user_id, whom(row), undoer(job), "" if taken else "deleted", taken, Road.UNDO


def _rows_of(job: Import, rows: QuerySet[ImportRow]) -> Iterator[ImportRow]:
    beside = ["user"] if job.subject == Import.Subject.PICTURES else [None]
    for row in rows.filter(job=job).select_related(None).select_related(*beside).order_by("number").iterator(CHUNK):
        row.job = job
        yield row
