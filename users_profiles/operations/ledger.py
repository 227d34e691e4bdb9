"""What is in a backup, part by part: in a temporary file of SQLite's own, for there may be millions of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator


class Ledger:
    """Names with a digest, and a size where one was told. The latest word about a name counts."""

    def __init__(self) -> None:
        self._parts = sqlite3.connect("", isolation_level=None)  # a file without a name, gone with this
        self._parts.execute("PRAGMA journal_mode = OFF")
        self._parts.execute("CREATE TABLE part (name TEXT PRIMARY KEY, digest TEXT, size INTEGER) WITHOUT ROWID")

    def add(self, name: str, digest: str, size: int | None = None) -> None:
        self._parts.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?)", (name, digest, size))

    def digest(self, name: str) -> str | None:
        found = self._parts.execute("SELECT digest FROM part WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def size(self, name: str) -> int | None:
        found = self._parts.execute("SELECT size FROM part WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def __contains__(self, name: str) -> bool:
        return self.digest(name) is not None

    def count(self, start: str) -> int:
        """How many names begin with ``start``."""
        question = "SELECT COUNT(*) FROM part WHERE substr(name, 1, ?) = ?"
        return int(self._parts.execute(question, (len(start), start)).fetchone()[0])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Each name with its digest."""
        yield from self._parts.execute("SELECT name, digest FROM part ORDER BY name")
