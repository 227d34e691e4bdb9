"""Every page that is served, wide and on a phone, light and dark: nothing to complain of on any of them.

A new address that is neither in ``PAGES`` nor in ``NO_PAGES`` makes a test fail, so that no page can be forgotten here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, Page

from tests import addresses
from tests.browser.company import Company, found
from tests.browser.conftest import Watch
from tests.browser.helpers import PHONE, WIDE, press, problems_in_the_dark, problems_of
from tests.browser.pages import (
    ERRORS,
    HALF_IN,
    MEMBER,
    NO_PAGES,
    NOBODY,
    PAGES,
    READER,
    SECURED,
    SUPERUSER,
    WITHOUT_PASSWORD,
    Shown,
)
from users_profiles.admin.access import PeopleAdmin
from users_profiles.models import User
from users_profiles.reports import looking

SIZES = {"wide": WIDE, "phone": PHONE}
ROWS = 12  # of a list: what is wrong with one is wrong with fifty, which axe takes a second longer to find


def test_every_address_is_looked_at_or_shows_no_page() -> None:
    listed = {page.name for page in PAGES} - set(ERRORS.values())
    assert not listed & NO_PAGES
    assert listed | NO_PAGES == addresses.names()


@pytest.fixture
def company(
    transactional_db: None,
    superuser: User,
    make_person: Callable[..., User],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Company:
    settings.PHONE_DEFAULT_REGION = "GB"
    monkeypatch.setattr(PeopleAdmin, "list_per_page", ROWS)
    monkeypatch.setattr(looking, "PAGE", ROWS)
    return found(superuser, make_person)


def test_what_is_said_to_show_no_page_shows_none(company: Company) -> None:
    client = Client()
    client.force_login(company.superuser)
    arguments: list[dict[str, Any]] = [
        {},
        {"key": company.jobs["done"].pk},
        {"key": company.jobs["done"].pk, "number": 2},
        {"object_id": company.jobs["done"].pk},
        {"pk": company.ada.pk},
        {"pk": company.ada.pk, "edge": 64},
        {"provider_id": "sso"},
        {"ending": "csv"},
        {"content_type_id": 1, "object_id": 1},
    ]
    for name in sorted(NO_PAGES):
        address = next(filter(None, (_address(name, given) for given in arguments)))
        answer = client.get(address)
        assert answer.status_code != 200 or "html" not in answer["Content-Type"], name


def _address(name: str, given: dict[str, Any]) -> str | None:
    try:
        return reverse(name, kwargs=given)
    except NoReverseMatch:
        return None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("who", [SUPERUSER, READER, MEMBER, SECURED, WITHOUT_PASSWORD, HALF_IN, NOBODY])
def test_there_is_nothing_to_complain_of(
    open_page: Callable[..., Page], company: Company, who: str, size: str, settings: Any
) -> None:
    """Nothing on any page, light or dark; the page that is opened also minds the console and other hosts."""
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    page = open_page(person=getattr(company, who, None), size=SIZES[size])
    complaints, titles = [], Counter[str]()
    for shown in PAGES:
        if shown.who == who:
            shown.opens(page, company)
            found = [*wrong_page(shown, page), *problems_of(page), *problems_in_the_dark(page)]
            complaints += [f"{shown}: {problem}" for problem in found]
            titles[page.title()] += not shown.special
    assert not complaints, "\n".join(complaints)
    assert not (doubled := [title for title, times in titles.items() if times > 1]), doubled


def test_registration_when_it_is_open(open_page: Callable[..., Page], settings: Any) -> None:
    settings.REGISTRATION_OPEN = True
    for size in SIZES.values():
        page = open_page(reverse("account_signup"), size=size)
        assert problems_of(page) + problems_in_the_dark(page) == []
        press(page, "Register")
        page.get_by_role("alert").first.wait_for()
        assert problems_of(page) + problems_in_the_dark(page) == []


BAD = """<!DOCTYPE html><html lang="en" data-bs-theme="light"><title>Bad</title><main><h1>One</h1><h1>Two</h1>
<p style="width: 3000px; background: #fff; color: #eee">Pale and wide</p><p style="margin-left: -50px">Cut</p><img src="https://elsewhere.example/x.png">
<input><script>document.title = "inline"</script><script src="/static/nothing.js"></script></main>"""


def test_whatever_is_wrong_with_a_page_is_noticed(browser: Browser, live_server: Any) -> None:
    """The tests above are worth as much as what they would see."""
    page = browser.new_page(base_url=live_server.url)
    watch = Watch(page, live_server.url)
    policy = {"Content-Security-Policy": "script-src 'self' 'sha256-none'; style-src 'unsafe-inline'"}
    page.route("**/bad/", lambda route: route.fulfill(body=BAD, content_type="text/html", headers=policy))
    page.route("https://elsewhere.example/**", lambda route: route.abort())
    page.goto("/bad/")
    seen = "\n".join([*problems_of(page), *problems_in_the_dark(page), *watch.problems])
    page.close()
    for problem in (
        "image-alt",
        "color-contrast",
        "no label: <input>",
        "2 first headings",
        "px wider than the window",
        "begins left of the window",
        "not dark",
        "request to another host: https://elsewhere.example/x.png",
        "Content Security Policy",
        "404",
    ):
        assert problem in seen, f"{problem} in: {seen}"


def wrong_page(shown: Shown, page: Page) -> list[str]:
    """An error page where none was meant, or a page that does not say what it is."""
    title = page.title().removesuffix("Backoffice").strip(" ·")
    wrong = ERRORS.get(title, "") != (shown.name if shown.name in ERRORS.values() else "")
    return [f"title {title!r}"] if wrong or not title else []
