"""Many rows into a table at once, as fast as each database takes them.

Three ways, one interface: the ORM's own bulk operations work anywhere and are what the other two are tested against;
SQLite is fastest with one prepared statement and many rows, PostgreSQL with COPY. None sends signals or checks values:
what comes here has been cleaned.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Protocol

import orjson
from django.db import connection, models

Model = type[models.Model]
# Values by the attribute they go to (such as ``user_id``), all of one length: a table turned on its side. Most of what
# is to be done to a million values is done to a whole column at once, in a fraction of the time.
Columns = Mapping[str, Sequence[Any]]


# Of a statement for SQLite, which takes 32,766 values in one.
ROWS_AT_ONCE = 500


class Bulk(Protocol):
    """Writes columns of values."""

    def insert(self, model: Model, columns: Columns) -> None:
        """Insert rows that are not there yet; a key the database makes itself is left out."""

    def insert_numbered(self, model: Model, columns: Columns) -> Sequence[int]:
        """Insert rows and return the keys they were given, in order."""

    def update(self, model: Model, columns: Columns) -> None:
        """Update rows that are there; the first column is the primary key."""


def bulk() -> Bulk:
    """The fastest way to write that the default database knows."""
    ways: dict[str, type[Bulk]] = {"sqlite": SQLiteBulk, "postgresql": PostgresBulk}
    return ways.get(connection.vendor, PortableBulk)()


def look_up_by_index() -> None:
    """Have the rest of the transaction find a few thousand of a table's rows by their keys.

    PostgreSQL reckons with disks that turn, and would rather read the whole table for each chunk of a file.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 1.1")


class PortableBulk:
    """By the ORM."""

    def insert(self, model: Model, columns: Columns) -> None:
        self.insert_numbered(model, columns)

    def insert_numbered(self, model: Model, columns: Columns) -> Sequence[int]:
        return [row.pk for row in model._base_manager.bulk_create(_objects(model, columns))]

    def update(self, model: Model, columns: Columns) -> None:
        fields = [model._meta.get_field(name.removesuffix("_id")).name for name in columns]
        model._base_manager.bulk_update(_objects(model, columns), fields[1:], batch_size=200)


def _objects(model: Model, columns: Columns) -> list[models.Model]:
    rows = zip(*columns.values(), strict=True)
    return [model(**dict(zip(columns, row, strict=True))) for row in rows]


class SQLiteBulk:
    """Statements of many rows each; the caller's transaction makes them one write."""

    def insert(self, model: Model, columns: Columns) -> None:
        """A third faster than one statement a row, prepared once: it is run less often than it is left and entered."""
        values = list(chain.from_iterable(zip(*_stored(model, columns), strict=True)))
        start = f"INSERT INTO {_table(model)} ({_names(model, columns)}) VALUES "  # noqa: S608
        marks = f"({', '.join('?' * len(columns))})"
        step = ROWS_AT_ONCE * len(columns)
        # Past Django's cursor, which would look for its own kind of marks among all of these, and its errors with it.
        with connection.wrap_database_errors, connection.cursor() as cursor:
            for at in range(0, len(values), step):
                some = values[at : at + step]
                rows = ", ".join([marks] * (len(some) // len(columns)))
                sqlite3.Cursor.execute(cursor.cursor, start + rows, some)

    def insert_numbered(self, model: Model, columns: Columns) -> Sequence[int]:
        """Take the next keys ourselves: we hold the write lock, so nobody else can."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
            [last] = cursor.fetchone() or [0]
        keys = range(last + 1, last + 1 + _length(columns))
        self.insert(model, {"id": keys, **columns})
        return keys

    def update(self, model: Model, columns: Columns) -> None:
        pk, *others = (_name(model, name) for name in columns)
        changes = ", ".join(f"{name} = %s" for name in others)
        keys, *values = _stored(model, columns)
        statement = f"UPDATE {_table(model)} SET {changes} WHERE {pk} = %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.executemany(statement, zip(*values, keys, strict=True))  # type: ignore[arg-type]  # any iterable


class PostgresBulk:
    """COPY, straight into the table for new rows, into a temporary one for a set-based update."""

    def insert(self, model: Model, columns: Columns) -> None:
        self._copy(_table(model), model, columns)

    def insert_numbered(self, model: Model, columns: Columns) -> Sequence[int]:
        with connection.cursor() as cursor:
            # Looked up once, and not for each of the keys.
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [_table(model)])
            [sequence] = cursor.fetchone()
            cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, _length(columns)])
            keys = [key for (key,) in cursor.fetchall()]
        self.insert(model, {"id": keys, **columns})
        return keys

    def update(self, model: Model, columns: Columns) -> None:
        pk, *others = (_name(model, name) for name in columns)
        changes = ", ".join(f"{name} = fresh.{name}" for name in others)
        table, names = _table(model), _names(model, columns)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608
            self._copy("fresh", model, columns)
            cursor.execute(f"UPDATE {table} SET {changes} FROM fresh WHERE {table}.{pk} = fresh.{pk}")  # noqa: S608
            cursor.execute("DROP TABLE fresh")

    def _copy(self, table: str, model: Model, columns: Columns) -> None:
        text = _as_copy_text([_copied(_field(model, name), column) for name, column in columns.items()])
        # copy() is the driver's own and would raise the driver's own errors, which nobody above looks for.
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({_names(model, columns)}) FROM STDIN") as copy,
        ):
            copy.write(text)


def _as_copy_text(columns: Iterable[Sequence[str]]) -> str:
    """Rows as COPY reads them: a line each, with tabs between the cells; made in a tenth of the driver's own time."""
    return "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_NULL = r"\N"


def _copied(field: Any, column: Sequence[Any]) -> Sequence[str]:
    """A column as COPY reads it. Text is looked at as a whole first: seldom is there anything to escape."""
    if isinstance(field, models.DateField):
        return [_NULL if value is None else _day(value) for value in column]
    if isinstance(field, models.JSONField):
        column = list(map(_as_json, column))
    elif not isinstance(field, models.CharField | models.TextField | models.FileField):
        return [_NULL if value is None else str(value) for value in column]
    text = "".join(column)
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text:
        return [value.translate(_ESCAPES) for value in column]
    return column


# The same days, and the same moment, come again and again.
_day = lru_cache(maxsize=10_000)(str)


def _stored(model: Model, columns: Columns) -> list[Sequence[Any]]:
    """The columns with their values as SQLite's driver takes them; those it takes as they are untouched."""
    stored = []
    for name, column in columns.items():
        convert = _converter(_field(model, name))
        stored.append(column if convert is None else list(map(convert, column)))
    return stored


@cache
def _converter(field: Any) -> Callable[[Any], Any] | None:
    """What Django itself does to a value of this field on its way to SQLite, where it does anything."""
    if isinstance(field, models.JSONField):
        return _as_json
    if isinstance(field, models.BooleanField) and not field.null:
        return int  # the driver looks for somebody who can adapt whatever is no plain number or text
    if isinstance(field, models.DateField):
        return lru_cache(maxsize=10_000)(lambda value: field.get_db_prep_value(value, connection))
    return None


def _as_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _table(model: Model) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _field(model: Model, name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if name in {field.name, field.attname})


def _name(model: Model, name: str) -> str:
    """The database's name of the column that an attribute is kept in."""
    return connection.ops.quote_name(_field(model, name).column)


def _names(model: Model, columns: Columns) -> str:
    return ", ".join(_name(model, name) for name in columns)


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values())))
