"""From bytes to rows: what kind of file it is, how it is written, and its rows one at a time.

Nothing here holds more of the file than one row and a sample from its beginning, but for the text table of an Excel
file, which the format puts apart from the rows.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import zipfile
from collections.abc import Generator, Sequence
from datetime import date, datetime, time
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import DefusedXmlException
from django.conf import settings
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import WorkSheetParser

from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Kind, Options

Row = list[str]
Rows = Generator[tuple[int, Row], None, None]

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
HEADER_WITHIN = 20  # rows of preamble (a title, a date, a blank line) that may stand above the header
_OLE = b"\xd0\xcf\x11\xe0"
_BLOCK = 1024 * 1024
# What openpyxl, zipfile and the XML parser raise on files that are broken or made to hurt.
_BROKEN_XLSX = (
    zipfile.BadZipFile, InvalidFileException, DefusedXmlException, ParseError, KeyError, ValueError, TypeError,
    IndexError, AttributeError, OSError, EOFError, NotImplementedError, OverflowError,
)  # fmt: skip


def examine(file: IO[bytes]) -> Options:
    """Find out how a file is written and what its columns mean.

    Raises ``FileRefused`` with a sentence when it cannot be imported at all.
    """
    options = Options(region=settings.PHONE_DEFAULT_REGION)
    file.seek(0)
    start = file.read(8)
    if not start:
        raise FileRefused(_("This file is empty."))
    if start.startswith(_OLE):
        raise FileRefused(_("This is an old or protected Excel file. Save it as .xlsx without a password, or as CSV."))
    if start.startswith(b"PK\x03\x04"):
        options.kind = Kind.XLSX
        _check_unpacked_size(file)
    else:
        options.encoding = _encoding(file)
        options.delimiter = _delimiter(_sample_text(file, options.encoding))
    _find_header(file, options)
    options.mapping = columns.guess_mapping(options.headers)
    options.match = options.match if "username" in options.mapping else type(options.match).EMAIL
    return options


def rows(file: IO[bytes], options: Options) -> Rows:
    """Yield the rows below the header with their numbers as a spreadsheet shows them, blank ones left out.

    Raises ``FileRefused`` where the file turns out to be broken or beyond a limit.
    """
    count = 0
    for number, row in _all_rows(file, options):
        if number <= options.header_row or not any(row):
            continue
        count += 1
        if count > settings.IMPORT_MAX_ROWS:
            raise FileRefused(
                _("This file has more than %(limit)s rows. Split it into smaller files.")
                % {"limit": settings.IMPORT_MAX_ROWS}
            )
        yield number, row


def sample(file: IO[bytes], options: Options, most: int = 3) -> list[Row]:
    """The first few rows below the header, to show what the columns hold."""
    found = []
    with contextlib.closing(rows(file, options)) as lines:
        for _number, row in lines:
            found.append(row)
            if len(found) == most:
                break
    return found


def estimate_rows(file: IO[bytes], options: Options) -> int:
    """About how many rows there are: line ends for text (an upper bound), row tags for Excel."""
    if options.kind is Kind.XLSX:
        with zipfile.ZipFile(file) as archive, archive.open(_first_sheet_path(archive)) as sheet:
            found = _count(sheet, b"<row")
    else:
        found = _count(file, b"\n") or _count(file, b"\r")
    return max(0, found - options.header_row)


def _count(file: IO[bytes], needle: bytes) -> int:
    """Count a short needle in a stream; one that straddles two blocks may be missed, which an estimate can bear."""
    file.seek(0)
    return sum(block.count(needle) for block in iter(lambda: file.read(_BLOCK), b""))


def _all_rows(file: IO[bytes], options: Options) -> Rows:
    return _xlsx_rows(file) if options.kind is Kind.XLSX else _text_rows(file, options.encoding, options.delimiter)


def _find_header(file: IO[bytes], options: Options) -> None:
    """Take the row that names most of our columns; a file that names none has its header on top."""
    best: tuple[int, int, Row] | None = None
    with contextlib.closing(_all_rows(file, options)) as lines:
        for position, (number, row) in enumerate(lines):
            if position >= HEADER_WITHIN:
                break
            known = columns.recognised(row)
            if any(row) and (best is None or known > best[0]):
                best = (known, number, row)
    if best is None:
        raise FileRefused(_("This file has no rows."))
    _known, options.header_row, headers = best
    while headers and not headers[-1]:
        headers.pop()
    options.headers = [header or _("(column %(number)s)") % {"number": at} for at, header in enumerate(headers, 1)]


# Text ---------------------------------------------------------------------------------------------------------------


def _encoding(file: IO[bytes]) -> str:
    """The encoding of the whole file: by its mark, else UTF-8 if it is that throughout, else what Excel writes."""
    file.seek(0)
    start = file.read(4_096)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Unmarked UTF-16 of mostly Latin text has a zero in every second byte.
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = start[offset::2]
        if half and half.count(0) > len(half) * 0.6:
            return name
    return next(name for name in ("utf-8", "cp1252", "latin-1") if _decodes(file, name))


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        for block in iter(lambda: file.read(_BLOCK), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _sample_text(file: IO[bytes], encoding: str) -> str:
    file.seek(0)
    data = file.read(SAMPLE_BYTES)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(data, final=False)
    if len(data) == SAMPLE_BYTES:  # do not judge by a line cut in half
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _delimiter(text: str) -> str:
    """The delimiter that makes the best table: one with our headers in it, and with rows of one width."""
    return max(DELIMITERS, key=lambda delimiter: _table_score(text, delimiter))


def _table_score(text: str, delimiter: str) -> tuple[int, float, int]:
    table: list[Row] = []
    with contextlib.suppress(csv.Error):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                table.append(row)
            if len(table) == 100:
                break
    if not table:
        return 0, 0.0, 0
    widths = [len(row) for row in table]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    known = max(columns.recognised(row) for row in table[:HEADER_WITHIN])
    return known, widths.count(usual) / len(widths) if usual > 1 else 0.0, usual


def _text_rows(file: IO[bytes], encoding: str, delimiter: str) -> Rows:
    file.seek(0)
    text = io.TextIOWrapper(_Unclosable(file), encoding=encoding, newline="")  # type: ignore[type-var]
    number = 0
    try:
        # Strict: without it a quotation mark that is never closed swallows the rest of the file into one cell.
        for row in csv.reader(text, delimiter=delimiter, strict=True):
            number += 1
            if len(row) > settings.IMPORT_MAX_COLUMNS:
                raise FileRefused(_too_many_columns(number))
            yield number, row
    except csv.Error as error:
        raise FileRefused(
            _("Row %(row)s: a quotation mark is never closed, or stands in the middle of a cell. Mend it there.")
            % {"row": number + 1}
        ) from error
    except UnicodeDecodeError as error:
        raise FileRefused(
            _("After row %(row)s there are bytes that are not text. Save the file as CSV in UTF-8.") % {"row": number}
        ) from error


class _Unclosable(io.RawIOBase):
    """Lets a TextIOWrapper go without closing the file that was lent to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _too_many_columns(number: int) -> str:
    return _("Row %(row)s has more than %(limit)s columns. Delete what does not belong there.") % {
        "row": number,
        "limit": settings.IMPORT_MAX_COLUMNS,
    }


# Excel --------------------------------------------------------------------------------------------------------------


def _check_unpacked_size(file: IO[bytes]) -> None:
    """Refuse a zip bomb by what its directory says; zipfile itself never unpacks more than that."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            names = {member.filename for member in members}
    except zipfile.BadZipFile as error:
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


def _first_sheet_path(archive: zipfile.ZipFile) -> str:
    sheets = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml"))
    if not sheets:
        raise FileRefused(_not_excel())
    return sheets[0]


def _xlsx_rows(file: IO[bytes]) -> Rows:
    """The rows of the first sheet that are in the file.

    The library's own iteration invents a row for every number it skips (a cell in row 1,048,576 costs minutes) and
    believes the size the file claims; its parser underneath yields what is there.
    """
    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        with sheet._get_source() as source:
            parser = WorkSheetParser(
                source,
                sheet._shared_strings,
                data_only=True,
                epoch=book.epoch,
                date_formats=book._date_formats,
                timedelta_formats=book._timedelta_formats,
            )
            for number, cells in parser.parse():
                yield int(number), _dense(cells, int(number))
    except FileRefused:
        raise
    except _BROKEN_XLSX as error:
        raise FileRefused(_not_excel()) from error


def _dense(cells: Sequence[dict[str, Any]], number: int) -> Row:
    """Cells come with column numbers and gaps; a row is a list without any."""
    row: Row = []
    for cell in cells:
        value = _cell_text(cell["value"])
        if not value:
            continue
        if cell["column"] > settings.IMPORT_MAX_COLUMNS:
            raise FileRefused(_too_many_columns(number))
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
