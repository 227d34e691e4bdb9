"""The form for one's own profile: what it offers, what it refuses, what it writes and leaves alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from tests.data import images
from users_profiles import roles
from users_profiles.forms import ProfileForm
from users_profiles.models import Profile, Role, User


def fresh(person: User) -> Profile:
    return Profile.objects.select_related("user").get(pk=person.pk)


def shown(person: User) -> dict[str, str]:
    """What a browser sends back when nothing was typed: every value, and the value that was shown beside it."""
    form = ProfileForm(instance=fresh(person))
    data: dict[str, str] = {}
    for bound in form:
        if bound.name != "avatar":
            value = "" if bound.initial is None else str(bound.initial)
            data |= {bound.html_name: value, bound.html_initial_name: value}
    return data


def posted(person: User, shown_before: dict[str, str] | None = None, **typed: str) -> ProfileForm:
    data = QueryDict(mutable=True)
    data.update((shown(person) if shown_before is None else shown_before) | typed)
    return ProfileForm(data, instance=fresh(person))


def test_it_offers_what_ones_role_may_edit(stranger: User) -> None:
    assert set(ProfileForm(instance=fresh(stranger)).fields) == set(roles.FIELDS)


@pytest.mark.parametrize("own", [["bio"], ["first_name", "location"], []])
def test_it_offers_only_what_ones_role_may_edit(reader: User, settings: Any, own: list[str]) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"own_fields": own}}
    assert set(ProfileForm(instance=fresh(reader)).fields) == set(own)


def test_forged_fields_are_ignored(reader: User, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"own_fields": ["bio"]}}
    forged = {
        "location": "Atlantis",
        "last_name": "Root",
        "is_superuser": "on",
        "is_staff": "on",
        "username": "root",
        "email": "evil@example.com",
        "version": "99",
        "user": "1",
    }
    form = posted(reader, bio="Hello", **forged)
    assert form.is_valid(), form.errors
    form.save()
    person = User.objects.with_profile().get(pk=reader.pk)
    assert person.profile.bio == "Hello"
    assert (person.profile.location, person.last_name, person.username) == ("", "Reader", "rita")
    assert (person.email, person.is_superuser, person.role) == ("rita@example.com", False, Role.READER)


def test_it_saves_name_and_profile_together(stranger: User) -> None:
    form = posted(
        stranger, first_name="Stanley", location="Nairobi", birth_date="1990-05-01", phone_number="+254 20 271 2345"
    )
    assert form.is_valid(), form.errors
    form.save()
    person = User.objects.with_profile().get(pk=stranger.pk)
    assert person.get_full_name() == "Stanley Stranger"
    assert person.profile.location == "Nairobi"
    assert person.profile.birth_date == date(1990, 5, 1)
    assert person.profile.phone_number == "+254202712345"


def test_saving_without_a_change_writes_nothing(stranger: User) -> None:
    before = fresh(stranger)
    form = posted(stranger)
    assert form.is_valid()
    form.save()
    after = fresh(stranger)
    assert (after.version, after.updated_at) == (before.version, before.updated_at)


@pytest.mark.parametrize("born", [date.today() + timedelta(days=1), date(1899, 12, 31), date(9999, 1, 1)])
def test_a_birth_date_that_nobody_has_is_refused(stranger: User, born: date) -> None:
    form = posted(stranger, birth_date=born.isoformat())
    assert form.errors["birth_date"] == ["A birth date lies between 1900 and today."]


@pytest.mark.parametrize("born", [date.today(), date(1900, 1, 1), ""])
def test_any_other_birth_date_and_none_is_fine(stranger: User, born: Any) -> None:
    assert posted(stranger, birth_date=str(born)).is_valid()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone_number", "12"),
        ("bio", "x" * 2001),
        ("first_name", "x" * 151),
        ("location", "a\0b"),
        ("birth_date", "soon"),
    ],
)
def test_what_cannot_be_stored_is_refused_beside_its_field(stranger: User, field: str, value: str) -> None:
    assert list(posted(stranger, **{field: value}).errors) == [field]


# Edits that cross each other; test_conflicts.py has the rest


def test_what_staff_changed_meanwhile_stays_when_the_person_did_not_touch_it(stranger: User) -> None:
    page = shown(stranger)
    Profile.objects.filter(pk=stranger.pk).update(location="Berlin")
    User.objects.filter(pk=stranger.pk).update(last_name="Married")
    form = posted(stranger, page, bio="Mine")
    assert form.is_valid(), form.errors
    form.save()
    person = User.objects.with_profile().get(pk=stranger.pk)
    assert (person.profile.bio, person.profile.location, person.last_name) == ("Mine", "Berlin", "Married")


# The picture


def send(person: User, **values: Any) -> ProfileForm:
    files = {"avatar": values.pop("avatar")} if "avatar" in values else {}
    return ProfileForm(shown(person) | values, files, instance=fresh(person))


def test_a_chosen_picture_wins_over_a_ticked_remove(stranger: User) -> None:
    form = send(stranger, avatar=images.upload(images.picture()), **{"avatar-clear": "on"})
    assert form.is_valid(), form.errors
    form.save()
    assert fresh(stranger).avatar


def test_without_a_new_picture_the_old_one_stays(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    name = fresh(stranger).avatar.name
    send(stranger, bio="Hello").save()
    assert fresh(stranger).avatar.name == name


def test_after_an_error_elsewhere_the_stored_picture_is_shown(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    url = fresh(stranger).avatar.url
    form = send(stranger, avatar=images.upload(images.picture("GIF")), phone_number="12")
    assert set(form.errors) == {"phone_number", "avatar"}
    assert form.errors["avatar"] == ["Choose the picture again; your browser has not kept it."]
    assert url in str(form["avatar"])


def test_the_picture_field_names_its_limits_and_only_offers_pictures(stranger: User) -> None:
    html = str(ProfileForm(instance=fresh(stranger))["avatar"])
    assert 'accept="image/jpeg,image/png,image/webp,image/gif"' in html
    assert "Remove the picture" not in html
    send(stranger, avatar=images.upload(images.picture())).save()
    assert "Remove the picture" in str(ProfileForm(instance=fresh(stranger))["avatar"])
