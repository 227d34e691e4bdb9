"""Backoffice started as in production: a process that knows nothing but what it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

ROOT = settings.BASE_DIR
# The fewest settings that it starts with.
SOUND = {
    "SECRET_KEY": "n8Fv2xkQ7rLz0pWc5tYb9mHd3sGj6aUe1iOoKlPqRwXyZvBn4M",
    "ALLOWED_HOSTS": "people.example.com",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
}


def environment(folder: Path, **given: str) -> dict[str, str]:
    """What a process finds, with its data in ``folder``: nothing of whoever runs the tests."""
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "ENV_FILE": os.devnull, **given}


def manage(folder: Path, *command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run a management command."""
    own = environment(folder, **given)
    return subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=own, capture_output=True, text=True)


def printed(folder: Path, script: str, **given: str) -> str:
    """Run a script with sound settings; return what it printed."""
    done = manage(folder, "shell", "-v0", "-c", script, **{**SOUND, **given})
    assert done.returncode == 0, done.stderr
    return done.stdout
