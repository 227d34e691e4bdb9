"""The commonest journeys, by somebody who has no mouse; and the keys that are shorter than the way there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from tests.admin_pages import USERS, user_page
from tests.browser.helpers import arrive, assert_good, says
from users_profiles.models import Role, User

DASHBOARD = reverse("admin:index")
# What has the focus is in sight and marked; of a file input that is drawn as a button, the button is.
SEEN = """() => {
    const focused = document.activeElement;
    const button = focused.type === "file" && [...focused.labels].find((label) => label.matches(".btn"));
    const drawn = button || focused;
    const box = drawn.getBoundingClientRect();
    const style = getComputedStyle(drawn);
    const marked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return marked && box.width > 2 && box.bottom > 0 && box.top < innerHeight ? "" : focused.outerHTML.slice(0, 120);
}"""


COVERED = """() => {
    const {left, top, bottom} = document.activeElement.getBoundingClientRect();
    const at = (y) => document.elementFromPoint(left + 2, y);
    return ![at(top + 2), at(bottom - 2)].every((element) => document.activeElement.contains(element));
}"""


def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    """Press Tab until ``wanted`` has the focus; everything on the way shows that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        hidden = page.evaluate(SEEN)
        assert not hidden, f"the focus cannot be seen on {hidden}"
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by {most} presses of Tab")


def palette(page: Page, text: str) -> None:
    """Open the palette, type, and take what comes first."""
    page.keyboard.press("Control+k")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_somebody_is_found_and_edited(open_page: Callable[..., Page], editor: User, stranger: User) -> None:
    page = open_page(DASHBOARD, person=editor)
    palette(page, "stran")
    arrive(page, user_page(stranger))
    tab_to(page, page.get_by_label("Location"))
    page.keyboard.type("Lisbon")
    page.keyboard.press("Enter")
    arrive(page, USERS)
    says(page, "Stan Stranger")
    stranger.profile.refresh_from_db()
    assert stranger.profile.location == "Lisbon"


def test_names_of_the_list_are_gone_through_by_letters_and_a_person_is_saved_by_one(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User]
) -> None:
    people = [make_person(f"p{number:02}", first_name="P", last_name=f"Last{number:02}") for number in range(40)]
    page = open_page(f"{USERS}?q=Last", person=editor)
    focused = page.locator("#result_list a:focus")
    for key, name in (("j", "P Last00"), ("j", "P Last01"), ("k", "P Last00"), ("k", "P Last00")):
        page.keyboard.press(key)
        expect(focused).to_contain_text(name)
    for _ in range(39):
        page.keyboard.press("j")
    expect(focused).to_contain_text("P Last39")
    for _ in range(20):
        page.keyboard.press("k")
        assert not page.evaluate(COVERED), "the focus is beneath what stays in sight"
    page.keyboard.press("Enter")
    arrive(page, user_page(people[19]))
    page.get_by_label("Location").fill("Lisbon")
    page.keyboard.press("Control+s")
    arrive(page, USERS)
    people[19].profile.refresh_from_db()
    assert people[19].profile.location == "Lisbon"


def test_a_file_is_imported(open_page: Callable[..., Page], admin: User, tmp_path: Path) -> None:
    path = tmp_path / "staff.csv"
    path.write_text("username,first_name\nada,Ada\n", encoding="utf-8")
    page = open_page(DASHBOARD, person=admin)
    palette(page, "import peo")
    arrive(page, reverse("admin:users_profiles_user_import"))
    tab_to(page, page.get_by_label("File", exact=True))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(path)
    tab_to(page, page.get_by_role("button", name="Continue"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/columns/")
    tab_to(page, page.get_by_role("button", name="Check the file"))
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Import: add 1")
    button.wait_for()
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Import finished")
    assert User.objects.filter(username="ada").exists()


def test_the_list_is_exported(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    make_person("ada", location="London")
    page = open_page(USERS, person=editor)
    page.keyboard.press("/")
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=ada")
    tab_to(page, page.get_by_role("link", name="Export", exact=True))
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Export 1 person")
    button.wait_for()
    tab_to(page, button, most=120)
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    started.value.save_as(tmp_path / "people.xlsx")
    assert (tmp_path / "people.xlsx").stat().st_size > 1000


def test_ticked_people_get_a_role(
    open_page: Callable[..., Page], admin: User, make_person: Callable[..., User]
) -> None:
    ada, ben = make_person("ada", last_name="Aa"), make_person("ben", last_name="Bb")
    page = open_page(USERS, person=admin)
    for name in ("Aa", "Bb"):
        tab_to(page, page.get_by_role("row", name=name).get_by_role("checkbox"))
        page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Set role"))
    page.keyboard.press("Enter")
    choice = page.get_by_label("Role")
    choice.wait_for()
    tab_to(page, choice)
    page.keyboard.type("Reader")
    tab_to(page, page.get_by_role("button", name="Set role"))
    page.keyboard.press("Enter")
    says(page, "2 people are now Reader.")
    assert [User.objects.get(pk=person.pk).role for person in (ada, ben)] == [Role.READER, Role.READER]


def test_staff_edit_their_own_profile(open_page: Callable[..., Page], reader: User) -> None:
    page = open_page(DASHBOARD, person=reader)
    palette(page, "your profile")
    arrive(page, reverse("profile"))
    tab_to(page, page.get_by_role("link", name="Edit"))
    page.keyboard.press("Enter")
    arrive(page, reverse("profile_edit"))
    tab_to(page, page.get_by_label("Location"))
    page.keyboard.type("Porto")
    page.keyboard.press("Enter")
    arrive(page, reverse("profile"))
    says(page, "Your profile is saved.")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert_good(page)
    page.keyboard.press("Escape")
    palette(page, "dashboard")
    arrive(page, DASHBOARD)


def test_the_palette_and_the_keys_show_themselves_and_stay_out_of_the_way(
    open_page: Callable[..., Page], reader: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", first_name="Ada", last_name="Lovelace")
    page = open_page(DASHBOARD, person=reader)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    assert_good(page)
    page.keyboard.press("/")  # nothing behind a dialog is meant
    expect(keys.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")

    opener = page.get_by_role("button", name="Go to")
    opener.click()
    field = page.get_by_role("combobox", name="Go to a person or a page")
    expect(field).to_be_focused()
    options = page.get_by_role("option")
    assert "Import people" not in options.all_inner_texts()  # a reader may not
    page.keyboard.type("lov")
    expect(options.first).to_contain_text("Ada Lovelace")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    assert_good(page)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # around the end
    expect(options.last).to_have_attribute("aria-selected", "true")
    field.fill("nothing is called that")
    expect(options).to_have_count(1)  # the search for it
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(opener).to_be_focused()

    palette(page, "colours dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("/")
    page.keyboard.type("a/b?j")
    expect(page.get_by_role("searchbox")).to_have_value("a/b?j")
    expect(keys).to_be_hidden()
