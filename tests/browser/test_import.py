"""Importing files of people, as staff click through it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from tests.admin_pages import user_page
from tests.browser.helpers import PHONE, WIDE, assert_good, check, press, says, tab, upload
from tests.importing import exported
from users_profiles.models import Import, Profile, User

SAMPLE = Path(__file__).parent.parent / "data" / "snipe-it-users.csv"
UPLOAD = reverse("admin:users_profiles_user_import")
DASHBOARD = reverse("admin:index")


def count_of(page: Page, outcome: str) -> str:
    return tab(page, outcome).inner_text()


def test_the_sample_of_an_inventory_system_becomes_a_hundred_people(
    open_page: Callable[..., Page], editor: User
) -> None:
    page = open_page(DASHBOARD, person=editor)
    page.get_by_role("main").get_by_role("link", name="Import people").click()
    upload(page, SAMPLE)

    assert page.get_by_label("First Name").input_value() == "first_name"
    assert page.get_by_label("Activated").input_value() == "is_active"
    assert page.get_by_label("Employee Number").input_value() == ""  # ignored
    press(page, "Check the file")
    assert "100" in count_of(page, "New")
    assert "0" in count_of(page, "Refused")
    expect(page.get_by_role("link", name="rtenant0")).to_have_count(0)  # nobody yet
    assert User.objects.count() == 1

    page.get_by_role("button", name=re.compile("^Import")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert "100" in count_of(page, "Added")
    assert (User.objects.count(), Profile.objects.count()) == (101, 101)
    person = User.objects.get(username="rtenant0")
    assert (person.first_name, person.profile.phone_number) == ("Reagen", "+18951372034")
    assert not person.has_usable_password()

    page.get_by_role("link", name="rtenant0").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reagen Tenant")
    page.get_by_role("link", name="Imports").click()
    page.get_by_role("row", name=SAMPLE.name).get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    page.get_by_role("link", name="Choose whom to invite").click()
    page.get_by_role("button", name=re.compile("^Send invitations")).click()
    says(page, "invitations are on their way")
    assert len(mail.outbox) == User.objects.filter(is_active=True).exclude(email="").count() - 1  # not to the editor


def test_new_people_stand_in_a_line_each_however_much_is_said_about_them(
    open_page: Callable[..., Page], editor: User, tmp_path: Path
) -> None:
    path = tmp_path / "staff.csv"
    facts = (
        "ada,ada.lovelace@example.com,Augusta Ada,King Countess of Lovelace,yes,+442079460000,Horsley Towers,1990-12-10"
    )
    header = "username,e-mail,first name,last name,active,phone,location,birth date,about"
    path.write_text(f"{header}\n{facts},{'Wrote it. ' * 30}\ngrace,grace@example.com,,,,,,,\n")
    page = open_page(UPLOAD, person=editor)
    upload(page, path)
    press(page, "Check the file")
    rows = page.get_by_role("region", name="New").locator("tbody tr")
    expect(rows).to_have_count(2)
    assert {round(box["height"]) for box in (rows.nth(0).bounding_box(), rows.nth(1).bounding_box()) if box} == {44}


def test_mistakes_are_shown_and_the_refused_rows_go_home_as_a_file_to_mend(
    open_page: Callable[..., Page], admin: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    ada = make_person("ada", first_name="Ada", last_name="Lovelace", location="London")
    path = tmp_path / "staff.csv"
    rows = ["username;E-Mail;Ort;Telefon", "ada;;Paris;", "grace;nonsense;New York;", "linus;;Helsinki;call me"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    page = open_page(UPLOAD, person=admin)
    upload(page, path)
    press(page, "Check the file")

    tab(page, "Changed").click()
    changed = page.get_by_role("row", name="ada")
    expect(changed.locator("del")).to_have_text("London")
    expect(changed.locator("ins")).to_have_text("Paris")
    tab(page, "Refused").click()
    refused = page.get_by_role("region", name="Refused").get_by_role("row")
    expect(refused.nth(1).get_by_role("textbox")).to_have_value("nonsense")
    expect(refused.nth(2).get_by_role("textbox")).to_have_value("call me")
    assert_good(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download refused rows").click()
    mended = tmp_path / download.value.suggested_filename
    download.value.save_as(mended)

    page.get_by_label("I have read this, and it is what I want.").check()  # one of two people: many
    page.get_by_role("button", name=re.compile("^Import")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    ada.profile.refresh_from_db()
    assert ada.profile.location == "Paris"
    assert User.objects.count() == 2

    text = mended.read_text(encoding="utf-8-sig")
    header, *lines = csv.reader(text.splitlines(), delimiter=";")
    assert header[:4] == ["username", "E-Mail", "Ort", "Telefon"]
    assert [line[0] for line in lines] == ["grace", "linus"]
    mended.write_text(text.replace("nonsense", "grace@example.com").replace("call me", "+358401234567"), "utf-8")
    page.goto(UPLOAD)
    upload(page, mended)
    press(page, "Check the file")
    page.get_by_role("button", name=re.compile("^Import")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert User.objects.get(username="linus").profile.phone_number == "+358401234567"
    assert User.objects.get(username="grace").email == "grace@example.com"


def test_an_old_excel_file_is_refused_in_words(open_page: Callable[..., Page], editor: User, tmp_path: Path) -> None:
    path = tmp_path / "staff.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000))  # as Excel wrote them before 2007
    page = open_page(UPLOAD, person=editor)
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_have_text("Choose a file, or paste some cells.")
    page.get_by_label("File", exact=True).set_input_files(path)
    press(page, "Continue")
    expect(page.get_by_role("alert")).to_contain_text("Save it as .xlsx")
    assert_good(page)
    assert not Import.objects.exists()


def test_an_import_that_was_a_mistake_is_taken_back(
    open_page: Callable[..., Page], admin: User, stranger: User, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("username,last_name\nstan,Wrong\nnobody,Wanted\n")
    page = open_page(UPLOAD, person=admin)
    upload(page, path)
    press(page, "Check the file")
    page.get_by_label("I have read this, and it is what I want.").check()
    page.get_by_role("button", name=re.compile("^Import")).click()
    press(page, "Undo this import…")
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo this import?")
    assert User.objects.filter(username="nobody").exists()
    press(page, "Undo: remove 1, deactivate 0, restore 1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import undone")
    assert not User.objects.filter(username="nobody").exists()
    stranger.refresh_from_db()
    assert stranger.last_name == "Stranger"


def test_a_long_import_shows_how_far_it_is_and_ends_on_its_result(
    open_page: Callable[..., Page], editor: User, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "two.csv"
    path.write_text("username\nada\ngrace\n")
    page = open_page(UPLOAD, person=editor)
    upload(page, path)
    job = Import.objects.get()
    job.start_check()
    job.take_lease("a worker")  # that never gets to work
    page.goto(reverse("admin:users_profiles_import_change", args=[job.pk]))
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Checking two.csv")
    assert job.fail("The disk is full.")  # the page finds out by itself
    expect(page.get_by_role("alert")).to_have_text("The disk is full.")


@pytest.fixture
def check_of_three(open_page: Callable[..., Page], editor: User, tmp_path: Path) -> Callable[..., Page]:
    """The check of a file with three new people."""

    def open_check(size: tuple[int, int] = WIDE) -> Page:
        path = tmp_path / "three.csv"
        path.write_text("username,first_name,last_name\nada,Ada,Lovelace\ngrace,Grace,Hopper\nlinus,Linus,Torvalds\n")
        page = open_page(UPLOAD, person=editor, size=size)
        check(page, path)
        return page

    return open_check


def box(page: Page, row: int) -> Locator:
    return page.get_by_role("checkbox", name=re.compile(f"^Apply row {row}: "))


def apply(page: Page, new: int) -> None:
    press(page, f"Import: add {new}, change 0")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_an_unticked_row_is_left_out(check_of_three: Callable[..., Page], size: tuple[int, int]) -> None:
    page = check_of_three(size)
    box(page, 3).scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    box(page, 3).uncheck()
    expect(page.get_by_role("button", name="Import: add 2, change 0")).to_be_visible()
    expect(page.get_by_role("navigation", name="Rows by outcome")).to_contain_text("1 unticked")
    assert abs(page.evaluate("scrollY") - before) < 40  # the page stays where it is
    assert_good(page)
    page.reload()
    expect(box(page, 3)).not_to_be_checked()
    apply(page, 2)
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "edgar", "linus"]
    expect(tab(page, "Left out")).to_contain_text("1")
    tab(page, "Left out").click()
    expect(page.get_by_role("region", name="Left out")).to_contain_text("Grace Hopper")
    assert_good(page)


def test_a_tick_made_before_the_script_is_there_is_saved_too(check_of_three: Callable[..., Page]) -> None:
    page = check_of_three()
    held: list[Route] = []
    page.route("**/ticks.js", lambda route: held.append(route))
    page.reload(wait_until="commit")
    box(page, 3).uncheck()
    expect(page.get_by_role("button", name="Import: add 3, change 0")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("button", name="Import: add 2, change 0")).to_be_visible()


def test_new_people_are_read_on_a_phone_without_looking_aside(check_of_three: Callable[..., Page]) -> None:
    page = check_of_three(PHONE)
    rows = page.get_by_role("region", name="New")
    assert rows.evaluate("region => region.scrollWidth - region.clientWidth") == 0
    last_name = rows.get_by_role("row").filter(has_text="grace").locator("[data-label='Last name']")
    expect(last_name).to_have_text("Hopper")
    assert last_name.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Last name"'


def test_rows_are_unticked_and_ticked_with_the_keyboard_alone(check_of_three: Callable[..., Page]) -> None:
    page = check_of_three()
    box(page, 2).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Import: add 2, change 0")).to_be_visible()
    expect(box(page, 2)).to_be_focused()
    page.keyboard.press("Tab")
    expect(box(page, 3)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Import: add 1, change 0")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Import: add 2, change 0")).to_be_visible()
    page.get_by_role("button", name="Import: add 2, change 0").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "edgar", "linus"]


def test_all_rows_of_a_tab_or_of_a_search_are_unticked_at_once(check_of_three: Callable[..., Page]) -> None:
    page = check_of_three()
    press(page, "Untick all 3 rows")
    expect(page.get_by_role("button", name=re.compile("^Import: "))).to_have_count(0)
    expect(box(page, 2)).not_to_be_checked()
    press(page, "Tick all")
    expect(box(page, 2)).to_be_checked()
    page.get_by_role("searchbox", name="Search these rows").fill("hopper")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name=re.compile("^Apply row"))).to_have_count(1)
    press(page, "Untick 1 row")
    expect(box(page, 3)).not_to_be_checked()
    assert_good(page)
    apply(page, 2)
    assert not User.objects.filter(username="grace").exists()


def test_a_tick_that_cannot_be_saved_is_taken_back_and_said(check_of_three: Callable[..., Page]) -> None:
    page = check_of_three()
    page.route("**/tick/", lambda route: route.fulfill(status=204, body=""))  # an answer without what is to be shown
    box(page, 3).click()
    expect(page.get_by_role("alert")).to_have_text("That tick could not be saved. Load the page again.")
    expect(box(page, 3)).to_be_checked()


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)], ids=["wide", "dark phone"])
def test_both_sides_of_who_was_changed_since_the_export_are_compared_and_one_is_taken(
    open_page: Callable[..., Page],
    superuser: User,
    make_person: Callable[..., User],
    tmp_path: Path,
    size: tuple[int, int],
    dark: bool,
) -> None:
    people = [make_person(name, first_name=name.title(), location="London") for name in ("ada", "bob", "carl")]
    path = tmp_path / "people.csv"
    path.write_text(exported().replace("London", "Paris"), "utf-8")
    page = open_page(person=superuser, size=size, dark=dark)
    for person in people[:2]:
        page.goto(user_page(person))
        page.get_by_label("Location").fill("Rome")
        page.get_by_role("button", name="Save", exact=True).click()
        says(page, "was saved.")

    page.goto(UPLOAD)
    upload(page, path)
    press(page, "Check the file")
    expect(page.get_by_role("heading", level=2, name="Changed since your export")).to_have_count(1)  # seen first
    rows = page.get_by_role("region", name="Changed since your export")
    ada = rows.locator("tbody").filter(has_text="Ada")
    expect(ada.locator(".ours")).to_have_text("Rome")
    expect(ada.locator(".theirs")).to_have_text("Paris")
    expect(ada).to_contain_text(f"{superuser}, just now: Changed Location")
    assert_good(page)
    ada.get_by_label("Take the file’s").check()
    expect(page.get_by_role("button", name="Import: add 0, change 2")).to_be_visible()
    expect(page.get_by_role("navigation", name="Rows by outcome")).to_contain_text("1 stays")
    assert_good(page)

    press(page, "Take the file’s in all 2 rows")
    expect(page.get_by_role("button", name="Import: add 0, change 3")).to_be_visible()
    press(page, "Keep ours in all 2 rows")
    rows.locator("tbody").filter(has_text="Bob").get_by_label("Take the file’s").check()
    expect(page.get_by_role("button", name="Import: add 0, change 2")).to_be_visible()
    page.get_by_label("I have read this, and it is what I want.").check()
    press(page, "Import: add 0, change 2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    places = dict(Profile.objects.exclude(user=superuser).values_list("user__username", "location"))
    assert places == {"ada": "Rome", "bob": "Paris", "carl": "Paris"}
