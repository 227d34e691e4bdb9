"""Profiles in the admin: a part of their people's pages, to which every address of a profile leads."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.admin_pages import PROFILES, USERS, filled_in, profile_page, save, user_page
from users_profiles.models import Profile


def test_the_list_of_profiles_leads_to_the_people_with_its_filter(browse, editor, ada):
    client = browse(editor)
    assert client.get(PROFILES)["Location"] == USERS
    answer = client.get(f"{PROFILES}?q=ada&role=Editor&role=Reader", follow=True)
    assert answer.redirect_chain == [(f"{USERS}?q=ada&role=Editor&role=Reader", 302)]
    assert answer.status_code == 200


def test_a_profile_and_its_history_lead_to_those_of_the_person(browse, reader, ada):
    client = browse(reader)
    assert client.get(profile_page(ada))["Location"] == user_page(ada)
    history = client.get(reverse("admin:users_profiles_profile_history", args=[ada.pk]), follow=True)
    assert history.redirect_chain == [(reverse("admin:users_profiles_user_history", args=[ada.pk]), 302)]
    assert "Ada Lovelace" in history.content.decode()


def test_who_may_not_see_people_is_led_nowhere(browse, stranger, ada):
    for page in (PROFILES, profile_page(ada), reverse("admin:users_profiles_profile_history", args=[ada.pk])):
        assert browse(stranger).get(page).status_code == 403


@pytest.mark.parametrize("key", ["x", "9" * 30, "_5F1", "1/../2"])
def test_what_is_no_key_of_a_profile_is_not_found(browse, editor, key):
    assert browse(editor).get(reverse("admin:users_profiles_profile_change", args=[key])).status_code == 404


def test_what_is_sent_to_an_old_page_of_a_profile_changes_nothing(browse, superuser, ada):
    answer = browse(superuser).post(profile_page(ada), {"location": "Paris"})
    assert answer["Location"] == user_page(ada)
    assert Profile.objects.get(pk=ada.pk).location == "London"


def test_profiles_come_and_go_with_their_people_only(browse, superuser, ada):
    client = browse(superuser)
    assert client.get(reverse("admin:users_profiles_profile_add")).status_code == 403
    assert (
        client.post(reverse("admin:users_profiles_profile_delete", args=[ada.pk]), {"post": "yes"}).status_code == 403
    )
    assert Profile.objects.filter(pk=ada.pk).exists()


def test_the_menu_has_people_once(browse, superuser):
    assert PROFILES not in browse(superuser).get(USERS).content.decode()


def test_an_editor_edits_a_profile_on_the_page_of_its_person(browse, editor, ada):
    before = Profile.objects.get(pk=ada.pk).version
    assert save(browse(editor), user_page(ada), **{"profile-0-location": "Paris"}).status_code == 302
    profile = Profile.objects.get(pk=ada.pk)
    assert (profile.location, profile.phone_number, profile.version) == ("Paris", "+442079460000", before + 1)


def test_a_number_that_can_only_be_looked_at_is_dialled_by_a_click(browse, editor, admin, settings):
    settings.PHONE_DEFAULT_REGION = "GB"
    Profile.objects.filter(pk=admin.pk).update(phone_number="+442079460000")
    html = browse(editor).get(user_page(admin)).content.decode()
    assert '<a href="tel:+442079460000">020 7946 0000</a>' in html
    assert '<div class="readonly">–</div>' in html  # the location: the same sign for nothing as in the list


def test_a_reader_sees_no_private_fields(browse, reader, ada):
    html = browse(reader).get(user_page(ada)).content.decode()
    assert "London" in html
    for secret in ("7946", "1990", "Phone", "Birth date", "phone_number", "birth_date"):
        assert secret not in html


def test_a_private_field_cannot_be_forged_into_the_form(browse, editor, ada):
    editor.groups.get().permissions.remove(*editor.groups.get().permissions.filter(codename="view_private_fields"))
    forged = {"profile-0-phone_number": "+4930123456", "profile-0-location": "Paris"}
    save(browse(editor), user_page(ada), **forged)
    profile = Profile.objects.get(pk=ada.pk)
    assert (profile.phone_number, profile.location) == ("+442079460000", "Paris")


def test_a_profile_shows_only_the_fields_of_its_role(browse, editor, ada, settings):
    settings.USERS_PROFILES_ROLES = {"": {"profile_fields": ["location"], "own_fields": ["location"], "required": []}}
    fields = filled_in(browse(editor), user_page(ada))
    assert "profile-0-location" in fields
    assert "profile-0-bio" not in fields


def test_who_may_see_people_and_no_profiles_sees_none(browse, editor, ada):
    editor.groups.get().permissions.remove(*editor.groups.get().permissions.filter(content_type__model="profile"))
    assert not [name for name in filled_in(browse(editor), user_page(ada)) if name.startswith("profile-")]
