"""Countries as people call them, each with the code its phone numbers begin with.

The names are Unicode's, which Babel has in every language: Django has none, and the library of phone numbers knows
countries by two letters only.
"""

from __future__ import annotations

from functools import cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from django.conf import settings

from users_profiles.folding import sortable
from users_profiles.models import Import
from users_profiles.speaking import spoken

# Of the latest imports, how many say which countries are chosen most likely, and how many of those are offered first.
LATEST, LIKELY = 50, 5


def label(code: str) -> str:
    """A country as it is chosen from, in the present language: ``Germany (+49)``; the code where it has no name."""
    return _labels(spoken()).get(code, code)


def choices() -> list[tuple[str, str]]:
    """All countries that have phone numbers, by their names in the present language."""
    return list(_labels(spoken()).items())


def likely() -> list[tuple[str, str]]:
    """The country of this installation, then those that were chosen for the latest imports."""
    latest = Import.objects.exclude(options__region="").order_by("-uploaded_at")
    chosen = latest.values_list("options__region", flat=True)[:LATEST]
    known = _labels(spoken())
    codes = dict.fromkeys(code for code in (settings.PHONE_DEFAULT_REGION, *chosen) if code in known)
    return [(code, known[code]) for code in list(codes)[:LIKELY]]


@cache
def _labels(language: str) -> dict[str, str]:
    names = _locale(language).territories
    labels = {
        code: f"{names.get(code, code)} (+{phonenumbers.country_code_for_region(code)})"
        for code in phonenumbers.SUPPORTED_REGIONS
    }
    return dict(sorted(labels.items(), key=lambda pair: sortable(pair[1])))


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):  # a language of Django's own, or one that is made up
        return Locale("en")
