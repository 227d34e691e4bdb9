"""What somebody types into a search box, as a condition on people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import Exists, OuterRef, Q

from users_profiles.models import SearchText
from users_profiles.search import tables, texts
from users_profiles.search.folding import fold
from users_profiles.search.texts import GAP, Text

# A person pastes a line, not a book; each word is one more look into the index.
MAX_WORDS = 8
# What people write a phone number with. Fewer digits than these are a year or a house, and match too much.
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
MIN_DIGITS = 4
# The index knows nothing shorter.
MIN_LETTERS = 3
# So many of those whom the index does not know yet are looked at while somebody waits, which takes a tenth of a second.
MOST_BESIDE = 10_000


@dataclass(frozen=True)
class Term:
    """One word of a search: in the words of a person, or (when there are ``digits``) in their phone number."""

    part: str
    digits: str = ""

    def is_in(self, text: Text) -> bool:
        return self.part in text.words or (bool(self.digits) and self.digits in text.phone)


@dataclass(frozen=True)
class Wanted:
    """All that somebody typed: every term, or else the phone number that all of it is."""

    terms: tuple[Term, ...]
    phone: str = ""

    def condition(self) -> Q:
        """The same as ``fits``, of a stored text."""
        found = Q()
        for term in self.terms:
            found &= Q(words__contains=term.part) | (Q(phone__contains=term.digits) if term.digits else Q())
        return found | Q(phone__contains=self.phone) if self.phone else found

    def fits(self, text: Text) -> bool:
        return all(term.is_in(text) for term in self.terms) or (bool(self.phone) and self.phone in text.phone)


def matches(text: str, to_user: str = "", *, private: bool) -> Q:
    """Return the condition that every word of ``text`` occurs in some searched field, in whatever order.

    The path leads from the model that is asked to the user (``"user__"`` from a profile). Without ``private`` the
    fields that need a permission are left out, so that a search cannot be used to guess them. Of words of one or two
    letters only the beginning of a word is found. Who is new or changed is looked at now; the index when it is asked.
    """
    wanted = read(text, private)
    if not wanted.terms:
        return Q()
    added, removed = beside_the_index(wanted)
    key = f"{to_user}pk"
    if not tables.is_common(wanted):
        return Q(tables.found(key, wanted, added, removed))
    texts_that_fit = SearchText.objects.filter(wanted.condition(), user=OuterRef(key))
    return Q(Exists(texts_that_fit)) & ~_is_one_of(key, removed) | _is_one_of(key, added)


def _is_one_of(key: str, keys: list[int]) -> Q:
    return Q(**{f"{key}__in": tables.listed(keys)})


def read(text: str, private: bool = True) -> Wanted:
    """Take a text apart into what is looked for."""
    text = text.replace("\x00", "")
    words = fold(text).split()[:MAX_WORDS]
    terms = tuple(Term(_part(word), _digits(word, MIN_LETTERS) if private else "") for word in words)
    return Wanted(terms, _digits(text, MIN_DIGITS) if private and len(terms) > 1 else "")


def _part(word: str) -> str:
    """What is looked for: the word anywhere, or if it is short, where words begin."""
    return word if len(word) >= MIN_LETTERS else GAP[len(word) - 1 :] + word


def _digits(text: str, at_least: int) -> str:
    """The digits of a phone number as they are stored, or the empty text for anything else.

    ``+49 (0)30 12-34`` and ``030 1234`` are both stored as ``+49301234``: without the signs, and without the zero
    that is dialled only inside the country.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if not text.isascii() or not _PHONE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= at_least else ""


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
    yield from _looked_at(Q(pk__in=tables.listed(singles)), len(singles))
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
