"""What the search needs in the database beyond its tables: an index over every three letters, and triggers."""

# ruff: noqa: S608  (names of ours, put together; nothing comes from outside)

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction

from users_profiles.models import SearchNote
from users_profiles.search.tables import INDEX, NOTE, PROFILE, TEXT, USER, run
from users_profiles.search.texts import FIELDS_OF_PROFILE, FIELDS_OF_USER

logger = logging.getLogger(__name__)

NO_TRIGRAMS = (
    "PostgreSQL's extension pg_trgm is not there and may not be created by us, so searching will be slow with many "
    "people. Have somebody who may run CREATE EXTENSION pg_trgm, then run manage.py rebuild_search."
)

# A trigger is made when nobody writes to its table: so long it waits for that, and everybody behind it; then again.
LOCK_WAIT, PAUSE, TRIES = "2s", 1.0, 60


def are_there() -> bool:
    """Whether the tables are: before their migration, and after it was taken back, they are not."""
    return NOTE in connection.introspection.table_names()


def make_index() -> bool:
    """Make the index over every three letters, unless it is there; False where PostgreSQL does not let us."""
    if connection.vendor == "sqlite":
        run(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(words, phone, content='{TEXT}', "
            "content_rowid='user_id', tokenize='trigram case_sensitive 1')"
        )
        return True
    if connection.vendor != "postgresql" or not _make_extension():
        return connection.vendor != "postgresql"
    with connection.cursor() as cursor:
        # One that was begun and cut short is there, but good for nothing.
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX])
        row = cursor.fetchone()
    concurrently = "" if connection.in_atomic_block else "CONCURRENTLY"
    if row is not None and not row[0]:
        run(f"DROP INDEX {concurrently} {INDEX}")
    if row is None or not row[0]:
        run(f"CREATE INDEX {concurrently} {INDEX} ON {TEXT} USING gin (words gin_trgm_ops, phone gin_trgm_ops)")
    return True


def _make_extension() -> bool:
    try:
        with transaction.atomic():
            run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        logger.warning(NO_TRIGRAMS)
        return False
    return True


def make_triggers() -> bool:
    """Make the triggers that are missing or not as they should be; True when there were any.

    SQLite drops those of a table with it, and Django makes a table anew for many a migration. And what is searched may
    have changed: a trigger that knows other columns notes the wrong people.
    """
    makers = {"sqlite": _make_in_sqlite, "postgresql": _make_in_postgres}
    return makers[connection.vendor]() if connection.vendor in makers else False


def _make_in_sqlite() -> bool:
    with transaction.atomic():
        there = dict(_rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        wrong = sorted(name for name, wanted in _SQLITE.items() if there.get(name) != wanted)
        for name in wrong:
            run(f"DROP TRIGGER IF EXISTS {name}", _SQLITE[name])
    return bool(wrong)


def _make_in_postgres() -> bool:
    """What a trigger does is in its function, and to replace that holds nobody up; to make a trigger may."""
    with transaction.atomic():
        bodies = dict(_rows("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"))
        wrong = sorted(name for name, body in _FUNCTIONS.items() if bodies.get(name) != body)
        run(*(_function(name, _FUNCTIONS[name]) for name in wrong))
    there = {name for (name,) in _rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")}
    for table in (USER, PROFILE):
        missing = [name for name in sorted(_POSTGRES) if name.startswith(f"{table}_search_") and name not in there]
        if missing:
            _make_patiently([_POSTGRES[name] for name in missing])
            wrong += missing
    return bool(wrong)


def _make_patiently(statements: Sequence[str]) -> None:
    """Make triggers of one table while others write to it: they wait behind us a moment at most, and we try again."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                run(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'", *statements)
            return
        except OperationalError:
            if not left:
                raise
            time.sleep(PAUSE)


def _rows(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def _columns(names: Sequence[str], of: str) -> str:
    return ", ".join(f"{of}.{name}" for name in names)


def _sqlite_note(table: str, key: str, names: Sequence[str]) -> dict[str, str]:
    """Note a row that is written behind the key from which on everybody is noted anyway."""
    is_noted = f"EXISTS (SELECT 1 FROM {NOTE} WHERE last = {SearchNote.OPEN} AND first <= NEW.{key})"
    note = f"BEGIN INSERT INTO {NOTE} (first, last) VALUES (NEW.{key}, NEW.{key}); END"
    old, new = _columns(names, "OLD"), _columns(names, "NEW")
    return {
        f"{table}_search_new": f"CREATE TRIGGER {table}_search_new AFTER INSERT ON {table} WHEN NOT {is_noted} {note}",
        f"{table}_search_changed": f"CREATE TRIGGER {table}_search_changed AFTER UPDATE OF {', '.join(names)} "
        f"ON {table} WHEN ({old}) IS NOT ({new}) AND NOT {is_noted} {note}",
    }


def _sqlite_index() -> dict[str, str]:
    """Keep the index with the texts, and the texts with the people."""
    forget = f"INSERT INTO {INDEX} ({INDEX}, rowid, words, phone) VALUES ('delete', OLD.user_id, OLD.words, OLD.phone);"
    learn = f"INSERT INTO {INDEX} (rowid, words, phone) VALUES (NEW.user_id, NEW.words, NEW.phone);"
    # So that whoever settles comes by, and has the index drop what is left of it.
    note = f"INSERT INTO {NOTE} (first, last) VALUES (OLD.user_id, OLD.user_id);"
    begin = f"CREATE TRIGGER {TEXT}_"
    return {
        f"{TEXT}_new": f"{begin}new AFTER INSERT ON {TEXT} BEGIN {learn} END",
        f"{TEXT}_changed": f"{begin}changed AFTER UPDATE ON {TEXT} BEGIN {forget} {learn} END",
        f"{TEXT}_gone": f"{begin}gone AFTER DELETE ON {TEXT} BEGIN {forget} {note} END",
        f"{USER}_search_gone": f"CREATE TRIGGER {USER}_search_gone AFTER DELETE ON {USER} "
        f"BEGIN DELETE FROM {TEXT} WHERE user_id = OLD.id; END",
    }


_SQLITE = {
    **_sqlite_note(USER, "id", FIELDS_OF_USER),
    **_sqlite_note(PROFILE, "user_id", FIELDS_OF_PROFILE),
    **_sqlite_index(),
}
# Nobody comes without a profile, and the trigger of that is enough; a trigger costs half a microsecond a row.
del _SQLITE[f"{USER}_search_new"]


def _postgres_note(table: str, key: str, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Note what a statement wrote; keys in a row, as bulk writers hand them out, are one note however many they are."""
    note = (
        f"INSERT INTO {NOTE} (first, last) SELECT min(key), max(key) FROM "
        "(SELECT key, key - row_number() OVER (ORDER BY key) AS island FROM ({}) AS keys) AS numbered GROUP BY island"
    )
    changed = (
        f"SELECT fresh.{key} AS key FROM fresh JOIN stale USING ({key}) "
        f"WHERE ({_columns(names, 'fresh')}) IS DISTINCT FROM ({_columns(names, 'stale')})"
    )
    functions = {
        f"{table}_note_new": note.format(f"SELECT {key} AS key FROM fresh"),
        f"{table}_note_changed": note.format(changed),
    }
    begin = "CREATE TRIGGER {0}_search_{1} AFTER {2} ON {0} REFERENCING NEW TABLE AS fresh {3} FOR EACH STATEMENT "
    run = "EXECUTE FUNCTION {}_note_{}()"
    triggers = {
        f"{table}_search_{what}": begin.format(table, what, event, more) + run.format(table, what)
        for what, event, more in (("new", "INSERT", ""), ("changed", "UPDATE", "OLD TABLE AS stale"))
    }
    return functions, triggers


def _postgres() -> tuple[dict[str, str], dict[str, str]]:
    functions = {f"{USER}_forget_text": f"DELETE FROM {TEXT} WHERE user_id IN (SELECT id FROM stale)"}
    triggers = {
        f"{USER}_search_gone": f"CREATE TRIGGER {USER}_search_gone AFTER DELETE ON {USER} "
        f"REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION {USER}_forget_text()"
    }
    for table, key, names in ((USER, "id", FIELDS_OF_USER), (PROFILE, "user_id", FIELDS_OF_PROFILE)):
        more_functions, more_triggers = _postgres_note(table, key, names)
        functions |= more_functions
        triggers |= more_triggers
    return {name: f" BEGIN {body}; RETURN NULL; END " for name, body in functions.items()}, triggers


def _function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"


_FUNCTIONS, _POSTGRES = _postgres()
