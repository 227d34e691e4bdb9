"""Writes a chunk of checked rows: a fixed number of statements, however many rows."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone

from users_profiles import roles
from users_profiles.among import among
from users_profiles.models import Import, ImportRow, Profile, Role, User
from users_profiles.models.folded import FoldedField, folded_fields
from users_profiles.models.profile import BLANKS
from users_profiles.transfer.bulk import Bulk, bulk
from users_profiles.transfer.people import SELDOM, Candidate

_PROFILE = tuple(BLANKS)
_USER = ("username", "first_name", "last_name", "email", "is_active")
# What new people have where their row says nothing.
_BLANKS: dict[str, Any] = {**dict.fromkeys(_USER, ""), **BLANKS, "is_active": True, "role": ""}


class Writer:
    """Turns candidates into rows of our tables; how rows get into tables is for ``Bulk`` to know."""

    def __init__(self, tables: Bulk | None = None) -> None:
        self._tables = tables or bulk()
        self._groups = dict(Group.objects.filter(name__in=Role.values).values_list("name", "pk"))
        self._staff = {role: spec.is_staff for role, spec in roles.specs().items()}

    def create(self, candidates: Sequence[Candidate]) -> None:
        """Store new people with their profiles and roles; sets each candidate's ``user_id``."""
        now, count = timezone.now(), len(candidates)
        values = _columns_of([row.values for row in candidates])
        user = {
            **_with_folded(User, {name: values[name] for name in _USER}),
            "password": _unusable_passwords(count),
            "is_superuser": [False] * count,
            "is_staff": list(map(self._staff.__getitem__, values["role"])),
            "date_joined": [row.values.get("date_joined", now) for row in candidates],
        }
        keys = self._tables.insert_numbered(User, user)
        for candidate, key in zip(candidates, keys, strict=True):
            candidate.user_id = key
        profile = _with_folded(Profile, {name: values[name] for name in _PROFILE})
        self._tables.insert(Profile, {"user_id": keys, **profile, "updated_at": [now] * count})
        self._join_groups(list(zip(keys, values["role"], strict=True)))

    def _join_groups(self, people: Sequence[tuple[int, str]]) -> None:
        held = [(key, self._groups[role]) for key, role in people if role]
        if held:
            users, groups = zip(*held, strict=True)
            self._tables.insert(User.groups.through, {"user_id": users, "group_id": groups})

    def update(self, candidates: Sequence[Candidate]) -> None:
        """Store the changed fields of people we know; a changed person, or profile, becomes its next version."""
        users = [row for row in candidates if _touches(row, (*_USER, *SELDOM))]
        if users:
            self._note_leavers(candidates)
            versions = [row.known.person_version + 1 for row in users if row.known is not None]
            self._tables.update(User, {**_with_folded(User, _merged(users, "id", _USER)), "version": versions})
        for name in SELDOM:
            if changed := [row for row in users if name in row.changes]:
                self._tables.update(User, _merged(changed, "id", [name]))
        self._update_profiles([row for row in candidates if _touches(row, _PROFILE)])
        self._assign_roles([row for row in candidates if "role" in row.changes])

    def _note_leavers(self, candidates: Sequence[Candidate]) -> None:
        """Write down since when people are inactive, before they are: only few of a chunk come or go."""
        for active in (True, False):
            keys = [
                row.user_id for row in candidates if "is_active" in row.changes and row.values["is_active"] is active
            ]
            if keys:
                User.objects.filter(pk__in=among(keys, "bigint")).update(is_active=active)

    def _update_profiles(self, candidates: Sequence[Candidate]) -> None:
        if candidates:
            self._keep_guarantee(candidates)
            versions = [row.known.version + 1 for row in candidates if row.known is not None]
            moments = [timezone.now()] * len(candidates)
            profile = _with_folded(Profile, _merged(candidates, "user_id", _PROFILE))
            self._tables.update(Profile, {**profile, "version": versions, "updated_at": moments})

    def _keep_guarantee(self, candidates: Sequence[Candidate]) -> None:
        """Raw SQL can leave people without a profile; an update would pass them by."""
        without = [
            Profile(user_id=row.known.pk) for row in candidates if row.known is not None and not row.known.version
        ]
        Profile._base_manager.bulk_create(without, ignore_conflicts=True)

    def _assign_roles(self, candidates: Sequence[Candidate]) -> None:
        by_role: dict[str, list[int | None]] = defaultdict(list)
        for candidate in candidates:
            by_role[candidate.values["role"]].append(candidate.user_id)
        for role, keys in by_role.items():
            roles.assign(User.objects.only("pk", "is_superuser").filter(pk__in=keys), role)

    def record(self, job: Import, candidates: Sequence[Candidate], anew: bool) -> None:
        """Keep what became of each row of a chunk, their changes as text; with ``anew``, instead of what was kept."""
        if anew:
            numbers = (candidates[0].number, candidates[-1].number)
            ImportRow.objects.filter(job=job, number__range=numbers).delete()
        rows: dict[str, Sequence[Any]] = {
            "job_id": [job.pk] * len(candidates),
            "number": [row.number for row in candidates],
            "outcome": [row.outcome for row in candidates],
            "user_id": [row.user_id for row in candidates],
            "label": [row.label[:320] for row in candidates],
            "changes": [row.changes for row in candidates],
        }
        # Hardly any chunk has these.
        if any(row.problems for row in candidates):
            rows["errors"] = [[problem.to_json() for problem in row.problems] for row in candidates]
        if not all(row.ticked for row in candidates):
            rows["ticked"] = [row.ticked for row in candidates]
        self._tables.insert(ImportRow, rows)


def _columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    """What new people are made of, by field."""
    said = [name for name in _BLANKS if name in rows[0]]
    found: dict[str, Sequence[Any]] = {}
    # Most files say the same things of everybody, and each row is taken apart in one go; else cell by cell.
    with suppress(KeyError):
        take = itemgetter(*said, "username")  # of one name alone it would take no tuple
        found = dict(zip(said, zip(*map(take, rows), strict=True), strict=False))
    return {
        name: found[name] if name in found else [row.get(name, blank) for row in rows]
        for name, blank in _BLANKS.items()
    }


def _with_folded(model: type[Model], values: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """These columns, and what people are put in order by beside them."""
    return {**values, **{field.name: _folded(field, values[field.of]) for field in folded_fields(model, values)}}


def _folded(field: FoldedField, texts: Sequence[str]) -> list[str]:
    """A column of it; names and places come again and again."""
    known = {text: field.fold(text) for text in set(texts)}
    return list(map(known.__getitem__, texts))


def _unusable_passwords(count: int) -> list[str]:
    """What make_password(None) gives, without asking a hasher, or the system for chance, a million times."""
    chance = os.urandom(20 * count).hex()
    return [UNUSABLE_PASSWORD_PREFIX + chance[at : at + 40] for at in range(0, len(chance), 40)]


def _touches(candidate: Candidate, names: Sequence[str]) -> bool:
    return not candidate.changes.keys().isdisjoint(names)


def _merged(candidates: Sequence[Candidate], key: str, names: Sequence[str]) -> dict[str, Sequence[Any]]:
    """What is stored of people, by field, with what their rows change laid over it."""
    known = [row.known.values for row in candidates if row.known is not None]
    changes = [row.changes for row in candidates]
    merged: dict[str, Sequence[Any]] = {key: [row.user_id for row in candidates]}
    for name in names:
        merged[name] = [
            change[name][1] if name in change else stored[name] for change, stored in zip(changes, known, strict=True)
        ]
    return merged
