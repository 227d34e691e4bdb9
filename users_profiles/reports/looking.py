"""A report on the web: the rows of its file, a page at a time, in the language and on the clock of who looks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connections
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from users_profiles import replica, roles
from users_profiles.models import Export
from users_profiles.trail.entries import readable
from users_profiles.transfer import columns
from users_profiles.transfer.export import changed, source
from users_profiles.transfer.export.cells import cell
from users_profiles.transfer.export.changed import Happened, What
from users_profiles.transfer.export.wanted import Wanted

PAGE = 50
# Pages further back cost ever more, and nobody reads them: that is what the file is for.
MOST_PAGES = 100
# So many changes are looked at for a page; more are in the file.
MOST_CHANGES = PAGE * MOST_PAGES
# As in the list of people, so many are counted of those who fit a filter.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Page:
    """A page of a report. ``count`` is how many rows there are, or how many were looked at where there are ``more``."""

    number: int
    count: int
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)
    shown: int = 0
    more: bool = False

    @property
    def pages(self) -> int:
        """How many pages there are to turn to."""
        return max(1, min(MOST_PAGES, -(-self.shown // PAGE)))

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1

    @property
    def is_cut(self) -> bool:
        """Whether not all of it can be turned to."""
        return self.more or self.shown > PAGE * MOST_PAGES


def people(wanted: Wanted, number: int) -> Page:
    """A page of the people."""
    alias = replica.alias_for(wanted.actor.pk if wanted.actor is not None else None)
    found = wanted.people().using(alias)
    count = found.order_by().values("pk")[: MOST_COUNTED + 1].count() if found.query.where else found.count()
    more = bool(found.query.where) and count > MOST_COUNTED
    count -= more
    page = Page(_within(number, count), count, shown=count, more=more)
    labels = columns.labels()
    first = (page.number - 1) * PAGE
    cells = [cell(name, Export.Format.XLSX) for name in wanted.columns]
    rows = [row for chunk in source.chunks(found[first : first + PAGE], cells, connections[alias]) for row in chunk]
    page.header.extend(str(labels[name]) for name in wanted.columns)
    page.rows.extend([_said(name, value) for name, value in zip(wanted.columns, row, strict=True)] for row in rows)
    return page


def _said(name: str, value: Any) -> str:
    """A cell as people read it; the file, which is the same for everybody, has it as programs do."""
    if isinstance(value, datetime) and name == "birth_date":
        return date_format(value, "DATE_FORMAT")
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=timezone.get_default_timezone())
        return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    if name == "complete" or (value == roles.SUPERUSER_WORD and name == "role"):
        return _(value)
    return readable(name, "" if value is None else str(value))


def changes(wanted: Wanted, number: int, only: str = "") -> Page:
    """A page of what changed, and how often what happened; ``only`` one of those things."""
    found = list(islice(changed.happened(wanted), MOST_CHANGES + 1))
    more = len(found) > MOST_CHANGES
    found = found[:MOST_CHANGES][::-1]  # the newest first, as everywhere
    counted = Counter(one.what for one in found)
    sums = {what.value: counted[what] for what in What}
    chosen = [one for one in found if one.what == only] if only in sums else found
    at = _within(number, len(chosen))
    return Page(
        at,
        len(found),
        happened=chosen[(at - 1) * PAGE : at * PAGE],
        sums=sums,
        shown=len(chosen),
        more=more,
    )


def _within(number: int, count: int) -> int:
    """The number of a page that there is."""
    return max(1, min(number, MOST_PAGES, -(-count // PAGE)))
