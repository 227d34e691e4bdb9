"""An Excel file written row by row while it is being sent.

The library makes the file around an empty sheet: types, styles, widths, the frozen and filterable header. The rows
are put in between as text, which is several times as fast as a cell object each, and needs no place to keep them.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from users_profiles.transfer import columns, values
from users_profiles.transfer.export.source import Block, Rows

# What a sheet holds, beside its header.
MAX_ROWS = 1_048_575
_DAY_ZERO, _DAY = datetime(1899, 12, 30), timedelta(days=1)
_SHEET = "xl/worksheets/sheet1.xml"
_WIDTHS = {"bio": 40, "email": 30, "is_active": 10, "role": 12, "version": 10}
_MOMENTS = ("date_joined", "last_login", "updated_at", "deactivated_at", "when")
_DATES = {"birth_date": "yyyy-mm-dd", **dict.fromkeys(_MOMENTS, "yyyy-mm-dd hh:mm")}
# The level at which packing costs about as much as all the rest; higher ones make the file little smaller.
_LEVEL = 3
# What means something to XML, and what it cannot hold: that is written as Excel writes it. And what would be read so.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_TO_ESCAPE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9a-fA-F]{4}_)")


def blocks(names: Sequence[str], chunks: Iterable[Rows], headers: Sequence[str] = ()) -> Iterator[Block]:
    """Yield the file: some bytes at a time, and how many rows are in them.

    With ``headers`` of their own the columns need not be ours: what we do not know is text.
    """
    labels = columns.labels()
    skeleton = zipfile.ZipFile(_skeleton(names, headers or [str(labels[name]) for name in names]))
    head, sample, tail = _around_the_rows(skeleton.read(_SHEET).decode())
    write = _Cells(names, re.findall(r'<c r="[A-Z]+2" s="(\d+)"', sample))
    out = _Outlet()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in skeleton.namelist():
            if name not in {_SHEET, "xl/workbook.xml"}:
                archive.writestr(name, skeleton.read(name))
        yield out.take(), 0
        at = 1
        with archive.open(_SHEET, "w", force_zip64=True) as sheet:
            sheet.write(head.encode())
            for rows in chunks:
                sheet.write(write(rows, at + 1))
                at += len(rows)
                yield out.take(), len(rows)
            sheet.write(_until(tail, at).encode())
        archive.writestr("xl/workbook.xml", _until(skeleton.read("xl/workbook.xml").decode(), at))
    yield out.take(), 0


def _skeleton(names: Sequence[str], headers: Sequence[str]) -> io.BytesIO:
    """A whole file with its header and one empty row that has the styles of the columns."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = str(_("People"))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(sum(map(bool, headers)))}2"
    for at, (name, header) in enumerate(zip(names, headers, strict=True), 1):
        title = sheet.cell(1, at, ILLEGAL_CHARACTERS_RE.sub("", header))
        title.data_type = "s"  # the library makes a formula of what looks like one
        title.font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTHS.get(name, 20)
        sheet.cell(2, at).number_format = _DATES.get(name, "General")
        sheet.cell(2, at).font = Font(italic=False)
    file = io.BytesIO()
    book.save(file)
    return file


def _around_the_rows(xml: str) -> tuple[str, str, str]:
    """What comes before the second row, that row, and what comes after it."""
    # How large the sheet is comes first and cannot be known yet; what is false there makes readers drop rows.
    xml = re.sub(r"<dimension [^>]*>", "", xml)
    start = xml.index('<row r="2"')
    end = xml.index("</sheetData>")
    return xml[:start], xml[start:end], xml[end:]


def _until(xml: str, last: int) -> str:
    """Where the skeleton names the range of the filter, have it reach as far as the rows do."""
    return re.sub(r'(A1:[A-Z]+|\$A\$1:\$[A-Z]+\$)2(?=["<])', rf"\g<1>{max(last, 1)}", xml)


class _Cells:
    """Rows as the text of a sheet, a column of a chunk at a time."""

    def __init__(self, names: Sequence[str], styles: Sequence[str]) -> None:
        letters = map(get_column_letter, range(1, len(names) + 1))
        self._columns = list(zip(letters, map(_kind, names), styles, strict=True))

    def __call__(self, rows: Rows, first: int) -> bytes:
        numbers = range(first, first + len(rows))
        columns = [
            kind(f'<c r="{letter}', style, column, numbers)
            for (letter, kind, style), column in zip(self._columns, zip(*rows, strict=True), strict=True)
        ]
        lines = [f'<row r="{number}">' for number in numbers]
        return "".join(chain.from_iterable(zip(lines, *columns, repeat("</row>"), strict=False))).encode()


def _kind(name: str) -> Callable[..., list[str]]:
    return _dates if name in _DATES else _numbers if name == "version" else _texts


def _texts(start: str, style: str, column: Sequence[Any], numbers: Iterable[int]) -> list[str]:
    """Cells that are text whatever they begin with; no cell at all where there is none."""
    return [
        f'{start}{number}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else ""
        for number, text in zip(numbers, _escaped(column), strict=True)
    ]


def _dates(start: str, style: str, column: Sequence[Any], numbers: Iterable[int]) -> list[str]:
    """Days and moments as the number of days that Excel counts, in a style that shows them as what they are."""
    return [
        f'{start}{number}" s="{style}"><v>{(moment - _DAY_ZERO) / _DAY:.15g}</v></c>' if moment else ""
        for number, moment in zip(numbers, column, strict=True)
    ]


def _numbers(start: str, style: str, column: Sequence[Any], numbers: Iterable[int]) -> list[str]:
    return [
        f'{start}{number}"><v>{value}</v></c>' if value is not None else ""
        for number, value in zip(numbers, column, strict=True)
    ]


def _escaped(column: Sequence[Any]) -> Sequence[str]:
    """The texts as XML has them; most columns hold nothing that needs it, and one look at all of it says so."""
    try:
        text = "\n".join(column)
    except TypeError:  # somebody has no profile; to look for them beforehand would cost everybody
        column = [cell or "" for cell in column]
        text = "\n".join(column)
    # A text needs no mark to be safe here; but an apostrophe of its own must not be taken for one on the way back.
    if text.startswith("'") or "\n'" in text:
        column = [values.defuse(cell) if cell.startswith("'") else cell for cell in column]
    if _TO_ESCAPE.search(text):
        return [_TO_ESCAPE.sub(_escape, cell) for cell in column]
    return column


def _escape(found: re.Match[str]) -> str:
    return _ENTITIES.get(found[0]) or f"_x{ord(found[0]):04X}_"


class _Outlet(io.RawIOBase):
    """Where the archive is written to and from where it is taken away again: it can never look back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What has been written since the last time."""
        data, self._parts = b"".join(self._parts), []
        return data
