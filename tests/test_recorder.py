"""Every road by which a person changes, and exactly what the trail then says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import act, save, user_page
from tests.roads import (
    World,
    a_fixture,
    a_mailed_link,
    a_password_link,
    a_permission_of_a_role,
    a_picture,
    a_roster,
    action,
    adding,
    an_import,
    an_undo,
    changing_ones_email,
    changing_ones_password,
    deleting,
    ones_own_profile,
    pictures,
    private_fields,
    raw_access,
    registering,
    signing_in,
    the_form_of_a_person,
    the_form_with_nothing_changed,
    the_shell,
)
from users_profiles import recorder, roles, trail
from users_profiles.models import Role, TrailEntry, User

ADA, ALICE = "Ada Lovelace", "Alice Admin"
# Who is changed, by whom, which field, from what, to what, and by which road.
ROADS: list[tuple[Callable[[World], None], list[tuple[str, str, str, str, str, str]]]] = [
    (
        the_form_of_a_person,
        [
            ("Augusta Lovelace", ALICE, "first_name", "Ada", "Augusta", "admin"),
            ("Augusta Lovelace", ALICE, "location", "London", "Paris", "admin"),
            ("Augusta Lovelace", ALICE, "role", "", "Reader", "admin"),
        ],
    ),
    (the_form_with_nothing_changed, []),
    (
        private_fields,
        [
            (ADA, ALICE, "birth_date", "1990-12-10", "1991-01-02", "admin"),
            (ADA, ALICE, "phone_number", "+442079460000", "", "admin"),
        ],
    ),
    (a_picture, [(ADA, ALICE, "avatar", "", "yes", "admin")]),
    (
        adding,
        [
            ("Bob", ALICE, "", "", "added", "admin"),
            ("Bob", ALICE, "email", "", "bob@example.com", "admin"),
            ("Bob", ALICE, "first_name", "", "Bob", "admin"),
            ("Bob", ALICE, "is_active", "", "yes", "admin"),
            ("Bob", ALICE, "role", "", "Editor", "admin"),
            ("Bob", ALICE, "username", "", "bob", "admin"),
        ],
    ),
    (deleting, [(ADA, ALICE, "", "", "deleted", "admin")]),
    (
        raw_access,
        [
            (ADA, "root", "groups", "", "Fire wardens", "admin"),
            (ADA, "root", "is_staff", "no", "yes", "admin"),
            (ADA, "root", "is_superuser", "no", "yes", "admin"),
        ],
    ),
    (a_password_link, [(ADA, ALICE, "link", "", "yes", "admin")]),
    (
        action("deactivate"),
        [
            (ADA, ALICE, "is_active", "yes", "no", "action"),
            ("Edgar Editor", ALICE, "is_active", "yes", "no", "action"),
        ],
    ),
    (
        action("set_role", role="Editor"),
        [(ADA, ALICE, "role", "", "Editor", "action")],  # the other one is it already
    ),
    (
        action("send_invitation"),
        [(ADA, ALICE, "link", "", "yes", "action"), ("Edgar Editor", ALICE, "link", "", "yes", "action")],
    ),
    (
        action("delete_selected"),
        [(ADA, ALICE, "", "", "deleted", "action"), ("Edgar Editor", ALICE, "", "", "deleted", "action")],
    ),
    (
        ones_own_profile,
        [
            ("Augusta Lovelace", ADA, "bio", "", "Counts.", "self"),
            ("Augusta Lovelace", ADA, "first_name", "Ada", "Augusta", "self"),
            ("Augusta Lovelace", ADA, "location", "London", "Paris", "self"),
        ],
    ),
    (changing_ones_email, [(ADA, ADA, "email", "ada@example.com", "new@example.com", "account")]),
    (changing_ones_password, [(ADA, ADA, "password", "", "", "account")]),
    (a_mailed_link, [(ADA, "Not signed in", "password", "", "", "account")]),
    (
        registering,
        [
            ("newby", "Not signed in", "", "", "added", "account"),
            ("newby", "Not signed in", "email", "", "newby@example.com", "account"),
            ("newby", "Not signed in", "is_active", "", "yes", "account"),
            ("newby", "Not signed in", "username", "", "newby", "account"),
        ],
    ),
    (signing_in, []),
    (
        an_import,
        [
            (ADA, ALICE, "birth_date", "1990-12-10", "1991-01-02", "import"),
            (ADA, ALICE, "first_name", "Ada", "Augusta", "import"),
            (ADA, ALICE, "is_active", "yes", "no", "import"),
            ("Bob", ALICE, "", "", "added", "import"),
            ("Bob", ALICE, "first_name", "", "Bob", "import"),
            ("Bob", ALICE, "username", "", "bob", "import"),
        ],
    ),
    (a_roster, [(ADA, ALICE, "is_active", "yes", "no", "roster")]),
    (
        an_undo,
        [
            (ADA, "Edgar Editor", "first_name", "Augusta", "Ada", "undo"),
            ("Bob", "Edgar Editor", "", "", "deleted", "undo"),
        ],
    ),
    (pictures, [("Ada Lovelace", "Command line", "avatar", "", "yes", "pictures")]),
    (
        the_shell,
        [(ADA, "Command line", "password", "", "", "command"), (ADA, "Command line", "role", "", "Editor", "command")],
    ),
    (a_permission_of_a_role, []),  # no change of a person; see below
    (a_fixture, []),
]


@pytest.mark.parametrize(("road", "expected"), ROADS, ids=[road.__name__ for road, _expected in ROADS])
def test_every_road_leaves_exactly_its_entries(
    world: World, road: Callable[[World], None], expected: list[tuple[str, ...]]
) -> None:
    TrailEntry.objects.forget()
    start = timezone.now()
    road(world)
    told = [
        (one.label, one.who, one.field, one.old, one.new, one.road)
        for one in trail.changes(start, timezone.now() + timedelta(seconds=1))
    ]
    assert sorted(told) == sorted(expected)
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("road", [the_form_of_a_person, ones_own_profile, a_password_link, adding, registering])
def test_what_is_done_at_once_to_one_person_is_one_entry(world: World, road: Callable[[World], None]) -> None:
    TrailEntry.objects.forget()
    road(world)
    assert TrailEntry.objects.exclude(action=TrailEntry.Action.ACCESS).count() == 1


def test_an_entry_knows_the_address_it_came_from_and_believes_no_header(world: World) -> None:
    TrailEntry.objects.forget()
    client = Client(REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR="203.0.113.9")
    client.force_login(world.admin)
    save(client, user_page(world.ada), first_name="Augusta")
    entry = TrailEntry.objects.exclude(action=TrailEntry.Action.ACCESS).get()
    assert (entry.remote_addr, entry.actor_id, entry.object_id) == ("192.0.2.7", world.admin.pk, world.ada.pk)


def test_behind_a_proxy_it_is_the_address_that_the_proxy_saw(world: World, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    TrailEntry.objects.forget()
    client = Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.9")
    client.force_login(world.admin)
    save(client, user_page(world.ada), first_name="Augusta")
    assert set(TrailEntry.objects.values_list("remote_addr", flat=True)) == {"203.0.113.9"}


def test_a_permission_that_a_role_gets_is_in_the_trail_of_the_group(world: World) -> None:
    group, permission = Group.objects.get(name="Reader"), Permission.objects.get(codename="view_import")
    page = reverse("admin:auth_group_change", args=[group.pk])
    held = [*group.permissions.values_list("pk", flat=True), permission.pk]
    TrailEntry.objects.forget()
    world.browse(world.superuser).post(page, {"permissions": held})
    [entry] = trail.of_group(group, world.superuser).entries
    assert (entry.label, entry.who, entry.road) == ("Group Reader", "root", "admin")
    assert [(change.label, change.old, change.new) for change in entry.changes] == [
        ("Permissions", "", str(permission))
    ]


# What fails leaves nothing behind


def test_what_is_rolled_back_is_not_in_the_trail(world: World) -> None:
    TrailEntry.objects.forget()

    def fails() -> None:
        with transaction.atomic(), recorder.together():
            world.ada.first_name = "Augusta"
            world.ada.save()
            roles.assign([world.ada], Role.EDITOR)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not TrailEntry.objects.exists()


def test_the_last_superuser_who_stays_leaves_no_entry(world: World) -> None:
    TrailEntry.objects.forget()
    act(world.browse(world.superuser), "delete_selected", [world.superuser], confirmed="1")
    assert not TrailEntry.objects.exists()


def test_there_and_back_within_one_unit_is_no_change(world: World) -> None:
    TrailEntry.objects.forget()
    with recorder.together():
        for name in ("Augusta", "Ada"):
            world.ada.first_name = name
            world.ada.save()
    assert not TrailEntry.objects.exists()


def test_a_stronger_hash_at_a_sign_in_is_no_news(world: World, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    TrailEntry.objects.forget()
    before = world.ada.password
    signing_in(world)
    assert User.objects.get(pk=world.ada.pk).password != before
    assert not TrailEntry.objects.exists()


# Costs


def test_a_form_costs_two_queries_more(world: World) -> None:
    """One look at what was, one entry: for person, profile and role together."""
    client = world.staff
    client.get(user_page(world.ada))
    with CaptureQueriesContext(connection) as queries:
        the_form_of_a_person(world)
    statements = [one["sql"] for one in queries]
    written = [one for one in statements if one.startswith('INSERT INTO "users_profiles_trailentry"')]
    looked = [one for one in statements if one.startswith('SELECT "users_profiles_user"."password" AS')]
    assert (len(written), len(looked)) == (1, 1)


def test_an_action_on_many_people_writes_as_often_as_on_few(world: World, make_person: Callable[..., User]) -> None:
    people = [make_person(f"p{number}", role=Role.READER) for number in range(10)]
    counts = []
    for some in (people[:2], people[2:]):
        with CaptureQueriesContext(connection) as queries:
            act(world.staff, "deactivate", some, confirmed="1")
        counts.append(sum('INSERT INTO "users_profiles_trailentry"' in one["sql"] for one in queries))
    assert counts == [1, 1]
