"""Who may do what to whom, and when a profile is complete."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management import call_command
from django.db import transaction

from tests.threads import all_at_once
from users_profiles import roles
from users_profiles.models import Profile, Role, User
from users_profiles.roles import Action, assign, grantable, is_complete, may, may_grant, missing_fields, visible_fields

pytestmark = pytest.mark.django_db

# Who may do it: to nobody in particular ("-"), to themselves ("self"), and to each kind of person.
# Every letter stands for one target: superuser, Admin, Editor, Reader, member; "=" is themselves, "-" is no target.
EVERYBODY = "-=SAERM"
RULES: dict[str, dict[Action, str]] = {
    "superuser": {
        **dict.fromkeys(Action, EVERYBODY),
        **dict.fromkeys((Action.GRANT, Action.DEACTIVATE, Action.DELETE), "-SAERM"),
    },
    "Admin": {
        **dict.fromkeys((Action.VIEW, Action.VIEW_PRIVATE, Action.ADD, Action.IMPORT, Action.EXPORT), EVERYBODY),
        Action.EDIT: "-=AERM",
        **dict.fromkeys((Action.GRANT, Action.DEACTIVATE, Action.DELETE), "-AERM"),
    },
    "Editor": {
        **dict.fromkeys((Action.VIEW, Action.VIEW_PRIVATE, Action.ADD, Action.IMPORT, Action.EXPORT), EVERYBODY),
        Action.EDIT: "-=ERM",
    },
    "Reader": dict.fromkeys((Action.VIEW, Action.EXPORT), EVERYBODY),
    "member": {},
    "inactive Admin": {},
    "anonymous": {},
}
TARGETS = {"S": "superuser", "A": "Admin", "E": "Editor", "R": "Reader", "M": "member"}


@pytest.fixture
def person(make_person: Callable[..., User]) -> Callable[[str, str], User]:
    """Make somebody of a kind named in ``RULES``; ``name`` tells two of a kind apart."""

    def make(kind: str, name: str) -> Any:
        if kind == "anonymous":
            return AnonymousUser()
        if kind == "superuser":
            return User.objects.create_superuser(name)
        active = not kind.startswith("inactive ")
        role = kind.removeprefix("inactive ")
        made = make_person(name, role="" if role == "member" else role, is_active=active)
        return User.objects.get(pk=made.pk)

    return make


@pytest.mark.parametrize("kind", RULES)
def test_who_may_do_what_to_whom(person: Callable[[str, str], Any], kind: str) -> None:
    actor = person(kind, "actor")
    targets: dict[str, Any] = {letter: person(other, f"target-{letter}") for letter, other in TARGETS.items()}
    targets |= {"-": None, "=": actor if isinstance(actor, User) else None}
    allowed = {
        action: "".join(letter for letter in EVERYBODY if may(actor, action, targets[letter])) for action in Action
    }
    assert allowed == {action: RULES[kind].get(action, "") for action in Action}


@pytest.mark.parametrize(
    ("kind", "roles_to_give"),
    [
        ("superuser", ["", "Reader", "Editor", "Admin"]),
        ("Admin", ["", "Reader", "Editor", "Admin"]),
        ("Editor", []),
        ("Reader", []),
        ("member", []),
        ("anonymous", []),
    ],
)
def test_roles_somebody_may_give(person: Callable[[str, str], Any], kind: str, roles_to_give: list[str]) -> None:
    actor, stranger = person(kind, "actor"), person("member", "stranger")
    assert grantable(actor) == grantable(actor, stranger) == roles_to_give
    assert [role for role in roles.RANKS if may_grant(actor, role, stranger)] == roles_to_give


def test_nobody_gives_a_role_above_their_own(person: Callable[[str, str], Any]) -> None:
    """An Editor whose group was allowed to give roles still cannot make Admins."""
    Group.objects.get(name="Editor").permissions.add(Permission.objects.get(codename="grant_role"))
    editor = person("Editor", "actor")
    assert grantable(editor) == ["", "Reader", "Editor"]
    assert not may_grant(editor, "Admin", person("member", "stranger"))
    assert grantable(editor, person("Admin", "above")) == []


def test_nobody_gives_a_role_to_a_superuser_or_to_themselves(admin: User, superuser: User) -> None:
    assert grantable(admin, superuser) == []
    assert grantable(admin, admin) == []
    assert grantable(superuser, superuser) == []


def test_no_role_of_an_unknown_name_may_be_given(superuser: User, stranger: User) -> None:
    assert not may_grant(superuser, "Emperor", stranger)


def test_permissions_taken_from_a_group_are_gone(editor: User, stranger: User) -> None:
    Group.objects.get(name="Editor").permissions.clear()
    assert not may(User.objects.get(pk=editor.pk), Action.EDIT, stranger)


@pytest.mark.parametrize(
    ("kind", "sees_private"), [("superuser", True), ("Admin", True), ("Editor", True), ("Reader", False)]
)
def test_private_fields_are_for_those_who_may_see_them(
    person: Callable[[str, str], Any], kind: str, sees_private: bool
) -> None:
    private = ["birth_date", "phone_number"] if sees_private else []
    seen = visible_fields(person(kind, "actor"), ["location", "birth_date", "phone_number"])
    assert seen == ["location", *private]


# Giving roles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), list(product(["", *Role.values], repeat=2)))
def test_a_person_has_one_role_and_the_staff_flag_that_goes_with_it(
    make_person: Callable[..., User], before: str, after: str
) -> None:
    ada = make_person("ada", role=before)
    assign([ada], after)
    stored = User.objects.get()
    assert (stored.role, stored.is_staff) == (ada.role, ada.is_staff) == (after, bool(after))
    assert stored.groups.count() == (1 if after else 0)


def test_groups_that_are_no_roles_are_left_alone(stranger: User) -> None:
    stranger.groups.add(Group.objects.create(name="Choir"))
    assign([stranger], Role.EDITOR)
    assign([stranger], roles.MEMBER)
    assert list(stranger.groups.values_list("name", flat=True)) == ["Choir"]


def test_a_superuser_stays_staff_without_a_role(superuser: User) -> None:
    assign([superuser], roles.MEMBER)
    assert User.objects.get().is_staff
    assert superuser.is_staff


def test_an_unknown_role_changes_nothing(editor: User) -> None:
    with pytest.raises(Group.DoesNotExist):
        assign([editor], "Emperor")
    assert User.objects.get().role == "Editor"


@pytest.mark.django_db(transaction=True)
def test_two_roles_given_at_once_leave_nobody_with_both(stranger: User) -> None:
    half_way = threading.Event()

    def first() -> None:
        with transaction.atomic():
            assign([User.objects.get(pk=stranger.pk)], Role.ADMIN)
            half_way.set()
            time.sleep(0.5)  # in which the other one gets as far as it can

    def second() -> None:
        assert half_way.wait(30)
        assign([User.objects.get(pk=stranger.pk)], Role.READER)

    all_at_once(first, second)
    assert list(stranger.groups.values_list("name", flat=True)) == ["Reader"]


def test_many_people_take_no_more_queries_than_one(
    make_person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    people = [make_person(f"person{number}") for number in range(10)]
    for some in (people[:1], people):
        with django_assert_num_queries(9):  # savepoint, lock, roles before, out, group, in, staff flag, trail, release
            assign(some, Role.READER)


def test_migrate_leaves_groups_alone_that_an_admin_has_tuned() -> None:
    reader = Group.objects.get(name="Reader")
    reader.permissions.clear()
    call_command("migrate", verbosity=0)
    assert not reader.permissions.exists()


def test_migrate_makes_a_group_again_that_was_deleted() -> None:
    Group.objects.get(name="Reader").delete()
    call_command("migrate", verbosity=0)
    assert Group.objects.get(name="Reader").permissions.count() == len(roles.TABLE[Role.READER].permissions)


# Complete profiles --------------------------------------------------------------------------------------------------

OVERRIDES: list[dict[str, dict[str, Any]]] = [
    {},
    {"Reader": {"required": []}},
    {"": {"required": ["bio"]}, "Editor": {"required": ["first_name", "birth_date", "avatar"]}},
    {role: {"required": ["last_name"]} for role in ("", *Role.values)},
]
FILLED = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "bio": "Counts.",
    "location": "London",
    "phone_number": "+442071234567",
    "birth_date": date(1815, 12, 10),
    "avatar": "avatars/ada.webp",
}


@pytest.fixture
def everybody(make_person: Callable[..., User]) -> None:
    """Everybody of every role with each single field missing, with all of them and with none."""
    for role in ("", *Role.values):
        name = role or "member"
        for field in FILLED:
            values = {other: value for other, value in FILLED.items() if other not in (field, "avatar")}
            ada = make_person(f"{name}-no-{field}", role=role, **values)
            Profile.objects.filter(user=ada).update(avatar="" if field == "avatar" else FILLED["avatar"])
        make_person(f"{name}-nothing", role=role)
        ada = make_person(f"{name}-all", role=role, **{name: FILLED[name] for name in FILLED if name != "avatar"})
        Profile.objects.filter(user=ada).update(avatar=FILLED["avatar"])


@pytest.mark.parametrize("overrides", OVERRIDES, ids=["table", "one role", "two roles", "every role"])
def test_the_query_and_the_list_of_missing_fields_agree(everybody: None, settings: Any, overrides: Any) -> None:
    settings.USERS_PROFILES_ROLES = overrides
    complete = set(User.objects.filter(is_complete()).values_list("username", flat=True))
    by_list = {person.username for person in User.objects.with_profile() if not missing_fields(person)}
    assert complete == by_list
    assert f"{'Editor'}-all" in by_list
    assert len(by_list) < User.objects.count()


def test_missing_fields_are_named_in_the_order_of_the_table(stranger: User) -> None:
    assert missing_fields(stranger) == ["location", "phone_number"]
    stranger.profile.location = "Berlin"
    assert missing_fields(stranger) == ["phone_number"]


def test_somebody_without_a_profile_row_is_not_complete() -> None:
    User._base_manager.bulk_create([User(username="raw")])
    assert not User.objects.filter(is_complete()).exists()


# The setting --------------------------------------------------------------------------------------------------------


def test_the_setting_overrides_one_key_and_leaves_the_rest(settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"own_fields": ["bio"]}}
    reader = roles.specs()["Reader"]
    assert reader.own_fields == ("bio",)
    assert reader.required == roles.TABLE[Role.READER].required
    settings.USERS_PROFILES_ROLES = {}
    assert roles.specs()["Reader"].own_fields == roles.FIELDS


def test_a_role_that_is_no_longer_staff_loses_the_flag_when_given(settings: Any, stranger: User) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"is_staff": False}}
    assign([stranger], Role.READER)
    assert not User.objects.get().is_staff
