"""People out of the database into a file, streamed: memory does not grow with the number of rows."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from users_profiles.models import User
from users_profiles.transfer import values
from users_profiles.transfer.columns import PersonField, PersonResource

CHUNK = 2_000
_BLOCK = 64 * 1024

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def export(people: QuerySet[User], names: Sequence[str], file_format: str) -> Iterator[bytes]:
    """Yield a file of these people with these columns, in blocks.

    ``file_format`` is a key of ``FORMATS``; ``names`` must have been checked against what the actor may see.
    """
    resource = PersonResource()
    fields = [resource.fields[name] for name in names]
    return _WRITERS[file_format](names, _rows(people, fields))


def _rows(people: QuerySet[User], fields: Sequence[PersonField]) -> Iterator[list[Any]]:
    """The cells as the columns' widgets write them, straight from tuples: no model object is ever built."""
    renders = [field.widget.render for field in fields]
    paths = [field.path for field in fields]
    # Related rows come by join: a prefetch would turn the stream into pages that are ever slower to reach.
    query = people.with_role().values_list(*paths)  # type: ignore[attr-defined]
    for row in query.iterator(chunk_size=CHUNK):
        yield [render(value) for render, value in zip(renders, row, strict=True)]


class _Echo:
    """A file for the csv module that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _csv(names: Sequence[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    write: Callable[[Iterable[str]], Any] = csv.writer(_Echo()).writerow
    buffer = ["\ufeff", write(names)]  # the mark tells Excel that this is UTF-8
    size = 0
    for row in rows:
        line = write([values.defuse(cell) for cell in row])
        buffer.append(line)
        size += len(line)
        if size > _BLOCK:
            yield "".join(buffer).encode()
            buffer, size = [], 0
    yield "".join(buffer).encode()


def _json(names: Sequence[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    separator = "[\n"
    for row in rows:
        yield (separator + json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)).encode()
        separator = ",\n"
    yield ("[]\n" if separator == "[\n" else "\n]\n").encode()


def _xlsx(names: Sequence[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    """The format is a ZIP with its table of contents at the end, so it is made in a temporary file and then sent."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("People")
    sheet.freeze_panes = "A2"
    for at, name in enumerate(names):
        sheet.column_dimensions[chr(ord("A") + at)].width = 40 if name == "bio" else 22
    sheet.append([_text_cell(sheet, name, bold=True) for name in names])
    for row in rows:
        # Text is safe as it is; only an apostrophe of its own must not be taken for our mark when the file comes back.
        sheet.append([_text_cell(sheet, values.defuse(cell) if cell.startswith("'") else cell) for cell in row])
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        yield from iter(lambda: file.read(_BLOCK), b"")


def _text_cell(sheet: Any, text: str, bold: bool = False) -> Any:
    """A cell that is text whatever it begins with; only what could be taken for a formula needs to be told so."""
    if not bold and text[:1] not in {"=", "+", "-", "@", "\t", "\r"}:
        return text
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


_WRITERS: dict[str, Callable[[Sequence[str], Iterable[list[str]]], Iterator[bytes]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}
