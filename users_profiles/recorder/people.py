"""What people are like at this moment, and what becomes different about them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from users_profiles.models import User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.models.user import names_of_roles
from users_profiles.recorder.notes import Change, note, present_unit

PERSON_FIELDS = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
# Tracked otherwise than by comparing two texts: that there is a new password; and what is kept in tables beside.
OTHER_FIELDS = ("password", "role", "groups", "user_permissions")
# Every other field of a person, and why nobody would miss it. A test sees to it that a new field is in one of these.
NOT_TRACKED = {
    "id": "never changes",
    "last_login": "a sign-in changes nothing about a person",
    "date_joined": "set once, with the person; what an import changes of it is in its rows",
    "version": "counts what is tracked",
    "language": "how they are spoken to changes nothing about a person",
    "time_zone": "as their language",
    "first_name_folded": "follows from the first name",
    "last_name_folded": "follows from the last name",
    "deactivated_at": "follows from the change of is_active",
    "profile.user": "never changes",
    "profile.location_folded": "follows from the location",
    "profile.version": "counts what is tracked",
    "profile.updated_at": "follows from what is tracked",
}


def text(value: Any) -> str:
    """A value as the rows of an import keep it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def before(key: int) -> dict[str, Any]:
    """What is known of a person at this moment; asked once a unit, which keeps it up to date from then on."""
    unit = present_unit()
    if unit is not None and key in unit.before:
        return unit.before[key]
    paths = {name: f"profile__{name}" for name in PROFILE_FIELDS}
    columns = ("password", "role_name", *PERSON_FIELDS, *paths.values())
    row = User.objects.with_role().filter(pk=key).values(*columns).first() or {}
    found = {name: row.get(paths.get(name, name)) for name in (*PERSON_FIELDS, *PROFILE_FIELDS, "password")}
    found["role"] = row.get("role_name", "")
    if unit is not None:
        unit.before[key] = found
    return found


def name_of(known: Mapping[str, Any]) -> str:
    """What a person is called of whom this is known."""
    return f"{text(known['first_name'])} {text(known['last_name'])}".strip() or text(known["username"])


def differences(names: Iterable[str], known: dict[str, Any], instance: Any) -> dict[str, Change]:
    """What is different from what is ``known``; from then on it is known."""
    found: dict[str, Change] = {}
    for name in names:
        if name not in instance.__dict__:
            continue
        value = getattr(instance, name)
        old, new = text(known.get(name)), text(value.name if name == "avatar" else value)
        known[name] = new
        if old != new:
            found[name] = [_worth(name, old), _worth(name, new)]
    return found


def _worth(name: str, value: str) -> str:
    """What of a value is kept: of a picture only that there is one."""
    return "yes" if name == "avatar" and value else value


def roles_of(keys: Collection[int]) -> dict[int, str]:
    """The role of each of these people, in one query or, where they were looked at already, in none."""
    unit = present_unit()
    if unit is not None and unit.before.keys() >= set(keys):
        return {key: unit.before[key]["role"] for key in keys}
    names = names_of_roles(User.groups.through._default_manager.filter(user_id__in=keys))
    return {key: names.get(key, "") for key in keys}


def note_roles(people: Collection[User], old: Mapping[int, str], new: str) -> None:
    """Note who has another role now."""
    note(people, {key: {"role": [role, new]} for key, role in old.items() if role != new})
    known = unit.before if (unit := present_unit()) is not None else {}
    for key in known.keys() & old.keys():
        known[key]["role"] = new
