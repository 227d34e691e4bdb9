"""The list of profiles, for people who think in profiles."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.admin_pages import PROFILES, filled_in, listed, profile_page, queries_of, save, user_page
from users_profiles.models import Profile, Role

FORM = "profile_form"


def test_the_list_leads_to_profiles_and_to_people(browse, editor, ada):
    html = browse(editor).get(PROFILES).content.decode()
    assert profile_page(ada) in html
    assert user_page(ada) in html
    for text in ("Ada Lovelace", "London", "+44 20 7946 0000", "10 Dec 1990", "Complete"):
        assert text in html


def test_both_pages_of_somebody_lead_to_each_other(browse, editor, ada):
    assert profile_page(ada) in browse(editor).get(user_page(ada)).content.decode()
    assert user_page(ada) in browse(editor).get(profile_page(ada)).content.decode()


@pytest.mark.parametrize("text", ["ada", "lovelace", "ada@example.com", "lond", "79460000"])
def test_search_is_the_same_as_for_people(browse, editor, ada, stranger, text):
    assert listed(browse(editor), f"{PROFILES}?q={text}") == {"ada"}


def test_the_list_asks_the_same_number_of_queries_for_twice_the_profiles(browse, editor, make_person):
    client = browse(editor)
    for number in range(5):
        make_person(f"p{number}", role=Role.READER, location="Berlin")
    before = queries_of(client, PROFILES)
    for number in range(5, 10):
        make_person(f"p{number}", location="Berlin")
    assert queries_of(client, PROFILES) == before


def test_an_editor_edits_a_profile(browse, editor, ada):
    before = Profile.objects.get(pk=ada.pk).version
    assert save(browse(editor), profile_page(ada), FORM, location="Paris").status_code == 302
    profile = Profile.objects.get(pk=ada.pk)
    assert (profile.location, profile.phone_number, profile.version) == ("Paris", "+442079460000", before + 1)


def test_saving_a_page_as_it_is_changes_nothing(browse, editor, ada):
    before = Profile.objects.values().get(pk=ada.pk)
    assert save(browse(editor), profile_page(ada), FORM).status_code == 302
    assert Profile.objects.values().get(pk=ada.pk) == before


def test_what_somebody_else_saved_meanwhile_stays(browse, editor, ada):
    client = browse(editor)
    opened = filled_in(client, profile_page(ada), FORM)
    Profile.objects.filter(pk=ada.pk).update(location="Paris")
    client.post(profile_page(ada), {**opened, "bio": "Hello"})
    profile = Profile.objects.get(pk=ada.pk)
    assert (profile.location, profile.bio) == ("Paris", "Hello")


def test_profiles_come_and_go_with_their_people_only(browse, superuser, ada):
    client = browse(superuser)
    assert client.get(reverse("admin:users_profiles_profile_add")).status_code == 403
    assert (
        client.post(reverse("admin:users_profiles_profile_delete", args=[ada.pk]), {"post": "yes"}).status_code == 403
    )
    assert Profile.objects.filter(pk=ada.pk).exists()


def test_an_editor_only_looks_at_the_profile_of_an_admin(browse, editor, admin):
    client = browse(editor)
    assert 'name="_save"' not in client.get(profile_page(admin)).content.decode()
    assert client.post(profile_page(admin), {"location": "X"}).status_code == 403


@pytest.mark.parametrize("page", [profile_page, user_page])
def test_a_number_that_can_only_be_looked_at_is_dialled_by_a_click(browse, editor, admin, settings, page):
    settings.PHONE_DEFAULT_REGION = "GB"
    Profile.objects.filter(pk=admin.pk).update(phone_number="+442079460000")
    assert '<a href="tel:+442079460000">020 7946 0000</a>' in browse(editor).get(page(admin)).content.decode()


def test_a_reader_sees_no_private_fields_anywhere(browse, reader, ada):
    client = browse(reader)
    for page in (PROFILES, profile_page(ada), user_page(ada)):
        html = client.get(page).content.decode()
        assert "London" in html
        for secret in ("7946", "1990", "Phone", "Birth date", "phone_number", "birth_date"):
            assert secret not in html


def test_a_private_field_cannot_be_forged_into_the_form(browse, reader, editor, ada):
    editor.groups.get().permissions.remove(*editor.groups.get().permissions.filter(codename="view_private_fields"))
    save(browse(editor), profile_page(ada), FORM, phone_number="+4930123456", location="Paris")
    profile = Profile.objects.get(pk=ada.pk)
    assert (profile.phone_number, profile.location) == ("+442079460000", "Paris")


def test_a_profile_shows_only_the_fields_of_its_role(browse, editor, ada, settings):
    settings.USERS_PROFILES_ROLES = {"": {"profile_fields": ["location"], "own_fields": ["location"], "required": []}}
    assert "bio" not in filled_in(browse(editor), profile_page(ada), FORM)
    assert "location" in filled_in(browse(editor), profile_page(ada), FORM)
    assert "profile-0-bio" not in filled_in(browse(editor), user_page(ada))
