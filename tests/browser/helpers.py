"""What every page of ours must be, asked of the page as a browser shows it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.core import mail
from playwright.sync_api import Error, Locator, Page, expect

WIDE = (1440, 900)
PHONE = (390, 844)

# Every visible control with what a screen reader would call it.
UNLABELLED = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button")]
    .filter((control) => control.checkVisibility({visibilityProperty: true}))
    .filter((control) => ![control.labels?.[0]?.innerText, control.getAttribute("aria-label"), control.innerText,
        document.getElementById(control.getAttribute("aria-labelledby"))?.innerText].some((text) => text?.trim()))
    .map((control) => control.outerHTML.slice(0, 120))"""
SCROLLS_BY = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What begins left of the window cannot be scrolled to. What only screen readers read is a pixel wide.
BEFORE_THE_WINDOW = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary, p)")]
    .filter((element) => element.checkVisibility({visibilityProperty: true}))
    .filter((element) => (({left, width}) => width > 1 && left < 0)(element.getBoundingClientRect()))
    .map((element) => element.outerHTML.slice(0, 120))"""
# Pictures wait until they come into sight, which no test waits for.
BROKEN_PICTURES = """() => [...document.images]
    .filter((image) => image.complete && image.currentSrc && !image.naturalWidth).map((image) => image.currentSrc)"""


# What axe complains of, in a sentence each. To be told what is fine as well takes twice as long.
AXE = """async (rules) => (await axe.run({resultTypes: ["violations"], ...(rules && {runOnly: rules})})).violations.map(
    ({id, impact, help, nodes}) => `${id} (${impact}): ${help}: ${nodes[0].html.slice(0, 160)}`)"""


def axe(page: Page, *rules: str) -> list[str]:
    """What axe complains of on the page as it is shown now, by these rules or by all of them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(AXE, list(rules) or None)
    return found


def problems_in_the_dark(page: Page) -> list[str]:
    """What is wrong with the colours of the page when it is dark. Nothing else about it depends on them."""
    page.emulate_media(color_scheme="dark")
    try:
        page.locator("html[data-bs-theme=dark]").wait_for(timeout=3_000)
    except Error:  # it takes too long
        found = ["not dark"]
    else:
        found = [f"in the dark: {problem}" for problem in axe(page, "color-contrast")]
    page.emulate_media(color_scheme="light")
    return found


def problems_of(page: Page) -> list[str]:
    """What is wrong with the page as it is shown now, in words; nothing, as a rule."""
    headings = page.locator("h1").count()
    too_wide = page.evaluate(SCROLLS_BY)
    return [
        *axe(page),
        *(f"no label: {control}" for control in page.evaluate(UNLABELLED)),
        *(f"begins left of the window: {element}" for element in page.evaluate(BEFORE_THE_WINDOW)),
        *(f"broken picture: {address}" for address in page.evaluate(BROKEN_PICTURES)),
        *([f"{headings} first headings"] if headings != 1 else []),
        *([f"{too_wide} px wider than the window"] if too_wide else []),
    ]


def assert_good(page: Page) -> None:
    """No violation of a rule that axe knows, one first heading, labels on all inputs, nothing wider than the window."""
    problems = problems_of(page)
    assert not problems, "\n".join([page.url, *problems])


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


def arrive(page: Page, path: str) -> None:
    """Wait for the page at ``path``, whatever stands behind it in the address."""
    page.wait_for_url(lambda address: urlsplit(address).path == path)


def press(page: Page, name: str) -> None:
    """Press the button of exactly this name."""
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, sentence: str) -> None:
    """Wait until the page says this in answer to what was just done."""
    expect(page.locator("main .notice", has_text=sentence).first).to_be_visible()


def link_in_last_mail() -> str:
    """The address that the mail sent last asks to open."""
    found = re.search(r"https?://\S+", mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[0]


def upload(page: Page, path: Path) -> None:
    page.get_by_label("File", exact=True).set_input_files(path)
    press(page, "Continue")
    page.wait_for_url("**/columns/")


def check(page: Page, path: Path) -> None:
    """Upload a file and have it checked; the page of what would change is there then, with its scripts."""
    upload(page, path)
    press(page, "Check the file")
    page.get_by_role("heading", name="What would change").wait_for()
    page.wait_for_load_state()


def tab(page: Page, outcome: str) -> Locator:
    tabs = page.get_by_role("navigation", name="Rows by outcome")
    return tabs.get_by_role("link", name=re.compile(f"^[0-9,]+ {outcome}$"))
