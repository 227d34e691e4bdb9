"""The directory: people to print, by place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.admin_pages import USERS, queries_of
from tests.people import Browse
from tests.reporting import saved
from users_profiles.models import Role, TrailEntry, User

pytestmark = pytest.mark.django_db

DIRECTORY = reverse("admin:users_profiles_directory")


def test_a_directory_has_people_by_place_with_what_one_may_see(
    browse: Browse, editor: User, reader: User, ada: User, make_person: Callable[..., User]
) -> None:
    make_person("berta", first_name="Berta", last_name="Benz", location="Berlin", phone_number="+4930123456")
    context = browse(editor).get(DIRECTORY).context
    assert [place["name"] for place in context["places"]] == ["Berlin", "London", "Without a location"]
    html = browse(editor).get(f"{DIRECTORY}?location=Berlin").content.decode()
    assert "+49 30 123456" in html
    assert "Lovelace" not in html
    assert "+49 30 123456" not in browse(reader).get(DIRECTORY).content.decode()
    assert TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS, actor=editor).exists()
    assert not TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS, actor=reader).exists()


def test_a_directory_of_a_report_has_its_people(browse: Browse, editor: User, ada: User) -> None:
    report = saved(editor, query="q=ada")
    html = browse(editor).get(reverse("admin:users_profiles_report_directory", args=[report.pk])).content.decode()
    assert "Ada Lovelace" in html
    assert "edgar@example.com" not in html


def test_too_many_people_for_a_directory_are_not_printed(
    browse: Browse, editor: User, ada: User, settings: Any
) -> None:
    settings.DIRECTORY_MAX_PEOPLE = 1
    html = browse(editor).get(DIRECTORY).content.decode()
    assert "too many for one directory" in html
    assert "Lovelace" not in html


@pytest.mark.parametrize("query", ["colour=red", "role=King", "birthday=13"])
def test_a_directory_of_a_senseless_selection_goes_back_to_the_list(browse: Browse, editor: User, query: str) -> None:
    answer = browse(editor).get(f"{DIRECTORY}?{query}", follow=True)
    assert answer.redirect_chain == [(USERS, 302)]


def test_a_directory_does_not_query_per_person(browse: Browse, editor: User, make_person: Callable[..., User]) -> None:
    client = browse(editor)
    before = queries_of(client, DIRECTORY)
    for at in range(10):
        make_person(f"p{at}", location=f"Place {at}", role=Role.READER)
    assert queries_of(client, DIRECTORY) == before


def test_who_has_left_is_in_a_directory_only_when_asked_for(
    browse: Browse, editor: User, ada: User, make_person: Callable[..., User]
) -> None:
    make_person("gone", first_name="Gone", is_active=False)
    assert "Gone" not in browse(editor).get(DIRECTORY).content.decode()
    assert "Gone" in browse(editor).get(f"{DIRECTORY}?active=no").content.decode()


def test_names_are_in_the_order_in_which_people_look_for_them(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    for name in ("Zając", "de Groot", "Łuczak", "Ängström", "Öz", "Éluard", "'t Hart", "Dahl"):
        make_person(name.strip("'").replace(" ", ""), last_name=name, location="Berlin")
    [place] = browse(editor).get(f"{DIRECTORY}?location=Berlin").context["places"]
    names = [entry["person"].last_name for entry in place["people"]]
    assert names == ["Ängström", "Dahl", "de Groot", "Éluard", "Łuczak", "Öz", "'t Hart", "Zając"]
