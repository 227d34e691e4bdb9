"""Runs the contenders side by side: ``python -m benchmarks [--rows N] [--stock-rows N] [--memory] [--json FILE]``.

Each runs in a process of its own on a fresh copy of the database, so that none profits from another and the memory
measured is its own. PostgreSQL takes part when BENCH_POSTGRES_URL names a server on which databases may be created.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks import exports, people

Figures = dict[str, Any]

# The database that is made for each question.
NAME = "backoffice_bench"


class Database:
    """A database made anew for each question."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self.name = "PostgreSQL" if server else "SQLite"
        self._server = server
        self._environment = {
            **os.environ, "DEBUG": "on", "ENV_FILE": os.devnull, "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{NAME}")) if server else "",
        }  # fmt: skip

    def renew(self) -> None:
        """An empty database with our tables."""
        if self._server:
            with psycopg.connect(self._server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {NAME}")
        else:
            for left in Path(self._environment["DATA_DIR"]).glob("backoffice.sqlite3*"):
                left.unlink()
        self.python("manage.py", "migrate", "-v0")

    def run(self, contender: str, path: Path) -> Figures:
        figures: Figures = json.loads(self.python("-m", "benchmarks.contenders", contender, str(path)))
        return figures

    def dashboard(self) -> Figures:
        """How long the dashboard takes with the people that an import has just left here."""
        figures: Figures = json.loads(self.python("-m", "benchmarks.dashboard"))
        return figures

    def lists(self) -> Figures:
        """How long lists and searches take with those people."""
        figures: Figures = json.loads(self.python("-m", "benchmarks.lists"))
        return figures

    def python(self, *arguments: str) -> str:
        """Run something on this database; return the last line it printed."""
        done = subprocess.run([sys.executable, *arguments], env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout.strip().rpartition("\n")[2]


def measure_imports(database: Database, folder: Path, rows: int, stock_rows: int) -> dict[str, Figures]:
    """Create, update and unchanged, each by stock, by the bare database and by us."""
    first, second, few, few_changed = (folder / name for name in ("first.csv", "second.csv", "few.csv", "few2.csv"))
    people.write(first, rows)
    people.write(second, rows, version=2)
    people.write(few, stock_rows)
    people.write(few_changed, stock_rows, version=2)
    found: dict[str, Figures] = {}
    database.renew()
    found["stock create"] = database.run("stock", few)
    found["stock update"] = database.run("stock", few_changed)
    database.renew()
    found["raw create"] = database.run("raw", first)
    found["raw update"] = database.run("raw", second)
    database.renew()
    found["preview create"] = database.run("preview", first)
    found["create"] = database.run("apply", first)
    found["unchanged"] = database.run("apply", first)
    found["preview update"] = database.run("preview", second)
    found["update"] = database.run("apply", second)
    for name, figures in found.items():
        what = "update" if name.endswith("update") or name == "unchanged" else "create"
        for rival in ("stock", "raw"):
            figures[f"times_{rival}"] = round(
                figures["rows_per_second"] / found[f"{rival} {what}"]["rows_per_second"], 2
            )
    return found


def measure_memory(database: Database, folder: Path) -> dict[str, Figures]:
    """Peak memory must not grow with the file."""
    found = {}
    for rows in (100_000, 1_000_000):
        path = folder / f"{rows}.csv"
        people.write(path, rows)
        database.renew()
        found[f"create {rows:,}"] = database.run("apply", path)
    return found


def show_dashboard(title: str, found: Figures) -> None:
    print(
        f"\n{title}: {found['people']:,} people counted in {found['cold_seconds']} s by the worker; the page takes "
        f"{found['warm_ms']} ms, {found['warm_worst_ms']} ms at worst"
    )


def show_lists(title: str, found: Figures) -> None:
    print(
        f"\n{title}, {found['people']:,} people; {found['newly_findable']:,} of them made findable in "
        f"{found['findable_seconds']} s by the worker\n{'':<22}{'ours ms':>10}{'stock ms':>10}{'x stock':>10}"
    )
    for name, figures in found.items():
        if isinstance(figures, dict):
            stock = f"{figures.get('stock_ms', ''):>10}{figures.get('times_stock', ''):>10}"
            print(f"{name:<22}{figures['ours_ms']:>10}{stock}")


def measure_exports(database: Database, folder: Path, rows: int, stock_rows: int) -> dict[str, Figures]:
    """The way out, of as many people."""
    path = folder / f"{rows}.csv"
    people.write(path, rows)
    return exports.measure(database, folder, rows, stock_rows, path)


def show(title: str, found: dict[str, Figures]) -> None:
    print(f"\n{title}\n{'':<18}{'rows':>10}{'rows/s':>10}{'x stock':>10}{'x raw':>8}{'peak MB':>10}")
    for name, figures in found.items():
        ratios = f"{figures.get('times_stock', ''):>10}{figures.get('times_raw', ''):>8}"
        print(
            f"{name:<18}{figures['rows']:>10,}{figures['rows_per_second']:>10,}{ratios}{figures['peak_memory_mb']:>10}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--stock-rows", type=int, default=5_000, help="stock is slow; its rate does not grow with rows")
    parser.add_argument("--memory", action="store_true", help="also 1,000,000 rows")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="backoffice-bench-") as name:
        folder = Path(name)
        for server in (None, os.environ.get("BENCH_POSTGRES_URL")):
            if server is None and results:
                print("\nBENCH_POSTGRES_URL is not set: PostgreSQL is left out.")
                continue
            database = Database(folder, server)
            results[database.name] = measure_imports(database, folder, options.rows, options.stock_rows)
            show(f"Import, {database.name}", results[database.name])
            results[f"{database.name}, dashboard"] = database.dashboard()
            show_dashboard(f"Dashboard, {database.name}", results[f"{database.name}, dashboard"])
            results[f"{database.name}, lists"] = database.lists()
            show_lists(f"Lists, {database.name}", results[f"{database.name}, lists"])
            results[f"{database.name}, exports"] = measure_exports(database, folder, options.rows, options.stock_rows)
            show(f"Export, {database.name}", results[f"{database.name}, exports"])
            if options.memory:
                results[f"{database.name}, memory"] = measure_memory(database, folder)
                show(f"Memory, {database.name}", results[f"{database.name}, memory"])
                large = measure_exports(database, folder, 1_000_000, options.stock_rows)
                show(f"Export, {database.name}", large)
                results[f"{database.name}, exports of a million"] = large
                results[f"{database.name}, dashboard at 1M"] = database.dashboard()
                show_dashboard(f"Dashboard, {database.name}", results[f"{database.name}, dashboard at 1M"])
                results[f"{database.name}, lists at 1M"] = database.lists()
                show_lists(f"Lists, {database.name}", results[f"{database.name}, lists at 1M"])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
