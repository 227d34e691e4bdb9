"""People as an import sees them: rows of a file on one side, what we know on the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower

from users_profiles.among import among
from users_profiles.models import ImportRow, User
from users_profiles.models.profile import BLANKS
from users_profiles.models.user import names_of_roles
from users_profiles.transfer import columns
from users_profiles.transfer.options import Options
from users_profiles.transfer.reasons import say

Outcome = ImportRow.Outcome
UNCHANGED = str(Outcome.UNCHANGED)


@dataclass(slots=True)
class Problem:
    """Why a cell, or a whole row (then ``column`` is empty), is refused: one of ``REASONS``, with its details."""

    column: str  # our field; as people read it, the header in their file
    value: str
    code: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        stored = {
            "column": self.column,
            # PostgreSQL keeps no zero byte, and the cell was refused for it, so the page must be able to show it.
            "value": self.value[:200].replace("\x00", "\ufffd"),
            "reason": self.code,
            "details": self.details,
        }
        return {name: value for name, value in stored.items() if value}

    @property
    def reason(self) -> str:
        """The sentence, in the present language."""
        return say(self.code, self.details)

    def __str__(self) -> str:
        return f"{self.column}: {self.reason}" if self.column else self.reason


def problems_of(errors: list[dict[str, Any]], options: Options) -> list[Problem]:
    """What is wrong with a refused row, its columns called as the file calls them: people have that before them."""
    return [
        Problem(
            _title(error.get("column", ""), options),
            error.get("value", ""),
            error["reason"],
            error.get("details", {}),
        )
        for error in errors
    ]


def _title(name: str, options: Options) -> str:
    if name in options.mapping:
        return options.headers[options.mapping.index(name)]
    return columns.labels().get(name, name)


@dataclass(slots=True)
class Known:
    """A person we have, loaded without building model objects: a million of those would be the whole cost."""

    pk: int
    is_superuser: bool
    version: int  # of the profile; 0 where there is none yet
    person_version: int
    values: dict[str, Any]

    @property
    def total_version(self) -> int:
        """What an export of ours says of somebody: higher whenever anything about them has changed."""
        return self.version + self.person_version

    @property
    def role(self) -> str:
        name: str = self.values["role"]
        return name

    def __str__(self) -> str:
        return f"{self.values['first_name']} {self.values['last_name']}".strip() or self.values["username"]


@dataclass(slots=True)
class Candidate:
    """A row of the file: what it says, whom it means, and what it would do."""

    number: int
    values: dict[str, Any]
    problems: list[Problem]
    known: Known | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    outcome: str = UNCHANGED
    user_id: int | None = None
    ticked: bool = True
    version: int = 0  # of the person, as the file was exported with; 0 where it does not say

    @property
    def label(self) -> str:
        """Who the row is about, by the name we know them by, else by the one in the file."""
        if self.known is not None:
            return str(self.known)
        return f"{self.values.get('first_name', '')} {self.values.get('last_name', '')}".strip() or self.key

    @property
    def key(self) -> str:
        return self.values.get("username") or self.values.get("email") or ""

    def refuse(self, code: str, column: str = "", value: str = "", /, **details: Any) -> None:
        self.problems.append(Problem(column, value, code, details))

    def begin_again(self, values: dict[str, Any], problems: int) -> None:
        """Forget what was decided: its values are these again, and of its problems only the first so many are left."""
        self.values, self.known, self.changes = values, None, {}
        del self.problems[problems:]
        self.outcome, self.user_id, self.ticked = UNCHANGED, None, True


_PROFILE = [f"profile__{name}" for name in BLANKS]
_PLAIN = ("username", "email", "first_name", "last_name", "is_active")
_LOADED = ("pk", "is_superuser", "profile__version", "version", *_PLAIN, *_PROFILE)
# What few files are about is only loaded for those.
SELDOM = ("date_joined",)
_NAMES = [path.removeprefix("profile__") for path in _LOADED[4:]]


class Directory:
    """Finds the people that a chunk of rows may mean: one query by username, one by e-mail, one for roles.

    ``also`` are fields of ``SELDOM`` that the file is about.
    """

    def __init__(
        self, usernames: Collection[str], emails: Collection[str], lock: bool, also: Sequence[str] = ()
    ) -> None:
        self._people: dict[int, Known] = {}
        self._also = also
        self._load(User.objects.annotate(key=Lower("username")).filter(key__in=among(usernames)), bool(usernames), lock)
        missing = set(emails) - {person.values["email"].lower() for person in self._people.values()}
        by_email = User.objects.annotate(key=Lower("email")).exclude(email="").filter(key__in=among(missing))
        self._load(by_email, bool(missing), lock)
        self._load_roles()
        self.by_username = {person.values["username"].lower(): person for person in self._people.values()}
        self.by_email = {person.values["email"].lower(): person for person in self._people.values()}
        self.by_email.pop("", None)
        self.is_empty = not self._people

    def find(self, candidate: Candidate) -> tuple[Known | None, Known | None]:
        """Who has the username of a row, and who has its e-mail."""
        values = candidate.values
        by_username = self.by_username.get(values.get("username", "").lower())
        return by_username, self.by_email.get(values.get("email", "").lower())

    def _load(self, people: Any, wanted: bool, lock: bool) -> None:
        if not wanted:
            return
        if lock:
            # In the order of keys, so that two imports at once wait for each other instead of deadlocking.
            people = people.select_for_update(of=("self",)).order_by("pk")
        names = (*_NAMES, *self._also)
        for pk, is_superuser, version, person_version, *values in people.values_list(*_LOADED, *self._also):
            known = Known(pk, is_superuser, version or 0, person_version, dict(zip(names, values, strict=True)))
            known.values["role"] = ""
            if version is None:  # made by raw SQL, without the profile it is about to get
                known.values.update(BLANKS)
            self._people[pk] = known

    def _load_roles(self) -> None:
        if not self._people:
            return
        held = User.groups.through._default_manager.filter(user_id__in=among(self._people, "bigint"))
        for key, role in names_of_roles(held).items():
            self._people[key].values["role"] = role


# The fields whose values a file writes otherwise than they are stored.
NOT_TEXT = ("is_active", "role", *columns.DATES)


def noted(name: str, value: Any, resource: columns.PersonResource) -> str:
    """A value as the record of a change keeps it."""
    text: str = resource.fields[name].widget.note(value)
    return text


def keys_of(candidates: Iterable[Candidate], name: str) -> set[str]:
    """The distinct usernames or e-mails of a chunk, in the form the database compares them by."""
    return lowered(value for candidate in candidates if (value := candidate.values.get(name)))


def lowered(texts: Iterable[str]) -> set[str]:
    """Each text in lower case, as PostgreSQL writes it and as SQLite does, which leaves what is not ASCII alone."""
    found = set(texts)
    return {text.lower() for text in found} | {text.encode().lower().decode() for text in found if not text.isascii()}
