"""System checks: nonsense in settings stops every command, with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.core import checks

from users_profiles import roles
from users_profiles.models.profile import PROFILE_FIELDS

KEYS = {field.name for field in fields(roles.RoleSpec)}
ALLOWED = {"profile_fields": set(PROFILE_FIELDS), "own_fields": set(roles.FIELDS), "required": set(roles.FIELDS)}


@checks.register(checks.Tags.security)
def check_roles(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Reject roles, keys and fields in ``USERS_PROFILES_ROLES`` that do not exist."""
    overrides = settings.USERS_PROFILES_ROLES
    if not isinstance(overrides, dict):
        return [_error("USERS_PROFILES_ROLES must be a dict of role name to dict.", "E001")]
    found: list[checks.CheckMessage] = []
    for role, override in overrides.items():
        if role not in {str(name) for name in roles.TABLE}:
            found.append(_error(f"USERS_PROFILES_ROLES names the role {role!r}; there are {_names(roles.RANKS)}.", "E002"))
        elif not isinstance(override, dict):
            found.append(_error(f"USERS_PROFILES_ROLES[{role!r}] must be a dict.", "E001"))
        else:
            found.extend(_check_role(role, override))
    return found


def _check_role(role: str, override: dict[str, Any]) -> Iterator[checks.CheckMessage]:
    where = f"USERS_PROFILES_ROLES[{role!r}]"
    for key, value in override.items():
        if key not in KEYS:
            yield _error(f"{where} has {key!r}; there are {_names(KEYS)}.", "E003")
        elif key == "is_staff":
            if not isinstance(value, bool):
                yield _error(f"{where}['is_staff'] must be True or False.", "E004")
        elif isinstance(value, str) or not all(isinstance(item, str) for item in value):
            yield _error(f"{where}[{key!r}] must be a list of names.", "E004")
        elif key in ALLOWED and not set(value) <= ALLOWED[key]:
            unknown = _names(set(value) - ALLOWED[key])
            yield _error(f"{where}[{key!r}] names {unknown}; there are {_names(ALLOWED[key])}.", "E005")


def _names(names: Any) -> str:
    return ", ".join(sorted(repr(str(name)) for name in names))


def _error(sentence: str, code: str) -> checks.Error:
    return checks.Error(sentence, id=f"users_profiles.{code}")
