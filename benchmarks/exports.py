"""Exports side by side; one contender in a process of its own: ``python -m benchmarks.exports NAME FILE ROWS``."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import timing

Figures = dict[str, Any]

PROFILE = ("profile__phone_number", "profile__location", "profile__birth_date", "profile__bio")
# What the bare database is asked for: the same columns, in the same order of people.
RAW = """
SELECT u.username, u.email, u.first_name, u.last_name, CASE WHEN u.is_active THEN 'yes' ELSE 'no' END,
       COALESCE(r.name, 'Member'), p.phone_number, p.location, p.birth_date, p.bio, u.version + p.version
FROM users_profiles_user u JOIN users_profiles_profile p ON p.user_id = u.id
LEFT JOIN (SELECT m.user_id, MIN(g.name) AS name FROM users_profiles_user_groups m JOIN auth_group g
           ON g.id = m.group_id GROUP BY m.user_id) r ON r.user_id = u.id
ORDER BY u.id
"""


def measure(database: Any, folder: Path, rows: int, stock_rows: int, people: Path) -> dict[str, Figures]:
    """CSV and Excel, by us, by stock and, where there is such a thing, by the bare database."""
    database.renew()
    database.run("apply", people)
    found: dict[str, Figures] = {}
    for name, count in (("raw csv", rows), ("stock csv", rows), ("csv", rows), ("stock xlsx", stock_rows),
                        ("xlsx", rows), ("json", rows), ("jsonl", rows)):  # fmt: skip
        found[name] = json.loads(
            database.python("-m", "benchmarks.exports", name, str(folder / "exported"), str(count))
        )
    for name, figures in found.items():
        for rival in ("stock", "raw"):
            reference = found.get(f"{rival} {name.rpartition(' ')[2]}")
            if reference is not None:
                figures[f"times_{rival}"] = round(figures["rows_per_second"] / reference["rows_per_second"], 2)
    return found


def ours(file_format: str) -> Callable[[Path, int], int]:
    """What a download sends, with the columns that are ticked."""

    def run(path: Path, rows: int) -> int:
        from users_profiles.models import User
        from users_profiles.transfer.export import formats
        from users_profiles.transfer.export.wanted import USUAL

        count = 0
        with path.open("wb") as file:
            for data, rows_in_it in formats.blocks(User.objects.order_by("pk"), USUAL, file_format):
                file.write(data)
                count += rows_in_it
        return count

    return run


def stock(file_format: str) -> Callable[[Path, int], int]:
    """django-import-export as it comes, with the columns of the profile; the profile comes in the same query."""

    def run(path: Path, rows: int) -> int:
        from import_export import resources

        from users_profiles.models import User

        class StockResource(resources.ModelResource):
            class Meta:
                model = User
                fields = ("username", "email", "first_name", "last_name", "is_active", "version", *PROFILE)

        people = User.objects.select_related("profile").order_by("pk")[:rows]
        dataset = StockResource().export(queryset=people)
        data = dataset.export(file_format)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return len(dataset)

    return run


def raw(path: Path, rows: int) -> int:
    """The limit: the driver's rows into the csv module, or PostgreSQL's own COPY."""
    from django.db import connection

    with connection.cursor() as cursor:
        driver = cursor.cursor
        if connection.vendor == "postgresql":
            with path.open("wb") as file, driver.copy(f"COPY ({RAW}) TO STDOUT (FORMAT csv)") as copy:
                return sum(1 for line in copy if file.write(line))
    with path.open("w", encoding="utf-8", newline="") as file:
        connection.ensure_connection()
        csv.writer(file).writerows(connection.connection.execute(RAW))
    return rows


CONTENDERS: dict[str, Callable[[Path, int], int]] = {
    "raw csv": raw,
    "stock csv": stock("csv"),
    "stock xlsx": stock("xlsx"),
    **{name: ours(name) for name in ("csv", "xlsx", "json", "jsonl")},
}


def main(name: str, path: str, rows: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    import django

    django.setup()
    timing.show(lambda: CONTENDERS[name](Path(path), int(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
