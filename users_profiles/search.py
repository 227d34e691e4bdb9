"""One text search over a person and their profile. A leaf: it knows field names, not models."""

import re
import unicodedata

from django.db import connection
from django.db.models import Q

FIELDS_OF_USER = ("username", "first_name", "last_name", "email")
FIELDS_OF_PROFILE = ("location",)
PHONE_FIELD = "phone_number"
# A person pastes a line, not a book; each word is one more scan.
MAX_WORDS = 8
# What people write a phone number with. Fewer digits than these are a year or a house, and match too much.
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
MIN_DIGITS = 4


def matches(text: str, to_user: str = "", to_profile: str = "profile__", private: bool = True) -> Q:
    """Return the condition that every word of ``text`` occurs in some searched field.

    The paths lead from the model that is asked to the user and to the profile (``"user__"`` and ``""`` from a
    profile). Without ``private`` the fields that need a permission are left out, so that a search cannot be used to
    guess them.
    """
    phone = f"{to_profile}{PHONE_FIELD}"
    fields = [f"{to_user}{name}" for name in FIELDS_OF_USER] + [f"{to_profile}{name}" for name in FIELDS_OF_PROFILE]
    if private:
        fields.append(phone)
    # Names are stored composed, and some keyboards and spreadsheets send a letter and its accent apart.
    text = unicodedata.normalize("NFC", text.replace("\x00", ""))
    condition = Q()
    for word in text.split()[:MAX_WORDS]:
        anywhere = Q()
        for form in _forms(word):
            for field in fields:
                anywhere |= Q(**{f"{field}__icontains": form})
        condition &= anywhere
    digits = _phone_digits(text) if private else ""
    return condition | Q(**{f"{phone}__contains": digits}) if digits else condition


def _forms(word: str) -> list[str]:
    """The forms of a word to look for: SQLite takes Å and å for two letters, though A and a for one."""
    if word.isascii() or connection.vendor != "sqlite":
        return [word]
    return list(dict.fromkeys([word, word.lower(), word.upper(), word.capitalize()]))


def _phone_digits(text: str) -> str:
    """The digits of a phone number as they are stored, or the empty text for anything else.

    ``+49 (0)30 12-34`` and ``030 1234`` are both stored as ``+49301234``: without the signs, and without the zero
    that is dialled only inside the country.
    """
    text = text.strip()
    if not text.isascii() or not _PHONE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    return digits if len(digits) >= MIN_DIGITS else ""
