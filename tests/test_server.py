"""The web server of real use, started as the papers say: DEBUG off, its own settings, static files by their digests."""

from __future__ import annotations

import gzip
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.production import ROOT, SOUND, environment, manage


@pytest.fixture(scope="module")
def there(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a server, with database and static files in place."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(migrated_file, folder)
    own = {**SOUND, "HTTPS": "off", "WEB_PROCESSES": "2"}
    collected = manage(folder, "collectstatic", "--noinput", "-v0", **own)
    assert collected.returncode == 0, collected.stderr
    return environment(folder, **own)


def started(there: dict[str, str]) -> subprocess.Popen[str]:
    unit = (ROOT / "deploy/backoffice-web.service").read_text()
    command = re.search(r"^ExecStart=\S+/gunicorn (.+?) --bind", unit, re.MULTILINE)[1].split()
    command = [str(Path(sys.executable).parent / "gunicorn"), *command, "--bind", "127.0.0.1:0"]
    return subprocess.Popen(command, cwd=ROOT, env=there, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def server(there: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = started(there)
    address = next(found[1] for line in process.stderr if (found := re.search(r"Listening at: (http://\S+)", line)))
    yield process, address
    process.kill()
    process.wait()
    process.stderr.close()


def fetched(address: str) -> Any:
    headers = {"Host": "people.example.com", "Accept-Encoding": "gzip"}
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60)


def test_it_serves_pages_and_static_files_that_browsers_keep_and_stops_when_told_to(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = server
    with fetched(f"{address}/accounts/login/") as page:
        assert (page.status, page.headers["Content-Security-Policy"] is None) == (200, False)
        html = page.read().decode()
    [path, *_others] = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', html)
    with fetched(address + path) as style:
        assert style.headers["Cache-Control"] == "max-age=315360000, public, immutable"
        assert style.headers["Content-Encoding"] == "gzip"
        assert b"{" in gzip.decompress(style.read())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def test_a_setting_that_is_wrong_ends_the_start_with_its_sentence(there: dict[str, str]) -> None:
    process = started({**there, "SECRET_KEY": "short"})
    _nothing, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Backoffice cannot start: SECRET_KEY is too weak." in said
