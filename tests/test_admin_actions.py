"""Doing something to several people at once: asked before, decided for every person, and said afterwards."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin_pages import USERS, act, messages_of
from users_profiles import roles
from users_profiles.admin import actions
from users_profiles.models import Profile, Role, TrailEntry, User


def fresh(*people):
    return [User.objects.get(pk=person.pk) for person in people]


@pytest.fixture
def team(make_person):
    return [make_person(name, first_name=name.title()) for name in ("ada", "ben", "cem")]


def test_the_page_before_says_what_will_be_done_to_how_many_and_to_whom_not(browse, admin, superuser, team):
    response = act(browse(admin), "deactivate", [*team, superuser, admin])
    html = response.content.decode()
    assert "3 people will be signed out and will not be able to sign in." in html
    assert "root: above you" in html
    assert "Alice Admin: you cannot do this to yourself" in html
    assert all(person.is_active for person in fresh(*team, superuser, admin))


def test_deactivating_leaves_alone_who_is_above_and_oneself_and_says_so(browse, admin, superuser, team):
    response = act(browse(admin), "deactivate", [*team, superuser, admin], confirmed="1")
    assert [person.is_active for person in fresh(*team, superuser, admin)] == [False, False, False, True, True]
    assert messages_of(response) == [
        "Deactivated 3 people. Undo",
        "Left alone: root: above you",
        "Left alone: Alice Admin: you cannot do this to yourself",
    ]


def test_deactivation_ends_the_session(browse, admin, stranger):
    client = browse(stranger)
    assert client.get("/profile/").status_code == 200
    act(browse(admin), "deactivate", [stranger], confirmed="1")
    assert client.get("/profile/").status_code == 302


def test_activating_names_those_who_are_active_already(browse, admin, team):
    User.objects.filter(pk=team[0].pk).update(is_active=False)
    response = act(browse(admin), "activate", team, confirmed="1")
    assert fresh(team[0])[0].is_active
    assert messages_of(response) == ["Activated 1 person. Undo", "Left alone: Ben and Cem: active already"]


def test_an_action_with_nobody_left_to_do_it_to_says_why_at_once(browse, admin, superuser):
    response = act(browse(admin), "deactivate", [superuser])
    assert messages_of(response) == ["Left alone: root: above you"]


def test_a_role_is_chosen_on_the_page_that_asks(browse, admin, superuser, team):
    client = browse(admin)
    html = act(client, "set_role", [*team, superuser]).content.decode()
    assert '<option value="Editor">Editor</option>' in html
    assert "3 people will have this role." in html
    response = act(client, "set_role", [*team, superuser], confirmed="1", role="Editor")
    assert [person.role for person in fresh(*team, superuser)] == ["Editor"] * 3 + [""]
    assert all(person.is_staff for person in fresh(*team))
    assert messages_of(response) == ["3 people are now Editor. Undo", "Left alone: root: above you"]


def test_a_role_that_one_may_not_give_is_refused(browse, make_person, settings, admin, team):
    second = make_person("second", role=Role.EDITOR)
    editors = second.groups.get()
    editors.permissions.add(*admin.groups.get().permissions.filter(codename="grant_role"))
    html = act(browse(second), "set_role", team, confirmed="1", role="Admin").content.decode()
    assert "Select a valid choice" in html
    assert [person.role for person in fresh(*team)] == [""] * 3


@pytest.mark.usefixtures("at_once")
def test_invitations_go_to_those_who_can_get_them(browse, editor, admin, make_person, team):
    blank, gone = make_person("blank", email=""), make_person("gone", is_active=False)
    response = act(browse(editor), "send_invitation", [*team, blank, gone, admin], confirmed="1")
    assert {message.to[0] for message in mail.outbox} == {f"{person.username}@example.com" for person in team}
    assert set(messages_of(response)) == {
        "3 invitations are on their way.",
        "Left alone: Alice Admin: above you",
        "Left alone: blank: no e-mail",
        "Left alone: gone: inactive",
    }


def test_export_leads_to_the_export_page_with_the_ticked_people(browse, reader, team):
    response = act(browse(reader), "export", team[:2])
    assert response.redirect_chain[0][0].startswith(f"{USERS}export/?ticked=")
    assert response.context["count"] == 2


def test_deleting_takes_the_profiles_along_and_leaves_alone_who_is_above(browse, admin, superuser, team):
    html = act(browse(admin), "delete_selected", [*team, superuser]).content.decode()
    assert "3 people will be deleted with their profiles and pictures, for good." in html
    assert User.objects.filter(pk__in=[person.pk for person in team]).count() == 3
    response = act(browse(admin), "delete_selected", [*team, superuser], confirmed="1")
    assert messages_of(response) == ["Deleted 3 people.", "Left alone: root: above you"]
    assert not Profile.objects.filter(pk__in=[person.pk for person in team]).exists()
    assert User.objects.filter(pk=superuser.pk).exists()


def test_who_has_changed_things_is_deleted_like_anybody_and_what_they_did_stays(browse, admin, editor, team):
    act(browse(editor), "send_invitation", team, confirmed="1")
    response = act(browse(admin), "delete_selected", [editor, team[0]], confirmed="1")
    assert messages_of(response) == ["Deleted 2 people."]
    assert TrailEntry.objects.filter(actor_id=editor.pk, actor_name="Edgar Editor").count() == 3


@pytest.mark.parametrize("key", ["x", "1 OR 1=1", "", "-1", "1.5", "٣", "9" * 19, "9" * 400])
@pytest.mark.parametrize("action", ["deactivate", "export"])
def test_a_forged_tick_is_refused_and_no_server_error(browse, admin, team, action, key):
    response = browse(admin).post(USERS, {"action": action, "_selected_action": [team[0].pk, key], "confirmed": "1"})
    assert response.status_code == 400
    assert fresh(team[0])[0].is_active


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.READER, {"export"}),
        (Role.EDITOR, {"export", "send_invitation"}),
        (Role.ADMIN, {"export", "send_invitation", "activate", "deactivate", "set_role", "delete_selected"}),
    ],
)
def test_a_role_is_offered_what_it_may_do(browse, make_person, role, expected):
    context = browse(make_person("somebody", role=role)).get(USERS).context
    offered = {value for value, _label in context["action_form"].fields["action"].choices if value}
    assert offered == expected


@pytest.mark.parametrize("action", ["activate", "deactivate", "set_role", "delete_selected"])
def test_an_action_that_is_not_offered_does_nothing_when_forged(browse, editor, team, action):
    User.objects.filter(pk=team[0].pk).update(is_active=False)
    act(browse(editor), action, team, confirmed="1", role="Reader")
    assert [(person.is_active, person.role) for person in fresh(*team)] == [(False, ""), (True, ""), (True, "")]


def test_everybody_on_every_page_of_the_list_can_be_chosen(browse, admin, team):
    client = browse(admin)
    url = f"{USERS}?role=member"
    assert "3 people will be signed out" in act(client, "deactivate", team[:1], url, select_across="1").content.decode()
    act(client, "deactivate", team[:1], url, select_across="1", confirmed="1")
    assert not any(person.is_active for person in fresh(*team))
    assert fresh(admin)[0].is_active


def test_there_is_a_limit_and_it_is_named(browse, admin, team, monkeypatch):
    monkeypatch.setattr(actions, "MAX_PEOPLE", 2)
    assert messages_of(act(browse(admin), "deactivate", team, confirmed="1")) == ["Choose at most 2 people at once."]
    assert all(person.is_active for person in fresh(*team))


def test_many_names_are_shortened(browse, admin, superuser, make_person):
    people = [make_person(f"p{number:02}") for number in range(25)]
    html = act(browse(admin), "deactivate", people).content.decode()
    assert "and 5 more" in html
    User.objects.filter(pk__in=[person.pk for person in people]).update(is_superuser=True)
    assert messages_of(act(browse(admin), "deactivate", people)) == [
        "Left alone: p24, p23, p22, p21, p20 and 20 more: above you"
    ]


def test_what_was_done_is_in_the_history_of_everybody_it_was_done_to(browse, admin, superuser, team):
    act(browse(admin), "deactivate", [*team, superuser], confirmed="1")
    entries = TrailEntry.objects.filter(actor=admin, changes={"is_active": ["yes", "no"]})
    assert set(entries.values_list("object_id", flat=True)) == {person.pk for person in team}


def test_an_action_asks_as_many_queries_for_ten_people_as_for_five(browse, admin, make_person):
    client = browse(admin)
    people = [make_person(f"p{number}", role=Role.READER) for number in range(10)]
    act(client, "deactivate", people[:1])
    with CaptureQueriesContext(connection) as five:
        act(client, "deactivate", people[:5])
    expected = len(five)
    with CaptureQueriesContext(connection) as ten:
        act(client, "deactivate", people)
    assert len(ten) == expected


def test_roles_are_given_as_a_set_of_their_own(browse, admin, team):
    roles.assign(team, Role.READER)
    act(browse(admin), "set_role", team, confirmed="1", role="member")
    assert [(person.role, person.is_staff) for person in fresh(*team)] == [("", False)] * 3


def test_no_role_is_chosen_until_somebody_chooses_one(browse, admin, team):
    roles.assign(team, Role.READER)
    html = act(browse(admin), "set_role", team).content.decode()
    assert '<option value="" selected>Choose a role</option>' in html
    html = act(browse(admin), "set_role", team, confirmed="1", role="").content.decode()
    assert "Choose a role." in html
    assert [person.role for person in fresh(*team)] == ["Reader"] * 3
