"""Takes the pictures of the papers: a fresh demo in a temporary folder, a server of its own, a headless Chromium.

``make screenshots`` runs it. It touches neither var/ nor any server that is running.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
PASSWORD = "only-for-these-pictures"
PEOPLE = "/admin/users_profiles/user/"
WIDE, PHONE = (1440, 900), (390, 844)


def an_import(page: Page) -> None:
    """Upload the sample file and have it checked."""
    page.goto(f"{PEOPLE}import/")
    page.locator("[name=file]").set_input_files(ROOT / "fixtures" / "people.csv")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("heading", name="What would change").wait_for()


def a_person(page: Page) -> None:
    """Open somebody with a picture, from the list."""
    page.goto(f"{PEOPLE}?picture=yes")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("heading", name="Profile", exact=True).wait_for()


def a_report(page: Page) -> None:
    """Save a report of everybody in Berlin, mailed every week."""
    page.goto("/admin/users_profiles/report/add/?query=location%3DBerlin")
    page.get_by_label("Name", exact=True).fill("Everybody in Berlin")
    page.get_by_label("Send it by mail").select_option("week")
    page.locator("[name=recipients]").first.check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Everybody in Berlin").wait_for()


# File name, address or what leads there, size. Each is taken twice, light and dark.
SHOTS: tuple[tuple[str, str | Callable[[Page], None], tuple[int, int]], ...] = (
    ("dashboard", "/admin/", WIDE),
    ("people", PEOPLE, WIDE),
    ("people-phone", PEOPLE, PHONE),
    ("person", a_person, WIDE),
    ("import", an_import, WIDE),
    ("report", a_report, WIDE),
)


@contextmanager
def demo_server() -> Iterator[str]:
    """A server with a fresh demo; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DEBUG": "on",
            "DATA_DIR": folder,
            "ENV_FILE": os.devnull,
            "DATABASE_URL": "",
            "ADMIN_PASSWORD": PASSWORD,
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "setup_demo", "--port", port], env=environment, check=True)
        server = subprocess.Popen([*manage, "runserver", "--noreload", f"127.0.0.1:{port}"], env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/accounts/login/")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str, seconds: int = 30) -> None:
    """Return as soon as the server answers."""
    for _ in range(seconds * 5):
        try:
            urllib.request.urlopen(address)
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return
    sys.exit(f"{address} does not answer.")


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill("admin")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)


def main() -> None:
    """Write every picture of ``SHOTS``."""
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with demo_server() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(base_url=address, reduced_motion="reduce", locale="en-GB")
        page = context.new_page()
        sign_in(page)
        for name, leads_there, (width, height) in SHOTS:
            page.set_viewport_size({"width": width, "height": height})
            if callable(leads_there):
                leads_there(page)
            else:
                page.goto(leads_there)
            page.wait_for_load_state("networkidle")
            for scheme, ending in (("dark", "-dark"), ("light", "")):
                page.emulate_media(color_scheme=scheme)
                page.locator(f"html[data-bs-theme={scheme}]").wait_for()
                page.screenshot(path=OUT / f"{name}{ending}.png")
            print(name, page.title(), sep=": ")
        browser.close()


if __name__ == "__main__":
    main()
