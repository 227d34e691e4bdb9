"""A real Chromium, the one on this machine, and pages that must not complain.

Every page a test opens is watched: errors in the console (a breach of the Content-Security-Policy is one), scripts
that fail, and requests to any other host make the test fail at its end, whatever it was about.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.helpers import PHONE, WIDE
from users_profiles.models import User

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 20_000  # milliseconds that a page may take before a test gives up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder drives a browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; without one the browser tests are skipped, or fail where CI is set."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "no Chromium on this machine: install it, or name it in CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright's event loop runs in this thread, and Django would take every query for one made from async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield launched
        launched.close()


class Watch:
    """Collects what a page must not do."""

    def __init__(self, page: Page, home: str) -> None:
        self.problems: list[str] = []
        self._page, self._host = page, urlsplit(home).netloc
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script failed: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # Chromium reports a 403 of the page itself as an error too; whether it is one is for the test to say.
        is_page_itself = message.text.startswith("Failed to load") and message.location["url"] == self._page.url
        if message.type == "error" and not is_page_itself:
            self.problems.append(f"console: {message.text} ({message.location['url']})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self._host:
            self.problems.append(f"request to another host: {request.url}")


@pytest.fixture
def open_page(browser: Browser, live_server: Any, settings: Any) -> Iterator[Callable[..., Page]]:
    """Open pages: ``open_page("/profile/", person=ada, size=PHONE, dark=True)``, signed in as somebody or as nobody."""
    settings.BASE_URL = live_server.url  # what mails point to
    contexts, watches = [], []

    def open_(
        path: str = "",
        person: User | None = None,
        size: tuple[int, int] = WIDE,
        dark: bool = False,
        scripts: bool = True,
        zone: str = "UTC",
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            has_touch=size == PHONE,
            java_script_enabled=scripts,
            locale="en-GB",
            timezone_id=zone,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if person is not None:
            context.add_cookies([{**session_of(person), "url": live_server.url}])
        page = context.new_page()
        watches.append(Watch(page, live_server.url))
        if path:
            page.goto(path)
        return page

    yield open_
    problems = [problem for watch in watches for problem in watch.problems]
    for context in contexts:
        context.close()
    assert not problems, "\n".join(problems)


def session_of(person: User) -> Any:
    """The cookie of a session that is signed in as ``person``."""
    client = Client()
    client.force_login(person)
    name = django_settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value}


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A wide page, signed in as nobody."""
    return open_page()
