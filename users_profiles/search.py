"""One text search over a person and their profile. A leaf: it knows field names, not models."""

import re
import unicodedata

from django.db.models import Q

SEARCH_FIELDS = ("username", "first_name", "last_name", "email", "profile__location")
PHONE_FIELD = "profile__phone_number"
# A person pastes a line, not a book; each word is one more scan.
MAX_WORDS = 8
# What people write a phone number with. Fewer digits than these are a year or a house, and match too much.
_PHONE = re.compile(r"\+?[\d\s().\-/]+")
MIN_DIGITS = 4


def matches(text: str, prefix: str = "", private: bool = True) -> Q:
    """Return the condition that every word of ``text`` occurs in some searched field.

    ``prefix`` leads from the model asked to the user (``"user__"`` from a profile). Without ``private`` the fields
    that need a permission are left out, so that a search cannot be used to guess them.
    """
    # Names are stored composed, and some keyboards and spreadsheets send a letter and its accent apart.
    text = unicodedata.normalize("NFC", text.replace("\x00", ""))
    condition = Q()
    for word in text.split()[:MAX_WORDS]:
        anywhere = Q()
        for field in SEARCH_FIELDS + ((PHONE_FIELD,) if private else ()):
            anywhere |= Q(**{f"{prefix}{field}__icontains": word})
        condition &= anywhere
    digits = _phone_digits(text) if private else ""
    return condition | Q(**{f"{prefix}{PHONE_FIELD}__contains": digits}) if digits else condition


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
