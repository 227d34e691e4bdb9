"""One cell at a time: what people type becomes what we store, or a sentence that says what to type instead.

Every function takes text and returns a value or raises ``Refused`` with that sentence. They run once per cell of a
million rows, so the usual case comes first and cheap.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from users_profiles import phones, roles
from users_profiles.models import Role
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
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")


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


def has_digits(text: str) -> bool:
    """Whether somebody meant a number to be dialled, and not a word."""
    return sum(map(str.isdigit, text)) >= 5


def exists(number: str) -> bool:
    """Whether the numbering plan of its country knows a number."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number))


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
