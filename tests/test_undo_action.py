"""What was done to several people in the list is taken back, but not over what somebody did since."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.admin_pages import USERS, act, messages_of
from tests.people import Browse
from users_profiles import roles
from users_profiles.models import Road, Role, TrailEntry, User


@pytest.fixture
def team(make_person: Callable[..., User]) -> list[User]:
    return [make_person(name, first_name=name.title()) for name in ("ada", "ben", "cem")]


def undo_of(answer: Any) -> str:
    """The address behind the word Undo in what the list answers."""
    [found] = re.findall(r'href="([^"]+/undo/[^"]+)">Undo<', "".join(map(str, answer.context["messages"])))
    return str(found).replace("&amp;", "&")


def now(people: list[User]) -> list[tuple[bool, bool, str]]:
    return [
        (one.is_active, one.is_staff, one.role)
        for one in User.objects.filter(pk__in=[p.pk for p in people]).order_by("pk")
    ]


def test_a_deactivation_is_taken_back_and_both_are_in_the_trail(browse: Browse, admin: User, team: list[User]) -> None:
    client = browse(admin)
    before = now(team)
    done = act(client, "deactivate", team, url=f"{USERS}?active=yes&o=email", confirmed="1")
    assert "Deactivated 3 people." in messages_of(done)[0]
    page = undo_of(done)
    html = client.get(page).content.decode()
    assert "Undo for 3 people" in html
    assert now(team) != before
    answer = client.post(page, follow=True)
    assert answer.redirect_chain == [(f"{USERS}?active=yes&o=email", 302)]
    assert messages_of(answer) == ["3 people are as before."]
    assert now(team) == before
    assert User.objects.filter(pk=team[0].pk, deactivated_at=None).exists()
    entries = TrailEntry.objects.filter(road=Road.UNDO, actor=admin)
    assert [entry.changes for entry in entries] == [{"is_active": ["no", "yes"]}] * 3


def test_what_was_changed_since_is_kept_and_named(
    browse: Browse, admin: User, superuser: User, team: list[User]
) -> None:
    roles.assign([team[1]], Role.READER)
    done = act(browse(admin), "set_role", team, confirmed="1", role="Editor")
    roles.assign([team[0]], Role.ADMIN)
    team[2].delete()
    page = undo_of(done)
    html = browse(admin).get(page).content.decode()
    assert "Undo for 1 person" in html
    assert "was changed again since" in html
    answer = browse(admin).post(page, follow=True)
    assert messages_of(answer) == [
        "1 person is as before.",
        "Left alone: Ada: Role: was changed again since",
        "Left alone: Cem: has been deleted since",
    ]
    assert now(team) == [(True, True, "Admin"), (True, True, "Reader")]


def test_the_trail_leads_to_the_undo_for_who_may(browse: Browse, admin: User, editor: User, team: list[User]) -> None:
    page = undo_of(act(browse(admin), "deactivate", team, confirmed="1"))
    everything = reverse("admin:users_profiles_trailentry_changelist")
    history = reverse("admin:users_profiles_user_history", args=[team[0].pk])
    for address in (everything, history):
        assert f'href="{page}"' in browse(admin).get(address).content.decode()
    assert f'href="{page}"' not in browse(editor).get(history).content.decode()


def test_what_is_undone_is_not_undone_again(browse: Browse, admin: User, team: list[User]) -> None:
    client = browse(admin)
    page = undo_of(act(client, "deactivate", team, confirmed="1"))
    client.post(page)
    User.objects.update(is_active=False)
    User.objects.filter(pk=admin.pk).update(is_active=True)
    assert "This has been undone already, by Alice Admin" in client.post(page).content.decode()
    assert now(team) == [(False, False, "")] * 3


def test_who_was_left_alone_can_be_given_it_back_later(browse: Browse, admin: User, team: list[User]) -> None:
    client = browse(admin)
    page = undo_of(act(client, "deactivate", team, confirmed="1"))
    User.objects.filter(pk=team[0].pk).update(is_active=True)
    client.post(page)
    User.objects.filter(pk__in=[team[0].pk, team[1].pk]).update(is_active=False)
    assert "Undo for 1 person" in client.get(page).content.decode()
    assert messages_of(client.post(page, follow=True)) == ["1 person is as before."]
    assert [active for active, _staff, _role in now(team)] == [True, False, True]
    assert "This has been undone already, by Alice Admin" in client.get(page).content.decode()


def test_the_rights_are_asked_for_again(
    browse: Browse, admin: User, editor: User, stranger: User, team: list[User]
) -> None:
    page = undo_of(act(browse(admin), "deactivate", team, confirmed="1"))
    assert browse(editor).get(page).status_code == 404
    assert browse(stranger).get(page).status_code == 403
    roles.assign([team[0]], Role.ADMIN)
    User.objects.filter(pk=team[0].pk).update(is_superuser=True)
    roles.assign([admin], Role.EDITOR)
    client = browse(User.objects.get(pk=admin.pk))
    answer = client.post(page, follow=True)
    assert [message for message in messages_of(answer) if "Left alone: " in message] != []
    assert [one.is_active for one in User.objects.filter(pk__in=[one.pk for one in team])] == [False] * 3


def test_a_superuser_takes_back_what_was_done_to_another(
    browse: Browse, superuser: User, make_person: Callable[..., User]
) -> None:
    other = make_person("other", is_superuser=True, is_staff=True)
    page = undo_of(act(browse(superuser), "deactivate", [other], confirmed="1"))
    browse(superuser).post(page)
    other.refresh_from_db()
    assert other.is_active


def test_an_invitation_and_a_deletion_offer_no_undo(browse: Browse, admin: User, team: list[User]) -> None:
    for action in ("send_invitation", "delete_selected"):
        answer = act(browse(admin), action, team, confirmed="1")
        assert not any("undo/" in str(message) for message in answer.context["messages"])


def test_undoing_asks_as_little_for_many_as_for_few(
    browse: Browse, admin: User, team: list[User], make_person: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    many = [make_person(f"p{at}") for at in range(20)]
    few_page = undo_of(act(browse(admin), "deactivate", team, confirmed="1"))
    many_page = undo_of(act(browse(admin), "deactivate", many, confirmed="1"))
    client = browse(admin)
    client.get(few_page)
    for page in (few_page, many_page):
        with django_assert_max_num_queries(45):
            assert client.post(page).status_code == 302
