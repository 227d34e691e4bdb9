"""System checks: nonsense in the role table stops every command with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from users_profiles.checks import check_roles, check_second_factor


@pytest.mark.parametrize(
    ("overrides", "code", "sentence"),
    [
        ([], "E001", "must be a dict of role name to dict"),
        ({"Reader": ["bio"]}, "E001", "USERS_PROFILES_ROLES['Reader'] must be a dict"),
        ({"Emperor": {}}, "E002", "names the role 'Emperor'"),
        ({"Reader": {"fields": []}}, "E003", "has 'fields'"),
        ({"Reader": {"is_staff": "yes"}}, "E004", "['is_staff'] must be True or False"),
        ({"Reader": {"required": "bio"}}, "E004", "['required'] must be a list of names"),
        ({"Reader": {"required": 5}}, "E004", "['required'] must be a list of names"),
        ({"Reader": {"required": [5]}}, "E004", "['required'] must be a list of names"),
        ({"Reader": {"required": ["shoe_size"]}}, "E005", "['required'] names 'shoe_size'"),
        ({"Reader": {"own_fields": ["is_superuser"]}}, "E005", "['own_fields'] names 'is_superuser'"),
        ({"Reader": {"profile_fields": ["first_name"]}}, "E005", "['profile_fields'] names 'first_name'"),
        ({"Reader": {"permissions": ["fly"]}}, "E005", "['permissions'] names 'fly'"),
        ({"Reader": {"profile_fields": ["bio"]}}, "E006", "requires 'location', 'phone_number'"),
    ],
    ids=str,
)
def test_nonsense_is_refused_with_a_sentence(settings: Any, overrides: Any, code: str, sentence: str) -> None:
    settings.USERS_PROFILES_ROLES = overrides
    (error,) = check_roles()
    assert error.id == f"users_profiles.{code}"
    assert sentence in error.msg


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"": {"required": []}},
        {"Reader": {"own_fields": ["bio", "first_name"], "required": ("last_name",)}},
        {"Reader": {"profile_fields": ["bio"], "required": ["bio"]}},
        {"Editor": {"is_staff": True, "permissions": ["view_user", "view_private_fields", "import_user"]}},
    ],
    ids=str,
)
def test_sound_overrides_pass(settings: Any, overrides: Any) -> None:
    settings.USERS_PROFILES_ROLES = overrides
    assert check_roles() == []


def test_every_mistake_is_named_at_once(settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Emperor": {}, "Reader": {"required": ["shoe_size"], "is_staff": 1}}
    assert [error.id for error in check_roles()] == [f"users_profiles.E00{number}" for number in (2, 5, 4)]


def test_the_check_command_refuses_to_go_on(settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Emperor": {}}
    with pytest.raises(SystemCheckError, match="Emperor"):
        call_command("check")


def test_a_warning_recommends_a_second_factor_for_staff(settings: Any) -> None:
    settings.MFA_REQUIRED = False
    (warning,) = check_second_factor()
    assert warning.id == "users_profiles.W001"
    settings.MFA_REQUIRED = True
    assert check_second_factor() == []
