"""What a check has noticed that is no mistake but should be known: kept as figures, said to each reader anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from users_profiles.transfer import countries
from users_profiles.transfer.options import Options

# So many of the rows are named.
NAMED = 5


class Hints:
    """Counts what is noticed while a file is read."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._rows: dict[str, list[int]] = {}

    def note(self, code: str, row: int) -> None:
        """Count one more of ``SENTENCES``, in this row."""
        self._counts[code] += 1
        rows = self._rows.get(code, [])
        # A chunk is read column by column, so its first row may come last.
        if len(rows) <= NAMED or row < rows[-1]:
            self._rows[code] = sorted({*rows, row})[: NAMED + 1]

    def to_json(self) -> dict[str, Any]:
        """What is stored with the import; of the rows one more than are named, where there are more."""
        return {code: {"count": count, "rows": self._rows[code]} for code, count in self._counts.items()}


@dataclass(frozen=True)
class Hint:
    """A sentence for the page of a check; ``is_warning`` where something is likely wrong."""

    text: str
    is_warning: bool = False


def said(options: Options) -> list[Hint]:
    """What there is to say, in the present language, the warnings first."""
    found = [hint(options.hints[code], options) for code, hint in SENTENCES.items() if code in options.hints]
    return sorted(found, key=lambda hint: not hint.is_warning)


def _formula(found: dict[str, Any], options: Options) -> Hint:
    text = ngettext(
        "%(count)s cell looks like a formula (row %(rows)s). It is kept as plain text: nothing is run here, and our "
        "exports are written so that no spreadsheet runs it. Mend the file if this is not what the cell should say.",
        "%(count)s cells look like formulas (rows %(rows)s). They are kept as plain text: nothing is run here, and our "
        "exports are written so that no spreadsheet runs them. Mend the file if this is not what the cells should say.",
        found["count"],
    )
    return Hint(text % _figures(found), is_warning=True)


def _short(found: dict[str, Any], options: Options) -> Hint:
    text = ngettext(
        "%(count)s row has fewer cells than the header (row %(rows)s). What it lacks is left as it is. Some programs "
        "leave out empty cells at the end of a row; if more is missing, mend the file.",
        "%(count)s rows have fewer cells than the header (rows %(rows)s). What they lack is left as it is. Some "
        "programs leave out empty cells at the end of a row; if more is missing, mend the file.",
        found["count"],
    )
    return Hint(text % _figures(found))


def _country(found: dict[str, Any], options: Options) -> Hint:
    text = _("Phone numbers without a country code are taken to be from %(country)s.")
    return Hint(text % {"country": _country_of(options)})


def _other_country(found: dict[str, Any], options: Options) -> Hint:
    text = ngettext(
        "%(count)s phone number without a country code (row %(rows)s) is taken to be from %(country)s, where there is "
        "no such number. If it is from elsewhere, choose its country on the Columns step.",
        "%(count)s phone numbers without a country code (rows %(rows)s) are taken to be from %(country)s, where there "
        "are no such numbers. If they are from elsewhere, choose their country on the Columns step.",
        found["count"],
    )
    return Hint(text % {**_figures(found), "country": _country_of(options)}, is_warning=True)


def _refused_country(found: dict[str, Any], options: Options) -> Hint:
    text = ngettext(
        "%(count)s phone number without a country code (row %(rows)s) is refused: %(country)s has none like that. If "
        "it is from elsewhere, choose its country on the Columns step.",
        "%(count)s phone numbers without a country code (rows %(rows)s) are refused: %(country)s has none like them. "
        "If they are from elsewhere, choose their country on the Columns step.",
        found["count"],
    )
    return Hint(text % {**_figures(found), "country": _country_of(options)}, is_warning=True)


def _country_of(options: Options) -> str:
    return countries.label(options.region or settings.PHONE_DEFAULT_REGION)


def _figures(found: dict[str, Any]) -> dict[str, str]:
    rows = ", ".join(map(str, found["rows"][:NAMED]))
    return {
        "count": number_format(found["count"], force_grouping=True),
        "rows": f"{rows} …" if len(found["rows"]) > NAMED else rows,
    }


SENTENCES: dict[str, Callable[[dict[str, Any], Options], Hint]] = {
    "formula": _formula,
    "short": _short,
    "refused_country": _refused_country,
    "other_country": _other_country,
    "country": _country,
}
