"""Many rows into a table at once, as fast as each database takes them.

Three ways, one interface: the ORM's own bulk operations work anywhere and are what the other two are tested against;
SQLite is fastest with one prepared statement and many rows, PostgreSQL with COPY. None sends signals or checks values:
what comes here has been cleaned.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

import orjson
from django.db import connection, models
from django.db.models.expressions import RawSQL

Model = type[models.Model]
Values = Sequence[Any]


class Bulk(Protocol):
    """Writes rows given as tuples in the order of ``names`` (attribute names, such as ``user_id``)."""

    def insert(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        """Insert rows that are not there yet; a key the database makes itself is left out of ``names``."""

    def insert_numbered(self, model: Model, names: Sequence[str], rows: Sequence[Values]) -> Sequence[int]:
        """Insert rows and return the keys they were given, in order."""

    def update(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        """Update rows that are there; the first of ``names`` is the primary key."""


def bulk() -> Bulk:
    """The fastest way to write that the default database knows."""
    ways: dict[str, type[Bulk]] = {"sqlite": SQLiteBulk, "postgresql": PostgresBulk}
    return ways.get(connection.vendor, PortableBulk)()


def among(values: Collection[Any], of: str = "text") -> Any:
    """For the right side of an ``__in``: a thousand values as one parameter, which spares the ORM a look at each.

    ``of`` is what PostgreSQL calls their type.
    """
    if connection.vendor == "sqlite":
        return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])
    if connection.vendor == "postgresql":
        return RawSQL(f"SELECT unnest(%s::{of}[])", [list(values)])  # noqa: S611 (of is ours)
    return values


class PortableBulk:
    """By the ORM."""

    def insert(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        model._base_manager.bulk_create([model(**dict(zip(names, row, strict=True))) for row in rows])

    def insert_numbered(self, model: Model, names: Sequence[str], rows: Sequence[Values]) -> Sequence[int]:
        made = model._base_manager.bulk_create([model(**dict(zip(names, row, strict=True))) for row in rows])
        return [row.pk for row in made]

    def update(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        fields = [model._meta.get_field(name.removesuffix("_id")).name for name in names]
        objects = [model(**dict(zip(names, row, strict=True))) for row in rows]
        if objects:
            model._base_manager.bulk_update(objects, fields[1:], batch_size=200)


class SQLiteBulk:
    """One statement, prepared once and run for every row; the caller's transaction makes it one write."""

    def insert(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        marks = ", ".join(["%s"] * len(names))
        statement = f"INSERT INTO {_table(model)} ({_columns(model, names)}) VALUES ({marks})"  # noqa: S608
        with connection.cursor() as cursor:
            _run_many(cursor, statement, _stored(model, names, rows))

    def insert_numbered(self, model: Model, names: Sequence[str], rows: Sequence[Values]) -> Sequence[int]:
        """Take the next keys ourselves: we hold the write lock, so nobody else can."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
            [last] = cursor.fetchone() or [0]
        keys = range(last + 1, last + 1 + len(rows))
        self.insert(model, ["id", *names], ((key, *row) for key, row in zip(keys, rows, strict=True)))
        return keys

    def update(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        pk, *others = (_column(model, name) for name in names)
        changes = ", ".join(f"{column} = %s" for column in others)
        with connection.cursor() as cursor:
            statement = f"UPDATE {_table(model)} SET {changes} WHERE {pk} = %s"  # noqa: S608
            _run_many(cursor, statement, ((*row[1:], row[0]) for row in _stored(model, names, rows)))


def _run_many(cursor: Any, statement: str, rows: Iterable[Values]) -> None:
    """Hand rows over as they come; the cursor takes any iterable, its stubs want a list."""
    cursor.executemany(statement, rows)


class PostgresBulk:
    """COPY, straight into the table for new rows, into a temporary one for a set-based update."""

    def insert(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        self._copy(_table(model), _columns(model, names), _stored(model, names, rows))

    def insert_numbered(self, model: Model, names: Sequence[str], rows: Sequence[Values]) -> Sequence[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [_table(model), len(rows)],
            )
            keys = [key for (key,) in cursor.fetchall()]
        self.insert(model, ["id", *names], ((key, *row) for key, row in zip(keys, rows, strict=True)))
        return keys

    def update(self, model: Model, names: Sequence[str], rows: Iterable[Values]) -> None:
        pk, *others = (_column(model, name) for name in names)
        changes = ", ".join(f"{column} = fresh.{column}" for column in others)
        table, columns = _table(model), _columns(model, names)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608
            self._copy("fresh", columns, _stored(model, names, rows))
            cursor.execute(f"UPDATE {table} SET {changes} FROM fresh WHERE {table}.{pk} = fresh.{pk}")  # noqa: S608
            cursor.execute("DROP TABLE fresh")

    def _copy(self, table: str, columns: str, rows: Iterable[Values]) -> None:
        # Python's csv module writes a chunk in a third of the time that the driver takes value by value. Nothing in a
        # file can be taken for the sign for NULL: it is made up anew each time.
        null = f"null-{secrets.token_hex(8)}"
        # copy() is the driver's own and would raise the driver's own errors, which nobody above looks for.
        with (
            connection.wrap_database_errors,
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '{null}')") as copy,
        ):
            copy.write(_as_csv(rows, null))


def _as_csv(rows: Iterable[Values], null: str) -> str:
    table: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at, column in enumerate(table):
        if None in column:
            table[at] = [null if value is None else value for value in column]
    out = io.StringIO(newline="")
    csv.writer(out).writerows(zip(*table, strict=True))
    return out.getvalue()


def _stored(model: Model, names: Sequence[str], rows: Iterable[Values]) -> Iterable[Values]:
    """The rows with their values as the driver takes them: column by column, those it takes as they are untouched."""
    changed = [(at, convert) for at, name in enumerate(names) if (convert := _converter(_field(model, name)))]
    if not changed:
        return rows
    table: list[Sequence[Any]] = list(zip(*rows, strict=True))
    if not table:
        return ()
    for at, convert in changed:
        table[at] = [convert(value) for value in table[at]]
    return zip(*table, strict=True)


@cache
def _converter(field: Any) -> Callable[[Any], Any] | None:
    """What Django itself does to a value of this field on its way to this database, where it does anything."""
    if isinstance(field, models.JSONField):
        return lambda value: orjson.dumps(value).decode()
    if isinstance(field, models.DateField) and connection.vendor == "sqlite":
        # The same days, and the same moment, come again and again.
        return lru_cache(maxsize=10_000)(lambda value: field.get_db_prep_value(value, connection))
    return None


def _table(model: Model) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _field(model: Model, name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if name in {field.name, field.attname})


def _column(model: Model, name: str) -> str:
    return connection.ops.quote_name(_field(model, name).column)


def _columns(model: Model, names: Sequence[str]) -> str:
    return ", ".join(_column(model, name) for name in names)
