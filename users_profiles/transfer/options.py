"""How one file is read and what is done with it, as found by us and corrected by staff."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

# A row of a file as text, one item a column; a file is rows with their numbers as a spreadsheet shows them.
Row = list[str]
Rows = Generator[tuple[int, Row], None, None]


class Kind(StrEnum):
    """What sort of file it is; found by its first bytes, never by its name."""

    TEXT = "text"
    XLSX = "xlsx"


class Mode(StrEnum):
    UPSERT = "upsert"
    CREATE = "create"
    UPDATE = "update"


class Match(StrEnum):
    USERNAME = "username"
    EMAIL = "email"


class DateOrder(StrEnum):
    """How 03/04/2020 is meant; unless somebody says so, such a date is refused."""

    ASK = ""
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class Origin(StrEnum):
    """How we know what a column means; only a guess needs a second look."""

    NAME = "name"  # it is called what we call it, or a known word for that
    BEFORE = "before"  # staff said so for an earlier file with the same columns
    GUESS = "guess"  # its name resembles one we know
    CHOSEN = "chosen"
    NONE = ""


@dataclass
class Options:
    """Stored with the import as JSON, so that a worker reads the file just as the preview did."""

    kind: Kind = Kind.TEXT
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""  # of an Excel file; the one with the best header unless staff choose another
    sheets: list[str] = field(default_factory=list)
    header_row: int = 1  # as a spreadsheet counts; 0 where there is none
    headers: list[str] = field(default_factory=list)  # one a column; #3 where the third has no name
    mapping: list[str] = field(default_factory=list)  # one field name a column, empty where it is ignored
    origins: list[Origin] = field(default_factory=list)  # one a column
    mode: Mode = Mode.UPSERT
    match: Match = Match.USERNAME
    blank_clears: bool = False
    region: str = ""
    date_order: DateOrder = DateOrder.ASK
    # The column in which a file of our own exports says which version of each person it holds; -1 where there is none.
    version_at: int = -1
    # Whether such a file is to win over what somebody has changed since.
    overtakes: bool = False
    # What new people get where their row says nothing: {field: text as a file would have it}.
    defaults: dict[str, str] = field(default_factory=dict)
    # Usernames of new people that come without one, such as {first}.{last}; empty where none are to be made.
    username_pattern: str = ""
    # Whether people who are not in the file are to be deactivated, and among whom: Among's values.
    roster: str = ""
    roster_location: str = ""
    roster_role: str = ""
    # What the check has noticed: transfer.hints.Hints as a dict.
    hints: dict[str, Any] = field(default_factory=dict)
    # Of rows that were refused and then mended on the page, the import they were refused in. There it is known, by the
    # number of each such row, in which import that was mended.
    mends: int = 0
    mended: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        # While an upgrade goes on, a process meets what one of another version has stored.
        options = cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})
        options.kind = Kind(options.kind)
        options.mode = Mode(options.mode)
        options.match = Match(options.match)
        options.date_order = DateOrder(options.date_order)
        options.origins = [Origin(origin) for origin in options.origins]
        return options

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def fields(self) -> set[str]:
        """The fields of new people that an import with these options may fill."""
        made = {"username"} if self.username_pattern else set()
        return {name for name in self.mapping if name} | self.defaults.keys() | made
