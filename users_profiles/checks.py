"""System checks: nonsense in settings stops every command, with a sentence that says what to write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import checks

from users_profiles import roles
from users_profiles.models.profile import PROFILE_FIELDS

KEYS = {field.name for field in fields(roles.RoleSpec)}


@checks.register(checks.Tags.security)
def check_roles(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Reject roles, keys and fields in ``USERS_PROFILES_ROLES`` that do not exist."""
    overrides = settings.USERS_PROFILES_ROLES
    if not isinstance(overrides, dict):
        return [_error("USERS_PROFILES_ROLES must be a dict of role name to dict.", "E001")]
    found: list[checks.CheckMessage] = []
    for role, override in overrides.items():
        if role not in {str(name) for name in roles.TABLE}:
            sentence = f"USERS_PROFILES_ROLES names the role {role!r}; there are {_names(roles.RANKS)}."
            found.append(_error(sentence, "E002"))
        elif not isinstance(override, dict):
            found.append(_error(f"USERS_PROFILES_ROLES[{role!r}] must be a dict.", "E001"))
        else:
            found.extend(_check_role(role, override))
    # Only sound values can be asked what they mean together.
    return found or list(_check_required())


def _check_role(role: str, override: dict[str, Any]) -> Iterator[checks.CheckMessage]:
    where = f"USERS_PROFILES_ROLES[{role!r}]"
    for key, value in override.items():
        if key not in KEYS:
            yield _error(f"{where} has {key!r}; there are {_names(KEYS)}.", "E003")
        elif key == "is_staff":
            if not isinstance(value, bool):
                yield _error(f"{where}['is_staff'] must be True or False.", "E004")
        elif not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(item, str) for item in value):
            yield _error(f"{where}[{key!r}] must be a list of names.", "E004")
        elif not set(value) <= _allowed(key):
            unknown = _names(set(value) - _allowed(key))
            yield _error(f"{where}[{key!r}] names {unknown}; there are {_names(_allowed(key))}.", "E005")


def _allowed(key: str) -> set[str]:
    """The names that may stand in the list ``key``."""
    if key == "profile_fields":
        return set(PROFILE_FIELDS)
    return _codenames() if key == "permissions" else set(roles.FIELDS)


def _codenames() -> set[str]:
    """The permissions of this app."""
    options = [model._meta for model in apps.get_app_config("users_profiles").get_models()]
    own = {codename for option in options for codename, _ in option.permissions}
    return own | {f"{action}_{option.model_name}" for option in options for action in option.default_permissions}


def _check_required() -> Iterator[checks.CheckMessage]:
    """A field that must be filled and that the profile does not have would leave it incomplete for ever."""
    for role, spec in roles.specs().items():
        absent = set(spec.required) - set(spec.profile_fields) - set(roles.NAME_FIELDS)
        if absent:
            where = f"USERS_PROFILES_ROLES[{str(role)!r}]"
            yield _error(f"{where} requires {_names(absent)}, which is not among its 'profile_fields'.", "E006")


def _names(names: Any) -> str:
    return ", ".join(sorted(repr(str(name)) for name in names))


def _error(sentence: str, code: str) -> checks.Error:
    return checks.Error(sentence, id=f"users_profiles.{code}")


@checks.register(checks.Tags.security, deploy=True)
def check_second_factor(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Warn where a stolen password is all it takes to read and change everybody's data."""
    if settings.MFA_REQUIRED:
        return []
    sentence = "MFA_REQUIRED is off: a password alone opens the back office. Set MFA_REQUIRED=on."
    return [checks.Warning(sentence, id="users_profiles.W001")]
