"""Who was in the file already: the second row about one person is refused, wherever in the file it stands."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from users_profiles.transfer.people import Candidate

# So many values of a column are remembered in memory, about 10 MB; after that all of them move to a file.
IN_MEMORY = 100_000


class Seen:
    """Remembers the usernames and e-mails of a file by their hashes.

    Two texts of one hash among a million are a matter of one file in thirty million, and would cost one row that says
    which other row to look at.
    """

    def __init__(self) -> None:
        self._firsts = {name: _Firsts() for name in ("username", "email")}

    def check(self, candidates: Sequence[Candidate]) -> None:
        """Refuse those of a chunk that are in the file a second time, and remember the others."""
        for name, firsts in self._firsts.items():
            having = [candidate for candidate in candidates if candidate.values.get(name)]
            keys = [hash(candidate.values[name].lower()) for candidate in having]
            if not firsts.note(keys, [candidate.number for candidate in having]):  # seldom; only now ask which
                _refuse_repeated(name, having, keys, firsts)

    def has(self, name: str, value: str) -> bool:
        """Whether any row has this value, given in lower case, be the row good or refused."""
        return self._firsts[name].row(hash(value)) is not None

    def claim(self, name: str, value: str, number: int) -> bool:
        """Note that a row has this value, given in lower case; False when another row has it already."""
        key = hash(value)
        self._firsts[name].note([key], [number])
        return self._firsts[name].row(key) == number


def _refuse_repeated(name: str, candidates: Sequence[Candidate], keys: Sequence[int], firsts: _Firsts) -> None:
    for candidate, key in zip(candidates, keys, strict=True):
        first = firsts.row(key)
        if first != candidate.number:
            candidate.refuse("repeated", name, candidate.values[name], row=first)


class _Firsts:
    """The number of the first row that had each value.

    In memory while there are few of them. A million would be the largest thing in the process, so then they go into a
    temporary database.
    """

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._database: sqlite3.Connection | None = None

    def note(self, keys: Sequence[int], rows: Sequence[int]) -> bool:
        """Remember the rows of these values; False when some value was there already, in a row before or in these."""
        if self._database is not None:
            return self._store(keys, rows)
        fresh = dict(zip(keys, rows, strict=True))
        are_new = len(fresh) == len(keys) and self._rows.keys().isdisjoint(fresh)
        if are_new:
            self._rows.update(fresh)
        else:
            for key, row in zip(keys, rows, strict=True):
                self._rows.setdefault(key, row)
        if len(self._rows) > IN_MEMORY:
            self._move_out()
        return are_new

    def row(self, key: int) -> int | None:
        """The number of the first row that had this value."""
        if self._database is None:
            return self._rows.get(key)
        found = self._database.execute("SELECT row FROM firsts WHERE hash = ?", [key]).fetchone()
        return found and found[0]

    def _move_out(self) -> None:
        self._database = sqlite3.connect("")  # no name: a file that is gone when the connection is
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("CREATE TABLE firsts (hash INTEGER PRIMARY KEY, row INTEGER)")
        rows, self._rows = self._rows, {}
        self._store(list(rows.keys()), list(rows.values()))

    def _store(self, keys: Sequence[int], rows: Sequence[int]) -> bool:
        assert self._database is not None  # noqa: S101
        # Sorted, because neighbours share a page of the file.
        pairs = sorted(zip(keys, rows, strict=True))
        cursor = self._database.executemany("INSERT INTO firsts VALUES (?, ?) ON CONFLICT DO NOTHING", pairs)
        return cursor.rowcount == len(pairs)
