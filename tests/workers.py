"""Real worker processes on the test database, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connection
from django.utils import timezone

from users_profiles.models import Import

# Loads Django once and forks a worker for each line it is sent, so that twenty workers do not cost twenty starts.
NURSERY = """
import os, sys, django
django.setup()
from django.core.management import call_command
for line in sys.stdin:
    worker = os.fork()
    if worker == 0:
        call_command("worker", batch=True)
        os._exit(0)
    print(worker, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]), flush=True)
"""


def environment(media: Path) -> dict[str, str]:
    """What a process needs to work on the test database and on the files of this test."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        own = connection.settings_dict
        url = f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}/{name}"
    paths = {"DATA_DIR": str(media.parent), "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "backoffice.settings"}
    return {**os.environ, **paths, "DEBUG": "on", "DATABASE_URL": url, "LOG_LEVEL": "WARNING"}


class Nursery:
    """Starts one worker at a time; it works until nothing is left to do, unless it is killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            cwd=settings.BASE_DIR,
            env=environment(Path(settings.MEDIA_ROOT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._worker = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        if self._worker:
            self.kill()
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def start(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._worker = int(self._process.stdout.readline())

    def kill(self) -> int:
        os.kill(self._worker, signal.SIGKILL)
        return self.wait()

    def wait(self) -> int:
        """Wait for the worker's end; return its exit code, negative for the signal that ended it."""
        self._worker = 0
        return int(self._process.stdout.readline())


def let_time_pass() -> None:
    """As if the leases of the dead had run out."""
    past = timezone.now() - timedelta(seconds=1)
    Import.objects.exclude(lease_until=None).update(lease_until=past)
    Import.objects.update(queued_at=None)
