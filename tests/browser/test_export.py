"""Exporting what a list shows: real files, read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS
from tests.browser.helpers import PHONE, assert_good, press
from users_profiles.models import Export, User
from users_profiles.transfer import tasks


def download(page: Page, folder: Path) -> Path:
    """Press the button that says how many leave, and return the file."""
    with page.expect_download() as started:
        page.get_by_role("button", name="Export ").click()
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

    page.get_by_role("link", name="Export", exact=True).click()
    expect(page.get_by_role("button", name="Export 2 people")).to_be_visible()
    expect(page.locator("#sample tbody tr")).to_have_count(2)
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("checkbox", name="Role").uncheck()
    expect(page.locator("#sample th[data-column=role]")).to_be_hidden()
    page.get_by_role("checkbox", name="Phone number").check()
    path = download(page, tmp_path)
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row["username"] for row in rows] == ["ada", "formula"]
    assert not rows[1]["first_name"].startswith("=")  # no spreadsheet computes it
    assert "role" not in rows[0]
    assert rows[0]["phone_number"].endswith("442071234567")


def test_a_second_file_may_be_asked_for_at_once(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    """A button that is pressed twice sends once; that must not swallow another wish."""
    make_person("ada")
    page = open_page(reverse("admin:users_profiles_user_export"), person=editor)
    suffixes = []
    for kind in ("xlsx", "csv", "json"):
        page.get_by_label("Format").select_option(kind)
        suffixes.append(download(page, tmp_path).suffix)
    assert suffixes == [".xlsx", ".csv", ".json"]


def test_ticked_people_leave_as_an_excel_file_and_a_reader_gets_no_private_columns(
    open_page: Callable[..., Page], reader: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    for name in ("ada", "grace", "linus"):
        make_person(name, phone_number="+442071234567", birth_date="1990-01-01")
    page = open_page(USERS, person=reader)
    for name in ("ada", "linus"):
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    press(page, "Export")
    expect(page.get_by_role("button", name="Export 2 people")).to_be_visible()
    assert page.get_by_label("Phone number").count() == 0
    path = download(page, tmp_path)
    assert path.suffix == ".xlsx"
    header, *rows = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    assert "Phone number" not in header
    assert "Birth date" not in header
    assert sorted(row[0] for row in rows) == ["ada", "linus"]


def test_columns_are_moved_by_keyboard_and_come_in_that_order(
    open_page: Callable[..., Page], editor: User, tmp_path: Path
) -> None:
    page = open_page(reverse("admin:users_profiles_user_export"), person=editor, size=PHONE)
    up = page.get_by_role("button", name="Move E-mail up")
    up.focus()
    for _place in range(3):
        page.keyboard.press("Enter")
    expect(page.get_by_text("E-mail is now column 1")).to_be_attached()
    expect(page.get_by_role("button", name="Move E-mail down")).to_be_focused()
    expect(page.locator("#sample th").first).to_have_text("E-mail")
    down = page.get_by_role("button", name="Move Username down")
    down.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    expect(down).to_be_focused()
    assert_good(page)
    page.get_by_label("Format").select_option("jsonl")
    person = json.loads(download(page, tmp_path).read_text())
    assert list(person)[:4] == ["email", "first_name", "last_name", "username"]
    page.reload()
    expect(page.locator("#columns li").nth(3)).to_contain_text("Username")
    expect(page.get_by_label("Format")).to_have_value("jsonl")


def test_a_large_export_is_made_in_the_background_and_found_again(
    open_page: Callable[..., Page], editor: User, reader: User, tmp_path: Path, settings: Any
) -> None:
    settings.EXPORT_SYNC_ROWS = 1
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    page = open_page(USERS, person=editor)
    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Export 2 people").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert_good(page)
    page.goto(reverse("admin:index"))
    tasks.run_export.call(Export.objects.get().pk)
    page.get_by_role("link", name="Exports", exact=True).first.click()
    page.get_by_role("link", name="people-").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    started.value.save_as(tmp_path / "people.csv")
    text = (tmp_path / "people.csv").read_text(encoding="utf-8-sig")
    assert [row["username"] for row in csv.DictReader(io.StringIO(text))] == ["edgar", "rita"]
