"""What stands around every page, what is shown when something goes wrong, and the small tags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse

from backoffice.templatetags import theme
from tests.admin_pages import USERS, user_page
from tests.theme.pages import Page, page_of
from users_profiles.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.theme.pages")]


def test_the_menu_marks_where_one_is(client_of_root: Client, person: User) -> None:
    assert [link["href"] for link in page_of(client_of_root, USERS).all("a", aria_current="page")] == [USERS]
    on_a_person = page_of(client_of_root, user_page(person)).all("a", aria_current="true")
    assert [link["href"] for link in on_a_person] == [USERS]


def test_the_menu_holds_only_what_one_may_open(browse: Callable[..., Client], reader: User) -> None:
    links = {link["href"] for link in page_of(browse(reader), reverse("admin:index")).all("a", class_="side-link")}
    own = {reverse(f"admin:users_profiles_{name}_changelist") for name in ("report", "export")}
    assert links == {reverse("admin:index"), USERS, *own}


def test_the_search_in_the_top_bar_looks_through_people(client_of_root: Client) -> None:
    page = page_of(client_of_root, reverse("admin:index"))
    assert [form["action"] for form in page.all("form", role="search")] == [USERS]
    assert page.all("input", id="people-search", name="q")


def test_there_is_no_search_for_who_may_not_see_people(admin: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = admin
    assert theme.people_search(Context({"request": request, "available_apps": []})) is None


def test_a_list_has_one_search_box_only(client_of_root: Client) -> None:
    assert len(page_of(client_of_root, USERS).all("form", role="search")) == 1


def test_signing_out_takes_a_post(client_of_root: Client) -> None:
    forms = page_of(client_of_root, USERS).all("form", action=reverse("account_logout"))
    assert [form["method"] for form in forms] == ["post"]


def test_a_pop_up_has_neither_menu_nor_top_bar(client_of_root: Client) -> None:
    html = client_of_root.get(f"{USERS}?_popup=1").content.decode()
    assert 'id="sidebar"' not in html
    assert "topbar" not in html
    assert 'data-popup-opener="' in html


def test_messages_say_how_serious_they_are(client_of_root: Client, person: User) -> None:
    url = reverse("admin:users_profiles_user_delete", args=[person.pk])
    html = client_of_root.post(url, {"post": "yes"}, follow=True).content.decode()
    assert "notice notice-good" in html


# When something goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page_needs_no_user_no_request_and_no_database(
    name: str, django_assert_num_queries: Any, production: Path
) -> None:
    with django_assert_num_queries(0):
        html = get_template(name).render()
    page = Page(html)
    assert len(page.all("h1")) == 1
    assert page.code == ""
    assert page.all("a", href="/")


def test_an_address_that_leads_nowhere_says_so_kindly(client_of_root: Client) -> None:
    response = client_of_root.get("/admin/nothing/here/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_mistake_of_ours_shows_no_trace_of_itself(client_of_root: Client) -> None:
    client_of_root.raise_request_exception = False
    response = client_of_root.get("/broken/")
    html = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong on our side" in html
    assert "RuntimeError" not in html
    assert "as planned" not in html


def test_whoever_may_not_is_told_so_and_shown_a_way_out(browse: Callable[..., Client], stranger: User) -> None:
    response = browse(stranger).get(reverse("admin:index"), follow=True)
    assert response.status_code == 403
    assert 'href="/"' in response.content.decode()


def test_a_form_from_elsewhere_is_refused_in_plain_words(superuser: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    response = client.post(reverse("admin:users_profiles_user_add"), {"username": "x"})
    assert response.status_code == 403
    assert "Please try again" in response.content.decode()


# Small tags -----------------------------------------------------------------------------------------------------------


def test_drawing_an_icon_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        drawn = Template('{% load theme %}{% icon "people" %}').render(Context())
    assert drawn == '<svg class="icon" aria-hidden="true"><use href="/static/backoffice/icons.svg#people"></use></svg>'


def test_a_filter_without_a_choice_is_not_active() -> None:
    every = {"selected": True, "query_string": "?", "display": "All"}
    editor = {"selected": False, "query_string": "?role=Editor", "display": "Editor"}
    assert theme.chosen_in([every, editor]) == []
    assert [one["without"] for one in theme.chosen_in([every, {**editor, "selected": True}])] == ["?"]


def test_the_frame_asks_two_questions_only(client_of_root: Client, django_assert_num_queries: Any) -> None:
    """For the session, and for the user with the profile that has the picture in the top bar."""
    url = reverse("admin:password_change_done")
    client_of_root.get(url)
    with django_assert_num_queries(2):
        client_of_root.get(url)
