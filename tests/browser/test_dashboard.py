"""The dashboard as a browser shows it: drawn by script under the strict policy, and whole without script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.admin_pages import USERS
from tests.browser.conftest import session_of
from tests.browser.helpers import PHONE, WIDE, arrive, assert_good
from users_profiles.figures import store
from users_profiles.models import Role, User

DASHBOARD = reverse("admin:index")
# How many different colours a drawing has: one that was never made has a single one, nothing.
COLOURS = """(canvas) => new Set(new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
MOVED = """() => new Promise((tell) => {
    let moved = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { moved += entry.value; }))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => tell(moved), 300);
})"""
MIDDLE_OF_LAST_BAR = """(canvas) => {
    const bar = Chart.getChart(canvas).getDatasetMeta(0).data.at(-1);
    return {x: bar.x, y: (bar.y + bar.base) / 2};
}"""


@pytest.fixture
def office(admin: User, make_person: Callable[..., User]) -> User:
    make_person("ada", location="London", phone_number="+442071234567", birth_date=date(1990, 1, 1))
    make_person("grace", location="London", is_active=False)
    make_person("linus", role=Role.READER, birth_date=timezone.localdate().replace(year=1988, day=1))
    return admin


def test_every_figure_and_every_line_of_a_table_leads_to_a_list_with_as_many_people(
    open_page: Callable[..., Page], office: User
) -> None:
    page = open_page(DASHBOARD, person=office)
    figures = [
        (figure.get_attribute("href"), figure.locator("b").inner_text())
        for figure in page.locator(".figure-link").all()
    ]
    lines = [
        (row.locator("a").get_attribute("href"), row.locator(".num").text_content())
        for row in page.locator(".chart:not(#chart-joined) tbody tr").all()
    ]
    assert len(figures) == 6
    assert len(lines) >= 12
    for address, number in [*figures, *lines]:
        page.goto(address or "")
        expect(page.locator(".result-count")).to_have_text(f"{number} {'person' if number == '1' else 'people'}")


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (WIDE, True), (PHONE, False), (PHONE, True)])
def test_four_charts_are_drawn_and_nothing_moves(
    open_page: Callable[..., Page], office: User, size: tuple[int, int], dark: bool
) -> None:
    page = open_page(DASHBOARD, person=office, size=size, dark=dark)
    canvases = page.get_by_role("img", name="a bar chart of the table beneath").all()
    assert len(canvases) == 4
    assert all(canvas.evaluate(COLOURS) > 2 for canvas in canvases)
    assert page.evaluate(MOVED) < 0.01
    assert_good(page)
    for table in page.get_by_text("As a table").all():
        table.click()
    assert_good(page)


def test_a_bar_leads_to_the_people_it_counts(open_page: Callable[..., Page], office: User) -> None:
    page = open_page(DASHBOARD, person=office)
    canvas = page.locator("#chart-joined canvas")
    canvas.click(position=canvas.evaluate(MIDDLE_OF_LAST_BAR))
    arrive(page, USERS)
    expect(page.locator(".result-count")).to_have_text("4 people")


def test_the_numbers_are_within_reach_of_the_keyboard(open_page: Callable[..., Page], office: User) -> None:
    page = open_page(DASHBOARD, person=office)
    page.locator("#chart-place summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="London")).to_be_focused()
    page.keyboard.press("Enter")
    arrive(page, USERS)
    expect(page.locator(".result-count")).to_have_text("2 people")


def test_the_charts_follow_the_colours_somebody_chooses(open_page: Callable[..., Page], office: User) -> None:
    page = open_page(DASHBOARD, person=office)
    fill = "() => Chart.getChart(document.querySelector('canvas')).data.datasets[0].backgroundColor"
    light = page.evaluate(fill)
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    page.wait_for_function(f"({fill})() !== '{light}'")


def test_without_script_the_tables_are_in_sight(browser: Browser, live_server: Any, office: User) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([{**session_of(office), "url": live_server.url}])
    page = context.new_page()
    page.goto(DASHBOARD)
    expect(page.get_by_role("link", name="London")).to_be_visible()
    expect(page.locator("canvas").first).to_be_hidden()
    page.get_by_role("link", name="London").click()
    expect(page.locator(".result-count")).to_have_text("2 people")
    context.close()


def test_the_figures_appear_by_themselves_when_they_are_counted(
    open_page: Callable[..., Page], office: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIGURES_SYNC_PEOPLE = 2
    worker = store.refresh
    monkeypatch.setattr(store, "refresh", type("Task", (), {"enqueue": staticmethod(lambda: None)}))
    page = open_page(DASHBOARD, person=office)
    expect(page.get_by_text("People are being counted.")).to_be_visible()
    assert_good(page)
    worker.call()
    expect(page.get_by_text("Figures from")).to_be_visible()
    expect(page.locator(".figure").first).to_contain_text("4")
