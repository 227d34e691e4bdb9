"""The list of people, and the page on which a person and their profile are edited together."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import USERS, filled_in, filled_in_from, listed, messages_of, queries_of, save, user_page
from tests.data import images
from tests.people import PASSWORD
from users_profiles import roles, trail
from users_profiles.admin.forms import PersonForm
from users_profiles.models import Profile, Role, User

ADD = reverse("admin:users_profiles_user_add")


# The list -----------------------------------------------------------------------------------------------------------


def test_the_list_shows_who_is_who(browse, admin, ada):
    html = browse(admin).get(USERS).content.decode()
    for text in ("Ada Lovelace", "ada@example.com", "London", "Member", "Active", "Never", "avatar-s"):
        assert text in html


def test_the_list_says_when_somebody_was_last_in_with_the_exact_time_on_hover(browse, admin, ada):
    moment = timezone.now() - timedelta(hours=2, minutes=5)
    User.objects.filter(pk=ada.pk).update(last_login=moment)
    html = browse(admin).get(USERS).content.decode()
    assert "2 h ago</time>" in html
    assert f'datetime="{timezone.localtime(moment).isoformat(timespec="seconds")}"' in html


def test_the_list_asks_the_same_number_of_queries_for_twice_the_people(browse, admin, make_person):
    client = browse(admin)
    for number in range(5):
        make_person(f"p{number}", role=Role.EDITOR, location="Berlin")
    before = queries_of(client, USERS)
    for number in range(5, 10):
        make_person(f"p{number}", role=Role.READER, location="Berlin")
    assert queries_of(client, USERS) == before


@pytest.mark.parametrize("text", ["ada", "lovelace", "ADA love", "ada@exam", "lond", "+44 20 7946 0000", "79460000"])
def test_search_finds_a_person_by(browse, admin, ada, stranger, text):
    assert listed(browse(admin), f"{USERS}?q={text.replace('+', '%2B')}") == {"ada"}


def test_a_reader_cannot_find_people_by_phone(browse, reader, ada):
    assert listed(browse(reader), f"{USERS}?q=79460000") == set()


def test_a_superuser_is_called_so_whatever_the_role(browse, superuser):
    roles.assign([superuser], Role.READER)
    html = browse(superuser).get(USERS).content.decode()
    assert "Superuser</span>" in html
    assert "Reader</span>" not in html


# One page for the person and the profile ----------------------------------------------------------------------------


def test_an_editor_edits_a_person_and_the_profile_on_one_page(browse, editor, ada):
    response = save(
        browse(editor),
        user_page(ada),
        **{"first_name": "Augusta", "profile-0-location": "Paris", "profile-0-bio": "Hi"},
    )
    assert response.status_code == 302
    ada = User.objects.get(pk=ada.pk)
    assert (ada.first_name, ada.profile.location, ada.profile.bio) == ("Augusta", "Paris", "Hi")
    assert ada.profile.birth_date == date(1990, 12, 10)


def test_one_save_is_one_version_of_the_profile(browse, editor, ada):
    before = Profile.objects.get(pk=ada.pk).version
    save(browse(editor), user_page(ada), **{"first_name": "Augusta", "profile-0-location": "Paris"})
    assert Profile.objects.get(pk=ada.pk).version == before + 1


def test_saving_a_page_as_it_is_changes_nothing(browse, editor, ada):
    before = Profile.objects.values().get(pk=ada.pk), User.objects.values().get(pk=ada.pk)
    assert save(browse(editor), user_page(ada)).status_code == 302
    assert (Profile.objects.values().get(pk=ada.pk), User.objects.values().get(pk=ada.pk)) == before


def test_a_birth_date_that_nobody_has_is_refused(browse, editor, ada):
    for born in ("1899-12-31", (date.today() + timedelta(days=1)).isoformat()):
        html = save(browse(editor), user_page(ada), **{"profile-0-birth_date": born}).content.decode()
        assert "A birth date lies between 1900 and today." in html
    assert Profile.objects.get(pk=ada.pk).birth_date == date(1990, 12, 10)


def test_browsers_are_not_asked_to_fill_in_what_they_know_of_the_editor(browse, editor, ada):
    html = browse(editor).get(user_page(ada)).content.decode().partition('id="user_form"')[2]
    for token in ("given-name", "family-name", "tel", "bday", "address-level2"):
        assert f'autocomplete="{token}"' not in html


def test_a_change_of_the_person_alone_leaves_the_profile_alone(browse, editor, ada):
    before = Profile.objects.values().get(pk=ada.pk)
    save(browse(editor), user_page(ada), last_name="King")
    assert Profile.objects.values().get(pk=ada.pk) == before


def test_the_history_names_every_field_that_changed(browse, editor, ada):
    save(browse(editor), user_page(ada), **{"first_name": "Augusta", "profile-0-location": "Paris"})
    [entry] = trail.of(ada, editor, size=1).entries
    assert entry.summary == "Changed First name, Location"


def test_the_page_shows_the_last_five_entries_of_the_history(browse, editor, ada):
    client = browse(editor)
    for number in range(6):
        save(client, user_page(ada), first_name=f"Ada{number}")
    assert len(client.get(user_page(ada)).context["person_history"]) == 5


def test_a_picture_can_be_given_and_taken_away(browse, editor, ada):
    client = browse(editor)
    save(client, user_page(ada), **{"profile-0-avatar": images.upload(images.picture())})
    assert Profile.objects.get(pk=ada.pk).avatar.name.endswith(".webp")
    save(client, user_page(ada), **{"profile-0-avatar-clear": "on"})
    assert not Profile.objects.get(pk=ada.pk).avatar


def test_a_phone_number_is_stored_the_way_it_dials(browse, editor, ada):
    save(browse(editor), user_page(ada), **{"profile-0-phone_number": "+49 (0)30 123456"})
    assert Profile.objects.get(pk=ada.pk).phone_number == "+4930123456"


# Two people at once -------------------------------------------------------------------------------------------------


# Adding -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
def test_adding_somebody_asks_for_no_password_and_leads_to_the_profile(browse, admin):
    client = browse(admin)
    assert "password" not in filled_in(client, ADD)
    response = save(client, ADD, username="grace", email="grace@example.com", role="Editor")
    grace = User.objects.get(username="grace")
    assert response["Location"] == user_page(grace)
    assert not grace.has_usable_password()
    assert (grace.role, grace.is_staff) == ("Editor", True)
    assert Profile.objects.filter(pk=grace.pk).count() == 1
    assert [message.to for message in mail.outbox] == [["grace@example.com"]]
    assert messages_of(client.get(user_page(grace))) == ["grace was added. An invitation is on its way."]


def test_the_profile_is_hidden_while_adding_because_the_signal_makes_it(browse, admin):
    assert not any(name.startswith("profile-") for name in filled_in(browse(admin), ADD))


def test_somebody_can_be_added_without_an_invitation_and_without_an_email(browse, admin):
    save(browse(admin), ADD, username="grace", send_invitation=None)
    assert User.objects.get(username="grace").email == ""
    assert mail.outbox == []


def test_a_username_nobody_thought_of_is_made_from_the_name_as_in_an_import(browse, admin, make_person):
    make_person("zoe.kruger")
    client = browse(admin)
    for expected in ("zoe.kruger2", "zoe.kruger3"):
        save(client, ADD, first_name="Zoé", last_name="Krüger", username="", send_invitation=None)
        assert User.objects.get(username=expected).last_name == "Krüger"
    save(client, ADD, email="j.doe@example.com", username="")
    assert User.objects.get(email="j.doe@example.com").username == "j.doe"


def test_a_username_that_cannot_be_made_is_asked_for(browse, admin):
    response = save(browse(admin), ADD, username="", send_invitation=None)
    assert "Give a username, or a name to make one from." in str(response.context["adminform"].form.errors["username"])


def test_an_invitation_needs_an_email(browse, admin):
    response = save(browse(admin), ADD, username="grace")
    assert "An invitation needs an e-mail." in str(response.context["adminform"].form.errors["email"])
    assert not User.objects.filter(username="grace").exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("username", "ADA", "already has this username"), ("email", "Ada@Example.com", "already has this e-mail")],
)
def test_a_name_somebody_has_in_another_spelling_is_refused_beside_the_field(
    browse, admin, ada, field, value, sentence
):
    values = {"username": "grace", "email": "grace@example.com", field: value}
    errors = save(browse(admin), ADD, **values).context["adminform"].form.errors
    assert list(errors) == [field]
    assert f'<a href="{user_page(ada)}">Ada Lovelace</a> {sentence}' in str(errors[field])


@pytest.mark.parametrize("field", ["username", "email"])
def test_a_name_that_somebody_takes_in_the_same_moment_is_refused_beside_the_field(
    browse, admin, ada, monkeypatch, field
):
    client = browse(admin)
    values = {"username": "grace", "email": "grace@example.com", field: getattr(ada, field).upper()}
    opened = {**filled_in(client, ADD), **values}
    before = User.objects.count()
    store = User.save

    def save_too_late(self, **kwargs):
        monkeypatch.undo()
        store(self, **kwargs)

    # Ada is there, but nobody who looks before the write can see it.
    monkeypatch.setattr(PersonForm, "_refuse_taken", lambda *args: None)
    monkeypatch.setattr(User, "validate_constraints", lambda *args, **kwargs: None)
    monkeypatch.setattr(User, "save", save_too_late)
    response = client.post(ADD, opened)
    assert list(response.context["adminform"].form.errors) == [field]
    assert User.objects.count() == before


def test_an_editor_adds_members_only(browse, editor):
    client = browse(editor)
    assert "role" not in filled_in(client, ADD)
    save(client, ADD, username="grace", email="grace@example.com", role="Admin")
    assert User.objects.get(username="grace").role == roles.MEMBER


def test_a_reader_adds_nobody(browse, reader):
    assert browse(reader).get(ADD).status_code == 403


# Roles and access ---------------------------------------------------------------------------------------------------


def test_the_role_picker_offers_what_one_may_give(browse, admin, ada):
    form = browse(admin).get(user_page(ada)).context["adminform"].form
    assert [value for value, _label in form.fields["role"].choices] == ["", "Reader", "Editor", "Admin"]


def test_an_admin_gives_a_role(browse, admin, ada):
    save(browse(admin), user_page(ada), role="Editor")
    ada = User.objects.get(pk=ada.pk)
    assert (ada.role, ada.is_staff) == ("Editor", True)
    save(browse(admin), user_page(ada), role="")
    ada = User.objects.get(pk=ada.pk)
    assert (ada.role, ada.is_staff) == ("", False)


def test_an_editor_sees_the_role_but_cannot_change_it(browse, editor, ada):
    response = browse(editor).get(user_page(ada))
    assert "role" not in response.context["adminform"].form.fields
    assert "Member</span>" in response.content.decode()


def test_nobody_changes_their_own_role_or_deactivates_themselves(browse, superuser, admin):
    for person in (superuser, admin):
        form = browse(person).get(user_page(person)).context["adminform"].form
        assert not {"role", "is_active", "is_superuser", "groups"} & set(form.fields)


def test_only_superusers_see_raw_permissions(browse, superuser, admin, ada):
    Group.objects.create(name="Night shift")
    raw = {"is_superuser", "is_staff", "groups", "user_permissions"}
    assert raw <= set(browse(superuser).get(user_page(ada)).context["adminform"].form.fields)
    assert not raw & set(browse(admin).get(user_page(ada)).context["adminform"].form.fields)


def test_further_groups_do_not_cost_the_role(browse, superuser, editor):
    night = Group.objects.create(name="Night shift")
    permission = Permission.objects.get(codename="delete_user")
    save(browse(superuser), user_page(editor), groups=[night.pk], user_permissions=[permission.pk])
    editor = User.objects.get(pk=editor.pk)
    assert set(editor.groups.values_list("name", flat=True)) == {"Editor", "Night shift"}
    assert list(editor.user_permissions.all()) == [permission]
    save(browse(superuser), user_page(editor), role="Reader")
    assert set(editor.groups.values_list("name", flat=True)) == {"Reader", "Night shift"}


def test_who_becomes_a_superuser_becomes_staff_and_who_stops_has_the_flag_of_the_role(browse, superuser, ada):
    save(browse(superuser), user_page(ada), is_superuser="on")
    ada.refresh_from_db()
    assert (ada.is_superuser, ada.is_staff) == (True, True)
    save(browse(superuser), user_page(ada), is_superuser=None)
    ada.refresh_from_db()
    assert (ada.is_superuser, ada.is_staff) == (False, False)


def test_a_reader_looks_and_changes_nothing(browse, reader, ada):
    client = browse(reader)
    html = client.get(user_page(ada)).content.decode()
    assert "Ada" in html
    assert 'name="_save"' not in html
    assert client.post(user_page(ada), {"first_name": "X"}).status_code == 403


# Mail and deletion --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
def test_staff_send_a_link_and_never_set_a_password(browse, editor, ada):
    client = browse(editor)
    html = client.get(user_page(ada)).content.decode()
    assert "Send password link" in html
    assert 'type="password"' not in html
    assert ada.password not in html
    response = client.post(reverse("admin:users_profiles_user_send_link", args=[ada.pk]), follow=True)
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    assert messages_of(response) == ["A mail to ada@example.com is on its way."]
    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_who_never_had_a_password_is_invited(browse, editor):
    person = User.objects.create_user("new", "new@example.com")
    assert "Send invitation" in browse(editor).get(user_page(person)).content.decode()


def test_no_link_is_offered_or_sent_to_who_cannot_get_it(browse, editor, make_person):
    for person in (make_person("blank", email=""), make_person("gone", is_active=False)):
        client = browse(editor)
        link = reverse("admin:users_profiles_user_send_link", args=[person.pk])
        assert link not in client.get(user_page(person)).content.decode()
        assert messages_of(client.post(link, follow=True)) == [
            "No mail was sent: the person is inactive or has no e-mail."
        ]
    assert mail.outbox == []


def test_a_link_is_sent_by_post_and_only_by_who_may_edit_the_person(browse, editor, reader, admin, ada):
    link = reverse("admin:users_profiles_user_send_link", args=[ada.pk])
    assert browse(editor).get(link).status_code == 405
    assert browse(reader).post(link).status_code == 403
    above = reverse("admin:users_profiles_user_send_link", args=[admin.pk])
    assert browse(editor).post(above).status_code == 403
    assert mail.outbox == []


def test_a_person_is_deleted_with_the_profile(browse, admin, ada):
    url = reverse("admin:users_profiles_user_delete", args=[ada.pk])
    assert browse(admin).post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not Profile.objects.filter(pk=ada.pk).exists()


def test_who_has_changed_things_can_be_deleted_and_the_trail_keeps_who_it_was(browse, admin, editor, ada):
    save(browse(editor), user_page(ada), first_name="Augusta")
    url = reverse("admin:users_profiles_user_delete", args=[editor.pk])
    assert browse(admin).post(url, {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=editor.pk).exists()
    assert trail.of(ada, admin).entries[0].who == "Edgar Editor"


# What is said on the page -------------------------------------------------------------------------------------------


def test_what_a_profile_lacks_is_said_on_top_and_leads_to_its_field(browse, editor, reader, stranger):
    html = browse(editor).get(user_page(stranger)).content.decode()
    assert "Incomplete" in html
    assert "To complete the profile, add:" in html
    assert '<a href="#id_profile-0-location">Location</a>' in html
    assert '<a href="#id_profile-0-phone_number">Phone number</a>' in html
    html = browse(reader).get(user_page(stranger)).content.decode()
    assert "Incomplete" in html
    assert "Phone number" not in html  # whether there is one is private too
    stranger.profile.location, stranger.profile.phone_number = "Lisbon", "+351911234567"
    stranger.save()
    assert "Incomplete" not in browse(editor).get(user_page(stranger)).content.decode()


def test_who_stands_below_somebody_reads_why_there_is_nothing_to_fill_in(browse, editor, superuser, stranger):
    why_not = "You may not change this person, whose role is above yours."
    page = browse(editor).get(user_page(superuser)).content.decode()
    assert why_not in page
    assert "To complete the profile" not in page
    assert why_not not in browse(editor).get(user_page(stranger)).content.decode()


def test_deleting_and_erasing_say_what_each_of_them_does(browse, admin, editor, stranger):
    html = browse(admin).get(user_page(stranger)).content.decode()
    assert "the history keeps the name and what happened" in html
    assert "takes the name and every value out of the history" in html
    assert "Untick “Active” above" in html
    assert html.count(reverse("admin:users_profiles_user_delete", args=[stranger.pk])) == 1
    assert "Erase" not in browse(editor).get(user_page(stranger)).content.decode()


def test_a_role_says_what_it_may_beside_the_choice_and_only_of_those_one_may_give(browse, admin, editor, stranger):
    html = browse(admin).get(user_page(stranger)).content.decode()
    for role in ("Member", "Reader", "Editor", "Admin"):
        assert f"<div>{role}: " in html
    assert "<div>Reader: " not in browse(editor).get(user_page(stranger)).content.decode()


def test_the_part_of_a_picture_that_was_chosen_is_kept(browse, editor, ada):
    picture = images.upload(images.encoded(images.two_halves((400, 200))))
    cut = {"profile-0-avatar-cut": "0.5 0 1"}
    save(browse(editor), user_page(ada), **{"profile-0-avatar": picture, **cut})
    ada.profile.refresh_from_db()
    with ada.profile.avatar.open() as stored:
        kept = images.opened(stored.read())
    assert kept.size == (200, 200)
    assert images.near(kept.getpixel((20, 100)), images.BLUE)
    forged = {"profile-0-avatar": images.upload(images.picture()), "profile-0-avatar-cut": "0 0 9"}
    assert "cannot be cut out" in save(browse(editor), user_page(ada), **forged).content.decode()


@pytest.mark.parametrize("wrong", [{"username": "a b"}, {"profile-0-phone_number": "12"}])
def test_a_chosen_picture_is_not_lost_over_a_mistake_in_any_part_of_the_page(browse, editor, ada, wrong):
    client = browse(editor)
    answer = save(client, user_page(ada), **wrong, **{"profile-0-avatar": images.upload(images.picture())})
    html = answer.content.decode()
    assert html.count('class="errorlist"') == 1
    assert not Profile.objects.get(pk=ada.pk).avatar
    values = filled_in_from(html) | {"username": "ada", "profile-0-phone_number": ""}
    assert client.post(user_page(ada), values).status_code == 302
    assert Profile.objects.get(pk=ada.pk).avatar


# What is only shown -------------------------------------------------------------------------------------------------


def test_what_can_only_be_looked_at_does_not_say_how_to_type_it(browse, editor, admin):
    html = browse(editor).get(user_page(admin)).content.decode()
    assert "alice" in html
    for hint in ("Letters, digits and", "Such as "):
        assert hint not in html
