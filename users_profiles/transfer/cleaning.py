"""Rows of text become values, a column of a chunk at a time.

Most columns of most files hold nothing but plain text that is its own value. One pattern over the whole column says so
in a fraction of the time that a call per cell takes, and only what does not match is looked at cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings

from users_profiles.keys import read_number
from users_profiles.models.profile import BLANKS
from users_profiles.transfer import columns, dates, values
from users_profiles.transfer.hints import Hints
from users_profiles.transfer.options import Kind, Match, Options, Row
from users_profiles.transfer.people import Candidate, Problem
from users_profiles.transfer.reasons import Refused

# What a blank cell clears, where staff chose that it does. Never who somebody is, what they may do, or whether they
# may sign in: nobody means that by leaving a cell empty.
CLEARABLE = {"email": "", "first_name": "", "last_name": "", **BLANKS}
# Where a formula would be kept as it is; in the other columns there is no place for one.
TEXTS = frozenset({"email", "first_name", "last_name", "location", "bio"})
# Places and roles come again and again in a file; names of people do in part.
REMEMBERED = 4_096


class Absent:
    """Stands where a file says nothing about a field, so that what is stored stays."""


ABSENT = Absent()
# The cell that a row of a text file does not have. Programs leave out cells at the end that are empty, but who knows
# whether these were: unlike an empty cell, one that is not there never empties a field.
MISSING = "\x00missing"


class Cleaner:
    """Turns rows into candidates, with a cure for each cell it cannot take."""

    def __init__(self, options: Options, resource: columns.PersonResource) -> None:
        self._width = len(options.headers)
        self._need = str(options.match)
        self._version_at = options.version_at
        self._makes_usernames = bool(options.username_pattern)
        self.hints = Hints()
        self._columns = [
            _Column(at, name, resource, options.blank_clears, self.hints)
            for at, name in enumerate(options.mapping)
            if name
        ]
        # Excel keeps no empty cells, wherever they are, and a row that ends early has empty ones there.
        self._filler = MISSING if options.kind is Kind.TEXT else ""
        self._least = max((column.at for column in self._columns), default=-1) + 1 if self._filler else 0
        self._names = [column.name for column in self._columns]

    def clean(self, numbered: Sequence[tuple[int, Row]]) -> list[Candidate]:
        """Clean a chunk of rows, given with their numbers; as many candidates come back, in the same order."""
        candidates = [Candidate(number, {}, []) for number, _row in numbered]
        table = [self._fitted(row, candidate) for (_number, row), candidate in zip(numbered, candidates, strict=True)]
        cells = list(zip(*table, strict=True))
        cleaned = [column.clean(cells[column.at], candidates) for column in self._columns]
        if self._version_at >= 0:
            _note_versions(cells[self._version_at], candidates)
        has_gaps = any(column.has_gaps for column in self._columns)
        for candidate, row in zip(candidates, zip(*cleaned, strict=True), strict=True):
            values = zip(self._names, row)  # noqa: B905 (one value a name; to be strict costs as much as the rest)
            candidate.values = (
                {name: value for name, value in values if value is not ABSENT} if has_gaps else dict(values)
            )
            if not candidate.values.get(self._need) and not candidate.problems:
                self._refuse_nameless(candidate)
        return candidates

    def _fitted(self, row: Row, candidate: Candidate) -> Row:
        """The row in the width of the header. One that is wider is refused: its cells are not where they seem to be."""
        spare = self._width - len(row)
        if spare == 0:
            return row
        if spare > 0:
            if len(row) < self._least:
                self.hints.note("short", candidate.number)
            return row + [self._filler] * spare
        if any(row[self._width :]):
            candidate.refuse("wide", found=len(row), wanted=self._width)
            return [""] * self._width
        return row[: self._width]

    def _refuse_nameless(self, candidate: Candidate) -> None:
        """A row must say who it is about, by what people are matched by."""
        if self._need == Match.EMAIL and candidate.values.get("username"):
            return  # cannot be anybody we know, but can be somebody new
        if self._need == Match.USERNAME and self._makes_usernames and candidate.values.get("email"):
            return  # the same the other way round: the e-mail is who they are until there is a username
        candidate.refuse("nameless", self._need)


def _note_versions(cells: Sequence[str], candidates: Sequence[Candidate]) -> None:
    for cell, candidate in zip(cells, candidates, strict=True):
        if (version := read_number(cell)) is not None:
            candidate.version = version


class _Column:
    """One column of the file and the field it is taken for."""

    def __init__(self, at: int, name: str, resource: columns.PersonResource, blank_clears: bool, hints: Hints) -> None:
        self.at = at
        self.name = name
        self._hints = hints
        self._clean: Callable[[str], Any] = resource.fields[name].widget.clean
        self._blank = CLEARABLE[name] if blank_clears and name in CLEARABLE else ABSENT
        self._longest = settings.IMPORT_MAX_CELL
        self._plain = _plain_column(name) if self._longest >= _LONGEST_PLAIN else None
        self._known: dict[str, Any] = {}
        # Whether the chunk that was cleaned last says nothing about the field in some row.
        self.has_gaps = False

    def clean(self, cells: Sequence[str], candidates: Sequence[Candidate]) -> Sequence[Any]:
        """The values of a chunk's cells; what cannot be taken becomes a problem of its row."""
        self.has_gaps = False
        if self._plain is not None:
            text = "\n".join(cells)
            if self._plain.fullmatch(text) and text.count("\n") == len(cells) - 1:  # else a cell has a break in it
                with suppress(ValueError):
                    return cells if self.name not in _ALL_AT_ONCE else _ALL_AT_ONCE[self.name](cells)
        known = self._known
        return [
            known[cell] if cell in known else self._clean_cell(cell, candidate)
            for cell, candidate in zip(cells, candidates, strict=True)
        ]

    def _clean_cell(self, cell: str, candidate: Candidate) -> Any:
        if cell is MISSING:
            self.has_gaps = True
            return ABSENT
        if not cell or cell.isspace():
            self.has_gaps = self.has_gaps or self._blank is ABSENT
            return self._blank
        try:
            if len(cell) > self._longest:
                raise Refused("long_cell", length=len(cell), longest=self._longest)
            values.refuse_failed(cell)
            value = self._clean(values.restore(cell))
        except Refused as refused:
            candidate.problems.append(Problem(self.name, cell, refused.code, refused.details))
            if refused.code == "phone" and not values.has_country(cell) and values.has_digits(cell):
                self._hints.note("refused_country", candidate.number)
            self.has_gaps = True
            return ABSENT
        hint = self._noticed(cell, value)
        if hint:
            self._hints.note(hint, candidate.number)
        elif len(self._known) < REMEMBERED and len(cell) < 64:
            self._known[cell] = value
        return value

    def _noticed(self, cell: str, value: Any) -> str:
        """What staff should know about a cell that was taken; mostly nothing."""
        if self.name in TEXTS:
            return "formula" if values.is_formula(value) else ""
        if self.name != "phone_number" or values.has_country(cell):
            return ""
        return "country" if values.exists(value) else "other_country"


# A cell that matches is, as it stands, what its value function would return for it.
_PLAIN = {
    "username": r"[A-Za-z0-9_@.+][A-Za-z0-9_@.+-]{0,149}",
    "email": values.PLAIN_EMAIL,
    "phone_number": r"\+[1-9][0-9]{6,14}",
    **dict.fromkeys(
        ("first_name", "last_name", "location"),
        "[A-Za-z0-9(L](?:[ -~L]{0,148}[!-~L])?".replace("L", values.PLAIN_LETTERS),
    ),
    "bio": "[A-Za-z0-9(L](?:[ -~L]{0,1998}[!-~L])?".replace("L", values.PLAIN_LETTERS),
    "birth_date": dates.PLAIN_DATE,
}
# Where such a cell is not yet its value, what makes a whole column of them into values.
_ALL_AT_ONCE = {"birth_date": dates.plain_birthdays}

# Text of that length may pass without being measured.
_LONGEST_PLAIN = 2_000


def _plain_column(name: str) -> re.Pattern[str] | None:
    """The pattern of a whole column of plain cells, one a line."""
    pattern = _PLAIN.get(name)
    # Atomic and possessive: a column that fails to match must fail at once, not after trying every other way.
    return None if pattern is None else re.compile(f"(?>{pattern})(?:\n(?>{pattern}))*+")
