"""The project's own settings with what a test run changes: nothing is mailed, stored or hashed for real."""

import os
import tempfile

# Neither somebody's own .env nor the database in their shell is any business of a test run.
os.environ["ENV_FILE"] = os.devnull
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["DEBUG"] = "on"
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="backoffice-tests-")

from backoffice.settings import *

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file and not memory: the browser tests' server thread and the killed workers need the real locks.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
