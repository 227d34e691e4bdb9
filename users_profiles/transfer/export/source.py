"""The rows of an export out of the database, in chunks, by the plainest way its driver has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from users_profiles.models.user import UserQuerySet
from users_profiles.transfer.export.cells import Cell

CHUNK = 2_000

Rows = list[tuple[Any, ...]]
Block = tuple[bytes, int]  # some bytes of the file, and how many rows are in them


def chunks(people: UserQuerySet, cells: Sequence[Cell], using: Any = connection) -> Iterator[Rows]:
    """The cells of these people, some rows at a time.

    A plain query on the driver's cursor: the ORM would call a converter for every cell. ``using`` is the connection
    that is read from; PostgreSQL keeps the result there, SQLite takes no lock that a writer would wait for.
    """
    query = _compiled(people, cells)
    if query is None:
        return
    finishes = [(at, cell.finish) for at, cell in enumerate(cells) if cell.finish]
    with using.chunked_cursor() as cursor:
        cursor.execute(*query)
        while rows := cursor.fetchmany(CHUNK):
            yield _finished(rows, finishes) if finishes else rows


def _finished(rows: Rows, finishes: Sequence[tuple[int, Any]]) -> Rows:
    columns = list(zip(*rows, strict=True))
    for at, finish in finishes:
        columns[at] = tuple(map(finish, columns[at]))
    return list(zip(*columns, strict=True))


def can_copy(cells: Sequence[Cell], using: Any = connection) -> bool:
    """Whether the database can write lines of CSV by itself that are the same as ours, byte for byte.

    A line of a single column is not: an empty cell and the mark of the end are written differently there.
    """
    return using.vendor == "postgresql" and len(cells) > 1 and not any(cell.finish for cell in cells)


def copied(people: UserQuerySet, cells: Sequence[Cell], using: Any = connection) -> Iterator[Block]:
    """Lines of CSV as PostgreSQL writes them, some at a time."""
    query = _compiled(people, cells)
    if query is None:
        return
    sql, params = query
    lines: list[bytes] = []
    # The driver's own cursor: the one that Django puts around it for DEBUG does not take the parameters.
    with using.cursor() as cursor, cursor.cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)", params) as copy:
        for line in copy:
            lines.append(line)
            if len(lines) == CHUNK:
                yield b"".join(lines), CHUNK
                lines = []
    yield b"".join(lines), len(lines)


def _compiled(people: UserQuerySet, cells: Sequence[Cell]) -> tuple[str, Any] | None:
    """The query and its parameters; None when it is clear beforehand that nobody is found."""
    # Related rows come by join: a prefetch would turn the stream into pages that are ever slower to reach.
    query = people.values_list(*(cell.expression for cell in cells)).query
    try:
        sql, params = query.sql_with_params()
    except EmptyResultSet:
        return None
    return sql, params
