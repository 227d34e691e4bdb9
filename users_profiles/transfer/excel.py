"""Rows of an Excel file, in bounded memory and by what is in the file, not by what it claims."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import IO, cast
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from django.conf import settings
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.xml.constants import SHARED_STRINGS

from users_profiles.sentences import sentence as _
from users_profiles.transfer import excel_parts
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Options, Rows

# What openpyxl, zipfile and the XML parser raise on files that are broken or made to hurt.
BROKEN = (
    zipfile.BadZipFile, InvalidFileException, DefusedXmlException, ParseError, ExpatError, KeyError, ValueError,
    TypeError, IndexError, AttributeError, OSError, EOFError, NotImplementedError, OverflowError,
)  # fmt: skip
# Manifest, styles and the list of sheets are far smaller.
LARGEST_WHOLE = 16 * 1024**2


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


class _Archive(zipfile.ZipFile):
    """Does not hand out as a whole what is too large for that: the library makes a tree of all it gets so."""

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if part.file_size > LARGEST_WHOLE:
            raise FileRefused(_not_excel())
        return super().read(part, pwd)


class _Book(ExcelReader):
    """As much of an Excel file as its rows need.

    The library's own reading holds all texts in a list, which is larger than the file, and looks through every sheet
    that does not say how large it is.
    """

    texts: Mapping[int, str] | excel_parts.Texts
    dates: excel_parts.Dates
    sheets: list[_Sheet]

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.archive = _Archive(file)

    def read(self) -> None:
        self.read_manifest()
        part = self.package.find(SHARED_STRINGS)
        self.texts = {} if part is None else excel_parts.Texts(self.archive.open(part.PartName[1:]))
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        self.dates = excel_parts.Dates(self.wb.epoch, self.wb._date_formats, self.wb._timedelta_formats)
        self.sheets = [
            _Sheet(sheet.name, part.target, sheet.state != "visible")
            for sheet, part in self.parser.find_sheets()
            if part.target in self.valid_files and part.Type.endswith("/worksheet")
        ]

    def sheet(self, title: str) -> IO[bytes]:
        """The sheet of this name, unparsed."""
        for sheet in self.sheets:
            if sheet.title == title:
                return cast("IO[bytes]", self.archive.open(sheet.path))
        raise FileRefused(_("This file has no sheet with that name."))


@contextlib.contextmanager
def opened(file: IO[bytes]) -> Generator[_Book, None, None]:
    """The workbook, with whatever is wrong with it said in a sentence."""
    file.seek(0)
    try:
        book = _Book(file)
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
    believes the size the file claims.
    """
    with opened(file) as book, book.sheet(options.sheet) as source:
        yield from excel_parts.Cells(source, book.texts, book.dates).rows()


def count_rows(file: IO[bytes], options: Options) -> int:
    """About how many rows the chosen sheet has; a tag that straddles two blocks is missed, which nobody minds."""
    with opened(file) as book, book.sheet(options.sheet) as source:
        blocks = iter(lambda: source.read(1024**2), b"")
        return sum(block.count(b"<row") + block.count(b":row ") for block in blocks)  # with a prefix before it or none
