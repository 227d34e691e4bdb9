"""Takes the pictures of the README: a fresh demo in a temporary folder, a server of its own, a headless Chromium.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "screenshots"
PASSWORD = "only-for-these-pictures"
# File name, address, width, height, dark.
SHOTS = (
    ("dashboard", "/admin/", 1440, 900, False),
    ("people", "/admin/users_profiles/user/", 1440, 900, False),
    ("people-dark", "/admin/users_profiles/user/", 1440, 900, True),
    ("people-phone", "/admin/users_profiles/user/", 390, 844, False),
    ("person", "/admin/users_profiles/user/1/change/", 1440, 1000, False),
    ("import", "/admin/users_profiles/user/import/", 1440, 900, False),
    ("profile", "/profile/", 1024, 768, False),
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
        for name, path, width, height, dark in SHOTS:
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.set_viewport_size({"width": width, "height": height})
            page.goto(path, wait_until="networkidle")
            page.screenshot(path=OUT / f"{name}.png")
            print(name, page.title(), sep=": ")
        browser.close()


if __name__ == "__main__":
    main()
