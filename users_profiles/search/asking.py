"""Whom a search finds: the condition on people, of what the index knows and what it does not know yet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.db.models import Exists, OuterRef, Q

from users_profiles.among import among
from users_profiles.models import SearchText
from users_profiles.search import tables, texts
from users_profiles.search.texts import Text
from users_profiles.search.wanted import Wanted, read

# So many of those whom the index does not know yet are looked at while somebody waits, which takes a tenth of a second.
MOST_BESIDE = 10_000


def matches(text: str, *, private: bool) -> Q:
    """Return the condition that every word of ``text`` occurs in some searched field, in whatever order.

    Without ``private`` the fields that need a permission are left out, so that a search cannot be used to guess them.
    Of words of one or two letters only the beginning of a word is found. Who is new or changed is looked at now; the
    index when it is asked.
    """
    wanted = read(text, private)
    if not wanted.terms:
        return Q()
    added, removed = beside_the_index(wanted)
    if not tables.is_common(wanted):
        return Q(tables.found(wanted, added, removed))
    texts_that_fit = SearchText.objects.filter(wanted.condition(), user=OuterRef("pk"))
    return Q(Exists(texts_that_fit)) & ~_is_one_of(removed) | _is_one_of(added)


def _is_one_of(keys: list[int]) -> Q:
    return Q(pk__in=among(keys, "bigint"))


def beside_the_index(wanted: Wanted) -> tuple[list[int], list[int]]:
    """The keys of people who fit though the index does not know, and of those who no longer do though it says so.

    Usually nobody is noted, or the few whom somebody has just changed. After a large import it is everybody in it, for
    as long as the worker takes: then the newest are looked at, and ``not_yet`` says how many are not.
    """
    added: list[int] = []
    removed: list[int] = []
    for key, fresh, indexed in _noted_people():
        fits, is_found = wanted.fits(fresh), indexed is not None and wanted.fits(indexed)
        if fits and not is_found:
            added.append(key)
        elif is_found and not fits:
            removed.append(key)
    return added, removed


def not_yet() -> int:
    """How many people are not found yet by what is new of them; nobody except after a large import."""
    return max(0, texts.count_noted() - MOST_BESIDE)


def _noted_people() -> Iterator[tuple[int, Text, Text | None]]:
    """Those with a note: the key, the text as it should be, and as the index has it, where it does.

    At most ``MOST_BESIDE`` of them: first whoever is noted alone, as who was changed by hand is, the latest before the
    others; then who is noted with many, the newest people first.
    """
    singles = set(texts.noted_alone(MOST_BESIDE))
    yield from _looked_at(Q(pk__in=among(singles, "bigint")), len(singles))
    left = MOST_BESIDE - len(singles)
    ranges = reversed(texts.noted_together())
    while left > 0 and (some := list(islice(ranges, texts.RANGES_AT_ONCE))):
        for person in _looked_at(texts.among(some), left):
            left -= 1
            if person[0] not in singles:
                yield person


def _looked_at(which: Q, most: int) -> Iterator[tuple[int, Text, Text | None]]:
    if not most:
        return
    people = texts.people("search_text__words", "search_text__phone").filter(which).order_by("-pk")
    for key, *values, words, phone in people[:most].iterator():
        yield key, texts.text_of(*values), None if words is None else Text(words, phone)
