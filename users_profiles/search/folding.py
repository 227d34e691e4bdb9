"""Letters as people type them when they are in a hurry: small, and without accents."""

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
