"""The previous and the next person in the list that somebody came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from tests.admin_pages import USERS, messages_of, save, user_page
from tests.people import Browse
from users_profiles.admin import neighbours
from users_profiles.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(make_person: Callable[..., User], editor: User) -> list[User]:
    """People with the same names, places and moments among them, and some who have never signed in."""
    now = timezone.now()
    found = [editor]
    for number, (last, first, place, signed_in, role) in enumerate(
        [
            ("Byron", "Ada", "London", 3, Role.READER),
            ("Byron", "Ada", "Paris", 0, ""),
            ("Byron", "Bob", "", 3, ""),
            ("", "", "Berlin", 0, Role.READER),
            ("Zuse", "Konrad", "Berlin", 1, ""),
            ("Özil", "", "Berlin", 0, Role.EDITOR),
        ]
    ):
        person = make_person(f"p{number}", first_name=first, last_name=last, location=place, role=role)
        User.objects.filter(pk=person.pk).update(last_login=now - timedelta(days=signed_in) if signed_in else None)
        found.append(person)
    return found


def shown(client: Client, query: str) -> list[int]:
    """The list as it stands on its page."""
    return [person.pk for person in client.get(f"{USERS}?{query}").context["cl"].queryset]


def address_of(person: int, query: str) -> str:
    address = user_page(User(pk=person))
    return f"{address}?{urlencode({'_changelist_filters': query})}" if query else address


def page_of(client: Client, person: int, query: str) -> Any:
    return client.get(address_of(person, query))


def walk(client: Client, start: int, query: str) -> list[int]:
    """Those one comes to by following the links to the next person; each page leads back to the one before."""
    found, answer = [start], page_of(client, start, query)
    assert answer.context["previous"] is None
    while (following := answer.context["next"]) is not None:
        answer = client.get(following.address)
        before = answer.context["previous"]
        assert (before.person.pk, before.address) == (found[-1], address_of(found[-1], query))
        found.append(following.person.pk)
    return found


@pytest.mark.parametrize(
    "order",
    [
        "",
        "o=first_name",
        "o=-last_name",
        "o=email",
        "o=role",
        "o=-role,location",
        "o=location,-email",
        "o=last_login",
        "o=-last_login",
        "o=birth_date",
        "o=-is_active,date_joined",
    ],
)
def test_the_neighbours_are_those_of_the_list_in_whatever_order(browse: Browse, team: list[User], order: str) -> None:
    client = browse(team[0])
    listed = shown(client, order)
    assert len(listed) == len(team)
    assert walk(client, listed[0], order) == listed


@pytest.mark.parametrize(
    "query",
    [
        "location=Berlin",
        "q=byron",
        "role=Reader&o=-last_name",
        "role=Reader&role=Editor",
        "location=Berlin&o=last_login",
    ],
)
def test_they_are_those_that_the_filter_keeps(browse: Browse, team: list[User], query: str) -> None:
    client = browse(team[0])
    listed = shown(client, query)
    assert 1 < len(listed) < len(team)
    assert walk(client, listed[0], query) == listed


def test_somebody_whom_the_filter_does_not_keep_any_more_stands_where_they_would(
    browse: Browse, team: list[User]
) -> None:
    client = browse(team[0])
    ada, oezil = team[1], team[6]  # of London and of Berlin
    answer = page_of(client, ada.pk, "location=Berlin")
    assert answer.context["next"].person == oezil
    page = answer.content.decode()
    assert f'rel="next" data-key="j" href="{user_page(oezil)}?_changelist_filters=location%3DBerlin"' in page


@pytest.mark.parametrize("query", ["nonsense=1", "role=King", "o=password", "birthday=3", "q=%00"])
def test_an_address_that_means_no_list_has_no_neighbours(
    browse: Browse, team: list[User], reader: User, query: str
) -> None:
    answer = page_of(browse(reader), team[1].pk, query)  # a reader may not look for birthdays
    assert answer.status_code == 200
    assert (answer.context["previous"], answer.context["next"]) == (None, None)
    assert "data-key" not in answer.content.decode()


def test_they_cost_four_queries_however_many_people_there_are(
    browse: Browse,
    team: list[User],
    django_assert_max_num_queries: Any,
    make_person: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = browse(team[0])
    page_of(client, team[1].pk, "o=last_name")
    monkeypatch.setattr(neighbours, "FEW", 3)  # so that these are many
    with django_assert_max_num_queries(40) as captured:
        page_of(client, team[1].pk, "o=last_name")
    before = len(captured)
    for number in range(20):
        make_person(f"more{number}", last_name="Byron", first_name="Ada")
    with django_assert_max_num_queries(before) as captured:
        page_of(client, team[1].pk, "o=last_name")
    key = '"last_name_folded" >'
    beyond = [query["sql"] for query in captured if "LIMIT 1" in query["sql"] and key in query["sql"]]
    assert len(beyond) == 1
    assert f"{key}= " in beyond[0]  # where an index begins to read


@pytest.mark.parametrize(
    ("order", "has"),
    [("", True), ("o=-date_joined", True), ("o=-username", True), ("o=role", False), ("q=example", False)],
)
def test_of_many_people_only_orders_with_an_index_have_neighbours(
    browse: Browse, team: list[User], monkeypatch: pytest.MonkeyPatch, order: str, has: bool
) -> None:
    """The others would have a database put a million people in order for one page."""
    monkeypatch.setattr(neighbours, "FEW", 3)
    client = browse(team[0])
    listed = shown(client, order)
    assert walk(client, listed[0], order) == (listed if has else listed[:1])


def test_saving_can_lead_to_the_next_person_of_the_same_list(browse: Browse, team: list[User]) -> None:
    client = browse(team[0])
    kept = "?" + urlencode({"_changelist_filters": "location=Berlin"})
    first, second, *_rest = shown(client, "location=Berlin")
    assert 'name="_next"' in page_of(client, first, "location=Berlin").content.decode()
    # Although the new name puts this person behind the one who was next.
    answer = save(client, user_page(User(pk=first)) + kept, last_name="Zzz", _next=str(second))
    assert answer.url == user_page(User(pk=second)) + kept
    assert "Zzz was saved." in messages_of(client.get(answer.url))
    for nobody in ("999999", "x"):
        assert save(client, user_page(User(pk=first)) + kept, _next=nobody).url == f"{USERS}?location=Berlin"
