"""People and profiles: what the database refuses, and what a copy in memory may write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users_profiles.demo.portraits import portrait
from users_profiles.models import Profile, Role, User

pytestmark = pytest.mark.django_db


def picture() -> SimpleUploadedFile:
    return SimpleUploadedFile("me.png", portrait("me"), "image/png")


# What the database refuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["ada", "ADA", "Ada"])
def test_a_username_is_taken_in_every_spelling(username: str) -> None:
    User.objects.create(username="ada")
    with pytest.raises(IntegrityError):
        User.objects.create(username=username)


@pytest.mark.parametrize("email", ["ada@example.com", "Ada@Example.COM"])
def test_an_email_is_taken_in_every_spelling(email: str) -> None:
    User.objects.create(username="ada", email="ada@example.com")
    with pytest.raises(IntegrityError):
        User.objects.create(username="other", email=email)


def test_many_people_may_have_no_email() -> None:
    User.objects.bulk_create([User(username=f"person{number}") for number in range(3)])
    assert User.objects.filter(email="").count() == 3


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"username": "ADA", "email": ""}, "__all__", "Somebody already has this username."),
        ({"username": "other", "email": "ADA@example.com"}, "__all__", "Somebody already has this e-mail."),
    ],
)
def test_validation_says_who_has_it_in_a_sentence(values: dict[str, str], field: str, sentence: str) -> None:
    User.objects.create(username="ada", email="ada@example.com")
    with pytest.raises(ValidationError) as refused:
        User(password="!", **values).full_clean()
    assert sentence in refused.value.message_dict[field]


def test_a_second_profile_cannot_exist() -> None:
    ada = User.objects.create(username="ada")
    with pytest.raises(IntegrityError):
        Profile.objects.bulk_create([Profile(user=ada)])


def test_deleting_a_person_deletes_the_profile() -> None:
    User.objects.create(username="ada").delete()
    assert not Profile.objects.exists()


# Words --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"first_name": "Ada"}, "Ada"),
        ({"last_name": "山田"}, "山田"),
        ({}, "ada"),
    ],
)
def test_a_person_and_their_profile_go_by_full_name_else_username(names: dict[str, str], shown: str) -> None:
    ada = User.objects.create(username="ada", **names)
    assert str(ada) == str(ada.profile) == shown


@pytest.mark.parametrize(
    ("names", "initials"),
    [
        ({"first_name": "Zoë", "last_name": "öberg"}, "ZÖ"),
        ({"first_name": "太郎"}, "太"),
        ({"first_name": "Thijs", "last_name": "'t Hart"}, "TT"),
        ({}, "A"),
    ],
)
def test_initials_stand_in_for_a_picture(names: dict[str, str], initials: str) -> None:
    assert User(username="ada", **names).initials == initials


def test_people_are_found_by_natural_key_in_every_spelling() -> None:
    ada = User.objects.create(username="Ada")
    assert User.objects.get_by_natural_key("aDA") == ada


def test_looking_somebody_up_by_name_uses_the_index() -> None:
    User.objects.bulk_create([User(username=f"person{number}") for number in range(2_000)])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE users_profiles_user")
        cursor.execute("EXPLAIN " + ("QUERY PLAN " if connection.vendor == "sqlite" else "") + _sql_of_lookup())
        plan = str(cursor.fetchall())
    assert "user_username_unique" in plan


def _sql_of_lookup() -> str:
    with CaptureQueriesContext(connection) as captured:
        User.objects.get_by_natural_key("PERSON7")
    return captured[0]["sql"]


def test_role_is_read_from_the_groups_or_from_the_annotation(
    make_person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    make_person("edgar", role=Role.EDITOR)
    make_person("stan")
    assert [User.objects.get(username=name).role for name in ("edgar", "stan")] == ["Editor", ""]
    with django_assert_num_queries(1):
        assert {person.username: person.role for person in User.objects.with_role()} == {"edgar": "Editor", "stan": ""}


def test_people_can_be_asked_for_by_role(make_person: Callable[..., User]) -> None:
    for username, role in (("alice", "Admin"), ("edgar", "Editor"), ("rita", "Reader"), ("stan", "")):
        make_person(username, role=role)
    by_role = {role: [person.username for person in User.objects.in_role(role)] for role in (*Role.values, "")}
    assert by_role == {"Admin": ["alice"], "Editor": ["edgar"], "Reader": ["rita"], "": ["stan"]}


def test_people_and_profiles_load_in_one_query(
    make_person: Callable[..., User], django_assert_num_queries: Any
) -> None:
    for number in range(3):
        make_person(f"person{number}", location="Berlin")
    with django_assert_num_queries(1):
        assert {person.profile.location for person in User.objects.with_profile()} == {"Berlin"}


# Changed fields -----------------------------------------------------------------------------------------------------


@pytest.fixture
def profile(make_person: Callable[..., User]) -> Profile:
    ada = make_person(
        "ada", location="London", bio="Counts.", birth_date=date(1815, 12, 10), phone_number="+442071234567"
    )
    return Profile.objects.get(user=ada)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bio", "Computes."),
        ("bio", ""),
        ("location", "Paris"),
        ("birth_date", None),
        ("phone_number", "+33612345678"),
        ("avatar", picture()),
    ],
)
def test_a_changed_field_is_named(profile: Profile, field: str, value: Any) -> None:
    setattr(profile, field, value)
    assert profile.changed_fields() == [field]


def test_nothing_is_changed_after_loading_nor_after_saving(profile: Profile) -> None:
    assert profile.changed_fields() == []
    profile.location, profile.avatar = "Paris", picture()
    profile.save()
    assert profile.changed_fields() == []


def test_setting_the_same_value_is_no_change(profile: Profile) -> None:
    profile.location, profile.avatar = "London", ""
    assert profile.changed_fields() == []


def test_a_field_that_was_not_loaded_is_not_changed_until_it_is_set(profile: Profile) -> None:
    partly = Profile.objects.only("bio").get()
    assert partly.changed_fields() == []
    partly.location = "Paris"
    assert partly.changed_fields() == ["location"]


def test_loading_a_deferred_field_keeps_the_edits_of_others_pending(profile: Profile) -> None:
    partly = Profile.objects.only("bio").get()
    partly.bio = "Computes."
    assert partly.location == "London"
    assert partly.changed_fields() == ["bio"]


def test_saving_some_fields_keeps_the_edits_of_others_pending(profile: Profile) -> None:
    profile.bio, profile.location = "Computes.", "Paris"
    profile.save(update_fields=["bio"])
    assert profile.changed_fields() == ["location"]


def test_refreshing_forgets_edits(profile: Profile) -> None:
    profile.bio = "Computes."
    profile.refresh_from_db()
    assert (profile.bio, profile.changed_fields()) == ("Counts.", [])


# Versions -----------------------------------------------------------------------------------------------------------


def test_every_save_is_the_next_version(profile: Profile) -> None:
    before = profile.version
    profile.bio = "Computes."
    profile.save()
    profile.save(update_fields=["bio"])
    assert profile.version == before + 2
    assert Profile.objects.get().version == before + 2


def test_a_stale_copy_never_turns_the_version_back(profile: Profile) -> None:
    before, stale = profile.version, Profile.objects.get()
    for _ in range(3):
        profile.save()
    stale.bio = "Late."
    stale.save_changes()
    assert Profile.objects.get().version == stale.version == before + 4


def test_saving_notes_when(profile: Profile) -> None:
    Profile.objects.update(updated_at=timezone.now() - timedelta(days=3))
    Profile.objects.get().save()
    assert timezone.now() - Profile.objects.get().updated_at < timedelta(minutes=1)
