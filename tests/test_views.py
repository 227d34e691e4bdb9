"""The pages everybody has: home and one's own profile."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from tests.data import images
from tests.people import Browse
from users_profiles.models import Profile, User

PAGES = ["home", "profile", "profile_edit", "account_email", "account_change_password", "account_reauthenticate"]


def html(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("name", PAGES)
def test_strangers_to_the_house_are_asked_to_sign_in(db: None, browse: Browse, name: str) -> None:
    response = browse(None).get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("who", ["reader", "editor", "admin", "superuser"])
def test_home_leads_staff_to_the_admin(request: pytest.FixtureRequest, browse: Browse, who: str) -> None:
    assert browse(request.getfixturevalue(who)).get(reverse("home"))["Location"] == reverse("admin:index")


def test_home_leads_members_to_their_profile(stranger: User, browse: Browse) -> None:
    assert browse(stranger).get(reverse("home"))["Location"] == reverse("profile")


@pytest.mark.parametrize("who", ["stranger", "reader", "editor", "admin", "superuser"])
def test_everybody_sees_their_own_profile(request: pytest.FixtureRequest, browse: Browse, who: str) -> None:
    person = request.getfixturevalue(who)
    page = browse(person).get(reverse("profile"))
    assert page.templates[0].name == "profile/index.html"
    assert f"<h1>{person}</h1>" in html(page)
    assert person.email in html(page)


def test_a_profile_shows_what_we_know(make_person: Any, browse: Browse) -> None:
    person = make_person(
        "ada", first_name="Ada", last_name="Lovelace", location="Berlin", phone_number="+4930123456", bio="Counts."
    )
    text = html(browse(person).get(reverse("profile")))
    for fact in ("Ada Lovelace", "ada@example.com", "Berlin", "+49 30 123456", "Counts.", "Member"):
        assert fact in text
    assert "to complete your profile" not in text


def test_a_profile_names_what_is_missing_and_leads_there(stranger: User, browse: Browse) -> None:
    text = html(browse(stranger).get(reverse("profile")))
    assert "To complete your profile, add:" in text
    for field in ("location", "phone_number"):
        assert f'href="{reverse("profile_edit")}#id_{field}"' in text
    stranger.profile.location = "Lisbon"
    stranger.save()
    text = html(browse(stranger).get(reverse("profile")))
    assert "Add a phone number to complete your profile." in text
    assert "#id_location" not in text


def test_nobody_is_asked_for_what_they_may_not_fill_in(reader: User, browse: Browse, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"own_fields": ["bio"]}}
    assert "to complete your profile" not in html(browse(reader).get(reverse("profile")))


def test_a_role_without_a_field_does_not_show_it(reader: User, browse: Browse, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"profile_fields": ["bio"], "own_fields": ["bio"], "required": []}}
    text = html(browse(reader).get(reverse("profile")))
    assert "About" in text
    assert "Birth date" not in text
    assert "Location" not in text


def test_saving_leads_back_to_the_profile_and_says_so(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    response = client.post(reverse("profile_edit"), {"first_name": "Stanley", "last_name": "S", "location": "Nairobi"})
    assert (response.status_code, response["Location"]) == (302, reverse("profile"))
    text = html(client.get(reverse("profile")))
    assert "Your profile is saved." in text
    assert "Nairobi" in text
    assert "Your profile is saved." not in html(client.get(reverse("profile")))


def test_a_picture_can_be_added_and_removed(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    client.post(reverse("profile_edit"), {"avatar": images.upload(images.picture())})
    url = Profile.objects.get(pk=stranger.pk).avatar.url
    assert url in html(client.get(reverse("profile"))).replace("&amp;", "&")
    client.post(reverse("profile_edit"), {"avatar-clear": "on"})
    assert not Profile.objects.get(pk=stranger.pk).avatar


def test_errors_stand_beside_their_fields_and_on_top_with_links(stranger: User, browse: Browse) -> None:
    response = browse(stranger).post(reverse("profile_edit"), {"first_name": "Typed", "phone_number": "12"})
    text = html(response)
    assert 'role="alert"' in text
    assert '<a href="#id_phone_number">' in text
    assert re.search(r'<ul class="errors" id="id_phone_number_error">\s*<li>12 is not a phone number', text)
    field = re.search(r'<input[^>]*name="phone_number"[^>]*>', text)
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert "id_phone_number_error" in field[0]
    assert 'value="Typed"' in text
    assert "<title>Error: " in text


def test_a_name_that_was_refused_does_not_show_up_in_the_bar_above(stranger: User, browse: Browse) -> None:
    response = browse(stranger).post(reverse("profile_edit"), {"first_name": "Typed", "phone_number": "12"})
    bar = html(response).partition("<main")[0]
    assert "Stan Stranger" in bar
    assert "Typed" not in bar


def test_one_edits_oneself_whatever_one_sends(stranger: User, editor: User, browse: Browse) -> None:
    browse(stranger).post(
        f"{reverse('profile_edit')}?pk={editor.pk}",
        {"pk": editor.pk, "user": editor.pk, "id": editor.pk, "bio": "Mine"},
    )
    assert Profile.objects.get(pk=editor.pk).bio == ""
    assert Profile.objects.get(pk=stranger.pk).bio == "Mine"


def test_a_role_that_may_edit_nothing_is_told_so(reader: User, browse: Browse, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"Reader": {"own_fields": [], "required": []}}
    client = browse(reader)
    text = html(client.get(reverse("profile_edit")))
    assert "There is nothing here that you can change yourself." in text
    client.post(reverse("profile_edit"), {"bio": "Forged", "first_name": "Forged"})
    person = User.objects.with_profile().get(pk=reader.pk)
    assert (person.profile.bio, person.first_name) == ("", "Rita")


def test_what_people_write_about_themselves_is_inert(make_person: Any, browse: Browse) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    person = make_person("eve", first_name=attack[:140], bio=attack, location=attack)
    for name in ("profile", "profile_edit"):
        text = html(browse(person).get(reverse(name)))
        assert "<script>alert" not in text
        assert "<img src=x" not in text


@pytest.mark.parametrize(
    "name", ["profile", "profile_edit", "account_email", "account_change_password", "account_logout"]
)
def test_every_page_has_one_heading_no_inline_code_and_a_strict_policy(
    stranger: User, browse: Browse, name: str
) -> None:
    response = browse(stranger).get(reverse(name))
    text = html(response)
    assert text.count("<h1") == 1
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)
    assert "script-src 'self'" in response["Content-Security-Policy"]
    for control in re.findall(r"<(?:input|textarea|select)[^>]*>", text):
        identity = re.search(r' id="([^"]+)"', control)
        if 'type="hidden"' not in control:
            assert identity, control
            assert f'for="{identity[1]}"' in text, control


def test_the_profile_page_costs_few_queries(stranger: User, browse: Browse, django_assert_max_num_queries: Any) -> None:
    client = browse(stranger)
    with django_assert_max_num_queries(3):  # session, person with profile, role
        client.get(reverse("profile"))


def test_profiles_are_not_kept_by_the_browser(stranger: User, browse: Browse) -> None:
    assert "no-store" in browse(stranger).get(reverse("profile"))["Cache-Control"]


@pytest.mark.parametrize("path", ["/admin/", "/admin/users_profiles/user/"])
def test_a_member_who_opens_the_admin_is_refused_and_not_sent_in_circles(
    stranger: User, browse: Browse, path: str
) -> None:
    response = browse(stranger).get(path, follow=True)
    assert response.status_code == 403
    assert len(response.redirect_chain) <= 1


def test_the_admins_sign_in_is_the_same_page_as_everywhere(db: None, browse: Browse) -> None:
    response = browse(None).get("/admin/", follow=True)
    assert response.status_code == 200
    assert response.request["PATH_INFO"] == reverse("account_login")
    assert "next=%2Fadmin%2F" in response.request["QUERY_STRING"]
