"""What the search asks of each database beyond the ORM.

Both have an index over every three letters: SQLite by the trigram tokenizer of FTS5, in a table beside the texts that
holds no text itself, PostgreSQL by pg_trgm.
"""

# ruff: noqa: S608, S611  (names of ours, put together; what comes from outside is a parameter)

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import F, Lookup
from django.db.models.expressions import RawSQL

from users_profiles.among import packed, unpack
from users_profiles.models import Profile, SearchNote, SearchText, User
from users_profiles.search.wanted import Wanted

USER, PROFILE = User._meta.db_table, Profile._meta.db_table
TEXT, NOTE = SearchText._meta.db_table, SearchNote._meta.db_table
INDEX = "users_profiles_searchindex"
PAGES_AT_ONCE = 500
KEY = "bigint"  # what PostgreSQL calls the type of our keys
# Any number that nothing else here locks by; held while texts are written, so that only one does.
LOCK = 7_316_402_951


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


# Asking -------------------------------------------------------------------------------------------------------------


class IsFound(Lookup[Any]):
    """Whether the key on the left is among the keys that a statement on the right finds."""

    lookup_name = "found"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """``IN``; but where an order is asked for, have PostgreSQL look people up before it puts them in order.

        It would rather go through everybody in that order until it has enough, which is quick when those found are
        spread evenly, and takes seconds when their names are all near the end.
        """
        key, key_params = self.process_lhs(compiler, connection)
        keys, params = self.process_rhs(compiler, connection)
        gathers = connection.vendor == "postgresql" and compiler.query.order_by
        return f"{key} = ANY(ARRAY{keys})" if gathers else f"{key} IN {keys}", [*key_params, *params]


def found(wanted: Wanted, added: Collection[int], removed: Collection[int]) -> IsFound:
    """The condition that the index finds a person, without those ``removed`` and with those ``added``."""
    sql, params = _in_sqlite(wanted) if connection.vendor == "sqlite" else _by_likeness(wanted)
    if removed:
        sql, params = (
            f"SELECT key FROM ({sql}) AS hits WHERE key NOT IN ({unpack(KEY)})",
            [*params, packed(removed)],
        )
    if added:
        sql, params = f"{sql} UNION ALL {unpack(KEY)}", [*params, packed(added)]
    return IsFound(F("pk"), RawSQL(sql, params))


def is_common(wanted: Wanted, share: int = 5) -> bool:
    """Whether more than one in ``share`` people is found, as well as the database can tell at once.

    Then it is quicker to go through people in the order they are asked for than to gather all of those found.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"SELECT max(user_id) FROM {TEXT}")
            many = (cursor.fetchone()[0] or 0) // share
            sql, params = _in_sqlite(wanted)
            cursor.execute(f"SELECT count(*) FROM ({sql} LIMIT %s)", [*params, many + 1])
            return many > 0 and bool(cursor.fetchone()[0] > many)
        sql, params = _by_likeness(wanted)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        expected = cursor.fetchone()[0][0]["Plan"]["Plan Rows"]
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = to_regclass(%s)", [TEXT])
        return bool(expected * share > cursor.fetchone()[0] > 0)


def _in_sqlite(wanted: Wanted) -> tuple[str, list[str]]:
    query = " AND ".join(_either(term.part, term.digits) for term in wanted.terms)
    if wanted.phone:
        query = f"({query}) OR phone : {_quoted(wanted.phone)}"
    return f"SELECT rowid AS key FROM {INDEX} WHERE {INDEX} MATCH %s", [query]


def _either(part: str, digits: str) -> str:
    words = f"words : {_quoted(part)}"
    return f"({words} OR phone : {_quoted(digits)})" if digits else words


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _by_likeness(wanted: Wanted) -> tuple[str, list[str]]:
    conditions, params = [], []
    for term in wanted.terms:
        conditions.append("(words LIKE %s OR phone LIKE %s)" if term.digits else "words LIKE %s")
        params += [_anywhere(term.part), *([_anywhere(term.digits)] if term.digits else [])]
    condition = " AND ".join(conditions)
    if wanted.phone:
        condition = f"({condition}) OR phone LIKE %s"
        params.append(_anywhere(wanted.phone))
    return f"SELECT user_id AS key FROM {TEXT} WHERE {condition}", params


def _anywhere(text: str) -> str:
    return "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


# Writing ------------------------------------------------------------------------------------------------------------


def is_mine_to_write() -> bool:
    """Whether nobody else writes texts, until the transaction ends; an older text must not overtake a newer one."""
    if connection.vendor != "postgresql":
        return True  # SQLite lets nobody else write anyway
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def hold(keys: Collection[int]) -> set[int]:
    """Those of these people who can be kept from being deleted until the transaction ends; others are busy or gone.

    Otherwise a text might be written behind the back of the trigger that deletes it.
    """
    if connection.vendor != "postgresql":
        return set(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {USER} WHERE id IN ({unpack(KEY)}) ORDER BY id FOR KEY SHARE SKIP LOCKED",
            [packed(keys)],
        )
        return {key for (key,) in cursor.fetchall()}


def write(rows: Sequence[tuple[int, str, str]]) -> None:
    """Store texts by the key of their person; one that is the same already is left alone."""
    places = ", ".join(["(%s, %s, %s)"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TEXT} (user_id, words, phone) VALUES {places} "
            "ON CONFLICT (user_id) DO UPDATE SET words = excluded.words, phone = excluded.phone "
            f"WHERE {TEXT}.words <> excluded.words OR {TEXT}.phone <> excluded.phone",
            [value for row in rows for value in row],
        )


def tidy() -> None:
    """Have the index take in what it keeps beside itself: searches need not look there any more."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT to_regclass(%s)", [INDEX])
            if cursor.fetchone()[0]:
                cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [INDEX])


def drop_what_is_gone(pause: float = 0.0) -> None:
    """Have SQLite's index drop the parts of texts that were deleted, a few megabytes at a time.

    Until it merges, it only notes beside them that they are gone. PostgreSQL's vacuum does the same by itself.
    """
    if connection.vendor != "sqlite":
        return
    pages = -PAGES_AT_ONCE  # the minus has it begin with all there is
    with connection.cursor() as cursor:
        while True:
            before = connection.connection.total_changes
            cursor.execute(f"INSERT INTO {INDEX} ({INDEX}, rank) VALUES ('merge', %s)", [pages])
            if connection.connection.total_changes - before < 2:  # as its documentation says how to tell
                return
            pages = PAGES_AT_ONCE
            time.sleep(pause)


def mend() -> None:
    """Make SQLite's index anew where it does not agree with the texts; PostgreSQL keeps its own in order."""
    if connection.vendor == "sqlite":
        try:
            run(f"INSERT INTO {INDEX} ({INDEX}, rank) VALUES ('integrity-check', 1)")
        except DatabaseError:
            run(f"INSERT INTO {INDEX} ({INDEX}) VALUES ('rebuild')")
