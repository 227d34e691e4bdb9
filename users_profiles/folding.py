"""Letters as people type them when they are in a hurry, and as they look for them in a list: small, without accents."""

import re
import unicodedata

# Letters that no accent was put on, but that people write without their stroke all the same.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "ŋ": "n", "æ": "ae", "œ": "oe", "þ": "th"}
)
_ACCENTS = re.compile("[\u0300-\u036f]+")


def fold(text: str) -> str:
    """``José`` and ``JOSE`` become ``jose``; ``Straße`` becomes ``strasse``.

    Only accents of letters go. Marks of other scripts are letters of their own to who reads them, and stay.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart).translate(_PLAIN))


def _spellings() -> dict[int, str | None]:
    """Each letter of ours as it is folded, and signs such as hyphens and quotes as nothing."""
    letters = {code: fold(chr(code)) for code in (*range(0x80), *range(0xC0, 0x250), *range(0x1E00, 0x1F00))}
    signs = (*range(0x80), *range(0xA1, 0xC0), *range(0x2010, 0x2050))
    return {
        **{code: plain for code, plain in letters.items() if plain.isascii()},
        **{code: None for code in signs if chr(code) != " " and not chr(code).isalnum()},
    }


_SPELLINGS = _spellings()


def sortable(text: str) -> str:
    """What a text is put in order by: folded, and without signs, so that O’Brien stands beside Obrien.

    Imports ask for it a million times, and most names are done with by the first way, or the second.
    """
    plain = text.replace("-", "")
    if plain.isascii() and plain.isalnum():
        return plain.lower()
    plain = plain.translate(_SPELLINGS)
    return (plain if plain.isascii() else fold(plain)).strip()
