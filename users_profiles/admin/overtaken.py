"""Rows of a file of our own exports whose people were changed here since: both sides, and who changed ours."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import Max

from users_profiles.models import ImportRow, TrailEntry
from users_profiles.moments import ago
from users_profiles.trail import entries
from users_profiles.trail.entries import Actor, Entry

# Of the people on a page; whose last change lies behind so many later ones of the others goes without it.
LOOKED_THROUGH = 1_000


def add_last_changes(shown: Collection[dict[str, Any]], rows: Collection[ImportRow], actor: Actor) -> None:
    """Say of each row who was the last to change that person here, as far as ``actor`` may know of it."""
    wanted = {row.user_id: row.changes.keys() for row in rows if row.user_id}
    found = _last_changes(wanted, actor)
    for line, row in zip(shown, rows, strict=True):
        entry = found.get(row.user_id or 0)
        if entry is not None:
            line["last"] = {"who": entry.who, "ago": ago(entry.when), "what": entry.summary, "job": entry.job}


def _last_changes(wanted: dict[int, Collection[str]], actor: Actor) -> dict[int, Entry]:
    """The newest change of a field that the file would change too; of another one where there is none."""
    newest = sorted(_changes(wanted, actor), key=lambda entry: entry.at, reverse=True)
    found: dict[int, Entry] = {}
    for entry in newest:
        if entry.person is not None and any(change.field in wanted[entry.person] for change in entry.changes):
            found.setdefault(entry.person, entry)
    for entry in newest:
        if entry.person is not None:
            found.setdefault(entry.person, entry)
    return found


def _changes(people: Collection[int], actor: Actor) -> Iterator[Entry]:
    """What was noted about these people, and what imports and their undoing last did to them, in two queries."""
    noted = TrailEntry.objects.filter(content_type=entries.people_type(), object_id__in=people)
    noted = noted.filter(action=TrailEntry.Action.UPDATE).order_by("-timestamp", "-pk")
    found = [entries.from_note(note, actor) for note in noted[:LOOKED_THROUGH]]
    last = entries.written_rows().filter(user__in=people).order_by().values("user").annotate(last=Max("pk"))
    for row in entries.written_rows().filter(pk__in=last.values("last")):
        undone = bool(entries.taken_back(row)) and row.undone.startswith(
            (ImportRow.Fate.RESTORED, ImportRow.Fate.DEACTIVATED)
        )
        found.append(entries.from_undone_row(row, actor) if undone else entries.from_row(row, actor))
    return (entry for entry in found if entry.changes)
