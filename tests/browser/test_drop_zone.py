"""A file that is dropped on the page: it is taken, and what it is, or why it will not do, is said before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import assert_good, press
from users_profiles.models import Import, User

UPLOAD = reverse("admin:users_profiles_user_import")
PICTURES = reverse("admin:users_profiles_pictures")
# Drops files of these names beside the field, on the heading of the page.
DROP = """(names) => {
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File(["username\\nada\\n"], name));
    for (const type of ["dragover", "drop"]) document.querySelector("h1").dispatchEvent(
        new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}))}"""


def drop(page: Page, *names: str) -> None:
    page.evaluate(DROP, list(names))


def test_a_file_dropped_anywhere_is_named_with_its_size_and_then_sent(
    open_page: Callable[..., Page], editor: User
) -> None:
    page = open_page(UPLOAD, person=editor)
    below = page.get_by_label("Or paste cells from a spreadsheet").bounding_box()
    drop(page, "staff.csv")
    expect(page.locator("main [role=status]")).to_have_text("staff.csv · 13 bytes")
    assert page.get_by_label("Or paste cells from a spreadsheet").bounding_box() == below  # nothing has moved
    assert_good(page)
    press(page, "Continue")
    page.wait_for_url("**/columns/")
    assert Import.objects.get().filename == "staff.csv"


@pytest.mark.parametrize(
    ("address", "names", "sentence"),
    [
        (UPLOAD, ["staff.pdf"], "staff.pdf · 13 bytes · This does not look like a file that can be read here:"),
        (UPLOAD, ["a.csv", "b.csv"], "These are several files. Take one at a time."),
        (PICTURES, ["ada.jpg"], "ada.jpg · 13 bytes · This does not look like a file that can be read here: .zip."),
    ],
)
def test_what_will_not_do_is_said_at_once(
    open_page: Callable[..., Page], editor: User, address: str, names: list[str], sentence: str
) -> None:
    page = open_page(address, person=editor)
    drop(page, "staff.csv")
    drop(page, *names)
    expect(page.locator("main [role=status]")).to_contain_text(sentence)
    assert page.locator("[type=file]").evaluate("input => input.files.length") == (len(names) == 1)  # not the former
    assert_good(page)


def test_a_file_that_is_too_large_is_not_sent_for_nothing(
    open_page: Callable[..., Page], editor: User, settings: Any
) -> None:
    settings.IMPORT_MAX_BYTES = 5
    page = open_page(UPLOAD, person=editor)
    drop(page, "staff.csv")
    expect(page.locator("main [role=status]")).to_contain_text("This file is larger than 0 MB.")


def test_by_keyboard_one_comes_to_the_field_and_sees_where_one_is(open_page: Callable[..., Page], editor: User) -> None:
    page = open_page(UPLOAD, person=editor)
    page.get_by_role("link", name="Import pictures").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("File", exact=True)).to_be_focused()
    expect(page.locator("[data-drop-button]")).to_have_css("outline-style", "solid")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files({"name": "staff.csv", "mimeType": "text/csv", "buffer": b"username\nada\n"})
    expect(page.locator("main [role=status]")).to_have_text("staff.csv · 13 bytes")
