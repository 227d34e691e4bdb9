"""Exporting what a list shows: real files, read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS
from tests.browser.helpers import press
from users_profiles.models import User


def download(page: Page, folder: Path) -> Path:
    """Press Download and return the file."""
    with page.expect_download() as started:
        press(page, "Download")
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_a_filtered_list_leaves_as_the_file_that_it_shows(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    make_person("ada", last_name="Lovelace", location="London", phone_number="+442071234567")
    make_person("formula", last_name="Zed", first_name="=1+1", location="London")
    make_person("elsewhere", location="Paris")
    page = open_page(USERS, person=editor)
    page.locator(".filters summary", has_text="Location").click()
    page.locator(".filters details[open]").get_by_role("link", name="London").click()
    expect(page.locator(".result-count")).to_have_text("2 people")

    page.get_by_role("link", name="Export").click()
    expect(page.get_by_text("2 people of 4")).to_be_visible()
    page.get_by_label("Format").select_option("csv")
    page.get_by_label("About").uncheck()
    path = download(page, tmp_path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row["username"] for row in rows] == ["ada", "formula"]
    assert not rows[1]["first_name"].startswith("=")  # no spreadsheet computes it
    assert "bio" not in rows[0]
    assert rows[0]["phone_number"].endswith("442071234567")


def test_ticked_people_leave_as_an_excel_file_and_a_reader_gets_no_private_columns(
    open_page: Callable[..., Page], reader: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    for name in ("ada", "grace", "linus"):
        make_person(name, phone_number="+442071234567", birth_date="1990-01-01")
    page = open_page(USERS, person=reader)
    for name in ("ada", "linus"):
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    press(page, "Export")
    expect(page.get_by_text("2 people of 4")).to_be_visible()
    assert page.get_by_label("Phone number").count() == 0
    path = download(page, tmp_path)
    assert path.suffix == ".xlsx"
    header, *rows = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    assert "phone_number" not in header
    assert "birth_date" not in header
    assert sorted(row[0] for row in rows) == ["ada", "linus"]
