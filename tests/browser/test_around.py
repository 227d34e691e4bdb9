"""What is around every page: dashboard, colours, menu."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS, user_page
from tests.browser.helpers import PHONE, SCROLLS_BY, WIDE, arrive, press
from users_profiles.models import User

DASHBOARD = reverse("admin:index")


def test_the_colours_somebody_chose_stay_and_go_along(open_page: Callable[..., Page], reader: User) -> None:
    page = open_page(DASHBOARD, person=reader)
    root = page.locator("html")
    background = "() => getComputedStyle(document.body).backgroundColor"
    expect(root).to_have_attribute("data-bs-theme", "light")
    light = page.evaluate(background)
    page.locator(".user-menu summary").click()
    press(page, "Dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(background)
    assert dark != light
    for address in (DASHBOARD, USERS, reverse("profile")):
        page.goto(address)
        expect(root).to_have_attribute("data-bs-theme", "dark")
        assert page.evaluate(background) == dark
    page.locator("details.menu summary").click()
    press(page, "System")
    expect(root).to_have_attribute("data-bs-theme", "light")


def test_on_a_phone_the_menu_is_a_drawer_that_escape_closes(open_page: Callable[..., Page], reader: User) -> None:
    page = open_page(DASHBOARD, person=reader, size=PHONE)
    drawer = page.locator("#sidebar")
    opener = page.get_by_role("button", name="Open menu")
    expect(drawer).to_be_hidden()
    opener.focus()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    drawer.get_by_role("link", name="People").click()
    arrive(page, USERS)
    expect(drawer).to_be_hidden()


def test_a_narrow_sidebar_stays_narrow(open_page: Callable[..., Page], reader: User) -> None:
    page = open_page(DASHBOARD, person=reader)
    drawer = page.locator("#sidebar")
    wide = drawer.bounding_box()
    press(page, "Narrow sidebar")
    page.goto(USERS)
    narrow = drawer.bounding_box()
    assert wide is not None
    assert narrow is not None
    assert narrow["width"] < wide["width"] / 2
    expect(drawer.get_by_role("link", name="People")).to_be_visible()


def test_a_person_is_found_from_anywhere(open_page: Callable[..., Page], reader: User, stranger: User) -> None:
    page = open_page(DASHBOARD, person=reader)
    page.keyboard.press("/")
    page.keyboard.type("stranger")
    page.keyboard.press("Enter")
    page.wait_for_url("**" + USERS + "?q=stranger")
    page.get_by_role("row", name="Stan Stranger").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stan Stranger")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_where_lines_begin_at_the_right_the_sidebar_does_too_and_nothing_sticks_out(
    open_page: Callable[..., Page], admin: User, stranger: User, size: tuple[int, int]
) -> None:
    page = open_page(person=admin, size=size)
    pages = (
        DASHBOARD,
        USERS,
        user_page(stranger),
        reverse("admin:users_profiles_user_import"),
        reverse("profile_edit"),
    )
    for address in pages:
        page.goto(address)
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert page.evaluate(SCROLLS_BY) == 0, address
        menu = page.locator("details.menu.user-menu, .site-bar details.menu")
        menu.locator("summary").click()
        panel = menu.locator(".menu-panel").bounding_box()
        assert panel
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= size[0]
        if size == WIDE and address != pages[-1]:
            sidebar, main = page.locator("#sidebar").bounding_box(), page.locator("main").bounding_box()
            assert sidebar
            assert main
            assert sidebar["x"] + sidebar["width"] == size[0]
            assert main["x"] == 0
