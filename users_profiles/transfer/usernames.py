"""Usernames made from names, and how a username looks to a reader.

Both are tables and Unicode's own decomposition, nothing cleverer: a name in an alphabet that is in neither gives no
letters, and then the e-mail address steps in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

# What a pattern may hold between braces, and which fields it takes that from.
PARTS = {
    "first": "first_name",
    "last": "last_name",
    "f": "first_name",
    "l": "last_name",
    "mailbox": "email",
    "email": "email",
}

_PART = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"[A-Za-z0-9@.+_-]*")
_SIGNS = re.compile(r"[^a-z0-9]+")

# Letters that Unicode does not decompose into a plain one and a mark.
_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n",
    "ŧ": "t", "ə": "e",
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "ye", "ж": "zh", "з": "z", "и": "i",
    "і": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
    "ю": "yu", "я": "ya", "ђ": "dj", "ј": "j", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "й": "y", "ё": "yo",
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip

# Letters of other alphabets that cannot be told from a Latin one, as small and as capital letters.
_LOOKALIKES = {
    ord(other): latin
    for others, latins in (
        ("аеорсухіјѕԁһԛԝѵӏ", "aeopcyxijsdhqwvl"),  # Cyrillic
        ("АВЕКМНОРСТУХІЈЅԜ", "abekmhopctyxijsw"),
        ("αγικνορυχ", "ayiknopyx"),  # Greek
        ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx"),
        ("ɑɡı", "agi"),
    )
    for other, latin in zip(others, latins, strict=True)
}


def check_pattern(pattern: str) -> None:
    """Raise ``ValueError`` with a sentence unless usernames can be made from this pattern."""
    parts = _PART.findall(pattern)
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts or not _LITERAL.fullmatch(_PART.sub("", pattern)):
        raise ValueError(
            _("This cannot make usernames. Put together %(parts)s with letters, digits and @ . + - _ between them.")
            % {"parts": ", ".join(f"{{{part}}}" for part in PARTS)}
        )


def fields_of(pattern: str) -> set[str]:
    """The fields that a pattern takes its parts from."""
    return {PARTS[part] for part in _PART.findall(pattern) if part in PARTS}


def make(pattern: str, values: Mapping[str, Any]) -> str:
    """A username in lower-case ASCII from what a row says; from the e-mail where it says no name; empty if neither.

    ``{first}.{last}`` of somebody with one name is that name, without the dot.
    """
    parts = _parts(values)
    made = _PART.sub(lambda found: parts[found[1]], pattern).lower()
    if not any(parts[part] for part in _PART.findall(pattern)):
        made = parts["mailbox"]
    made = re.sub(r"([._+-])[._+-]+", r"\1", made)
    return made.strip("._+-")[:150]


def _parts(values: Mapping[str, Any]) -> dict[str, str]:
    first, last = (_word(values.get(name) or "") for name in ("first_name", "last_name"))
    mailbox, _at, domain = (values.get("email") or "").rpartition("@")
    mailbox = ".".join(filter(None, map(_word, re.split(r"[.+_]", mailbox))))
    domain = ".".join(filter(None, map(_word, domain.split("."))))
    email = f"{mailbox}@{domain}" if mailbox and domain else ""
    return {"first": first, "last": last, "f": first[:1], "l": last[:1], "mailbox": mailbox, "email": email}


def _word(text: str) -> str:
    """Plain lower-case letters and digits; a hyphen stays between two names that have one or a space between them."""
    return _SIGNS.sub("-", ascii_letters(text).replace("'", "").replace("’", "")).strip("-")


def ascii_letters(text: str) -> str:
    """Text in lower case with each letter in ASCII where the table or Unicode's decomposition knows how."""
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFKC", text).lower()
    spelled = "".join(_LETTERS.get(letter, letter) for letter in composed)
    decomposed = unicodedata.normalize("NFKD", spelled)
    return "".join(_LETTERS.get(letter, letter) for letter in decomposed if not unicodedata.combining(letter))


def skeleton(username: str) -> str:
    """What a username looks like, in lower case: the same for two that a reader cannot tell apart."""
    if username.isascii():
        return username.lower()
    plain = unicodedata.normalize("NFKC", username)
    return unicodedata.normalize("NFKC", plain.translate(_LOOKALIKES).casefold())
