"""How one file is read and what is done with it, as found by us and corrected by staff."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


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


@dataclass
class Options:
    """Stored with the import as JSON, so that a worker reads the file just as the preview did."""

    kind: Kind = Kind.TEXT
    encoding: str = "utf-8"
    delimiter: str = ","
    header_row: int = 1  # as a spreadsheet counts
    headers: list[str] = field(default_factory=list)
    mapping: list[str] = field(default_factory=list)  # one field name a column, empty where it is ignored
    mode: Mode = Mode.UPSERT
    match: Match = Match.USERNAME
    blank_clears: bool = False
    region: str = ""
    date_order: DateOrder = DateOrder.ASK

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        options = cls(**stored)
        options.kind = Kind(options.kind)
        options.mode = Mode(options.mode)
        options.match = Match(options.match)
        options.date_order = DateOrder(options.date_order)
        return options

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
