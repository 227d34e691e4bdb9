"""From bytes to rows: what kind of file it is, how it is written, and its rows one at a time.

Nothing here holds more of the file in memory than one row and a sample from its beginning. The texts of an Excel file,
which the format puts apart from the rows, wait in a temporary file no larger than IMPORT_MAX_UNPACKED_BYTES.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Sequence
from itertools import islice
from typing import IO, Any

from django.conf import settings

from users_profiles.sentences import sentence as _
from users_profiles.transfer import columns, dates, excel
from users_profiles.transfer.errors import FileRefused, too_many_columns
from users_profiles.transfer.options import DateOrder, Kind, Match, Options, Row, Rows

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 256 * 1024
DATES_LOOKED_AT = 2_000  # rows whose dates may say which comes first, day or month
HEADER_WITHIN = 20  # rows of preamble (a title, a date, a blank line) that may stand above the header
SHEETS_LOOKED_AT = 20
LONGEST_HEADER = 200  # more of a column's name than anybody needs to know which one it is
_OLE = b"\xd0\xcf\x11\xe0"
# How other formats begin that are text, too. Many a program calls a web page with a table in it an Excel file.
_JSON = re.compile(r'\s*(\{\s*"|\[\s*(\{\s*["}]|\[\s*"|\]))')
_MARKUP = re.compile(r"\s*<(!doctype|html|head|body|table|meta|\?xml|!--)", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
_BLOCK = 1024 * 1024
ROWS_AT_ONCE = 500  # rows of a text that are taken from it in one go


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
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused(_("This file is in UTF-32, which hardly anything reads. Save it as CSV in UTF-8."))
    if start.startswith(b"PK\x03\x04"):
        options.kind = Kind.XLSX
        excel.check_unpacked_size(file)
        options.sheets = excel.sheets(file)
    else:
        options.encoding = _encoding(file)
        text = _sample_text(file, options.encoding)
        _refuse_binary(text)
        _refuse_other_formats(text)
        options.delimiter = _delimiter(text)
    _find_header(file, options)
    _recognise(file, options)
    return options


def reread(file: IO[bytes], options: Options) -> None:
    """Take the columns from the encoding, delimiter, sheet and header row that staff chose.

    Raises ``FileRefused``, and leaves ``options`` half changed, when the file cannot be read that way.
    """
    if options.kind is Kind.XLSX and options.sheet not in options.sheets:
        raise FileRefused(_("This file has no sheet with that name."))
    if options.kind is Kind.TEXT and not _decodes(file, options.encoding):
        raise FileRefused(_("The file cannot be read in this encoding. Choose another one."))
    with contextlib.closing(_all_rows(file, options)) as lines:
        # Without a header, the first row says how many columns there are.
        wanted = max(options.header_row, 1)
        headers = next((row for number, row in lines if number >= wanted and (number == wanted or any(row))), [])
    if not any(headers):
        raise FileRefused(
            _("Row %(row)s is empty. Choose the row with the names of the columns.") % {"row": options.header_row}
        )
    _name_columns(options, headers if options.header_row else [""] * len(headers))
    _recognise(file, options)


def _recognise(file: IO[bytes], options: Options) -> None:
    """Find out what the columns mean, and in what order their dates are written."""
    options.mapping, options.origins = columns.recognise(options.headers)
    options.version_at = columns.version_at(options.headers)
    options.match = Match.USERNAME if "username" in options.mapping else Match.EMAIL
    options.date_order = DateOrder.ASK
    places = [at for at, name in enumerate(options.mapping) if name in columns.DATES]
    # A wrong byte further down is for the check to find, with the row it is in.
    with contextlib.suppress(FileRefused):
        rows = sample(file, options, most=DATES_LOOKED_AT) if places else []
        options.date_order = dates.order_of(row[at] for at in places for row in rows if at < len(row))


def rows(file: IO[bytes], options: Options) -> Rows:
    """Yield the rows below the header with their numbers as a spreadsheet shows them, blank ones left out.

    Raises ``FileRefused`` where the file turns out to be broken or beyond a limit.
    """
    count, most, header_row = 0, settings.IMPORT_MAX_ROWS, options.header_row
    for number, row in _all_rows(file, options):
        if number <= header_row or not any(row):
            continue
        count += 1
        if count > most:
            raise FileRefused(
                _("This file has more than %(limit)s rows. Split it into smaller files.") % {"limit": most}
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
    is_excel = options.kind is Kind.XLSX
    found = excel.count_rows(file, options) if is_excel else _count(file, b"\n") or _count(file, b"\r")
    return max(0, found - options.header_row)


def _count(file: IO[bytes], needle: bytes) -> int:
    """Count a sign in a stream."""
    file.seek(0)
    return sum(block.count(needle) for block in iter(lambda: file.read(_BLOCK), b""))


def _all_rows(file: IO[bytes], options: Options) -> Rows:
    if options.kind is Kind.XLSX:
        return excel.rows(file, options)
    return _text_rows(file, options.encoding, options.delimiter)


def _find_header(file: IO[bytes], options: Options) -> None:
    """Take the row that names most of our columns; a file that names none has its header on top.

    Of several sheets it is the one with the best header: many a file begins with a cover sheet.
    """
    found = []
    for sheet in options.sheets[:SHEETS_LOOKED_AT] or [""]:
        options.sheet = sheet
        header = _best_header(file, options)
        if header is not None:
            found.append((header, sheet))
    if not found:
        raise FileRefused(_("This file has no rows."))
    (_known, options.header_row, headers), options.sheet = max(found, key=lambda header: header[0][0])
    while headers and not headers[-1]:
        headers.pop()
    _name_columns(options, headers)


def _best_header(file: IO[bytes], options: Options) -> tuple[int, int, Row] | None:
    """How many of our columns the best header row names, its number, and its cells; None without any row."""
    best: tuple[int, int, Row] | None = None
    with contextlib.closing(_all_rows(file, options)) as lines:
        for number, row in islice(lines, HEADER_WITHIN):
            known = columns.recognised(row)
            if any(row) and (best is None or known > best[0]):
                best = (known, number, row)
    return best


def _name_columns(options: Options, headers: Sequence[str]) -> None:
    options.headers = [
        header.replace("\x00", "").strip()[:LONGEST_HEADER] or f"#{at}" for at, header in enumerate(headers, 1)
    ]


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
    except UnicodeError:  # and not only of decoding: UTF-16 without its mark is another one
        return False
    return True


def _sample_text(file: IO[bytes], encoding: str) -> str:
    file.seek(0)
    data = file.read(SAMPLE_BYTES)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(data, final=False)
    if len(data) == SAMPLE_BYTES:  # do not judge by a line cut in half
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _refuse_binary(text: str) -> None:
    """Refuse what only a program can read, such as a picture: as text it is full of control characters.

    A few of them in a table are another matter. They are mistakes of their rows.
    """
    controls = sum(map(len, _CONTROLS.findall(text)))
    if controls >= 8 and controls * 10 > len(text):
        raise FileRefused(_("This is neither text nor an Excel file. Save the table as CSV in UTF-8, or as .xlsx."))


def _refuse_other_formats(text: str) -> None:
    """Say what it is to whoever chose a file that is text and no table, or none that we read."""
    if _JSON.match(text):
        raise FileRefused(_("This is JSON, not a table. Export it as CSV or Excel, and import that."))
    if _MARKUP.match(text):
        raise FileRefused(_("This is a web page or XML. Open it in your spreadsheet and save it as .xlsx or CSV."))


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
    # Strict: without it a quotation mark that is never closed swallows the rest of the file into one cell.
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    while True:
        block: list[Row] = []
        try:
            block.extend(islice(lines, ROWS_AT_ONCE))
        except (csv.Error, UnicodeError) as error:  # after the good rows, which are in the block
            yield from enumerate(block, number + 1)
            raise _refusal(error, number + len(block)) from error
        if not block:
            return
        _refuse_wide(block, number)
        yield from enumerate(block, number + 1)
        number += len(block)


def _refuse_wide(rows: list[Row], number: int) -> None:
    """Look at many rows at once; only when one is too wide is it worth asking which."""
    most = settings.IMPORT_MAX_COLUMNS
    if max(map(len, rows)) > most:
        raise FileRefused(too_many_columns(next(at for at, row in enumerate(rows, number + 1) if len(row) > most)))


def _refusal(error: Exception, number: int) -> FileRefused:
    """What is wrong with a text after its row of this number."""
    if isinstance(error, UnicodeError):
        return FileRefused(
            _("After row %(row)s there are bytes that are not text. Save the file as CSV in UTF-8.") % {"row": number}
        )
    reason = _("a quotation mark is never closed, or stands in the middle of a cell")
    if "field limit" in str(error):  # the csv module's own: no cell fills the memory
        reason = _("a cell is longer than anything we read, perhaps because a quotation mark is never closed")
    return FileRefused(_("Row %(row)s: %(reason)s. Mend it there.") % {"row": number + 1, "reason": reason})


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
