"""What new people get that their rows do not say: the defaults staff chose, and a username made from their name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any

from django.db.models.functions import Lower

from users_profiles.among import among
from users_profiles.models import Import, ImportRow, User
from users_profiles.sentences import sentence as _
from users_profiles.transfer import columns, usernames
from users_profiles.transfer.cleaning import CLEARABLE
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Candidate
from users_profiles.transfer.reasons import Refused
from users_profiles.transfer.seen import Seen


class Newcomers:
    """Completes the new people of an import, chunk by chunk.

    A username is free when nobody has it and no row before has claimed it, so the same file gives the same names
    however it is cut into chunks. What the check has given is written down in its rows and taken from there when the
    import is applied: people get what was shown, unless somebody has taken the name meanwhile.
    """

    def __init__(self, job: Import, options: Options, resource: columns.PersonResource, seen: Seen) -> None:
        self._job = job
        self._pattern = options.username_pattern
        self._seen = seen
        self._applying = job.state == Import.State.APPLYING
        self._defaults = cleaned_defaults(options, resource)
        # The number that the next person with the same made name begins at; only names that came twice are in here.
        self._next: dict[str, int] = {}
        # What was made for the present chunk, by row: it may have to be decided a second time.
        self._made: dict[int, str] = {}

    def fill(self, candidate: Candidate) -> None:
        """Give a new person the defaults for whatever the row leaves open."""
        if not self._defaults:
            return
        missing = {
            name: value
            for name, value in self._defaults.items()
            if name not in candidate.values or (name in CLEARABLE and not candidate.values[name])
        }
        if missing:  # a new dict: the chunk may have to be decided again from the old one
            candidate.values = candidate.values | missing

    def remember(self, cleaned: Sequence[Candidate]) -> None:
        """Claim again what a predecessor gave to the rows of a chunk that was dealt with."""
        if not self._pattern and all(row.values.get("username", "").isascii() for row in cleaned):
            return
        for number, name in self._given(cleaned).items():
            self._seen.claim("username", usernames.skeleton(name), number)

    def name(self, candidates: Sequence[Candidate]) -> None:
        """Make usernames for new people that have none; refuse those that only look like somebody else's."""
        nameless: list[Candidate] = []
        foreign: list[Candidate] = []
        for row in candidates:
            name = row.values.get("username", "")
            is_plain = bool(name) and name.isascii()
            if not is_plain and row.outcome == ImportRow.Outcome.CREATED and not row.problems:
                (foreign if name else nameless).append(row)
        self._refuse_lookalikes(foreign)
        if nameless:
            self._give_again(nameless)
            self._give([row for row in nameless if not row.values.get("username")])
            self._made = {row.number: row.values.get("username", "") for row in nameless}

    def _given(self, chunk: Sequence[Candidate]) -> dict[int, str]:
        """The usernames that new people of these rows were given or came with, by row."""
        rows = self._job.rows.filter(
            number__range=(chunk[0].number, chunk[-1].number), outcome=ImportRow.Outcome.CREATED
        )
        changes = rows.values_list("number", "changes")
        return {number: change["username"][1] for number, change in changes if "username" in change}

    def _give_again(self, rows: Sequence[Candidate]) -> None:
        """What was given to these rows at the check, or a moment ago, if nobody has taken it since."""
        given = self._made
        if rows[0].number not in given:
            given = self._given(rows) if self._applying else {}
        taken = _taken(given.values())
        for row in rows:
            name = given.get(row.number, "")
            if name and name not in taken and self._seen.claim("username", name, row.number):
                _set_username(row, name)

    def _give(self, rows: Sequence[Candidate]) -> None:
        waiting: dict[str, list[Candidate]] = {}
        for row in rows:
            base = usernames.make(self._pattern, row.values)
            if base:
                waiting.setdefault(base, []).append(row)
            else:
                row.refuse("unmade", "username")
        spare = 0
        while waiting:
            wanted = {base: len(people) + spare for base, people in waiting.items()}
            waiting = self._try_names(waiting, wanted)
            spare = spare * 4 + 8  # the more of a name are taken, the further ahead we look

    def _try_names(self, waiting: dict[str, list[Candidate]], wanted: dict[str, int]) -> dict[str, list[Candidate]]:
        """Look at the next names of each base, in one query for all; returns who still has none."""
        starts = {base: self._next.get(base, 1) for base in waiting}
        names = {base: list(islice(_numbered(base, starts[base]), wanted[base])) for base in waiting}
        taken = _taken(name for series in names.values() for name in series)
        left = {}
        for base, people in waiting.items():
            used = self._hand_out(people, names[base], taken)
            if used > 1 or starts[base] > 1:
                self._next[base] = starts[base] + used
            if rest := [row for row in people if not row.values.get("username")]:
                self._next[base] = starts[base] + len(names[base])
                left[base] = rest
        return left

    def _hand_out(self, people: Sequence[Candidate], names: Sequence[str], taken: set[str]) -> int:
        """Give names to people in their order; returns how many names were looked at."""
        series = enumerate(names, 1)
        used = 0
        for row in people:
            for used, name in series:  # noqa: B007
                if name not in taken and self._seen.claim("username", name, row.number):
                    _set_username(row, name)
                    break
        return used

    def _refuse_lookalikes(self, rows: Sequence[Candidate]) -> None:
        """A username in another alphabet must not be read as one that somebody has, or that stands in the file."""
        drawn = {row.number: usernames.skeleton(row.values["username"]) for row in rows}
        taken = _taken(drawn.values())
        for row in rows:
            name = row.values["username"]
            looks = drawn[row.number]
            if looks == name.lower():
                continue
            if looks in taken:
                row.refuse("like_person", "username", name, name=looks)
            elif not self._seen.claim("username", looks, row.number):
                row.refuse("like_row", "username", name, name=looks)


def cleaned_defaults(options: Options, resource: columns.PersonResource) -> dict[str, Any]:
    """The defaults as values. Raises ``FileRefused`` naming the one that cannot be taken."""
    cleaned = {}
    labels = columns.labels()
    for name, text in options.defaults.items():
        if name not in columns.DEFAULTABLE:
            raise FileRefused(_("There can be no default for %(field)s.") % {"field": labels.get(name, name)})
        try:
            cleaned[name] = resource.fields[name].widget.clean(text)
        except Refused as refused:
            raise FileRefused(
                _("The default for %(field)s cannot be taken: %(reason)s") % {"field": labels[name], "reason": refused}
            ) from refused
    return cleaned


def _numbered(base: str, start: int) -> Iterator[str]:
    """The base itself, then with 2, 3, ... behind it, never longer than a username may be."""
    for number in count(start):
        end = str(number) if number > 1 else ""
        yield base[: 150 - len(end)] + end


def unused(base: str) -> str:
    """The first username of ``ada.lovelace``, ``ada.lovelace2``, ... that nobody has; ``base`` is in lower case."""
    names = _numbered(base, 1)
    while True:
        some = list(islice(names, 50))
        taken = _taken(some)
        if free := [name for name in some if name not in taken]:
            return free[0]


def _taken(names: Iterable[str]) -> set[str]:
    """Those of these lower-case names that people have, in whatever case."""
    wanted = set(names)
    people = User.objects.annotate(key=Lower("username")).filter(key__in=among(wanted))
    return set(people.values_list("key", flat=True))


def _set_username(row: Candidate, name: str) -> None:
    row.values = {"username": name} | row.values | {"username": name}  # first, where people look for it
