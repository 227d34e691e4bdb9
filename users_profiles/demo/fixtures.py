"""Writes the sample files in fixtures/ that are made from the same made-up people as the demo."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Font

from users_profiles.demo.people import COMPANY_SIZE, MadeUp, make_up

DAY = date(2026, 1, 5)  # files are made once, so their dates stand still
COMPANY_SEED, NEWCOMERS_SEED = 1, 2
# The importer's own names for the columns, and what people call them.
COLUMNS = "username email first_name last_name is_active role phone_number location birth_date bio".split()
FRIENDLY = (
    "Username",
    "E-mail",
    "First Name",
    "Last Name",
    "Activated",
    "Role",
    "Phone",
    "Location",
    "Birthday",
    "About",
)


def write_all(folder: Path) -> list[Path]:
    """Write demo.json, people.csv and people.xlsx; return their paths."""
    company = [make_up(number, COMPANY_SEED, DAY) for number in range(COMPANY_SIZE)]
    newcomers = list(_newcomers(50, {made_up.username for made_up in company}))
    demo, table, book = folder / "demo.json", folder / "people.csv", folder / "people.xlsx"
    lines = [json.dumps(each, ensure_ascii=False) for each in _objects(company)]
    demo.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    _write_csv(table, newcomers[:25])
    _write_xlsx(book, newcomers[25:])
    return [demo, table, book]


def _newcomers(count: int, taken: set[str]) -> Iterator[MadeUp]:
    """People of another seed whom the demo company does not have yet."""
    number = 0
    while count:
        made_up = make_up(number, NEWCOMERS_SEED, DAY)
        number += 1
        if made_up.username not in taken:
            count -= 1
            yield made_up


def _objects(company: list[MadeUp]) -> Iterator[dict[str, Any]]:
    """Users, then their profiles, as ``loaddata`` reads them.

    By natural key and without numbers: a fixture with numbers would overwrite whoever has them already.
    """
    for made_up in company:
        yield {"model": "users_profiles.user", "fields": _user_fields(made_up)}
    for made_up in company:
        values = {name: getattr(made_up, name) for name in ("bio", "location", "phone_number")}
        birth_date = made_up.birth_date.isoformat() if made_up.birth_date else None
        fields = {"user": [made_up.username], **values, "birth_date": birth_date}
        yield {"model": "users_profiles.profile", "fields": fields}


def _user_fields(made_up: MadeUp) -> dict[str, Any]:
    return {
        "username": made_up.username,
        "email": made_up.email,
        "password": f"!{made_up.username}",
        "first_name": made_up.first_name,
        "last_name": made_up.last_name,
        "is_active": made_up.is_active,
        "is_staff": bool(made_up.role),
        "date_joined": made_up.joined.isoformat(),
        "last_login": made_up.seen.isoformat() if made_up.seen else None,
        "groups": [[made_up.role]] if made_up.role else [],
    }


def _write_csv(path: Path, people: list[MadeUp]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for made_up in people:
            writer.writerow([_as_text(getattr(made_up, name)) for name in COLUMNS])


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _write_xlsx(path: Path, people: list[MadeUp]) -> None:
    """The same as an Excel user would have it: real dates, TRUE and FALSE, and some phone numbers that are numbers."""
    book = Workbook()
    sheet = book.active
    sheet.title = "People"
    sheet.append(FRIENDLY)
    for made_up in people:
        row = [getattr(made_up, name) for name in COLUMNS]
        phone = made_up.phone_number
        row[COLUMNS.index("phone_number")] = int(phone[2:]) if phone.startswith("+1") else phone
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFGHIJ", (24, 38, 16, 18, 11, 10, 18, 16, 12, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    book.save(path)
