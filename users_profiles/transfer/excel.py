"""Rows of an Excel file, in bounded memory and by what is in the file, not by what it claims."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from array import array
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any, cast
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from django.conf import settings
from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from users_profiles.transfer.errors import FileRefused, too_many_columns
from users_profiles.transfer.options import Options, Row, Rows

# What openpyxl, zipfile and the XML parser raise on files that are broken or made to hurt.
BROKEN = (
    zipfile.BadZipFile, InvalidFileException, DefusedXmlException, ParseError, KeyError, ValueError, TypeError,
    IndexError, AttributeError, OSError, EOFError, NotImplementedError, OverflowError,
)  # fmt: skip


def check_unpacked_size(file: IO[bytes]) -> None:
    """Refuse a zip bomb by what its directory says; zipfile itself never unpacks more than that."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            names = {member.filename for member in members}
    except BROKEN as error:
        raise FileRefused(_not_excel()) from error
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused(_("This is a ZIP archive, not a table. Choose a CSV or Excel (.xlsx) file."))
    if size > settings.IMPORT_MAX_UNPACKED_BYTES or len(members) > 10_000:
        raise FileRefused(
            _("This Excel file unpacks to more than %(limit)s MB. Save the sheet as CSV, or split it.")
            % {"limit": settings.IMPORT_MAX_UNPACKED_BYTES // 1024**2}
        )


def _not_excel() -> str:
    return _("This Excel file is damaged or has something in it we refuse to read. Save it anew, or as CSV.")


@dataclass
class _Sheet:
    title: str
    path: str
    is_hidden: bool


class _Book(ExcelReader):
    """As much of an Excel file as its rows need.

    The library's own reading holds all texts in a list, which is larger than the file, and looks through every sheet
    that does not say how large it is.
    """

    shared_strings: Any
    sheets: list[_Sheet]

    def read(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        self.sheets = [
            _Sheet(sheet.name, part.target, sheet.state != "visible")
            for sheet, part in self.parser.find_sheets()
            if part.target in self.valid_files and part.Type.endswith("/worksheet")
        ]

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is not None:
            self.shared_strings = _Strings(self.archive.open(part.PartName[1:]))

    def sheet(self, title: str) -> IO[bytes]:
        """The sheet of this name, unparsed."""
        for sheet in self.sheets:
            if sheet.title == title:
                return cast("IO[bytes]", self.archive.open(sheet.path))
        raise FileRefused(_("This file has no sheet with that name."))


class _Strings:
    """The texts of an Excel file by their number, read no further than asked for and kept in a temporary file."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = _texts(source)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it is forgotten, as this object is)
        self._ends = array("Q", [0])

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        if number + 1 >= len(self._ends):
            self._read_to(number)
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def _read_to(self, number: int) -> None:
        self._file.seek(self._ends[-1])
        for text in self._source:
            self._ends.append(self._ends[-1] + self._file.write(text.encode("utf-8", "surrogatepass")))
            if number + 1 < len(self._ends):
                return
        raise IndexError(number)


_ITEM, _TEXT, _RUN = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("si", "t", "r"))


def _texts(source: IO[bytes]) -> Generator[str, None, None]:
    root = None
    for event, node in iterparse(source, events=("start", "end")):
        if root is None:
            root = node
        if event == "end" and node.tag == _ITEM:
            # Text stands in the item, or in runs of one look each; how it is pronounced stands elsewhere in it.
            parts = [node.findtext(_TEXT), *(run.findtext(_TEXT) for run in node.findall(_RUN))]
            yield "".join(filter(None, parts)).replace("x005F_", "")
            root.clear()  # or it would keep an empty element for every text


@contextlib.contextmanager
def opened(file: IO[bytes]) -> Generator[_Book, None, None]:
    """The workbook, with whatever is wrong with it said in a sentence."""
    file.seek(0)
    try:
        book = _Book(file, read_only=True, data_only=True, keep_links=False)
        book.read()
        yield book
    except FileRefused:
        raise
    except BROKEN as error:
        raise FileRefused(_not_excel()) from error


def sheets(file: IO[bytes]) -> list[str]:
    """The names of the sheets, those that people see first."""
    with opened(file) as book:
        if not book.sheets:
            raise FileRefused(_("This Excel file has no sheet with cells."))
        return [sheet.title for sheet in sorted(book.sheets, key=lambda sheet: sheet.is_hidden)]


def rows(file: IO[bytes], options: Options) -> Rows:
    """The rows of the chosen sheet that are in the file.

    The library's own iteration invents a row for every number it skips (a cell in row 1,048,576 costs minutes) and
    believes the size the file claims; its parser underneath yields what is there.
    """
    with opened(file) as book, book.sheet(options.sheet) as source:
        parser = WorkSheetParser(
            source,
            book.shared_strings,
            data_only=True,
            epoch=book.wb.epoch,
            date_formats=book.wb._date_formats,
            timedelta_formats=book.wb._timedelta_formats,
        )
        for number, cells in parser.parse():
            yield int(number), _dense(cells, int(number))


def _dense(cells: Sequence[dict[str, Any]], number: int) -> Row:
    """Cells come with column numbers and gaps; a row is a list without any."""
    row: Row = []
    for cell in cells:
        value = _cell_text(cell["value"])
        if not value:
            continue
        if cell["column"] > settings.IMPORT_MAX_COLUMNS:
            raise FileRefused(too_many_columns(number))
        row.extend([""] * (cell["column"] - len(row)))
        row[cell["column"] - 1] = value
    return row


def _cell_text(value: Any) -> str:
    """What a person sees in the cell, more or less: the value functions take it from there."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
