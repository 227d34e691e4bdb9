"""The form for one's own profile: what it offers, what it refuses, what it writes and leaves alone."""

from __future__ import annotations

import base64
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

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


def come_back(form: ProfileForm) -> dict[str, str]:
    """What the field for the picture sends along, as a page that has come back with errors shows it."""
    html = str(form["avatar"])
    found = re.findall(r'<input type="hidden" name="(avatar-[a-z]+)" value="([^"]*)"', html)
    assert not form.is_valid()
    return dict(found)


def test_a_chosen_picture_is_no_second_mistake_and_is_saved_once_the_first_is_put_right(stranger: User) -> None:
    data = images.encoded(images.two_halves((400, 200)))
    form = send(stranger, avatar=images.upload(data), phone_number="12", **{"avatar-cut": "0.5 0 1"})
    assert list(form.errors) == ["phone_number"]
    again = send(stranger, **come_back(form), location="Lisbon", birth_date="soon")
    assert list(again.errors) == ["birth_date"]
    send(stranger, **come_back(again)).save()
    with fresh(stranger).avatar.open() as stored:
        picture = images.opened(stored.read())
    assert picture.size == (200, 200)  # the part that was cut out
    assert images.near(picture.getpixel((100, 100)), images.BLUE)


def test_the_kept_picture_is_what_one_sees_and_the_stored_one_stays_until_then(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    before = fresh(stranger).avatar
    form = send(stranger, avatar=images.upload(images.picture("GIF")), phone_number="12")
    html = str(form["avatar"])
    large, _rest = html.split("</span>", 1)
    assert before.url not in large
    assert re.search(r'Keep the picture there is <span[^>]*><img src="([^"]*)"', html)[1] == before.url  # type: ignore[index]
    seen = re.search(r'<img src="data:image/webp;base64,([^"]+)"', html)
    assert seen
    assert images.opened(base64.b64decode(seen[1])).size == (192, 192)
    assert "The picture you chose is kept, and saved with the rest." in html
    assert fresh(stranger).avatar.name == before.name


def test_a_kept_picture_can_be_dropped_which_leaves_the_stored_one_as_it_was(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    before = fresh(stranger).avatar.name
    kept = come_back(send(stranger, avatar=images.upload(images.picture("GIF")), phone_number="12"))
    form = send(stranger, **kept, **{"avatar-clear": "on"}, location="Lisbon")
    assert form.is_valid(), form.errors
    form.save()
    assert (fresh(stranger).avatar.name, fresh(stranger).location) == (before, "Lisbon")


def test_another_picture_wins_over_the_kept_one(stranger: User) -> None:
    kept = come_back(send(stranger, avatar=images.upload(images.picture()), phone_number="12"))
    send(stranger, **kept, avatar=images.upload(images.picture(size=(60, 20)))).save()
    with fresh(stranger).avatar.open() as stored:
        assert images.opened(stored.read()).size == (60, 20)


def test_a_picture_that_is_wrong_itself_is_not_kept(stranger: User) -> None:
    form = send(stranger, avatar=images.upload(b"no picture"), phone_number="12")
    assert set(form.errors) == {"avatar", "phone_number"}
    assert "avatar-kept" not in come_back(form)


def test_a_page_that_nobody_chose_a_picture_on_carries_none_along(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    form = send(stranger, phone_number="12")
    assert "avatar-kept" not in come_back(form)
    assert fresh(stranger).avatar.url in str(form["avatar"])


def test_a_ticked_remove_is_still_ticked_when_something_else_is_wrong(stranger: User) -> None:
    send(stranger, avatar=images.upload(images.picture())).save()
    html = str(send(stranger, phone_number="12", **{"avatar-clear": "on"})["avatar"])
    assert re.search(r'<input type="checkbox" name="avatar-clear"[^>]* checked', html)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_what_a_script_reads_is_written_in_no_language(stranger: User, language: str) -> None:
    with translation.override(language):
        html = str(ProfileForm(instance=fresh(stranger))["avatar"])
    assert 'data-smallest="0.1"' in html
    assert 'data-max-bytes="10485760"' in html


def test_the_picture_field_names_its_limits_and_only_offers_pictures(stranger: User) -> None:
    html = str(ProfileForm(instance=fresh(stranger))["avatar"])
    assert 'accept="image/jpeg,image/png,image/webp,image/gif"' in html
    assert "Remove the picture" not in html
    send(stranger, avatar=images.upload(images.picture())).save()
    assert "Remove the picture" in str(ProfileForm(instance=fresh(stranger))["avatar"])
