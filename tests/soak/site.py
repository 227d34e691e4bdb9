"""The processes: two web servers and two workers, each to be killed and started again at any time."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
WEBS = WORKERS = 2
# Small enough that some files are seen to at once and some by the workers.
SYNC_IMPORT, SYNC_EXPORT = 200, 500


def environment(database_url: str, folder: Path) -> dict[str, str]:
    """What production sets, and small limits, so that short runs come by all roads."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.soak.settings",
        "DATABASE_URL": database_url,
        "DATA_DIR": str(folder),
        "ENV_FILE": os.devnull,
        "DEBUG": "off",
        "HTTPS": "off",
        "SECRET_KEY": "n8Fv2xkQ7rLz0pWc5tYb9mHd3sGj6aUe1iOoKlPqRwXyZvBn4M",
        "ALLOWED_HOSTS": "127.0.0.1",
        "EMAIL_URL": "dummymail://",
        "CACHE_URL": "dbcache://backoffice_cache",
        "LOG_LEVEL": "WARNING",
        "IMPORT_SYNC_ROWS": str(SYNC_IMPORT),
        "EXPORT_SYNC_ROWS": str(SYNC_EXPORT),
    }


class Server:
    """One process with its children, its output in a file."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> list[int]:
        """Kill it and all its children at once, with -9; return who they were."""
        assert self._process is not None
        pids = [self.pid, *self.children()]
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        return pids

    def kill_child(self) -> list[int]:
        """Kill what the web server has forked to answer requests; the server forks another."""
        children = self.children()[:1]
        for child in children:
            os.kill(child, signal.SIGKILL)
        return children

    def children(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self, seconds: float = 20) -> bool:
        """Wait until it has gone, as it was asked to; False when it had to be killed."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True


class Site:
    """All of the processes, on one database and one folder."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url, self.folder = database_url, folder
        self.environment = environment(database_url, folder)
        self.ports = [_free_port() for _ in range(WEBS)]
        self.webs = [self._server(f"web-{at}", *_gunicorn(port)) for at, port in enumerate(self.ports)]
        self.workers = [self._server(f"worker-{at}", "manage.py", "worker") for at in range(WORKERS)]

    def _server(self, name: str, *arguments: str) -> Server:
        return Server(name, [sys.executable, *arguments], self.environment, self.folder / f"{name}.log")

    @property
    def servers(self) -> list[Server]:
        return [*self.webs, *self.workers]

    @property
    def addresses(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def __enter__(self) -> Self:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=self.environment, check=True)
        for server in self.servers:
            server.start()
        for address in self.addresses:
            _wait_for(address)
        return self

    def __exit__(self, *args: object) -> None:
        self.unwilling = self.stop()

    def stop(self) -> list[str]:
        """Ask all of them to stop; return who had to be killed."""
        for server in self.servers:
            server.ask_to_stop()
        return [server.name for server in self.servers if not server.stop()]

    def complaints(self) -> dict[str, int]:
        """What the logs have at level ERROR, and how often."""
        found: dict[str, int] = {}
        for server in self.servers:
            for line in server.log.read_text(errors="replace").splitlines():
                if " ERROR " in line[:40]:
                    text = re.sub(r" \w+=\S+|\d+", "", line.partition(" ERROR ")[2])[:100]
                    found[text] = found.get(text, 0) + 1
        return dict(sorted(found.items(), key=lambda item: -item[1])[:20])


def _gunicorn(port: int) -> list[str]:
    """As it runs in production, with one process that answers: when it is killed, a whole server is without any."""
    own = ["--workers", "1", "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "10", "--log-level", "warning"]
    return ["-m", "gunicorn", "backoffice.wsgi", "-c", "python:backoffice.gunicorn", *own]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urlopen(f"{address}/accounts/login/").close()
        except OSError:
            assert time.monotonic() < end, f"{address} does not answer"
            time.sleep(0.2)
        else:
            return
