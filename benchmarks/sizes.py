"""How many bytes a person takes on PostgreSQL, table by table: ``benchmarks/run sizes [--people N]``.

The people come in by our importer, so what an import keeps (its rows, for the undo) is there, too; then some of them
are edited one by one, which is what the trail keeps. The figures of docs/scale.md are multiples of these.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks import people
from benchmarks.__main__ import NAME, Database

EDITS = 2_000
MANY = (1_000_000, 10_000_000, 100_000_000)
EDIT = f"""
from users_profiles.models import User
for person in User.objects.select_related("profile").order_by("pk")[:{EDITS}]:
    person.profile.location = "Elsewhere"
    person.profile.save()
print("done")
"""
SIZES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(oid) DESC
"""
INDEXES = """
SELECT i.relname, pg_relation_size(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = %s::regclass ORDER BY 2 DESC
"""


@dataclass(frozen=True)
class Size:
    """One table: its rows, and the bytes a row of it takes, without and in its indexes."""

    name: str
    rows: int
    table: int
    indexes: dict[str, int]

    @property
    def total(self) -> int:
        return self.table + sum(self.indexes.values())


def measure(address: str, at_least: int) -> Iterator[Size]:
    """The tables that have so many rows, the largest first."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        for name, table, _ in connection.execute(SIZES).fetchall():
            (rows,) = connection.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone() or (0,)
            if rows >= at_least:
                indexes = connection.execute(INDEXES, [name]).fetchall()
                yield Size(name, rows, round(table / rows), {index: round(size / rows) for index, size in indexes})


def show(sizes: list[Size]) -> None:
    """The tables row by row, in the form of docs/scale.md."""
    print("\n| table | rows | bytes a row | in the table | in its indexes |\n|-|-|-|-|-|")
    for size in sizes:
        indexes = sum(size.indexes.values())
        print(f"| `{size.name}` | {size.rows:,} | {size.total:,} | {size.table:,} | {indexes:,} |")
    print("\nThe largest indexes, in bytes a row:")
    largest = sorted(((each, name) for size in sizes for name, each in size.indexes.items()), reverse=True)
    for each, name in largest[:8]:
        print(f"  {each:>5}  {name}")


def project(sizes: list[Size], count: int) -> None:
    """What that comes to, were there as many people as nobody here can load: multiplied, and nothing more."""
    apart = {
        "users_profiles_importrow": "the rows of one import of them all",
        "users_profiles_trailentry": "one change of each",
    }
    known = [size for size in sizes if size.name not in apart]
    lines = {
        "people, in tables": sum(size.table * size.rows for size in known) / count,
        "people, in indexes": sum(sum(size.indexes.values()) * size.rows for size in known) / count,
        **{apart[size.name]: size.total for size in sizes if size.name in apart},
    }
    print(f"\n| GB | {' | '.join(f'{many:,}' for many in MANY)} |\n|-|{'-|' * len(MANY)}")
    for what, each in lines.items():
        print(f"| {what} | {' | '.join(f'{each * many / 1e9:,.1f}' for many in MANY)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000)
    count = parser.parse_args().people
    server = os.environ.get("BENCH_POSTGRES_URL")
    if not server:
        raise SystemExit("BENCH_POSTGRES_URL is not set, and PostgreSQL is not installed here.")
    with tempfile.TemporaryDirectory(prefix="backoffice-sizes-") as folder:
        database = Database(Path(folder), server)
        database.renew()
        path = Path(folder) / "people.csv"
        people.write(path, count)
        figures = database.run("apply", path)
        print(f"{count:,} people imported at {figures['rows_per_second']:,} rows a second")
        database.python("manage.py", "shell", "-v0", "-c", EDIT)
        database.python("manage.py", "rebuild_search")
        sizes = list(measure(urlunsplit(urlsplit(server)._replace(path=f"/{NAME}")), EDITS))
        show(sizes)
        project(sizes, count)


if __name__ == "__main__":
    main()
