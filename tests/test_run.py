"""What `make run` starts: web and worker together, and both gone when it is told to stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.error import URLError

import pytest
from django.conf import settings

BIN = Path(sys.executable).parent
PATIENCE = 60  # seconds; a busy machine starts two servers slowly


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    own = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    return {**own, "DEBUG": "on", "ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path), "PORT": port}


def answers(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=10) as response:
            return response.status == 200
    except URLError:
        return False


def is_running(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminate"])
def test_web_and_worker_start_together_and_stop_without_a_trace(
    migrated: None, environment: dict[str, str], tmp_path: Path, stop: signal.Signals
) -> None:
    log = tmp_path / "log"
    honcho = [str(BIN / "honcho"), "start", "--env", os.devnull, "--port", environment["PORT"]]
    with log.open("w") as out:
        started = subprocess.Popen(
            honcho, cwd=settings.BASE_DIR, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        wait_until(lambda: answers(environment["PORT"]) and "Starting worker" in log.read_text())
        groups = [int(group) for group in re.findall(r"started \(pid=(\d+)\)", log.read_text())]
        assert len(groups) == 2
    finally:
        os.killpg(started.pid, stop)
        started.wait(timeout=PATIENCE)
    wait_until(lambda: not any(is_running(group) for group in groups))
    assert not answers(environment["PORT"])


def test_make_run_is_wired_to_what_is_tested_here() -> None:
    # As from a shell of its own: the make that runs the tests has told them its port and address.
    own = {name: value for name, value in os.environ.items() if name not in {"PORT", "BASE_URL", "MAKEFLAGS"}}
    run = partial(subprocess.run, cwd=settings.BASE_DIR, env=own, capture_output=True, text=True)
    recipe = run(["make", "-n", "run", "PORT=9000"])
    assert 'manage.py setup_demo --port "9000"' in recipe.stdout
    told = run(["make", "-s", "PORT=9000", "--eval", "told: ; @echo $$BASE_URL", "told"])
    assert told.stdout.strip() == "http://127.0.0.1:9000"  # where the mails of web and worker lead
    assert re.search(r"exec env .*honcho start --env /dev/null --port \"9000\"", recipe.stdout)
