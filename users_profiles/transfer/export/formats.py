"""Chunks of rows become the bytes of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from django.db import connection

from users_profiles.models import Export
from users_profiles.models.user import UserQuerySet
from users_profiles.transfer import values
from users_profiles.transfer.export import changed, source, xlsx
from users_profiles.transfer.export.cells import Cell, cell
from users_profiles.transfer.export.source import Block, Rows
from users_profiles.transfer.export.wanted import Wanted

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "jsonl": "application/jsonl",
}


def blocks(people: UserQuerySet, names: Sequence[str], file_format: str, using: Any = connection) -> Iterator[Block]:
    """Yield a file of these people with these columns: some bytes at a time, and how many rows are in them.

    ``names`` must have been checked against what the actor may see. The first block comes before the first query.
    """
    cells = [cell(name, file_format) for name in names]
    if file_format == Export.Format.CSV:
        return _csv(people, names, cells, using)
    return _WRITERS[file_format](names, source.chunks(people, cells, using))


def blocks_of(wanted: Wanted, using: Any = connection) -> Iterator[Block]:
    """The same for what is wanted, be it people or what changed of them. Raises ``FileRefused`` at once, as it does."""
    if not wanted.is_about_changes:
        return blocks(wanted.people(), wanted.columns, wanted.format, using)
    chunks = changed.chunks(wanted)
    if wanted.format == Export.Format.CSV:
        return _csv_of_changes(chunks)
    if wanted.format == Export.Format.XLSX:
        return xlsx.blocks(changed.NAMES, chunks, list(changed.labels().values()))
    return _WRITERS[wanted.format](changed.NAMES, chunks)


def _csv_of_changes(chunks: Iterable[Rows]) -> Iterator[Block]:
    yield b"\xef\xbb\xbf" + _lines([tuple(changed.NAMES)]), 0
    for rows in chunks:
        yield _lines([tuple(map(values.defuse, row)) for row in rows]), len(rows)


def _csv(people: UserQuerySet, names: Sequence[str], cells: Sequence[Cell], using: Any) -> Iterator[Block]:
    yield b"\xef\xbb\xbf" + _lines([tuple(names)]), 0  # the mark tells Excel that this is UTF-8
    if source.can_copy(cells, using):
        yield from source.copied(people, cells, using)
        return
    for rows in source.chunks(people, cells, using):
        yield _lines(rows), len(rows)


def _lines(rows: Rows) -> bytes:
    """Lines of CSV as PostgreSQL writes them too: each ends in LF, and a CR in a cell puts it into quotes."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    text = out.getvalue()
    if text.count("\r") == len(rows):
        return text.replace("\r\n", "\n").encode()
    return b"".join(_line(row) for row in rows)


def _line(row: tuple[Any, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow(row)
    return out.getvalue().removesuffix("\r\n").encode() + b"\n"


def _json(names: Sequence[str], chunks: Iterable[Rows]) -> Iterator[Block]:
    yield b"[", 0
    separator = b"\n"
    for rows in chunks:
        yield separator + b",\n".join([orjson.dumps(dict(zip(names, row, strict=True))) for row in rows]), len(rows)
        separator = b",\n"
    yield (b"]\n" if separator == b"\n" else b"\n]\n"), 0


def _jsonl(names: Sequence[str], chunks: Iterable[Rows]) -> Iterator[Block]:
    yield b"", 0
    for rows in chunks:
        lines = [orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows]
        yield b"".join(lines), len(rows)


_WRITERS = {"json": _json, "jsonl": _jsonl, "xlsx": xlsx.blocks}
