"""What somebody types into a search box, taken apart into what is looked for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import Q

from users_profiles import phones
from users_profiles.folding import fold
from users_profiles.search.texts import GAP, Text

# A person pastes a line, not a book; each word is one more look into the index.
MAX_WORDS = 8
# What people write a phone number with. Fewer digits than these are a year or a house, and match too much.
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
MIN_DIGITS = 4
# The index knows nothing shorter.
MIN_LETTERS = 3


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
    return _as_stored(text, digits) if len(digits) >= at_least else ""


def _as_stored(text: str, digits: str) -> str:
    """The digits of a whole number, where inside its country people dial others in front of it: an 8 in Russia."""
    try:
        stored = phones.normalise(text).lstrip("+")
    except ValidationError:
        return digits
    is_as_shown = re.sub(r"\D", "", phones.pretty(f"+{stored}")).lstrip("0") == digits
    return stored if is_as_shown and digits not in stored else digits
