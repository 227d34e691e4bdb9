"""The file that every contender reads: made-up people, each column filled, as HR would send them."""

from __future__ import annotations

import csv
from pathlib import Path

HEADER = "username,email,first_name,last_name,is_active,role,phone_number,location,birth_date,bio".split(",")
FIRST = ("Ada", "Grace", "José", "Zoë", "Łukasz", "Olga", "Mohammed", "Sofia", "Ngọc", "Kenji")
LAST = ("Lovelace", "Hopper", "García", "Müller", "Nowak", "Petrova", "Haddad", "Rossi", "Trần", "Sato")
CITIES = ("Berlin", "Lisbon", "Nairobi", "São Paulo", "Toronto", "Hanoi", "Kraków", "Osaka", "Beirut", "Milan")


def write(path: Path, rows: int, version: int = 1) -> None:
    """Write ``rows`` people; another ``version`` of them differs in location and bio, so all of them change."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_person(at, version) for at in range(rows))


def _person(at: int, version: int) -> list[str]:
    return [
        f"person{at}",
        f"person{at}@example.com",
        FIRST[at % 10],
        f"{LAST[at // 10 % 10]}-{at}",
        "no" if at % 10 == 0 else "yes",
        "Reader" if at % 50 == 0 else "Member",
        f"+4930{10_000_000 + at}",
        CITIES[(at + version) % 10],
        f"{1950 + at % 50}-{1 + at % 12:02}-{1 + at % 28:02}",
        f"Number {at} of the staff, in its version {version}.",
    ]
