"""Days and moments in cells: what people, their programs and other offices write becomes a date, or is refused.

Every function takes text and returns a value or raises ``Refused``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from users_profiles import moments
from users_profiles.folding import fold
from users_profiles.transfer.options import DateOrder
from users_profiles.transfer.reasons import Refused

PLAIN_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_DATE = re.compile(PLAIN_DATE)
_MIDNIGHT = re.compile(r"[ T](?:00:00(?::00(?:\.0+)?)?Z?|12:00(?::00)? AM)$")  # what a spreadsheet adds to a date
_ISO_MOMENT = re.compile(r"(?a:\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)")
_CLOCK = re.compile(r"(?a:,? +(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([ap])\.?m\.?)?)$", re.IGNORECASE)
_WORDED_PARTS = re.compile(r"[\s,./-]+|(?<=\d)(?:st|nd|rd|th)\b")
# In English, German, French, Spanish, Italian, Portuguese and Dutch, without accents.
_MONTHS = [
    (name, at)
    for at, names in enumerate(
        (
            "january januar janvier enero gennaio janeiro januari",
            "february februar fevrier febrero febbraio fevereiro februari",
            "march marz maerz mars marzo marco maart mrz",
            "april avril abril aprile",
            "may mai mayo maggio maio mei",
            "june juni juin junio giugno junho",
            "july juli juillet julio luglio julho",
            "august aout agosto augustus",
            "september septembre septiembre settembre setembro sept",
            "october oktober octobre octubre ottobre outubro",
            "november novembre noviembre novembro",
            "december dezember decembre diciembre dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
]
_PARTED_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
_EXCEL_DAY_ZERO = date(1899, 12, 30)
OLDEST = date(1900, 1, 1)
# So far ahead somebody may be expected.
EXPECTED = timedelta(days=366)


def birthday(value: str, order: DateOrder) -> date:
    """A day of the past: ISO, a local form that can mean only one day, or the number a spreadsheet keeps for it."""
    found = _day(unicodedata.normalize("NFKC", value).strip(), order)
    if not OLDEST <= found <= date.today():
        raise Refused("birth_date")
    return found


def plain_birthdays(values: Sequence[str]) -> list[date]:
    """Days that are all written like 1990-12-31. Raises ``ValueError`` when one of them is none of ``birthday``'s."""
    found = list(map(date.fromisoformat, values))
    if min(found) < OLDEST or max(found) > date.today():
        raise ValueError
    return found


def arrival(value: str, order: DateOrder) -> datetime:
    """When somebody came: a day, or a day with a time as our exports have it, on the clock of the office.

    Of a day alone the moment is its noon, when it is the same day for readers nearly everywhere on earth.
    """
    value = _MIDNIGHT.sub("", unicodedata.normalize("NFKC", value).strip())
    found = _moment(value, order) or moments.noon(_day(value, order))
    if not OLDEST <= moments.office_time(found).date() <= date.today() + EXPECTED:
        raise Refused("arrival")
    return found


def _moment(value: str, order: DateOrder) -> datetime | None:
    """The moment of a day with a time; None where there is no time."""
    clock = _CLOCK.search(value)
    if clock is None and not _ISO_MOMENT.fullmatch(value):
        return None
    try:
        if clock is None:
            return moments.at_the_office(datetime.fromisoformat(value))
        day = _day(value[: clock.start()], order)
        return moments.at_the_office(datetime.combine(day, _time(*clock.groups())))
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("day") from None


def _time(hours: str, minutes: str, seconds: str | None, half: str | None) -> time:
    """The time of a clock with 24 hours, or with twice 12."""
    hour = int(hours) if half is None else int(hours) % 12 + (12 if half in "pP" else 0)
    return time(hour, int(minutes), int(seconds or 0))


def is_same_arrival(stored: datetime, said: datetime) -> bool:
    """Whether a file says what is stored already, as exactly as it says it: by the minute, or by the day."""
    here, there = moments.office_time(stored), moments.office_time(said)
    if not moments.is_a_day(said):
        return abs(here - there) < timedelta(minutes=1)
    # Spreadsheets round to the thousandth of a second, even into the next day.
    return there.date() in {here.date(), (here + timedelta(milliseconds=1)).date()}


# How days are written -------------------------------------------------------------------------------------------------


def _day(value: str, order: DateOrder) -> date:
    try:
        return date.fromisoformat(value) if _ISO_DATE.fullmatch(value) else _local_day(value, order)
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("day") from None


def _local_day(value: str, order: DateOrder) -> date:
    if value.isascii() and value.isdigit() and len(value) == 5:
        return _EXCEL_DAY_ZERO + timedelta(days=int(value))
    value = _MIDNIGHT.sub("", value)
    parted = _PARTED_DATE.fullmatch(value)
    if not parted:
        return _worded_day(value)
    first, sign, second, third = int(parted[1]), parted[2], int(parted[3]), int(parted[4])
    if len(parted[1]) == 4:
        return date(first, second, third)
    if len(parted[4]) != 4:
        raise ValueError(value)
    if sign == "." or first > 12 or first == second or order == DateOrder.DAY_FIRST:
        return date(third, second, first)
    if second > 12 or order == DateOrder.MONTH_FIRST:
        return date(third, first, second)
    raise Refused("two_days", one=date(third, second, first).isoformat())


def _worded_day(value: str) -> date:
    """A day with its month in letters: 3 April 1990, Apr 3, 1990, 3. März 1990, 03-abr-1990, 1990 Dec 31."""
    parts = [part for part in _WORDED_PARTS.split(value.casefold()) if part and part not in {"de", "of"}]
    shape = ["m" if part[0].isalpha() else "y" if len(part) == 4 else "d" for part in parts]
    if "".join(shape) not in {"dmy", "mdy", "ymd"} or not all(part.isalpha() or part.isdecimal() for part in parts):
        raise ValueError(value)
    known = dict(zip(shape, parts, strict=True))
    return date(int(known["y"]), _month(known["m"]), int(known["d"]))


@lru_cache(maxsize=256)  # a column of dates has the same few words a million times
def _month(word: str) -> int:
    """The month a word names: in full or shortened to three letters or more, when only one is called that."""
    plain = fold(word)
    found = {at for name, at in _MONTHS if len(plain) > 2 and name.startswith(plain)}
    if len(found) != 1:
        raise ValueError(word)
    return found.pop()


def order_of(cells: Iterable[str]) -> DateOrder:
    """Which comes first in a column of dates, day or month, when the column itself says so: 25/12/2020 does."""
    found = set()
    for cell in cells:
        parted = _PARTED_DATE.fullmatch(_MIDNIGHT.sub("", cell.strip()))
        if parted and parted[2] != "." and len(parted[1]) < 3 and len(parted[4]) == 4:
            if int(parted[1]) > 12 >= int(parted[3]):
                found.add(DateOrder.DAY_FIRST)
            elif int(parted[3]) > 12 >= int(parted[1]):
                found.add(DateOrder.MONTH_FIRST)
    return found.pop() if len(found) == 1 else DateOrder.ASK
