"""Tables that are wider than their place: a line a row, no date that wraps, and a fade where they go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from tests.admin_pages import USERS
from tests.browser.helpers import PHONE, WIDE
from tests.reporting import saved
from users_profiles.admin import listing
from users_profiles.models import Role, User

REPORTS = reverse("admin:users_profiles_report_changelist")
HEIGHTS = "all => all.map((one) => one.offsetHeight)"
WIDTHS = "all => all.map((one) => one.offsetWidth)"
LINES = "all => all.map((one) => one.getClientRects().length)"
# How much is seen at the left and the right end of a box, from 0 to 1, and which way its fade goes.
FADES = """(box) => {
    const style = getComputedStyle(box);
    const seen = (name) => Number(style.getPropertyValue(name));
    return style.maskImage === "none" ? null : [seen("--fades-before"), seen("--fades-after")];
}"""
BEGIN, END = "box => { box.scrollLeft = 0; }", "box => { box.scrollLeft = box.scrollWidth; }"


@pytest.fixture
def people(make_person: Callable[..., User]) -> None:
    for number in range(8):
        make_person(
            f"person{number}.of.the.house",
            first_name="Maximiliane",
            last_name=f"von der Schmidt-Hohenzollern {number}",
            role=Role.EDITOR,
            email=f"maximiliane.{number}@tidewater-europe.example",
            location="Llanfairpwllgwyngyllgogerychwyrndrobwll",
            bio="Counts, and says what she has counted. " * 8,
            birth_date=date(1990, 12, 10),
            phone_number="+442079460000",
        )


def every_column(actor: User) -> str:
    return f"{USERS}?columns={','.join(listing.offered(actor))}"


def fades(box: Locator) -> list[float] | None:
    """What of a box is seen at its two ends, once it has been drawn; None where nothing would ever fade."""
    box.page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found: list[float] | None = box.evaluate(FADES)
    return found


def test_however_many_columns_there_are_a_person_is_a_line_and_no_date_wraps(
    open_page: Callable[..., Page], admin: User, people: None
) -> None:
    page = open_page(every_column(admin), person=admin)
    rows = page.locator("#result_list tbody tr")
    assert max(rows.evaluate_all(HEIGHTS)) <= 48
    assert set(page.locator("#result_list time").evaluate_all(LINES)) == {1}
    assert max(page.locator("#result_list td").evaluate_all(WIDTHS)) <= 260
    bio = page.locator("#result_list td.field-bio", has_text="Counts").first
    bio.hover()
    expect(bio).to_have_attribute("title", bio.inner_text().strip())  # what is cut off is told whole


def test_a_table_that_is_too_wide_fades_where_it_goes_on(
    open_page: Callable[..., Page], admin: User, people: None
) -> None:
    page = open_page(every_column(admin), person=admin)
    box = page.locator(".results")
    assert fades(box) == [1, 0]
    box.evaluate("box => { box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2; }")
    assert fades(box) == [0, 0]
    box.evaluate(END)
    assert fades(box) == [0, 1]
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert "to left" in box.evaluate("box => getComputedStyle(box).maskImage")


def test_a_table_that_fits_fades_nowhere_and_its_head_stays_in_sight(
    open_page: Callable[..., Page], admin: User, people: None
) -> None:
    page = open_page(f"{USERS}?columns=email", person=admin, size=(WIDE[0], 300))
    box = page.locator(".results.fits")
    assert fades(box) is None
    head = page.locator("#result_list thead th").nth(1)
    page.evaluate("scrollTo(0, 250)")
    bar = page.locator(".topbar").bounding_box()
    there = head.bounding_box()
    assert bar
    assert there
    assert abs(there["y"] - bar["height"]) <= 1


def test_on_a_phone_a_wide_table_fades_and_keeps_the_names_in_sight(
    open_page: Callable[..., Page], admin: User
) -> None:
    saved(admin, "Everybody in Berlin", query="location=Berlin", sharing="staff")
    page = open_page(REPORTS, person=admin, size=PHONE)
    box, name = page.locator(".results"), page.locator("#result_list tbody th").first
    assert fades(box) == [1, 0]
    before = name.bounding_box()
    box.evaluate(END)
    assert fades(box) == [0, 1]
    assert name.bounding_box() == before


@pytest.mark.parametrize("way", ["ltr", "rtl"])
def test_on_a_phone_a_person_is_a_card_whose_picture_stands_before_the_name(
    open_page: Callable[..., Page], admin: User, people: None, way: str
) -> None:
    page = open_page(every_column(admin), person=admin, size=PHONE)
    page.evaluate(f"document.documentElement.dir = '{way}'")
    card = page.locator("#result_list tbody tr").first
    boxes = [card.locator(part).bounding_box() for part in (".action-select", ".avatar", ".person-name")]
    spans = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
    for first, second in pairwise(spans if way == "ltr" else spans[::-1]):
        assert 0 <= first[0] < first[1] <= second[0] < second[1] <= PHONE[0], "one lies on the other"
    head = page.locator("#result_list thead tr")
    assert len(set(head.locator("th").evaluate_all("all => all.map((one) => one.offsetTop)"))) == 1
    assert ("to left" in head.evaluate("row => getComputedStyle(row).maskImage")) == (way == "rtl")
    assert head.evaluate("row => row.scrollWidth > row.clientWidth && getComputedStyle(row).overflowX") == "auto"
