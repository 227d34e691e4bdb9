"""What the theme gets wrong as it comes, in a browser, on the pages where it did. ``tests/theme/test_defects.py`` has
the list of it all, with the test for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS, user_page
from users_profiles.models import Import, ImportRow, User

LONG = "maximiliane.wilhelmine.von.der.schmidt@tidewater-europe.example"  # 63 letters


def test_a_list_a_form_and_a_question_look_as_they_are_meant(
    open_page: Callable[..., Page], admin: User, make_person: Callable[..., User]
) -> None:
    for number in range(60):
        make_person(f"person{number:02}", first_name=f"Number{number:02}", location="Berlin")
    ada = make_person("ada", email=LONG, first_name="Maximiliane", last_name="von der Schmidt-Hohenzollern")
    page = open_page(USERS, person=admin)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    # One line of facts a person, and a second only for the username: no date wraps.
    assert max(page.locator("#result_list tbody tr").evaluate_all("rows => rows.map((row) => row.offsetHeight)")) <= 48
    assert (
        max(page.locator(".topbar .avatar, .side .avatar").evaluate_all("all => all.map((a) => a.offsetWidth)")) <= 40
    )
    everybody = page.get_by_role("button", name="Select all 62")
    expect(everybody).to_be_hidden()
    page.locator("#action-toggle").check()
    expect(page.get_by_text("50 of 50 selected").or_(page.get_by_text("50 selected")).first).to_be_visible()
    everybody.click()
    expect(page.get_by_text("All 62 selected")).to_be_visible()

    page.goto(user_page(ada))
    assert page.get_by_label("E-mail").evaluate("input => input.scrollWidth <= input.clientWidth"), "the e-mail is cut"
    page.goto(reverse("admin:users_profiles_user_delete", args=[ada.pk]))
    colour = "one => getComputedStyle(one).backgroundColor"
    delete, cancel = page.get_by_role("button", name="Delete"), page.get_by_role("link", name="Cancel")
    assert delete.evaluate(colour) != cancel.evaluate(colour)


@pytest.mark.urls("tests.theme.pages")
@pytest.mark.parametrize("scripts", [True, False], ids=["", "without script"])
def test_sections_open_and_windows_to_choose_from_are_not_in_the_way(
    open_page: Callable[..., Page], superuser: User, stranger: User, scripts: bool
) -> None:
    """On a site that uses what ours does not: windows to choose from, collapsed sections, lines to add."""
    job = Import.objects.create(owner=superuser, filename="staff.csv", digest="x", size=1)
    ImportRow.objects.create(job=job, number=2, outcome="new", label="Ada")
    address = reverse("scratch:users_profiles_import_change", args=[job.pk])
    page = open_page(address, person=superuser, scripts=scripts)
    size = page.locator("[name=size]")
    expect(size).to_be_hidden()
    page.locator("summary", has_text="More").first.focus()
    page.keyboard.press("Enter")
    expect(size).to_be_visible()
    if not scripts:
        return
    with page.expect_popup() as opened:
        page.locator("#lookup_id_rows-0-user").click()
    window = opened.value
    expect(window.locator("#sidebar")).to_have_count(0)
    assert window.evaluate("document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('main, body').tagName")
    with window.expect_event("close"):
        window.get_by_role("link", name="stan").click()  # the first click in it
    expect(page.locator("#id_rows-0-user")).to_have_value(str(stranger.pk))
