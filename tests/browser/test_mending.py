"""Refused rows are mended where they stand, and imported, with the mouse or the keys, on a screen or a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import PHONE, WIDE, assert_good, check, press, says, tab
from users_profiles.models import User

UPLOAD = reverse("admin:users_profiles_user_import")


@pytest.fixture
def check_with_mistakes(open_page: Callable[..., Page], editor: User, tmp_path: Path) -> Callable[..., Page]:
    """The check of a file with one good row and two that are refused."""

    def open_check(size: tuple[int, int] = WIDE, dark: bool = False) -> Page:
        path = tmp_path / "staff.csv"
        path.write_text("username,email,phone_number\nada,ada@example.com,\ngrace,nonsense,call me\nlinus,never,\n")
        page = open_page(UPLOAD, person=editor, size=size, dark=dark)
        check(page, path)
        return page

    return open_check


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)], ids=["wide", "dark phone"])
def test_a_refused_row_is_mended_on_the_page_and_imported(
    check_with_mistakes: Callable[..., Page], size: tuple[int, int], dark: bool
) -> None:
    page = check_with_mistakes(size, dark)
    expect(page.get_by_role("heading", name="Refused")).to_be_attached()  # what is to be mended comes first
    email = page.get_by_label("email, row 3")
    expect(email).to_have_value("nonsense")
    expect(email).to_have_accessible_description("This is not an e-mail address. Write it like name@example.com.")
    email.fill("grace@example.com")
    page.get_by_label("phone_number, row 3").fill("+49 30 123456")
    assert_good(page)
    press(page, "Check these rows again")
    expect(page.get_by_text("These rows were refused in")).to_contain_text("staff.csv")
    assert_good(page)
    press(page, "Import: add 1, change 0")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert User.objects.get(username="grace").profile.phone_number == "+4930123456"

    page.get_by_role("link", name="staff.csv").click()
    tab(page, "Refused").click()
    expect(page.get_by_role("link", name="Mended and checked again")).to_have_count(1)
    expect(page.get_by_label("email, row 4")).to_have_value("never")
    assert_good(page)
    press(page, "Import: add 1, change 0")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "edgar", "grace"]


def test_rows_are_mended_with_the_keyboard_alone(check_with_mistakes: Callable[..., Page]) -> None:
    page = check_with_mistakes()
    page.get_by_label("email, row 3").focus()
    for text in ("grace@example.com", "+49 30 123456", "linus@example.com"):
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check these rows again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Import: add 2, change 0")).to_be_visible()


def test_a_page_with_cells_that_were_changed_is_not_left_unasked(check_with_mistakes: Callable[..., Page]) -> None:
    page = check_with_mistakes()
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("email, row 3").press_sequentially("2")
    tab(page, "New").click(no_wait_after=True)
    expect(page.get_by_label("email, row 3")).to_have_value("2nonsense")
    assert asked == ["beforeunload"]
    page.get_by_label("email, row 3").fill("nonsense")
    press(page, "Check these rows again")
    says(page, "Nothing was checked again: change a cell first.")
    expect(page).to_have_url(re.compile("show=refused"))
