"""The search over the rows of an import, and their pages: nobody waits for a million rows to be looked through.

Rows have no index of the words in them: it would take longer to keep than the import itself. A few rows are looked
through whole; many a stretch at a time, as far as one gets while somebody waits, and the page goes on from there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from users_profiles.keys import read_number
from users_profiles.models import Import, ImportRow, User
from users_profiles.models.user import has_email, has_username
from users_profiles.transfer import reasons
from users_profiles.transfer.options import Options

Outcome = ImportRow.Outcome
PER_PAGE = 50
# A search shows no more rows than this, so that a word which stands in all of them costs little.
MOST_FOUND = 1_000
# So many rows are looked through as a whole.
FEW = 20_000
# Of more of them, so many at a time, for so many seconds; longer for whoever goes on and knows that it takes a while.
STRETCH = 4_000
SECONDS, SECONDS_ON = 0.1, 0.8


def asked(query: QueryDict) -> str:
    """The text that the rows of a tab are searched for."""
    return query.get("q", "").replace("\x00", "").strip()[:100]


def asked_after(query: QueryDict) -> int:
    """The row after which a search goes on; 0 where it begins."""
    return read_number(query.get("after", "")) or 0


def search(job: Import, rows: QuerySet[ImportRow], outcome: str, text: str) -> QuerySet[ImportRow]:
    """Keep rows of one outcome that have every word in who they are about, in their values or in what is wrong.

    Each place that is looked into takes its time for each of many rows, so none is that cannot have the word.
    """
    refused = outcome == Outcome.REFUSED
    rows = rows.filter(outcome=outcome).alias(told_text=Cast("errors" if refused else "changes", TextField()))
    for word in text.split():
        found = Q(label__icontains=word) | Q(told_text__icontains=word)
        for name, stored in _said_with(job, word) if refused else ():
            # As SQLite keeps it, and as PostgreSQL does.
            found |= Q(told_text__contains=f'"{name}":"{stored}"') | Q(told_text__contains=f'"{name}": "{stored}"')
        if (number := read_number(word)) is not None:
            found |= Q(number=number)
        if outcome not in {Outcome.CREATED, Outcome.REFUSED}:  # those who are new have all of it in their row
            found |= Q(user__username__icontains=word) | Q(user__email__icontains=word)
        rows = rows.filter(found)
    return rows


def _said_with(job: Import, word: str) -> list[tuple[str, str]]:
    """What is stored of a mistake where its sentence, or the header of its column, has the word for who reads it."""
    options = Options.from_json(job.options)
    titles = zip(options.mapping, options.headers, strict=True)
    return [
        *(("reason", code) for code in reasons.with_word(word)),
        *(("column", name) for name, header in titles if name and word.casefold() in header.casefold()),
    ]


class RowPages(Paginator[Any]):
    """Pages of the rows with these numbers, whose count is known: an import may have a million.

    Which of them stand on a page is read from an index alone; only those rows are fetched, and their people.
    """

    def __init__(self, job: Import, numbers: Any, count: int) -> None:
        super().__init__(numbers, PER_PAGE)
        self._job = job
        self.count = count

    def page(self, number: int | str) -> Page[Any]:
        """The rows of a page."""
        page = super().page(number)
        rows = self._job.rows.filter(number__in=list(page.object_list))
        page.object_list = list(rows.order_by("number").select_related("user"))
        return page


def numbers_of(rows: QuerySet[ImportRow]) -> QuerySet[ImportRow, int]:
    """The numbers of rows in their order."""
    return rows.order_by("number").values_list("number", flat=True)


@dataclass(frozen=True)
class Looked:
    """What there is to show: ``more`` when that is not all, and where a search has come only so far, how far."""

    pages: RowPages
    more: bool = False
    after: int = 0
    through: int | None = None

    def context(self, page: str | None) -> dict[str, Any]:
        """For the templates search.html and pages.html."""
        shown = self.pages.get_page(page)
        return {
            "page": shown,
            "more": self.more or self.through is not None,
            "first": self.after + 1,
            "through": self.through,
            # Nothing so far is no answer: the page goes on by itself.
            "searches_on": self.through is not None and not self.pages.count,
        }


def look(
    job: Import, rows: QuerySet[ImportRow], count: int, query: QueryDict, outcome: str, group: Q | None = None
) -> Looked:
    """The rows of a tab, of which there are ``count``; or those of them that have in them what is asked for.

    ``group`` says who else does not belong on the tab, as far as that is not a matter of rows alone.
    """
    text, after = asked(query), asked_after(query)
    rows = rows.filter(outcome=outcome)
    shown = rows if group is None else rows.filter(group)
    if not text:
        return Looked(RowPages(job, numbers_of(shown), count))
    found = search(job, shown, outcome, text)
    if count > FEW:
        numbers, through = _look_on(rows, found, after)
        known = [] if after else shown.filter(number__in=_known(job, text))
        numbers = sorted({*numbers, *(row.number for row in known)})
        return Looked(RowPages(job, numbers, len(numbers)), after=after, through=through)
    numbers = list(numbers_of(found)[: MOST_FOUND + 1])
    more = len(numbers) > MOST_FOUND
    return Looked(RowPages(job, numbers[:MOST_FOUND], min(len(numbers), MOST_FOUND)), more)


def _look_on(rows: QuerySet[ImportRow], found: QuerySet[ImportRow], after: int) -> tuple[list[int], int | None]:
    """Look through the rows after that number until a page is full or the time is up.

    Returns the numbers found, and the last one that was looked at; None when that was the end.
    """
    end = time.monotonic() + (SECONDS_ON if after else SECONDS)
    numbers: list[int] = []
    while True:
        last = numbers_of(rows.filter(number__gt=after))[STRETCH - 1 : STRETCH].first()
        stretch = found.filter(number__gt=after, **({} if last is None else {"number__lte": last}))
        numbers += numbers_of(stretch)[: PER_PAGE - len(numbers)]
        if len(numbers) == PER_PAGE:
            return numbers, numbers[-1]
        if last is None:
            return numbers, None
        after = last
        if time.monotonic() >= end:
            return numbers, after


def _known(job: Import, text: str) -> set[int]:
    """What an index finds at once, wherever it stands: a row by its number, somebody's by username or e-mail."""
    number = read_number(text)
    found = set() if number is None else {number}
    for who in (has_username(text), has_email(text)):
        for person in User.objects.filter(who)[:1]:
            # By the person alone: with the import beside it, SQLite goes through all rows of that.
            rows = ImportRow.objects.filter(user=person).order_by().values_list("job_id", "number")
            found.update(number for key, number in rows if key == job.pk)
    return found
