"""Every page that is served, wide and on a phone, light and dark: nothing to complain of on any of them.

A new address that is neither in ``PAGES`` nor in ``NO_PAGES`` makes a test fail, so that no page can be forgotten here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from playwright.sync_api import Page

from tests.browser.company import Company, found
from tests.browser.helpers import PHONE, WIDE, press, problems_of
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
from users_profiles.models import User

LOOKS = {"wide, light": (WIDE, False), "phone, dark": (PHONE, True)}
OTHER_LOOKS = {"wide, dark": (WIDE, True), "phone, light": (PHONE, False)}


def addresses(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """The names of all addresses; those without one lead to others or to the 404 page."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif pattern.name:
            yield namespace + pattern.name


def test_every_address_is_looked_at_or_shows_no_page() -> None:
    listed = {page.name for page in PAGES} - set(ERRORS.values())
    assert not listed & NO_PAGES
    assert listed | NO_PAGES == set(addresses(get_resolver()))


@pytest.fixture
def company(transactional_db: None, superuser: User, make_person: Callable[..., User], settings: Any) -> Company:
    settings.PHONE_DEFAULT_REGION = "GB"
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


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("who", [SUPERUSER, READER, MEMBER, SECURED, WITHOUT_PASSWORD, HALF_IN, NOBODY])
def test_there_is_nothing_to_complain_of(
    open_page: Callable[..., Page], company: Company, who: str, look: str, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    complaints, titles = look_at([page for page in PAGES if page.who == who], *LOOKS[look], open_page, company)
    assert not complaints, "\n".join(complaints)
    usual = Counter(title for page, title in titles if not page.special)
    assert not (doubled := [title for title, times in usual.items() if times > 1]), doubled


@pytest.mark.parametrize("look", OTHER_LOOKS)
def test_nor_in_the_other_colours_on_the_pages_people_live_in(
    open_page: Callable[..., Page], company: Company, look: str
) -> None:
    main = [page for page in PAGES if page.is_main]
    assert len(main) >= 10
    complaints, _ = look_at(main, *OTHER_LOOKS[look], open_page, company)
    assert not complaints, "\n".join(complaints)


def test_registration_when_it_is_open(open_page: Callable[..., Page], settings: Any) -> None:
    settings.REGISTRATION_OPEN = True
    for size, dark in LOOKS.values():
        page = open_page(reverse("account_signup"), size=size, dark=dark)
        assert problems_of(page) == []
        press(page, "Register")
        page.get_by_role("alert").first.wait_for()
        assert problems_of(page) == []


def look_at(
    pages: list[Shown], size: tuple[int, int], dark: bool, open_page: Callable[..., Page], company: Company
) -> tuple[list[str], list[tuple[Shown, str]]]:
    """Open each of the pages; what there is to complain of, and their titles."""
    complaints, titles = [], []
    tabs = {who: open_page(person=getattr(company, who, None), size=size, dark=dark) for who in {p.who for p in pages}}
    for shown in pages:
        page = tabs[shown.who]
        shown.opens(page, company)
        titles.append((shown, page.title()))
        complaints += [f"{shown}: {problem}" for problem in [*problems_of(page), *wrong_page(shown, page)]]
    return complaints, titles


def wrong_page(shown: Shown, page: Page) -> list[str]:
    """An error page where none was meant, or a page that does not say what it is."""
    title = page.title().removesuffix("Backoffice").strip(" ·")
    wrong = ERRORS.get(title, "") != (shown.name if shown.name in ERRORS.values() else "")
    return [f"title {title!r}"] if wrong or not title else []
