"""The columns of an export as expressions, so that the database hands out cells that need no more looking at.

The widgets of ``PersonResource`` say what a cell is; these say the same to the database, and a test holds the two
together for whatever is in a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, CharField, F, Func, Min, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.formats import date_format

from users_profiles import roles
from users_profiles.models import Export, Role, User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.transfer import values

Format = Export.Format
# So many holders of roles a database surely keeps in memory while it goes through the people, which takes a third of
# the time of looking after each of them anew. Were it to be many and not kept, it would take for ever.
FEW = 50_000


class Marked(Func):
    """Text that no spreadsheet runs: ``values.defuse`` in the words of the database.

    Only the first letter is looked at in nearly every cell, by its number; 39 is the apostrophe.
    """

    output_field = TextField()
    _risky = ", ".join(str(ord(sign)) for sign in values.RISKY)
    _template = (
        f"CASE WHEN {{first}}(%(expressions)s) IN (39, {_risky})"
        f" AND {{first}}(LTRIM(%(expressions)s, '''')) IN ({_risky})"
        " THEN '''' || %(expressions)s {nothing}ELSE %(expressions)s END"
    )

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=self._template.format(first="UNICODE", nothing=""), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # COPY would write an empty text as two quotes, and nothing at all for NULL.
        template = self._template.format(first="ASCII", nothing="WHEN %(expressions)s = '' THEN NULL ")
        return self.as_sql(compiler, connection, template=template, **extra)


@dataclass(frozen=True)
class Cell:
    """A column: what the database is asked for, and what is left to be done to it, where something is."""

    expression: Any
    finish: Callable[[Any], Any] | None = None


def cell(name: str, file_format: str) -> Cell:
    """The column ``name`` as it stands in a file of this format."""
    special = _SPECIAL.get(name)
    if special is not None:
        return special(file_format)
    text = F(f"profile__{name}" if name in PROFILE_FIELDS else name)
    return Cell(Marked(text) if file_format == Format.CSV else text)


def text_of(name: str, value: Any) -> str:
    """A cell of an Excel file as a page shows it."""
    if isinstance(value, datetime):
        return date_format(value, "Y-m-d" if name == "birth_date" else "Y-m-d H:i")
    return "" if value is None else str(value)


def _yes_no(holds: Q) -> Callable[[str], Cell]:
    def cell(file_format: str) -> Cell:
        if file_format in _JSON:
            return Cell(Case(When(holds, then=Value(True)), default=Value(False)))
        return Cell(Case(When(holds, then=Value("yes")), default=Value("no"), output_field=CharField()))

    return cell


def _complete(file_format: str) -> Cell:
    """Asked anew each time, because the settings say what each role needs."""
    return _yes_no(roles.is_complete())(file_format)


def _role(file_format: str) -> Cell:
    """The first of somebody's roles by name, as ``with_role`` has it, without sorting for every row."""
    superuser = When(is_superuser=True, then=Value(roles.SUPERUSER_WORD))
    held = User.groups.through._default_manager.filter(group__name__in=Role.values)
    if held[: FEW + 1].count() > FEW:
        names = held.filter(user=OuterRef("pk")).order_by().values("user").annotate(first=Min("group__name"))
        first = Subquery(names.values("first"))  # type: ignore[misc]
        named = Coalesce(first, Value(roles.MEMBER_WORD), output_field=CharField())
        return Cell(Case(superuser, default=named, output_field=CharField()))
    holders = [(name, held.filter(group__name=name).values("user")) for name in sorted(Role.values)]
    cases = [When(pk__in=people, then=Value(name)) for name, people in holders]
    return Cell(Case(superuser, *cases, default=Value(roles.MEMBER_WORD), output_field=CharField()))


def _birth_date(file_format: str) -> Cell:
    return Cell(Cast("profile__birth_date", TextField()), _as_day if file_format == Format.XLSX else None)


def _as_day(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _moment(path: str) -> Callable[[str], Cell]:
    def cell(file_format: str) -> Cell:
        if file_format in _JSON:
            return Cell(F(path), lambda value: value and _local(value).isoformat())
        if file_format == Format.XLSX:
            return Cell(F(path), lambda value: value and _local(value).replace(tzinfo=None))
        return Cell(F(path), lambda value: value and _local(value).isoformat(" ", "minutes")[:16])

    return cell


def _local(value: Any) -> datetime:
    """A moment as the database hands it out, in the time of the office, whoever asks: two exports can be compared.

    SQLite has texts, in Greenwich.
    """
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return timezone.localtime(aware, timezone.get_default_timezone())


def _version(file_format: str) -> Cell:
    """Person and profile count for themselves; their sum grows with either."""
    return Cell(F("version") + F("profile__version"))


_JSON = frozenset({Format.JSON, Format.JSONL})
_SPECIAL: dict[str, Callable[[str], Cell]] = {
    "is_active": _yes_no(Q(is_active=True)),
    "role": _role,
    "birth_date": _birth_date,
    "date_joined": _moment("date_joined"),
    "last_login": _moment("last_login"),
    "updated_at": _moment("profile__updated_at"),
    "deactivated_at": _moment("deactivated_at"),
    "complete": _complete,
    "version": _version,
}
