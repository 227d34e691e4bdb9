"""The two parts of an Excel file that grow with it, its cells and their texts, read a block at a time.

The library's reader builds a tree of all elements in plain Python, which takes many times as long. Here expat names
the few elements that carry values, and what only files have that are made to hurt is refused. Expat calls for every
tag, dozens of times a row, so the methods it calls are written for speed.
"""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from itertools import accumulate
from typing import IO, Any
from xml.parsers import expat

from defusedxml import DTDForbidden
from django.conf import settings
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601

from users_profiles.sentences import sentence as _
from users_profiles.transfer.errors import FileRefused, too_many_columns
from users_profiles.transfer.options import Row, Rows

BLOCK = 64 * 1024
# A tag or a comment longer than this is no table, and expat looks through an unfinished one anew at every block.
LONGEST_TAG = 1024 * 1024
LONGEST_TEXT = 128 * 1024  # as in text files, where the csv module sees to it
DEEPEST, TOO_DEEP = 64, "elements in elements without an end"
LAST_ROW = 1_048_576
# Texts that cells far apart have in common, such as places, are kept at hand.
TEXTS_AT_HAND, SHORT = 10_000, 200

_NAMES = _ROW, _CELL, _VALUE, _INLINE, _ITEM, _TEXT, _SOUND = ("row", "c", "v", "is", "si", "t", "rPh")
# How Excel writes characters that XML has no place for; halves of a pair are none.
_ESCAPED = re.compile("_x(?![dD][89a-fA-F])([0-9a-fA-F]{4})_")


class _Part:
    """What is common to both parts: how they are parsed, and within which bounds."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._depth = 0
        # The text of the present element, and of those before it that belong to the same cell: one for each look.
        self._pieces: list[str] = []
        self._runs: list[str] = []
        self._length = 0  # of all runs
        self._is_sound = False  # whether it tells how other text is spoken
        # Names come as the very objects we compare them with. That expat looks into namespaces would cost a third.
        self._parser = expat.ParserCreate(intern={name: name for name in _NAMES})
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.CharacterDataHandler = self._pieces.append

    def _blocks(self) -> Iterator[None]:
        """Read on, and pause after each block."""
        fed = 0
        while block := self._source.read(BLOCK):
            self._parser.Parse(block, False)
            fed += len(block)
            if fed - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise ValueError("a tag without an end")
            if sum(map(len, self._pieces)) > LONGEST_TEXT:
                raise FileRefused(_too_long())
            yield
        self._parser.Parse(b"", True)
        yield

    def _begin(self, root: str, attributes: dict[str, str]) -> None:
        """The first element tells by what prefix names go, if any; few programs write one."""
        prefix, colon, _name = root.rpartition(":")
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        if colon:
            own = prefix + colon
            self._parser.StartElementHandler = lambda name, found: self._start(name.removeprefix(own), found)
            self._parser.EndElementHandler = lambda name: self._end(name.removeprefix(own))
        self._depth += 1

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def _end(self, name: str) -> None:
        raise NotImplementedError

    def _open(self, name: str) -> None:
        """An element begins that is nothing special."""
        self._pieces.clear()  # what stands between values is there for the eye
        if name == _SOUND:
            self._is_sound = True

    def _close(self, name: str) -> None:
        """An element ends that is nothing special."""
        if name == _TEXT and self._pieces and not self._is_sound:
            run = "".join(self._pieces)
            self._pieces.clear()
            self._runs.append(run)
            self._length += len(run)
            if self._length > LONGEST_TEXT:
                raise FileRefused(_too_long())
        elif name == _SOUND:
            self._is_sound = False

    def _take_runs(self) -> str:
        text = self._runs[0] if len(self._runs) == 1 else "".join(self._runs)
        self._runs.clear()
        self._length = 0
        return _ESCAPED.sub(_unescape, text) if "_x" in text else text


def _unescape(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _refuse_doctype(name: str, system: str | None, public: str | None, has_subset: bool) -> None:
    """No table declares one, and entities, which blow up or fetch other files, come with nothing else."""
    raise DTDForbidden(name, system, public)


def _too_long() -> str:
    return _("A cell of this Excel file is longer than anything we read. Shorten it, or save the sheet as CSV.")


# Texts --------------------------------------------------------------------------------------------------------------


class Texts:
    """The texts of an Excel file by their number, read no further than asked for and kept in a temporary file."""

    def __init__(self, source: IO[bytes]) -> None:
        self._blocks = _Texts(source).blocks()
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it is forgotten, as this object is)
        self._ends = array("Q", [0])
        # Cells mostly ask for texts in the order in which they stand here.
        self._latest: list[str] = []
        self._before = 0
        self._at_hand: dict[int, str] = {}

    def __getitem__(self, number: int) -> str:
        place = number - self._before
        while place >= len(self._latest):
            place -= len(self._latest)
            self._read_on()
        if place >= 0:
            return self._latest[place]
        text = self._at_hand.get(number)
        return self._fetch(number) if text is None else text

    def _read_on(self) -> None:
        block = next(self._blocks, None)
        if block is None:
            raise IndexError("a text that is not there")
        self._before += len(self._latest)
        self._latest = block
        data = [text.encode("utf-8", "surrogatepass") for text in block]
        end = self._ends.pop()
        self._file.seek(end)
        self._file.write(b"".join(data))
        self._ends.extend(accumulate(map(len, data), initial=end))

    def _fetch(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        text = self._file.read(end - start).decode("utf-8", "surrogatepass")
        if len(text) <= SHORT:
            if len(self._at_hand) == TEXTS_AT_HAND:
                self._at_hand.clear()
            self._at_hand[number] = text
        return text


class _Texts(_Part):
    """Texts, block by block."""

    def blocks(self) -> Iterator[list[str]]:
        self._found: list[str] = []
        for _pause in self._blocks():
            yield self._found
            self._found = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(TOO_DEEP)
        self._open(name)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == _ITEM:
            self._found.append(self._take_runs())
        else:
            self._close(name)


# Cells --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dates:
    """What makes dates of numbers: the day that is 0, and the styles (by number) that show dates, and durations."""

    epoch: datetime
    styles: Container[int]
    durations: Container[int]


class Cells(_Part):
    """The rows that are in a sheet, whatever it claims about its size."""

    def __init__(self, source: IO[bytes], texts: Texts | Mapping[int, str], dates: Dates) -> None:
        super().__init__(source)
        self._texts = texts
        self._rows: list[tuple[int, Row]] = []
        self._number = 0
        self._row: Row = []
        self._column = 0
        self._cell: dict[str, str] = {}  # the attributes of the present one
        self._kinds: dict[str, Callable[[str], str]] = {
            "n": self._number_text,
            "b": lambda value: "yes" if int(value) else "no",
            "d": lambda value: in_words(from_ISO8601(value)),
        }
        self._dates = dates
        self._date = lru_cache(maxsize=10_000)(self._new_date)
        self._columns = _Columns()
        self._most_columns = settings.IMPORT_MAX_COLUMNS

    def rows(self) -> Rows:
        for _pause in self._blocks():
            yield from self._rows
            self._rows.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError(TOO_DEEP)
        if name == _CELL:
            self._cell = attributes
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else self._columns[place.rstrip("0123456789")]
        elif name == _ROW:
            self._begin_row(attributes)
        elif name != _VALUE or self._pieces:
            self._open(name)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == _CELL:
            return
        if name == _VALUE:
            pieces = self._pieces
            if pieces:
                self._put(pieces[0] if len(pieces) == 1 else "".join(pieces))
                pieces.clear()
        elif name == _ROW:
            self._rows.append((self._number, self._row))
        elif name == _INLINE:
            self._put(self._take_runs())
        else:
            self._close(name)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = int(attributes.get("r", self._number + 1))
        if not self._number < number <= LAST_ROW:
            raise ValueError("rows out of order")
        self._number, self._row, self._column = number, [], 0

    def _put(self, value: str) -> None:
        """Give the present cell its value, as text; cells without one come with gaps, and a row is a list without."""
        kind = self._cell.get("t", "n")
        text = self._texts[int(value)] if kind == "s" else self._kinds.get(kind, str)(value)
        if not text:
            return
        if self._column > self._most_columns:
            raise FileRefused(too_many_columns(self._number))
        row, gap = self._row, self._column - len(self._row)
        if gap != 1:
            row.extend([""] * gap)
            row[self._column - 1] = text
        else:
            row.append(text)

    def _number_text(self, value: str) -> str:
        style = self._cell.get("s")
        if style is not None and int(style) in self._dates.styles:
            return self._date(value, int(style))
        return value if value.isascii() and value.isdigit() else in_words(float(value))

    def _new_date(self, value: str, style: int) -> str:
        try:
            return in_words(from_excel(float(value), self._dates.epoch, timedelta=style in self._dates.durations))
        except (OverflowError, ValueError):
            return "#VALUE!"  # as Excel shows what is before its first day or after its last


class _Columns(dict[str, int]):
    """The numbers of columns by their letters."""

    def __missing__(self, letters: str) -> int:
        self[letters] = int(column_index_from_string(letters))
        return self[letters]


def in_words(value: Any) -> str:
    """What a person sees in the cell, more or less: the value functions take it from there."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
