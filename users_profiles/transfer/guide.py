"""What people are told before they import: what each column takes, and sample files to begin with.

All of it comes from the declaration of the columns, so that nothing is explained that is not so.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime

from users_profiles import roles
from users_profiles.models import User
from users_profiles.roles import Action
from users_profiles.transfer import columns
from users_profiles.transfer.export import xlsx

# The kinds of sample file there are.
FORMATS = ("csv", "xlsx")
# So many of the names that other systems have for a column are told.
ALIKE = 5


@dataclass(frozen=True)
class Explained:
    """A column as a page explains it; ``alike`` are some of its names in other people's files."""

    name: str
    label: str
    takes: str
    alike: list[str]


def importable(actor: User) -> list[str]:
    """The columns in which a file of this person's may say anything, in their order."""
    needs = {"role": Action.GRANT, "is_active": Action.DEACTIVATE}
    return [
        name
        for name in roles.visible_fields(actor, columns.NAMES)
        if name not in needs or roles.may(actor, needs[name])
    ]


def explained(actor: User) -> list[Explained]:
    """Each column that ``actor`` may import."""
    labels = columns.labels()
    return [Explained(name, labels[name], str(columns.FIELDS[name].takes), _alike(name)) for name in importable(actor)]


def left_out(actor: User) -> list[str]:
    """The labels of the columns that ``actor`` may not import."""
    allowed = importable(actor)
    return [label for name, label in columns.labels().items() if name in columns.NAMES and name not in allowed]


def _alike(name: str) -> list[str]:
    own = {columns.header_key(name), columns.header_key(columns.labels()[name])}
    return [word for word in columns.SYNONYMS[name] if columns.header_key(word) not in own][:ALIKE]


def sample(actor: User, file_format: str) -> bytes:
    """A file with two made-up people and the columns that ``actor`` may import, as people type them."""
    names = importable(actor)
    rows = list(zip(*(columns.FIELDS[name].samples for name in names), strict=True))
    if file_format == "xlsx":
        days = [tuple(map(_as_day, names, row)) for row in rows]
        return b"".join(data for data, _count in xlsx.blocks(names, [days]))
    out = io.StringIO(newline="")
    csv.writer(out).writerows([tuple(names), *rows])  # nothing to defuse: no spreadsheet runs what we made up
    return out.getvalue().encode("utf-8-sig")  # the mark tells Excel that this is UTF-8


def _as_day(name: str, text: str) -> object:
    """The cell, which in Excel is a date where dates belong."""
    return datetime.fromisoformat(text) if name in columns.DATES else text
