"""The list of people as each person wants it: its columns and its order, and the place one was at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin_pages import USERS, heads, queries_of, save, user_page
from tests.people import Browse
from users_profiles.admin import listing
from users_profiles.models import ListColumns, Role, TrailEntry, User
from users_profiles.transfer.export.wanted import Wanted

COLUMNS = reverse("admin:users_profiles_user_columns")
EXPORT = reverse("admin:users_profiles_user_export")


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person("ada", role=Role.EDITOR, first_name="Ada", location="Berlin", birth_date=date(1990, 3, 9))


# Columns


def test_everybody_chooses_their_own_columns_and_gets_the_usual_ones_back(
    browse: Browse, editor: User, admin: User
) -> None:
    client = browse(editor)
    assert heads(client) == list(listing.USUAL)
    listed = ["phone_number", "email", "role"]
    answer = client.post(COLUMNS, {"listed": listed, "columns": ["email", "phone_number"], "address": "q=ada&p=2"})
    assert answer["Location"] == f"{USERS}?q=ada&p=2"
    assert heads(client) == ["phone_number", "email"]
    assert heads(browse(admin)) == list(listing.USUAL)
    client.post(COLUMNS, {"listed": listed, "columns": ["email"], "reset": "1"})
    assert heads(client) == list(listing.USUAL)
    assert not ListColumns.objects.exists()


def test_without_script_a_column_is_moved_and_the_menu_opens_again(browse: Browse, editor: User) -> None:
    client = browse(editor)
    names = ["email", "role", "location"]
    answer = client.post(COLUMNS, {"listed": names, "columns": names, "move": "up:location"})
    assert answer["Location"] == f"{USERS}#columns"
    assert heads(client) == ["email", "location", "role"]


def test_what_one_may_not_see_is_no_column_however_it_is_asked_for(browse: Browse, reader: User, ada: User) -> None:
    client = browse(reader)
    client.post(COLUMNS, {"columns": ["birth_date", "email", "password"]})
    assert heads(client) == ["email"]
    assert heads(client, "?columns=birth_date,phone_number,location") == ["location"]
    listing.choose(ada, ["birth_date"])
    ada.groups.clear()
    assert listing.chosen(User.objects.get(pk=ada.pk)) == []


def test_a_filter_shows_what_it_asks_about_and_who_sees_it_is_in_the_trail(
    browse: Browse, editor: User, ada: User
) -> None:
    client = browse(editor)
    assert "birth_date" not in heads(client)
    assert not TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS).exists()
    assert heads(client, "?birthday=3")[-1] == "birth_date"
    assert "9 Mar 1990" in client.get(f"{USERS}?birthday=3").content.decode()
    assert TrailEntry.objects.get(action=TrailEntry.Action.ACCESS).actor == editor


def test_an_incomplete_profile_says_what_is_missing_to_who_may_know(
    browse: Browse, editor: User, reader: User, ada: User
) -> None:
    assert "Missing: phone number" in browse(editor).get(f"{USERS}?complete=no&q=ada").content.decode()
    html = browse(reader).get(f"{USERS}?complete=no&q=ada").content.decode()
    assert "Missing: phone number" not in html
    assert "Incomplete</span>" in html


def test_an_order_is_by_name_and_survives_another_choice_of_columns(browse: Browse, editor: User, ada: User) -> None:
    client = browse(editor)
    changelist = client.get(f"{USERS}?o=-location&columns=email").context["cl"]
    assert next(iter(changelist.queryset)).username == "ada"
    html = client.get(f"{USERS}?o=-email").content.decode()
    assert 'href="?o=email"' in html
    assert "o=role,-email" in html.replace("%2C", ",")


def test_the_list_asks_as_little_for_many_people_and_for_all_columns(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    everything = ",".join(listing.offered(editor))
    for number in range(4):
        make_person(f"few{number}")
    few = queries_of(browse(editor), f"{USERS}?columns={everything}")
    for number in range(60):
        make_person(f"person{number:02}", role=Role.READER, location="Berlin", phone_number="+493012345678")
    client = browse(editor)
    assert queries_of(client, f"{USERS}?columns={everything}") == few
    assert len(client.get(USERS).content) < 150_000


def test_an_export_can_have_what_the_list_shows(browse: Browse, editor: User, ada: User) -> None:
    client = browse(editor)

    def ticked(address: str) -> list[str]:
        form = client.get(EXPORT + address).context["form"]
        return [name for name, _label, is_ticked in form.listed if is_ticked]

    person = ["username", "first_name", "last_name"]
    assert ticked("?with=list")[:5] == [*person, "email", "role"]
    assert ticked("?columns=complete,email") == [*person, "complete", "email", "version"]
    assert ticked("") == ticked("?with=last") == ticked("?with=list")  # there was no last time
    assert client.get(EXPORT).context["beginnings"] == []
    Wanted(editor, columns=["username", "version"]).entry(1).start_making()
    assert ticked("") == ["username", "version"]
    client.post(COLUMNS, {"columns": ["updated_at"]})
    assert ticked("") == [*person, "updated_at", "version"]
    Wanted(editor, columns=["username"]).entry(1).start_making()
    assert ticked("?with=last") == ["username"]  # who has taken the version away is not given it again


def test_an_export_of_the_list_begins_with_the_version_for_who_may_import(
    browse: Browse, editor: User, reader: User
) -> None:
    hint = "For importing this file again"
    page = browse(editor).get(EXPORT)
    assert ("version", True) in [(name, ticked) for name, _label, ticked in page.context["form"].listed]
    assert hint in page.content.decode()
    page = browse(reader).get(EXPORT)
    assert ("version", False) in [(name, ticked) for name, _label, ticked in page.context["form"].listed]


def test_what_somebody_has_chosen_is_asked_once(browse: Browse, editor: User) -> None:
    client = browse(editor)
    client.get(USERS)
    with CaptureQueriesContext(connection) as asked:
        client.get(USERS)
    assert sum(ListColumns._meta.db_table in query["sql"] for query in asked) == 1


# Place


def test_a_page_that_is_gone_is_the_last_one_with_the_same_filters(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", location="Berlin")
    answer = browse(editor).get(f"{USERS}?location=Berlin&p=9")
    assert answer.status_code == 200
    assert [person.username for person in answer.context["cl"].result_list] == ["ada"]


def test_back_from_a_person_is_the_page_one_came_from(browse: Browse, admin: User, ada: User) -> None:
    client = browse(admin)
    html = client.get(f"{USERS}?role=Editor&o=email&p=1").content.decode()
    assert f"{user_page(ada)}?_changelist_filters=role%3DEditor%26o%3Demail%26p%3D1" in html
    answer = client.post(f"{reverse('admin:users_profiles_user_send_link', args=[ada.pk])}?_changelist_filters=p%3D2")
    assert answer["Location"] == f"{user_page(ada)}?_changelist_filters=p%3D2"


def test_saving_and_deleting_lead_back_to_the_list_with_all_its_filters(browse: Browse, admin: User, ada: User) -> None:
    client, kept = browse(admin), "role=Editor&role=Reader&o=email&p=2"
    address = f"{user_page(ada)}?{urlencode({'_changelist_filters': kept})}"
    assert f'href="{USERS}?{kept}"'.replace("&", "&amp;") in client.get(address).content.decode()
    answer = save(client, address, first_name="Augusta")
    assert answer["Location"] == f"{USERS}?{kept}"
    answer = client.post(address.replace("/change/", "/delete/"), {"post": "yes"})
    assert answer["Location"] == f"{USERS}?{kept}"
    assert not User.objects.filter(pk=ada.pk).exists()
