"""Finding people in the list, and doing something to several of them at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.admin_pages import USERS
from tests.browser.helpers import PHONE, assert_good, press, says
from users_profiles.models import Road, Role, TrailEntry, User


@pytest.fixture
def team(make_person: Callable[..., User]) -> None:
    """Sixty people: half of them in Berlin, every third an editor, and one with a name of its own."""
    for number in range(60):
        make_person(
            f"person{number:02}",
            role=Role.EDITOR if number % 3 == 0 else "",
            first_name=f"Number{number:02}",
            last_name="Person",
            location="Berlin" if number % 2 else "Nairobi",
        )
    make_person("zoe", first_name="Zoë", last_name="Ångström", location="Oslo", is_active=False)


def names(page: Page) -> Locator:
    return page.locator("#result_list tbody .person-name > span:first-child")


def first_two(page: Page) -> Locator:
    return page.locator("#result_list tbody tr:nth-child(-n+2) .person-name > span:first-child")


def count(page: Page) -> Locator:
    return page.locator(".result-count")


def filter_by(page: Page, title: str, choice: str) -> None:
    page.locator(".filters summary", has_text=title).click()
    page.locator(".filters details[open]").get_by_role("link", name=choice).click()


def test_an_admin_searches_and_filters_and_finds_the_way_back(
    open_page: Callable[..., Page], admin: User, team: None
) -> None:
    page = open_page(USERS, person=admin)
    expect(count(page)).to_have_text("62 people")

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("nobody of this name")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("0 people")
    page.get_by_role("link", name="Show everything").click()
    page.get_by_role("searchbox").fill("zoë")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("1 person")
    expect(names(page)).to_have_text(["Zoë Ångström"])

    page.get_by_role("searchbox").fill("person")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("60 people")
    filter_by(page, "Location", "Berlin")
    expect(count(page)).to_have_text("30 people")
    filter_by(page, "Role", "Editor")
    expect(count(page)).to_have_text("10 people")
    assert page.get_by_role("searchbox").input_value() == "person"
    expect(page.locator(".filters .filter-value")).to_have_text(["Editor", "Berlin"])
    assert_good(page)

    page.get_by_role("link", name="Remove filter location: Berlin").click()
    expect(count(page)).to_have_text("20 people")
    page.get_by_role("link", name="Show counts").click()
    page.locator(".filters summary", has_text="Location").click()
    expect(page.locator(".filters details[open]").get_by_role("link", name="Berlin")).to_have_text("Berlin10")
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".filters .active")).to_have_count(0)


def test_a_reader_sorts_by_a_column_and_turns_the_pages(
    open_page: Callable[..., Page], reader: User, team: None
) -> None:
    page = open_page(USERS, person=reader)
    expect(names(page)).to_have_count(50)
    page.get_by_role("columnheader", name="E-mail").get_by_role("link").first.click()
    expect(first_two(page)).to_have_text(["Number00 Person", "Number01 Person"])
    page.get_by_role("columnheader", name="E-mail").get_by_role("link").first.click()
    expect(first_two(page)).to_have_text(["Zoë Ångström", "Rita Reader"])
    expect(page.get_by_role("columnheader", name="E-mail")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="2").click()
    expect(names(page)).to_have_count(12)
    assert page.locator("input.action-select").count() == 12  # to export some of them
    assert page.get_by_role("button", name="Deactivate").count() == 0


def test_with_the_keyboard_alone_somebody_filters_by_two_roles_acts_on_two_people_and_takes_it_back(
    open_page: Callable[..., Page], admin: User, team: None
) -> None:
    page = open_page(USERS, person=admin)
    keys = page.keyboard

    def tab_to(target: Locator, most: int = 60) -> None:
        for _ in range(most):
            if target.evaluate("element => element === document.activeElement"):
                return
            keys.press("Tab")
        raise AssertionError("no key leads there")

    page.get_by_role("searchbox").focus()
    tab_to(page.locator(".filters summary", has_text="Role"))
    keys.press("Enter")
    for role in ("Editor", "Reader"):
        tab_to(page.get_by_role("checkbox", name=f"Also {role}"))
        keys.press("Space")
    tab_to(page.locator(".filters details[open]").get_by_role("button", name="Show the ticked"))
    keys.press("Enter")
    expect(count(page)).to_have_text("20 people")
    expect(page.locator(".filters .filter-value")).to_have_text(["Editor", "Reader"])

    page.get_by_role("searchbox").focus()
    for number in ("00", "03"):
        tab_to(page.get_by_role("row", name=f"Number{number}").get_by_role("checkbox"))
        keys.press("Space")
    bar = page.get_by_role("region", name="What to do with the selected rows")
    expect(bar).to_contain_text("2 selected")
    tab_to(bar.get_by_role("button", name="Deactivate"), most=200)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Deactivate people")
    tab_to(page.get_by_role("main").get_by_role("button", name="Deactivate"))
    keys.press("Enter")
    says(page, "Deactivated 2 people.")
    assert_good(page)
    assert User.objects.filter(is_active=False, username__startswith="person").count() == 2

    tab_to(page.get_by_role("link", name="Undo"))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Undo this?")
    assert_good(page)
    tab_to(page.get_by_role("button", name="Undo for 2 people"))
    keys.press("Enter")
    says(page, "2 people are as before.")
    assert page.url.endswith("?role=Editor&role=Reader")
    assert not User.objects.filter(is_active=False, username__startswith="person").exists()


def test_an_editor_chooses_columns_and_keeps_the_list_as_a_view(
    open_page: Callable[..., Page], editor: User, team: None
) -> None:
    page = open_page(f"{USERS}?location=Berlin", person=editor)
    heads = page.locator("#result_list thead th")
    page.locator(".columns-menu summary").click()
    page.get_by_role("checkbox", name="Phone number").check()
    page.get_by_role("checkbox", name="Joined").uncheck()
    page.get_by_role("button", name="Move Location up").click()
    page.get_by_role("button", name="Move Phone number up").click()  # past what is not ticked, too
    assert_good(page)
    press(page, "Apply")
    expect(heads).to_have_text(["", "Person", "E-mail", "Location", "Role", "Active", "Phone number", "Last sign-in"])

    page.locator(".views-menu summary").click()
    page.get_by_label("Save this view as").fill("My people in Berlin")
    assert_good(page)
    press(page, "Save view")
    says(page, "“My people in Berlin” is saved.")
    expect(page.locator(".views-menu summary")).to_have_text("My people in Berlin")

    page.get_by_role("link", name="Clear all").click()
    expect(page.locator(".views-menu summary")).to_have_text("Saved views")
    page.locator(".views-menu summary").click()
    page.get_by_role("link", name="My people in Berlin").click()
    expect(count(page)).to_have_text("30 people")
    page.get_by_role("navigation", name="Pages").count()
    page.locator(".columns-menu summary").click()
    press(page, "Usual columns")
    expect(heads.last).to_have_text("Joined")


def test_without_script_columns_are_moved_and_chosen(open_page: Callable[..., Page], editor: User) -> None:
    page = open_page(USERS, person=editor, scripts=False)
    page.locator(".columns-menu summary").click()
    page.get_by_role("button", name="Move Role up").click()
    expect(page.locator(".columns-menu .column-list")).to_be_visible()  # the address opens the menu again
    page.get_by_role("checkbox", name="About").check()
    press(page, "Apply")
    expect(page.locator("#result_list thead th")).to_contain_text(["", "Person", "Role", "E-mail"])
    expect(page.locator("#result_list thead th").last).to_have_text("About")


def test_an_admin_deactivates_two_people_after_seeing_who_they_are(
    open_page: Callable[..., Page], admin: User, superuser: User, team: None
) -> None:
    page = open_page(USERS + "?q=number1", person=admin)
    bar = page.get_by_role("region", name="What to do with the selected rows")
    expect(bar).to_be_hidden()
    for number in ("10", "11", "12"):
        page.get_by_role("row", name=f"Number{number}").get_by_role("checkbox").check()
    page.get_by_role("row", name="Number11").get_by_role("checkbox").uncheck()
    expect(bar).to_contain_text("2 selected")
    assert_good(page)
    press(page, "Deactivate")

    expect(page.get_by_role("heading", level=1)).to_have_text("Deactivate people")
    expect(page.get_by_role("main").locator("form .person")).to_have_count(2)
    assert User.objects.filter(is_active=False).count() == 1
    press(page, "Deactivate")
    says(page, "Deactivated 2 people.")
    gone = set(User.objects.filter(is_active=False).values_list("username", flat=True))
    assert gone == {"person10", "person12", "zoe"}
    assert TrailEntry.objects.filter(actor=admin, road=Road.ACTION).count() == 2
    assert page.url.endswith("?q=number1")


def test_an_admin_gives_a_role_to_all_that_the_filter_shows_but_not_to_who_is_above(
    open_page: Callable[..., Page], admin: User, superuser: User, team: None
) -> None:
    page = open_page(USERS, person=admin)
    page.locator("#action-toggle").check()
    press(page, "Select all 63")
    expect(page.locator(".action-counter")).to_have_text("All 63 selected")
    press(page, "Set role")
    expect(page.get_by_text("61 people will have this role.")).to_be_visible()
    expect(page.get_by_text("root: above you")).to_be_visible()
    page.get_by_label("Role").select_option("Reader")
    press(page, "Set role")
    says(page, "61 people are now Reader.")
    superuser.refresh_from_db()
    admin.refresh_from_db()
    assert (superuser.is_superuser, superuser.role, admin.role) == (True, "", Role.ADMIN)
    assert User.objects.in_role(Role.READER).count() == 61


def test_on_a_phone_name_role_and_e_mail_are_read_whole_and_a_person_opened(
    open_page: Callable[..., Page], reader: User, team: None
) -> None:
    page = open_page(USERS, person=reader, size=PHONE)
    row = page.get_by_role("row", name="Number00 Person")
    for text in ("Number00 Person", "person00@example.com", "Editor"):
        cell = row.get_by_text(text, exact=True).last
        expect(cell).to_be_in_viewport()
        assert cell.evaluate("one => one.scrollWidth <= one.clientWidth || getComputedStyle(one).display === 'inline'")
    assert page.evaluate(
        "document.querySelector('.results').scrollWidth <= document.querySelector('.results').clientWidth"
    )
    assert_good(page)
    page.locator(".person-name > span", has_text="Number00 Person").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Number00 Person")
