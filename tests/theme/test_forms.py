"""Forms, and the pages of deleting and of history."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from backoffice.templatetags import theme
from tests.admin_pages import user_page
from tests.theme.pages import Page, page_of
from users_profiles.models import Import, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.theme.pages")]


def test_errors_are_summed_up_with_links_to_their_fields(client_of_root: Client, person: User) -> None:
    html = client_of_root.post(user_page(person), {"username": ""}).content.decode()
    page = Page(html)
    assert page.all("div", role="alert", tabindex="-1")
    assert page.all("a", href="#id_username")
    described = page.all("input", id="id_username")[0]["aria-describedby"] or ""
    assert "id_username_error" in described.split()
    assert 'id="id_username_error"' in html
    assert html.split("<title>")[1].strip().startswith("Error:")


def test_help_is_tied_to_its_input(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, user_page(person))
    ids = {found["id"] for _tag, found in page.elements if "id" in found}
    described = [found["aria-describedby"] for _tag, found in page.elements if found.get("aria-describedby")]
    assert described
    assert {name for names in described for name in (names or "").split()} <= ids


def test_no_two_elements_share_an_id(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    for url in every_kind_of_page:
        ids = [found["id"] for _tag, found in page_of(client_of_root, url).elements if "id" in found]
        assert sorted(ids) == sorted(set(ids)), url


def test_a_section_named_side_stands_beside_the_others(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    main, side = html.index('class="form-main"'), html.index('class="form-side"')
    assert main < html.index('name="filename"') < side < html.index('name="state"')


def test_a_collapsed_section_opens_without_script(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    before = html[: html.index('name="size"')]
    assert before.rindex("<details>") > before.rindex("</fieldset>")


def test_a_page_that_needs_a_script_gets_it(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    wanted = (
        "jquery",
        "select2",
        "autocomplete.js",
        "inlines.js",
        "RelatedObjectLookups.js",
        "prepopulate.js",
        "jsi18n",
    )
    assert [name for name in wanted if name not in html] == []
    assert [name for name in ("calendar.js", "DateTimeShortcuts.js", "actions.js") if name in html] == []


def test_moments_are_typed_into_the_browser_s_own_fields(client_of_root: Client, job: Import) -> None:
    Import.objects.filter(pk=job.pk).update(uploaded_at=datetime(2026, 11, 3, 7, 5, 9, tzinfo=UTC))
    page = page_of(client_of_root, f"/scratch/users_profiles/import/{job.pk}/change/")
    assert page.all("input", type="date", name="uploaded_at_0", value="2026-11-03")
    assert page.all("input", type="time", name="uploaded_at_1", value="07:05:09")


@pytest.mark.parametrize(
    ("typed", "iso"), [("03.11.2026", "2026-11-03"), ("2026-11-03", "2026-11-03"), ("x", ""), (None, "")]
)
def test_a_date_reaches_the_browser_as_it_wants_it_in_every_language(typed: str | None, iso: str) -> None:
    with translation.override("de"):
        assert theme.iso_date(typed) == iso


def test_what_a_dynamic_row_needs_is_there(client_of_root: Client, job: Import) -> None:
    page = page_of(client_of_root, f"/scratch/users_profiles/import/{job.pk}/change/")
    group = page.all("div", id="rows-group", data_inline_type="tabular")[0]
    assert '"prefix": "rows"' in (group["data-inline-formset"] or "")
    assert page.all("tr", id="rows-empty")
    assert page.all("input", name="rows-TOTAL_FORMS", value="2")


def test_the_person_s_page_saves_with_the_names_django_expects(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, user_page(person))
    names = {found.get("name") for found in page.all("button", type="submit")}
    assert {"_save", "_continue"} <= names


# Deleting, history, dashboard -----------------------------------------------------------------------------------------


def test_deleting_asks_first_and_leads_back(client_of_root: Client, person: User) -> None:
    url = reverse("admin:users_profiles_user_delete", args=[person.pk])
    page = page_of(client_of_root, url)
    assert page.all("button", class_="btn btn-danger btn-primary")
    assert page.all("a", class_="btn", href=user_page(person))
    assert User.objects.filter(pk=person.pk).exists()


def test_history_begins_with_the_newest_and_has_pages(client_of_root: Client, person: User) -> None:
    for number in range(30):
        person.last_name = f"Change{number:02}"
        person.save()
    url = reverse("admin:users_profiles_user_history", args=[person.pk])
    first = client_of_root.get(url)
    second = client_of_root.get(url, {"older": first.context["page"].older})
    changes = [re.findall(r"<ins>Change(\d\d)", page.content.decode()) for page in (first, second)]
    assert [*changes[0], *changes[1]] == [f"{number:02}" for number in range(29, -1, -1)]
    assert [bool(page.context["page"].older) for page in (first, second)] == [True, False]
    assert [">Newest<" in page.content.decode() for page in (first, second)] == [False, True]


def test_without_figures_the_front_page_lists_what_there_is(client_of_root: Client) -> None:
    page = page_of(client_of_root, "/scratch/")
    assert page.all("a", href="/scratch/users_profiles/import/")
