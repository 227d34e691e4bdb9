"""The project's own settings with what a test run changes: nothing is mailed, stored or hashed for real."""

import os
import tempfile

os.environ.setdefault("DEBUG", "on")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="backoffice-tests-"))
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from backoffice.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file and not memory: the browser tests' server thread and the killed workers need the real locks.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
