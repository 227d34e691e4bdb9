"""One consistent copy of a whole database while it is in use, by the means of each database itself."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from django.apps import apps
from django.db import connection, transaction
from django.db.backends.postgresql.client import DatabaseClient
from django.db.models import FileField

from users_profiles.operations.errors import BackupError

# Whoever restores need be neither the user it was of nor a superuser, as whom alone one may describe an extension.
OURS_ALONE = ("--no-owner", "--no-privileges", "--no-comments")


def take(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
    """Write the database as it is at this moment into a new file; return how many rows each table has in it.

    ``each_file`` is called with the name of every stored file that it knows of.
    """
    return _dump_postgres(path, each_file) if connection.vendor == "postgresql" else _copy_sqlite(path, each_file)


def is_known(name: str) -> bool:
    """Whether the database, as it is now, knows of a stored file."""
    with connection.cursor() as cursor:
        for table, column in _file_columns():
            cursor.execute(f"SELECT 1 FROM {table} WHERE {column} = %s LIMIT 1", [name])  # noqa: S608
            if cursor.fetchone():
                return True
    return False


def _file_columns() -> Iterator[tuple[str, str]]:
    """The tables and columns that have names of files, quoted: of those there are, for migrate may yet have to come."""
    tables = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table in tables:
            with connection.cursor() as cursor:
                described = connection.introspection.get_table_description(cursor, model._meta.db_table)
            columns = {column.name for column in described}
            for field in model._meta.concrete_fields:
                column = str(field.column)
                if isinstance(field, FileField) and column in columns:
                    yield connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(column)


def put_back(path: Path) -> None:
    """Fill the empty database from such a file."""
    if connection.vendor == "postgresql":
        _run("pg_restore", "--exit-on-error", "--single-transaction", *OURS_ALONE, str(path))
    else:
        with closing(sqlite3.connect(path)) as source:
            source.backup(_sqlite())


def count_rows() -> dict[str, int]:
    """How many rows each table has."""
    return {name: _count(name) for name in sorted(connection.introspection.table_names())}


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
        (count,) = cursor.fetchone()
    return int(count)


def _sqlite() -> sqlite3.Connection:
    connection.ensure_connection()
    own = connection.connection
    assert isinstance(own, sqlite3.Connection)  # noqa: S101
    return own


def _copy_sqlite(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
    """All pages in one reading transaction: others go on writing, and nothing of theirs gets in half."""
    with closing(sqlite3.connect(path)) as copy:
        _sqlite().backup(copy)
        [(verdict,)] = copy.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise BackupError(f"The database is damaged: {verdict}")
        for table, column in _file_columns():
            for (name,) in copy.execute(f"SELECT {column} FROM {table} WHERE {column} <> ''"):  # noqa: S608
                each_file(name)
        tables = sorted(connection.introspection.table_names())
        return {
            name: copy.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(name)}").fetchone()[0]  # noqa: S608
            for name in tables
        }


def _dump_postgres(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
    """pg_dump looks at the very state that the rows are counted in, because it is given our snapshot."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone()
        _run("pg_dump", "--format=custom", *OURS_ALONE, f"--snapshot={snapshot}", f"--file={path}")
        for table, column in _file_columns():
            with connection.chunked_cursor() as cursor:
                cursor.execute(f"SELECT {column} FROM {table} WHERE {column} <> ''")  # noqa: S608
                for (name,) in cursor:
                    each_file(name)
        return count_rows()


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on our database; the password goes by the environment, where nobody else looks."""
    psql, given = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    *place, database = psql[1:]
    try:
        done = subprocess.run(  # noqa: S603
            [program, *place, f"--dbname={database}", *arguments],
            env={**os.environ, **(given or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise BackupError(f"{program} is not installed; it is one of PostgreSQL's client programs.") from None
    if done.returncode:
        raise BackupError(done.stderr.strip() or f"{program} ended with {done.returncode}.")
