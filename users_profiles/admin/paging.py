"""Pages and counts of a list that may be long: what would take a while is capped or estimated, and says so."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max, Min, Model, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from users_profiles.among import among

# Nobody turns over more pages than these have; further down one searches, filters, or exports.
MOST_COUNTED = 10_000
# Beside the filters, as many are counted; of a longer list, a sample.
MOST_COUNTED_BESIDE = 5_000
SAMPLE = 2_500
# Found less often than this in a sample, there is no telling how many there are.
FEWEST = 10


class PeoplePaginator(Paginator[Any]):
    """Counts up to ``MOST_COUNTED`` of what is filtered, and looks for the keys of a page before it loads anything.

    Passing over the keys of a million people is quick where an index has them; to join and to annotate those who are
    passed over is not. ``whole`` is what a page is loaded from, with all that its rows show.
    """

    object_list: Any
    whole: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """How many there are to turn over."""
        return min(self._counted, MOST_COUNTED) if self._is_filtered else self._counted

    @property
    def is_capped(self) -> bool:
        """Whether there are more than ``count``."""
        return self._is_filtered and self._counted > MOST_COUNTED

    @property
    def _is_filtered(self) -> bool:
        return bool(self.object_list.query.where)

    @cached_property
    def _counted(self) -> int:
        everybody: QuerySet[Any] = self.object_list.order_by()
        return everybody.values("pk")[: MOST_COUNTED + 1].count() if self._is_filtered else everybody.count()

    def page(self, number: int | str) -> Page[Any]:
        """Load one page."""
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = self.count if bottom + self.per_page + self.orphans >= self.count else bottom + self.per_page
        return Page(self._loaded(self._keys(bottom, top)), number, self)

    def _keys(self, bottom: int, top: int) -> list[Any]:
        """The keys of a page, from the end where that is nearer."""
        keys = self.object_list.values_list("pk", flat=True)
        if self.is_capped or bottom < self.count // 2:
            return list(keys[bottom:top])
        return list(keys.reverse()[self.count - top : self.count - bottom])[::-1]

    def _loaded(self, keys: Sequence[Any]) -> list[Model]:
        found = self.whole.using(self.object_list.db).filter(pk__in=keys).order_by().in_bulk()
        return [found[key] for key in keys if key in found]  # somebody may be gone since


@dataclass(frozen=True)
class Some:
    """Some of those in a list, each of whom stands for ``each``; all of them where they stand for themselves."""

    keys: Sequence[int]
    each: float = 1.0

    def counts(self, whole: QuerySet[Any], wanted: Mapping[str, Any]) -> dict[str, int | str]:
        """How many there are of each kind ``wanted``, as numbers, or in words where that is an estimate."""
        found = whole.order_by().filter(pk__in=among(self.keys, "bigint")).aggregate(**wanted)
        return found if self.each == 1 else {name: self._about(hits) for name, hits in found.items()}

    def _about(self, hits: int) -> str:
        """An estimate to two digits; of what is rare, only that it is."""
        if hits < FEWEST:
            return _("under %(number)s") % {"number": _rounded(FEWEST * self.each)}
        return _("about %(number)s") % {"number": _rounded(hits * self.each)}


def some_of(people: QuerySet[Any], is_capped: bool | None = None) -> Some:
    """All of a list, or if it is long, those of a few thousand people by chance who are in it."""
    people = people.order_by()
    if not is_capped:
        keys = list(people.values_list("pk", flat=True)[: MOST_COUNTED_BESIDE + 1])
        if len(keys) <= MOST_COUNTED_BESIDE:
            return Some(keys)
    ends = people.model._base_manager.aggregate(lowest=Min("pk"), highest=Max("pk"))
    everybody = range(ends["lowest"] or 1, (ends["highest"] or 1) + 1)
    # The same chance each time, so that a page shows the same when it is loaded again.
    drawn = random.Random(len(everybody)).sample(everybody, min(SAMPLE, len(everybody)))  # noqa: S311
    return Some(list(_among(people, drawn)), len(everybody) / len(drawn))


def _among(people: QuerySet[Any], keys: Iterable[int]) -> Iterable[int]:
    return people.filter(pk__in=among(list(keys), "bigint")).values_list("pk", flat=True)


def _rounded(number: float) -> str:
    whole = round(number)
    step = 10 ** max(len(str(whole)) - 2, 0)
    return number_format(round(whole / step) * step, use_l10n=True, force_grouping=True)
