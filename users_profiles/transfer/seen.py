"""Who was in the file already: the second row about one person is refused, wherever in the file it stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from django.utils.translation import gettext as _

from users_profiles.transfer.people import Candidate


class Seen:
    """Remembers usernames and e-mails by hash, in a temporary database file and not in memory.

    A million names in a set would be the largest thing in the process. Two texts of one hash among a million are a
    matter of one file in thirty million, and would cost one row that says which other row to look at.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # no name: a file that is gone when the connection is
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        for name in ("username", "email"):
            self._database.execute(f"CREATE TABLE {name} (hash INTEGER PRIMARY KEY, row INTEGER)")

    def check(self, candidates: Sequence[Candidate]) -> None:
        """Refuse those of a chunk that are in the file a second time, and remember the others."""
        for name in ("username", "email"):
            self._check(name, [candidate for candidate in candidates if candidate.values.get(name)])

    def has(self, name: str, value: str) -> bool:
        """Whether any row has this value, given in lower case, be the row good or refused."""
        found = self._database.execute(f"SELECT 1 FROM {name} WHERE hash = ?", [hash(value)])  # noqa: S608
        return found.fetchone() is not None

    def claim(self, name: str, value: str, number: int) -> bool:
        """Note that a row has this value, given in lower case; False when another row has it already."""
        key = hash(value)
        self._database.execute(f"INSERT INTO {name} VALUES (?, ?) ON CONFLICT DO NOTHING", [key, number])  # noqa: S608
        [first] = self._database.execute(f"SELECT row FROM {name} WHERE hash = ?", [key]).fetchone()  # noqa: S608
        return bool(first == number)

    def _check(self, name: str, candidates: Sequence[Candidate]) -> None:
        pairs = [(hash(candidate.values[name].lower()), candidate.number) for candidate in candidates]
        cursor = self._database.execute(
            f"INSERT INTO {name} SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",  # noqa: S608 (one of two names above)
            [json.dumps(pairs)],
        )
        if cursor.rowcount < len(pairs):  # seldom; only now is it worth asking which
            self._refuse_repeated(name, candidates)

    def _refuse_repeated(self, name: str, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            key = hash(candidate.values[name].lower())
            [first] = self._database.execute(f"SELECT row FROM {name} WHERE hash = ?", [key]).fetchone()  # noqa: S608
            if first != candidate.number:
                reason = _("Row %(row)s has the same. Keep one of the two rows.") % {"row": first}
                candidate.refuse(reason, name, candidate.values[name])
