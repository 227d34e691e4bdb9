"""A copy of the database that is only read, and a little late: for lists, exports, reports and figures.

Nothing comes from there by itself. Who may make do with what was true some seconds ago asks for the name of a database
(``alias_for``), and gets that of the copy unless somebody would miss there what they have just written, a transaction
is open, or the copy does not answer or is too far behind.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

ALIAS = "replica"
SAFE = frozenset({"GET", "HEAD"})
# The key of whoever stands for all: what many people changed at once concerns everybody.
EVERYBODY = 0
# For so many seconds a copy that failed is not asked again.
REST = 30

# Whoever the copy has let down in the middle of something reads from the primary for so many seconds.
SPARED = 300
# The table of the cache, where it is one in the database: what it has must be what was put there just now.
CACHE = "django_cache"

# How many seconds it is behind; nothing where it cannot know, because it gets nothing from its primary. It has replayed
# all that it has ever received then, too. Who may not watch sees of the receiver that there is one, but not its status.
_LAG = """
SELECT CASE
WHEN NOT pg_is_in_recovery() THEN 0
WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming') THEN NULL
WHEN pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() THEN 0
ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
END::float
"""

_reading: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)
_rests_until = 0.0


class Router:
    """Reads from the copy within ``reading``; everything else goes where it is written."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS if model._meta.app_label == CACHE else _reading.get()

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == ALIAS else None


def alias_for(key: int | None) -> str:
    """The database that this person's list, export or report may be read from."""
    if ALIAS not in connections.settings or connection.in_atomic_block or _has_written(key) or not _answers():
        return DEFAULT_DB_ALIAS
    return ALIAS


def alias_for_request(request: HttpRequest) -> str:
    """The same for a page, if it is one that is only looked at; asked once a request, so that it is of one moment."""
    found: str | None = getattr(request, "_replica_alias", None)
    if found is None:
        found = alias_for(request.user.pk) if request.method in SAFE else DEFAULT_DB_ALIAS
        request._replica_alias = found  # type: ignore[attr-defined]
    return found


@contextmanager
def reading(key: int | None = EVERYBODY) -> Iterator[None]:
    """Have whatever is read by the ORM in this block come from the copy, where that will do."""
    token = _reading.set(alias_for(key))
    try:
        yield
    finally:
        _reading.reset(token)


def note_write(key: int | None) -> None:
    """Somebody has written: for some seconds they read where they did."""
    if ALIAS in connections.settings and key is not None:
        cache.set(_noted_as(key), True, settings.DATABASE_REPLICA_SECONDS)


def let_down(alias: str, key: int | None) -> None:
    """Something long failed that was read from there: a copy ends whatever stands in the way of what it has to replay.

    The next try is made where nothing does.
    """
    if alias == ALIAS:
        logger.warning("The replica did not last for what was read there. It is read from the primary next.")
        cache.set(_noted_as(key or EVERYBODY), True, SPARED)


def writes_no_people(request: HttpRequest) -> None:
    """Say of a request that looks like a write that nobody would miss anything of it in a list."""
    request.writes_no_people = True  # type: ignore[attr-defined]


def remember_writes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware: whoever sends something sees it on the page that comes next."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method not in SAFE and not getattr(request, "writes_no_people", False):
            note_write(request.user.pk)
        return response

    return middleware


def _noted_as(key: int) -> str:
    return f"wrote-{key}"


def _has_written(key: int | None) -> bool:
    try:
        return bool(cache.get_many([_noted_as(one) for one in {EVERYBODY, key or EVERYBODY}]))
    except Exception:  # every cache raises errors of its own
        logger.warning("The cache does not answer, so nobody reads from the replica.", exc_info=True)
        return True


def _answers() -> bool:
    """Whether the copy is there and not too far behind; one that is not is left alone for a while."""
    global _rests_until
    if time.monotonic() < _rests_until:
        return False
    copy = connections[ALIAS]
    try:
        copy.close_if_unusable_or_obsolete()
        with copy.cursor() as cursor:
            cursor.execute(_LAG)
            [lag] = cursor.fetchone()
    except Error as error:
        copy.close()
        why = f"does not answer: {error}"
    else:
        if lag is not None and lag < settings.DATABASE_REPLICA_SECONDS:
            return True
        why = "gets nothing from its primary" if lag is None else f"is {lag:.0f} seconds behind"
    _rests_until = time.monotonic() + REST
    logger.warning("The replica %s. All is read from the primary for %s seconds.", why.strip(), REST)
    return False
