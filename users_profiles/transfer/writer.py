"""Writes a chunk of checked rows: a fixed number of statements, however many rows."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.utils import timezone

from users_profiles import roles
from users_profiles.models import Profile, User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.transfer.people import Candidate

_USER_FIELDS = ("username", "email", "first_name", "last_name", "is_active")
_PROFILE_COLUMNS = tuple(name for name in PROFILE_FIELDS if name != "avatar")


def create(candidates: Sequence[Candidate]) -> None:
    """Store new people with their profiles; sets each candidate's ``user_id``."""
    people = [_new_person(candidate.values) for candidate in candidates]
    User.objects.bulk_create(people)
    for candidate, person in zip(candidates, people, strict=True):
        candidate.user_id = person.pk
    _assign_roles([candidate for candidate in candidates if candidate.values.get("role")])


def _new_person(values: dict[str, Any]) -> User:
    person = User(
        # What make_password(None) gives, without asking a hasher a million times.
        password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
        **{name: values[name] for name in _USER_FIELDS if name in values},
    )
    Profile(user=person, **{name: values[name] for name in _PROFILE_COLUMNS if name in values})
    return person


def update(candidates: Sequence[Candidate]) -> None:
    """Store the changed fields of people we know, as the next version of their profiles."""
    _update_users([candidate for candidate in candidates if candidate.changes.keys() & set(_USER_FIELDS)])
    _update_profiles([candidate for candidate in candidates if candidate.changes.keys() & set(_PROFILE_COLUMNS)])
    _assign_roles([candidate for candidate in candidates if "role" in candidate.changes])


def _update_users(candidates: Sequence[Candidate]) -> None:
    """One upsert. Every row is there and locked, so the insert half never happens; it only names the columns."""
    people = [
        User(pk=_known(candidate).pk, password="", **_merged(candidate, _USER_FIELDS)) for candidate in candidates
    ]
    User._base_manager.bulk_create(
        people, update_conflicts=True, unique_fields=["id"], update_fields=list(_USER_FIELDS)
    )


def _update_profiles(candidates: Sequence[Candidate]) -> None:
    now = timezone.now()
    profiles = [
        Profile(
            user_id=_known(candidate).pk,
            version=_known(candidate).version + 1,
            updated_at=now,
            **_merged(candidate, _PROFILE_COLUMNS),
        )
        for candidate in candidates
    ]
    Profile._base_manager.bulk_create(
        profiles,
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=[*_PROFILE_COLUMNS, "version", "updated_at"],
    )


def _known(candidate: Candidate) -> Any:
    return candidate.known


def _merged(candidate: Candidate, names: Sequence[str]) -> dict[str, Any]:
    """What is stored, with what the row changes laid over it."""
    values = {name: _known(candidate).values[name] for name in names}
    values.update({name: new for name, (_old, new) in candidate.changes.items() if name in values})
    return values


def _assign_roles(candidates: Sequence[Candidate]) -> None:
    by_role: dict[str, list[int]] = defaultdict(list)
    for candidate in candidates:
        by_role[candidate.values["role"]].append(candidate.user_id or _known(candidate).pk)
    for role, keys in by_role.items():
        roles.assign(User.objects.only("pk", "is_superuser").filter(pk__in=keys), role)
