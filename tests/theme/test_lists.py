"""Lists: search, filters, order, actions and pages, and what an empty one says."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS
from tests.theme.pages import Page, page_of
from users_profiles.models import Import, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.theme.pages")]


def test_the_list_says_how_many_there_are(client_of_root: Client, person: User) -> None:
    assert "2 people" in client_of_root.get(USERS).content.decode()
    assert "1 person" in client_of_root.get(f"{USERS}?q=ada").content.decode()


def test_an_empty_list_says_why_and_offers_a_way_out(client_of_root: Client) -> None:
    html = client_of_root.get(f"{USERS}?q=zzz&active=no").content.decode()
    assert "Nothing matches “zzz” with these filters." in " ".join(html.split())
    assert '<a class="btn" href="?">Show everything</a>' in html


def test_an_empty_list_says_what_to_do_next(client_of_root: Client) -> None:
    for name, leads_to in (("import", "user_import"), ("export", "user_export"), ("report", "user_changelist")):
        page = page_of(client_of_root, reverse(f"admin:users_profiles_{name}_changelist"))
        assert page.all("div", class_="card empty"), name
        primary = {link["href"] for link in page.all("a", class_="btn btn-primary")}
        assert reverse(f"admin:users_profiles_{leads_to}") in primary, name
    page = page_of(client_of_root, reverse("scratch:users_profiles_import_changelist"))
    assert page.all("a", class_="btn btn-primary", href=reverse("scratch:users_profiles_import_add"))


def test_a_search_for_markup_stays_text(client_of_root: Client) -> None:
    html = client_of_root.get(USERS, {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_search_keeps_the_filters_and_a_filter_the_search(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, f"{USERS}?q=ada&active=yes&o=email")
    kept = {(found["name"], found["value"]) for found in page.all("input", type="hidden")}
    assert {("active", "yes"), ("o", "email")} <= kept
    assert any("q=ada" in (link["href"] or "") and "role=Editor" in (link["href"] or "") for link in page.all("a"))


def test_an_active_filter_shows_its_value_and_can_be_taken_away(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(f"{USERS}?active=yes&role=Editor").content.decode()
    assert "<span>Editor</span>" in html
    removers = {found["aria-label"]: found["href"] for found in Page(html).all("a", class_="filter-value")}
    assert removers == {"Remove filter role: Editor": "?active=yes", "Remove filter active: Yes": "?role=Editor"}
    assert "Clear all" in html
    assert "Clear all" not in client_of_root.get(USERS).content.decode()


def test_filters_are_links_inside_details_so_that_every_key_reaches_them(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(USERS).content.decode()
    filters = html[html.index('<nav class="filters"') :]
    filters = filters[: filters.index("</nav>")]
    assert filters.count("<details") == filters.count("<summary") >= 7
    assert "<select" not in filters


def test_the_column_that_sorts_says_so(client_of_root: Client, person: User) -> None:
    assert page_of(client_of_root, f"{USERS}?o=last_name").all("th", aria_sort="ascending")
    descending = page_of(client_of_root, f"{USERS}?o=-last_name")
    assert len([found for found in descending.all("th") if "aria-sort" in found]) == 1
    assert descending.all("th", aria_sort="descending")


def test_every_action_is_a_button_of_its_own(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, USERS)
    actions = [found["value"] for found in page.all("button", name="action")]
    assert {"deactivate", "set_role", "delete_selected"} <= set(actions)
    assert "" not in actions
    assert page.all("input", name="index", type="hidden", value="0")


def test_enter_on_a_tick_box_starts_no_action(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(USERS).content.decode()
    form = html[html.index('id="changelist-form"') :]
    first = re.search(r"<button[^>]*>", form)
    assert first
    assert "disabled" in first[0]


def test_all_pages_can_be_selected_only_where_there_are_more(
    client_of_root: Client, make_person: Callable[..., User]
) -> None:
    assert "question" not in client_of_root.get(USERS).content.decode()
    for number in range(60):
        make_person(f"person{number}")
    page = page_of(client_of_root, USERS)
    assert page.all("button", class_="btn btn-small btn-quiet question")
    assert page.all("span", data_all="All 61 selected")
    assert page.all("input", name="select_across")


def test_pages_of_a_list_keep_search_and_filters(client_of_root: Client, make_person: Callable[..., User]) -> None:
    for number in range(60):
        make_person(f"person{number}")
    page = page_of(client_of_root, f"{USERS}?q=person&active=yes")
    assert {"?active=yes&p=1&q=person", "?active=yes&p=2&q=person"} <= {link["href"] for link in page.all("a")}
    assert [link["href"] for link in page.all("a", aria_current="page")][1:] == ["?active=yes&p=1&q=person"]


def test_a_list_by_date_offers_its_days(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get("/scratch/users_profiles/import/").content.decode()
    assert "uploaded_at__day=" in html
