"""Whether everything is there that is needed. Each part is one cheap look, whatever the number of people."""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.core.cache import caches
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_tasks import task

from users_profiles import queueing
from users_profiles.figures import store
from users_profiles.models import Snapshot, User, Worker

logger = logging.getLogger(__name__)

# The name under which the number of people without a profile is kept, and how old it may be before it is found anew.
WITHOUT_PROFILE = "without_profile"
COUNT_EVERY = timedelta(minutes=10)
# Processes that look at the same moment must not find each other's entry.
CACHE_KEY = f"readyz:{secrets.token_hex(8)}"


class Unwell(Exception):
    """A part that is not as it should be, in words that anybody may read."""


@dataclass(frozen=True)
class Part:
    """What was found out about one part."""

    ok: bool
    detail: str


def look(names: Collection[str]) -> dict[str, Part]:
    """Look at the parts of these names. What is wrong with one is in the log, and hinders no other."""
    return {name: _look_at(name, PARTS[name]) for name in names}


def _look_at(name: str, find: Callable[[], str]) -> Part:
    try:
        return Part(True, find())
    except Unwell as finding:
        logger.warning("not ready: %s: %s", name, finding)
        return Part(False, str(finding))
    except Exception:
        # Whatever a driver raises: it may hold addresses and passwords, so the log gets it and nobody else.
        logger.warning("not ready: %s does not answer", name, exc_info=True)
        _let_go()
        return Part(False, "does not answer")


def _let_go() -> None:
    """Have the next query open a new connection, should the present one be broken."""
    if not connection.in_atomic_block:
        connection.close()


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


@cache
def _latest_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app in this code."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _migrations() -> str:
    missing = _latest_migrations() - set(MigrationRecorder(connection).applied_migrations())
    if missing:
        raise Unwell(f"behind in {', '.join(sorted(app for app, _ in missing))}; run manage.py migrate")
    return "applied"


def _storage() -> str:
    for alias in settings.STORAGES:
        if alias != "staticfiles":
            _look_into(storages[alias])
    return "answers"


def _look_into(storage: Storage) -> None:
    """A folder has to take a file, one that leaves nothing behind; what is elsewhere has to answer a question.

    A folder that is not there is not made: where a disk was not mounted, files would go into the place it belongs. Of a
    bucket one asks for a list: that a file is not there would be said of a bucket, too, that is not there itself.
    """
    if isinstance(storage, FileSystemStorage):
        with tempfile.TemporaryFile(dir=storage.location) as file:
            file.write(b"readyz")
            file.flush()
    else:
        storage.listdir("readyz")


def _cache() -> str:
    cache = caches["default"]
    cache.set(CACHE_KEY, "here", 60)
    if cache.get(CACHE_KEY) != "here":
        raise Unwell("does not keep what it is given")
    return "answers"


def _worker() -> str:
    if not Worker.objects.alive().exists():
        raise Unwell("none is running; start one with manage.py worker")
    return "running"


def _profiles() -> str:
    found, _ = people_without_profile()
    if found:
        raise Unwell("people without a profile; run manage.py ensure_profiles")
    return "not counted yet" if found is None else "complete"


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "storage": _storage,
    "cache": _cache,
    "worker": _worker,
    "profiles": _profiles,
}


def people_without_profile() -> tuple[int | None, datetime | None]:
    """How many there are, and as of when, or None where nobody has counted yet.

    To know that there are none, the database has to go through everybody. With few people that is done at once, with
    many the worker does it now and then (``count_now_and_then``).
    """
    if store.are_few():
        return User.objects.without_profile().count(), timezone.now()
    kept = Snapshot.objects.filter(name=WITHOUT_PROFILE).exclude(counted_at=None).values_list("counts", "counted_at")
    counts, counted_at = kept.first() or ({}, None)
    return (counts or {}).get("people"), counted_at


def count_now_and_then() -> None:
    """Have people without a profile counted, where that was done too long ago; as often as one likes."""
    fresh = Snapshot.objects.filter(name=WITHOUT_PROFILE, counted_at__gt=timezone.now() - COUNT_EVERY)
    if not store.are_few() and not fresh.exists() and Snapshot.order(WITHOUT_PROFILE):
        queueing.after_commit(count_without_profile)


@task()
def count_without_profile() -> None:
    """Count, and keep what was counted."""
    began = timezone.now()
    Snapshot.keep(WITHOUT_PROFILE, {"people": User.objects.without_profile().count()}, began)
