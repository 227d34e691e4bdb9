"""Writes a chunk of checked rows: a fixed number of statements, however many rows."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.utils import timezone

from users_profiles import roles
from users_profiles.models import Import, ImportRow, Profile, Role, User
from users_profiles.transfer.bulk import Bulk, bulk
from users_profiles.transfer.people import Candidate

# In the order of the database's own columns, which is of no importance but easy to compare.
_USER = ("username", "first_name", "last_name", "email", "is_active")
_NEW_USER = (*_USER, "password", "is_superuser", "is_staff", "date_joined")
_PROFILE = ("bio", "location", "birth_date", "phone_number")
_NEW_PROFILE = ("user_id", *_PROFILE, "avatar", "version", "updated_at")
_ROW = ("job_id", "number", "outcome", "user_id", "label", "changes", "errors", "ticked", "undone")
_USER_BLANKS = [(name, True if name == "is_active" else "") for name in _USER]
_PROFILE_BLANKS = [(name, None if name == "birth_date" else "") for name in _PROFILE]


class Writer:
    """Turns candidates into rows of our tables; how rows get into tables is for ``Bulk`` to know."""

    def __init__(self, tables: Bulk | None = None) -> None:
        self._tables = tables or bulk()
        self._groups = dict(Group.objects.filter(name__in=Role.values).values_list("name", "pk"))
        self._staff = {role: spec.is_staff for role, spec in roles.specs().items()}

    def create(self, candidates: Sequence[Candidate]) -> None:
        """Store new people with their profiles and roles; sets each candidate's ``user_id``."""
        now = timezone.now()
        # What make_password(None) gives, without asking a hasher, or the system for chance, a million times.
        chance = os.urandom(20 * len(candidates)).hex()
        passwords = (UNUSABLE_PASSWORD_PREFIX + chance[at : at + 40] for at in range(0, len(chance), 40))
        people = [
            self._new_user(row.values, password, now) for row, password in zip(candidates, passwords, strict=True)
        ]
        keys = self._tables.insert_numbered(User, _NEW_USER, people)
        for candidate, key in zip(candidates, keys, strict=True):
            candidate.user_id = key
        self._tables.insert(Profile, _NEW_PROFILE, [_new_profile(row, now) for row in candidates])
        self._tables.insert(
            User.groups.through,
            ("user_id", "group_id"),
            [(row.user_id, self._groups[role]) for row in candidates if (role := row.values.get("role"))],
        )

    def _new_user(self, values: dict[str, Any], password: str, now: Any) -> tuple[Any, ...]:
        own = [values.get(name, blank) for name, blank in _USER_BLANKS]
        return (*own, password, False, self._staff[values.get("role", roles.MEMBER)], now)

    def update(self, candidates: Sequence[Candidate]) -> None:
        """Store the changed fields of people we know; a changed profile becomes its next version."""
        users = [(row.user_id, *_merged(row, _USER)) for row in candidates if _touches(row, _USER)]
        if users:
            self._tables.update(User, ("id", *_USER), users)
        self._update_profiles([row for row in candidates if _touches(row, _PROFILE)])
        self._assign_roles([row for row in candidates if "role" in row.changes])

    def _update_profiles(self, candidates: Sequence[Candidate]) -> None:
        now = timezone.now()
        names = ("user_id", *_PROFILE, "version", "updated_at")
        rows = [
            (row.user_id, *_merged(row, _PROFILE), row.known.version + 1, now)
            for row in candidates
            if row.known is not None
        ]
        if rows:
            self._keep_guarantee(candidates)
            self._tables.update(Profile, names, rows)

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

    def record(self, job: Import, candidates: Sequence[Candidate], rendered: Sequence[dict[str, Any]]) -> None:
        """Keep what became of each row of a chunk; applying overwrites what checking said."""
        numbers = [candidate.number for candidate in candidates]
        ImportRow.objects.filter(job=job, number__range=(numbers[0], numbers[-1])).delete()
        self._tables.insert(
            ImportRow,
            _ROW,
            [
                (
                    job.pk,
                    row.number,
                    str(row.outcome),
                    row.user_id,
                    row.label[:320],
                    changes,
                    [problem.to_json() for problem in row.problems],
                    row.ticked,
                    "",
                )
                for row, changes in zip(candidates, rendered, strict=True)
            ],
        )


def _touches(candidate: Candidate, names: Sequence[str]) -> bool:
    return not candidate.changes.keys().isdisjoint(names)


def _new_profile(candidate: Candidate, now: Any) -> tuple[Any, ...]:
    values = candidate.values
    own = [values.get(name, blank) for name, blank in _PROFILE_BLANKS]
    return (candidate.user_id, *own, "", 1, now)


def _merged(candidate: Candidate, names: Sequence[str]) -> list[Any]:
    """What is stored, with what the row changes laid over it."""
    stored = candidate.known.values if candidate.known else {}
    changes = candidate.changes
    return [changes[name][1] if name in changes else stored[name] for name in names]
