"""What changed of people, as rows: who joined, who left, and every field that has another value than before.

The people are those that the selection holds today: who has moved out of it is not among them. Only "active" is left
aside, or nobody could ever be seen to leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy

from users_profiles import roles, selection, trail
from users_profiles.models import Export, Road
from users_profiles.models.user import UserQuerySet
from users_profiles.sentences import sentence as _
from users_profiles.trail.entries import readable
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import xlsx
from users_profiles.transfer.export.source import Rows
from users_profiles.transfer.export.wanted import Wanted

CHUNK = 2_000
NAMES = ("when", "what", "username", "person", "field", "old", "new", "by", "road")


class What(models.TextChoices):
    """What can happen to somebody; all but a change is a matter of the whole person."""

    JOINED = "joined", gettext_lazy("Joined")
    LEFT = "left", gettext_lazy("Left")
    BACK = "back", gettext_lazy("Came back")
    CHANGED = "changed", gettext_lazy("Changed")


def labels() -> dict[str, str]:
    """What the columns are called before people."""
    return {
        "when": _("When"),
        "what": _("What"),
        "username": _("Username"),
        "person": _("Person"),
        "field": _("Field"),
        "old": _("Before"),
        "new": _("After"),
        "by": _("By whom"),
        "road": _("How"),
    }


@dataclass(frozen=True)
class Happened:
    """One thing that happened to a person; ``username`` is empty where the person is no more."""

    when: datetime
    what: What
    key: int | None
    username: str
    person: str
    field: str
    old: str
    new: str
    by: str
    road: str

    @property
    def label(self) -> str:
        """The field, as people call it."""
        return columns.labels().get(self.field, self.field)

    @property
    def road_label(self) -> str:
        return str(Road(self.road).label)

    def readable(self) -> tuple[str, str]:
        """The values before and after, as a page shows them."""
        return readable(self.field, self.old) if self.old else "", readable(self.field, self.new)


def happened(wanted: Wanted) -> Iterator[Happened]:
    """Everything that is wanted, oldest first, in bounded memory. Raises ``FileRefused`` at once when it may not be."""
    given = selection.parameters(wanted.query)
    if given.get("active") == ["yes"]:
        del given["active"]
    narrows = any(value.strip() for values in given.values() for value in values)
    people = replace(wanted, query=selection.address(given)).people().order_by()
    return _of(people, wanted, narrows)


def _of(people: UserQuerySet, wanted: Wanted, narrows: bool) -> Iterator[Happened]:
    if wanted.since is None or wanted.until is None:
        raise ValueError("these are people, not changes")
    fields = {name for name in wanted.columns if name in columns.NAMES}
    told = _told(trail.changes(wanted.since, wanted.until, fields | {"is_active"}), fields)
    while chunk := list(islice(told, CHUNK)):
        keys = {one.key for one in chunk if one.key is not None}
        usernames = dict(people.filter(pk__in=keys).values_list("pk", "username"))
        for one in chunk:
            if one.key in usernames:
                yield replace(one, username=usernames[one.key])
            elif not narrows:
                yield one  # somebody who has been deleted since; no filter can tell whether they were in it


def _told(changes: Iterable[trail.Changed], fields: set[str]) -> Iterator[Happened]:
    """What happened, without the first values of who joined and the last of who was deleted."""
    whole: tuple[datetime, int | None] | None = None
    for change in changes:
        what = _what(change)
        if not change.field:
            whole = change.when, change.person
        elif (change.when, change.person) == whole or (what == What.CHANGED and change.field not in fields):
            continue
        is_change = what == What.CHANGED
        yield Happened(
            when=change.when,
            what=what,
            key=change.person,
            username="",
            person=change.label,
            field=change.field if is_change else "",
            old=_value(change.field, change.old) if is_change else "",
            new=_value(change.field, change.new) if is_change else "",
            by=change.who,
            road=change.road,
        )


def _value(name: str, text: str) -> str:
    """A value as files have it, in which to have no role is a word too, and moments are told to the minute."""
    if name == "date_joined" and text:
        widget = columns.FIELDS[name].widget
        return str(widget.render(widget.clean(text)))
    return roles.MEMBER_WORD if name == "role" and not text else text


def _what(change: trail.Changed) -> What:
    if not change.field:
        return What.JOINED if change.new == "added" else What.LEFT
    if change.field == "is_active":
        return What.LEFT if change.new == "no" else What.BACK
    return What.CHANGED


def chunks(wanted: Wanted) -> Iterator[Rows]:
    """The same as the rows of a file."""
    return _rows(happened(wanted), wanted.format)


def _rows(found: Iterator[Happened], file_format: str) -> Iterator[Rows]:
    written = 0
    labels: dict[str, Any] = {**columns.labels(), **dict(What.choices), **dict(Road.choices)}
    words = {name: str(label) for name, label in labels.items()}  # translated once, not for every row
    while chunk := list(islice(found, CHUNK)):
        written += len(chunk)
        if file_format == Export.Format.XLSX and written > xlsx.MAX_ROWS:
            raise FileRefused(_("An Excel sheet holds 1,048,575 changes. Choose a shorter time, or CSV."))
        yield [_row(one, file_format, words) for one in chunk]


def _row(one: Happened, file_format: str, words: dict[str, str]) -> tuple[object, ...]:
    moment = timezone.localtime(one.when, timezone.get_default_timezone())
    when = moment.replace(tzinfo=None) if file_format == Export.Format.XLSX else moment.isoformat(" ", "minutes")[:16]
    what, field, road = (words.get(word, word) for word in (one.what.value, one.field, one.road))
    return when, what, one.username, one.person, field, one.old, one.new, one.by, road
