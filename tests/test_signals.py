"""The guarantee, layer by layer: every user has a profile, and saving a user writes what changed on it and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import user_logged_in
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from users_profiles.models import Profile, User

pytestmark = pytest.mark.django_db


def everybody_has_one_profile() -> bool:
    return not User.objects.without_profile().exists() and Profile.objects.count() == User.objects.count()


# A profile comes with the user --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "create",
    [
        lambda: User.objects.create(username="ada"),
        lambda: User.objects.create_user("ada", password="x"),
        lambda: User.objects.create_superuser("ada", password="x"),
        lambda: User(username="ada").save(),
        lambda: User(username="ada").save_base(raw=True),
        lambda: User.objects.get_or_create(username="ada"),
        lambda: User.objects.update_or_create(username="ada", defaults={"first_name": "Ada"}),
        lambda: User.objects.bulk_create([User(username="ada")]),
    ],
    ids=[
        "create",
        "create_user",
        "create_superuser",
        "save",
        "raw",
        "get_or_create",
        "update_or_create",
        "bulk_create",
    ],
)
def test_f6_however_a_user_is_created_there_is_a_profile(create: Callable[[], Any]) -> None:
    create()
    assert User.objects.get().profile == Profile.objects.get()


def test_a_profile_attached_to_a_new_user_is_the_one_that_is_stored() -> None:
    ada = User(username="ada")
    ada.profile = Profile(location="London")
    ada.save()
    assert Profile.objects.get().location == "London"


# Fixtures -----------------------------------------------------------------------------------------------------------

ADA = {"model": "users_profiles.user", "pk": 7, "fields": {"username": "ada", "password": "!"}}
BOB = {"model": "users_profiles.user", "pk": 8, "fields": {"username": "bob", "password": "!"}}
ADAS = {"model": "users_profiles.profile", "pk": 7, "fields": {"location": "London"}}
BOBS = {"model": "users_profiles.profile", "pk": 8, "fields": {"location": "Paris"}}


def load(folder: Path, *objects: dict[str, Any]) -> None:
    path = folder / "fixture.json"
    path.write_text(json.dumps(objects))
    call_command("loaddata", path, verbosity=0)


def test_f6_a_fixture_with_users_alone_loads(tmp_path: Path) -> None:
    load(tmp_path, ADA, BOB)
    assert everybody_has_one_profile()


@pytest.mark.parametrize("objects", list(permutations([ADA, BOB, ADAS, BOBS])))
def test_f6_a_fixture_with_users_and_profiles_loads_in_any_order(tmp_path: Path, objects: Any) -> None:
    load(tmp_path, *objects)
    assert everybody_has_one_profile()
    assert dict(Profile.objects.values_list("pk", "location")) == {7: "London", 8: "Paris"}


def test_f6_a_fixture_with_profiles_alone_loads_over_the_users_there_are(tmp_path: Path) -> None:
    load(tmp_path, ADA, BOB)
    load(tmp_path, ADAS, BOBS)
    assert everybody_has_one_profile()
    assert User.objects.get(username="ada").profile.location == "London"


def test_loading_a_fixture_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        load(tmp_path, ADA, ADAS)
    assert everybody_has_one_profile()
    assert Profile.objects.get().location == "London"


def test_loading_users_again_leaves_their_profiles_alone(tmp_path: Path) -> None:
    load(tmp_path, ADA, ADAS)
    load(tmp_path, ADA)
    assert Profile.objects.get().location == "London"


# In bulk ------------------------------------------------------------------------------------------------------------


def test_f6_bulk_create_stores_the_profiles_that_come_along() -> None:
    people = [User(username=f"person{number}") for number in range(3)]
    people[1].profile = Profile(location="London")
    User.objects.bulk_create(people)
    assert everybody_has_one_profile()
    assert list(User.objects.order_by("pk").values_list("profile__location", flat=True)) == ["", "London", ""]


def test_bulk_create_that_ignores_conflicts_leaves_those_who_are_there_alone() -> None:
    there = User.objects.create(username="ada")
    Profile.objects.update(location="London")
    ada, bob = User(username="ada"), User(username="bob")
    ada.profile, bob.profile = Profile(location="Nowhere"), Profile(location="Paris")
    User.objects.bulk_create([ada, bob], ignore_conflicts=True)
    assert everybody_has_one_profile()
    assert Profile.objects.get(pk=there.pk).location == "London"
    assert User.objects.get(username="bob").profile.location == "Paris"


@pytest.mark.parametrize("clash", [{"username": "ADA"}, {"username": "eve", "email": "ADA@example.com"}])
def test_bulk_create_that_ignores_conflicts_makes_no_profile_for_whom_it_did_not_insert(clash: dict[str, str]) -> None:
    User.objects.create(username="ada", email="ada@example.com")
    User.objects.bulk_create([User(**clash), User(username="bob")], ignore_conflicts=True)
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "bob"}
    assert everybody_has_one_profile()


def test_bulk_create_that_updates_conflicts_keeps_the_profile() -> None:
    ada = User.objects.create(username="ada", first_name="A.")
    Profile.objects.update(location="London")
    User.objects.bulk_create(
        [User(pk=ada.pk, username="ada", first_name="Ada"), User(username="bob")],
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=["first_name"],
    )
    assert everybody_has_one_profile()
    ada = User.objects.get(username="ada")
    assert (ada.first_name, ada.profile.location) == ("Ada", "London")


def test_bulk_create_is_all_or_nothing() -> None:
    User.objects.create(username="ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username="bob"), User(username="ADA")])
    assert User.objects.get().username == "ada"


def test_bulk_create_asks_as_often_for_many_as_for_few(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(4):
        User.objects.bulk_create([User(username=f"few{number}") for number in range(2)])
    with django_assert_max_num_queries(4):
        # As many as SQLite takes in one statement, which is 999 values.
        User.objects.bulk_create([User(username=f"many{number}") for number in range(60)])


def test_saving_somebody_after_a_bulk_create_writes_no_profile(django_assert_num_queries: Any) -> None:
    ada = User(username="ada")
    ada.profile = Profile(location="London")
    User.objects.bulk_create([ada])
    with django_assert_num_queries(4):  # savepoint, a look for the trail, UPDATE of the user, release
        ada.save()


# Saving a user ------------------------------------------------------------------------------------------------------


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    make_person("ada", first_name="Ada", location="London", bio="Counts.")
    return User.objects.get()


def test_saving_a_user_saves_the_changed_fields_of_the_loaded_profile(ada: User) -> None:
    ada.profile.location = "Paris"
    ada.save()
    assert Profile.objects.get().location == "Paris"


def test_saving_a_user_never_loads_the_profile(ada: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):
        ada.save()
    assert "profile" not in ada._state.fields_cache


def test_saving_a_user_whose_profile_is_loaded_and_unchanged_writes_no_profile(
    ada: User, django_assert_num_queries: Any
) -> None:
    version = ada.profile.version
    with django_assert_num_queries(4):
        ada.save()
    assert Profile.objects.get().version == version


def test_a_stale_copy_overwrites_nothing_that_it_did_not_change(ada: User) -> None:
    assert ada.profile.bio == "Counts."
    Profile.objects.update(bio="Somebody newer wrote this.")
    ada.profile.location = "Paris"
    ada.save()
    stored = Profile.objects.get()
    assert (stored.location, stored.bio) == ("Paris", "Somebody newer wrote this.")


def test_a_save_of_named_fields_never_touches_the_profile(ada: User) -> None:
    ada.profile.location = "Paris"
    ada.save(update_fields=["first_name"])
    assert Profile.objects.get().location == "London"
    assert ada.profile.changed_fields() == ["location"]


def test_signing_in_never_touches_the_profile(ada: User) -> None:
    version = ada.profile.version
    ada.profile.location = "Paris"
    user_logged_in.send(User, request=None, user=ada)
    assert User.objects.get().last_login is not None
    stored = Profile.objects.get()
    assert (stored.location, stored.version) == ("London", version)


def test_user_and_profile_are_saved_together_or_not_at_all(ada: User) -> None:
    ada.first_name, ada.profile.location = "Augusta", "x" * 151
    ada.profile.user_id = ada.pk
    if connection.vendor == "sqlite":  # which does not mind the length
        ada.profile.location = None  # type: ignore[assignment]
    with pytest.raises(Exception, match=r"NOT NULL|too long"), transaction.atomic():
        ada.save()
    assert User.objects.get().first_name == "Ada"
    assert Profile.objects.get().location == "London"


def test_a_profile_that_was_lost_comes_back_when_it_is_attached(ada: User) -> None:
    Profile.objects.all().delete()
    ada = User.objects.get()
    ada.profile = Profile(location="Paris")
    ada.save()
    assert Profile.objects.get().location == "Paris"


def test_a_request_signs_in_without_writing_a_profile(ada: User, browse: Callable[[User | None], Client]) -> None:
    version = Profile.objects.get().version
    browse(ada).get("/")
    assert Profile.objects.get().version == version
