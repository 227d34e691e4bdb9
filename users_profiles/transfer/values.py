"""One cell at a time: what people type becomes what we store, or a sentence that says what to type instead.

Every function takes text and returns a value or raises ``Refused`` with that sentence. They run once per cell of a
million rows, so the usual case comes first and cheap.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from users_profiles import phones, roles
from users_profiles.models import Role
from users_profiles.transfer.options import DateOrder
from users_profiles.transfer.reasons import Refused

TRUE_WORDS = frozenset(
    "1 true t yes y on x active activated enabled ✓ ✔ ja j wahr aktiv oui o vrai actif si sí s verdadero activo "
    "sim verdadeiro ativo vero attivo waar actief tak да".split()
)
FALSE_WORDS = frozenset(
    "0 false f no n off - inactive deactivated disabled ✗ ✘ nein falsch inaktiv non faux inactif falso inactivo "
    "não inativo inattivo nee onwaar inactief nie нет".split()
)
ROLE_WORDS = {
    "admin": Role.ADMIN.value,
    "administrator": Role.ADMIN.value,
    "editor": Role.EDITOR.value,
    "reader": Role.READER.value,
    "viewer": Role.READER.value,
    "member": "",
    "none": "",
    "user": "",
    "administratorin": Role.ADMIN.value,
    "administrateur": Role.ADMIN.value,
    "administrador": Role.ADMIN.value,
    "redakteur": Role.EDITOR.value,
    "bearbeiter": Role.EDITOR.value,
    "redaktion": Role.EDITOR.value,
    "éditeur": Role.EDITOR.value,
    "leser": Role.READER.value,
    "lesezugriff": Role.READER.value,
    "lecteur": Role.READER.value,
    "lector": Role.READER.value,
    "superuser": roles.SUPERUSER_WORD,
    "mitglied": "",
    "membre": "",
    "miembro": "",
}

# Control characters, what has no width, and what turns the reading direction around: nobody sees them, and PostgreSQL
# refuses the first. Joiners stay in texts, because many a small picture is written with them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_JOINER = re.compile("[\u200c\u200d]")
# In a line, joiners stay only where they shape letters: in the scripts of Arabic and of India, and the one that parts
# letters only between two of them.
_JOINED = "\u0600-\u08ff\u0900-\u0dff"
_STRAY_JOINER = re.compile(f"(?<![{_JOINED}])[\u200c\u200d]|\u200c(?![{_JOINED}])")
_BREAKS = re.compile(r"[\t\r\n\u2028\u2029]+ *")
_PARAGRAPH_BREAKS = re.compile(r"\r\n|[\r\u2028\u2029]")
_USERNAME = re.compile(UnicodeUsernameValidator.regex)
# At most 254 characters: the lookahead is cheaper than measuring.
PLAIN_EMAIL = (
    r"(?![^\n]{255})[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_PLAIN_EMAIL = re.compile(PLAIN_EMAIL)
# Letters of Europe's languages and of Vietnamese that are the same in every form of Unicode.
PLAIN_LETTERS = "À-ÖØ-öø-ıĴ-ľŁ-ňŊ-žẠ-ỹ"
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
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
_EXCEL_DAY_ZERO = date(1899, 12, 30)
OLDEST = date(1900, 1, 1)
# So far ahead somebody may be expected.
EXPECTED = timedelta(days=366)


def _no_hidden(value: str, kind: re.Pattern[str] = _HIDDEN) -> None:
    found = kind.search(value)
    if found:
        raise Refused("hidden", code=ord(found[0]))


def line(value: str, longest: int) -> str:
    """One line of text: trimmed, in one form of Unicode (NFKC), line breaks turned into spaces."""
    if not (value.isascii() and value.isprintable()):
        value = _BREAKS.sub(" ", value)
        _no_hidden(value)
        _no_hidden(value, _STRAY_JOINER)
        value = unicodedata.normalize("NFKC", value)
    value = value.strip()
    if len(value) > longest:
        raise Refused("long", length=len(value), longest=longest)
    return value


def paragraph(value: str, longest: int) -> str:
    """Text of several lines. NFC, not NFKC: nobody wants the ² in their text turned into a 2."""
    if not (value.isascii() and value.isprintable()):
        value = _PARAGRAPH_BREAKS.sub("\n", value)
        _no_hidden(value)
        value = unicodedata.normalize("NFC", value)
    value = value.strip()
    if len(value) > longest:
        raise Refused("long", length=len(value), longest=longest)
    return value


def username(value: str) -> str:
    """A username by Django's rules, and not one that only looks like another (ﬁ for fi, a Cyrillic о among Latin)."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        _no_hidden(value)
        _no_hidden(value, _JOINER)
        plain = unicodedata.normalize("NFKC", value)
        if plain != unicodedata.normalize("NFC", value):
            raise Refused("lookalikes", plain=plain)
        value = plain
        scripts = {script for script in map(_script, value) if script}
        if len(scripts) > 1:
            raise Refused("alphabets")
    if len(value) > 150:
        raise Refused("long", length=len(value), longest=150)
    if value and not _USERNAME.match(value):
        raise Refused("username")
    return value


def _script(character: str) -> str:
    """The alphabet of a letter, among those whose letters look alike; empty for anything else."""
    name = unicodedata.name(character, "")
    return next((script for script in _SCRIPTS if name.startswith(script + " ")), "")


def email(value: str) -> str:
    value = line(value, 254)
    if value and not _PLAIN_EMAIL.fullmatch(value):  # the pattern spares Django's slower rules on nearly every row
        _no_hidden(value, _JOINER)
        try:
            validate_email(value)
        except ValidationError:
            raise Refused("email") from None
    return value


def _word(value: str) -> str:
    """A word as the tables above have it."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


def flag(value: str) -> bool:
    word = _word(value)
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise Refused("flag")


def role(value: str) -> str:
    word = _word(value)
    if word not in ROLE_WORDS:
        raise Refused("role")
    return ROLE_WORDS[word]


def phone(value: str, region: str) -> str:
    value = line(value, 60)
    if not value:
        return ""
    try:
        return phones.normalise(value, region)
    except ValidationError:
        raise Refused("phone") from None


def has_country(number: str) -> bool:
    """Whether a phone number as somebody has written it says itself which country it is from."""
    return "+" in number or number.lstrip().startswith("00")


def birthday(value: str, order: DateOrder) -> date:
    """A day of the past: ISO, a local form that can mean only one day, or the number a spreadsheet keeps for it."""
    found = _day(unicodedata.normalize("NFKC", value).strip(), order)
    if not OLDEST <= found <= date.today():
        raise Refused("birth_date")
    return found


def _day(value: str, order: DateOrder) -> date:
    try:
        return date.fromisoformat(value) if _ISO_DATE.fullmatch(value) else _local_day(value, order)
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("day") from None


def plain_birthdays(values: Sequence[str]) -> list[date]:
    """Days that are all written like 1990-12-31. Raises ``ValueError`` when one of them is none of ``birthday``'s."""
    found = list(map(date.fromisoformat, values))
    if min(found) < OLDEST or max(found) > date.today():
        raise ValueError
    return found


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


def _month(word: str) -> int:
    """The month a word names: in full or shortened to three letters or more, when only one is called that."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    found = {at for name, at in _MONTHS if len(plain) > 2 and name.startswith(plain)}
    if len(found) != 1:
        raise ValueError(word)
    return found.pop()


# When people came ----------------------------------------------------------------------------------------------------


def arrival(value: str, order: DateOrder) -> datetime:
    """When somebody came: a day, or a day with a time as our exports have it, on the clock of the office.

    Of a day alone the moment is its noon, when it is the same day for readers nearly everywhere on earth.
    """
    value = _MIDNIGHT.sub("", unicodedata.normalize("NFKC", value).strip())
    found = _moment(value, order) or noon(_day(value, order))
    if not OLDEST <= office_time(found).date() <= date.today() + EXPECTED:
        raise Refused("arrival")
    return found


def _moment(value: str, order: DateOrder) -> datetime | None:
    """The moment of a day with a time; None where there is no time."""
    try:
        if _ISO_MOMENT.fullmatch(value):
            return _at_the_office(datetime.fromisoformat(value))
        clock = _CLOCK.search(value)
        if clock is None:
            return None
        hours, minutes, seconds = int(clock[1]), int(clock[2]), int(clock[3] or 0)
        if clock[4]:
            hours = hours % 12 + (12 if clock[4] in "pP" else 0)
        return _at_the_office(datetime.combine(_day(value[: clock.start()], order), time(hours, minutes, seconds)))
    except Refused:
        raise
    except (ValueError, OverflowError):
        raise Refused("day") from None


def _at_the_office(moment: datetime) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())
    return aware.astimezone(UTC)


def noon(found: date) -> datetime:
    """The noon of a day, on the clock of the office."""
    return _noon_in(timezone.get_default_timezone(), found)


@lru_cache(maxsize=10_000)
def _noon_in(zone: tzinfo, found: date) -> datetime:
    return datetime.combine(found, time(12), zone).astimezone(UTC)


def office_time(moment: datetime) -> datetime:
    """A moment as the clock of the office shows it, whoever asks: two files can be compared."""
    return timezone.localtime(moment, timezone.get_default_timezone()).replace(tzinfo=None)


def is_same_arrival(stored: datetime, said: datetime) -> bool:
    """Whether a file says what is stored already, as exactly as it says it: by the minute, or by the day."""
    here, there = office_time(stored), office_time(said)
    if there.time() != time(12):
        return abs(here - there) < timedelta(minutes=1)
    # Spreadsheets round to the thousandth of a second, even into the next day.
    return there.date() in {here.date(), (here + timedelta(milliseconds=1)).date()}


def date_order_of(cells: Iterable[str]) -> DateOrder:
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


# Cells --------------------------------------------------------------------------------------------------------------

# What a spreadsheet writes where a formula has gone wrong, in English and German.
_FAILED = frozenset("#N/A #NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #SPILL! #NV #BEZUG! #WERT! #ZAHL!".split())


def refuse_failed(value: str) -> None:
    """Raise ``Refused`` for what stands in a cell whose formula has failed: it is nobody's name or place."""
    if value.strip() in _FAILED:
        raise Refused("failed")


# Formulas -----------------------------------------------------------------------------------------------------------

# A spreadsheet runs a cell that begins with one of these; where people write Chinese or Japanese, also with a wide one.
# We put an apostrophe before it on the way out and take one away on the way in; a value that itself begins with
# apostrophes and such a sign gets one more, so nothing is lost.
RISKY = "\t\r+-=@\uff0b\uff0d\uff1d\uff20"
_RISKY = re.compile(f"'*[{re.escape(RISKY)}]")
_MARKED = re.compile(f"'+[{re.escape(RISKY)}]")


def defuse(value: str) -> str:
    """Make text safe to open in a spreadsheet; ``restore`` gives back the same text."""
    return "'" + value if _RISKY.match(value) else value


def restore(value: str) -> str:
    return value[1:] if _MARKED.match(value) else value


# What somebody could want a spreadsheet to run: anything after "=", and after the other signs what calls or fetches
# something. "+49 (0)30", "- plays chess (badly)" and "-" are none.
_FORMULA = re.compile(r"[=\uff1d].|[+\-@\uff0b\uff0d\uff20](?=[\w.+*/&-]*[^\W\d])[\w.+*/&-]*[(|!]", re.DOTALL)


def is_formula(value: str) -> bool:
    """Whether text looks like a formula of a spreadsheet."""
    return _FORMULA.match(value) is not None
