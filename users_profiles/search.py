"""One text search over a person and their profile. A leaf: it knows field names, not models."""

from django.db.models import Q

SEARCH_FIELDS = ("username", "first_name", "last_name", "email", "profile__location")
PRIVATE_SEARCH_FIELDS = ("profile__phone_number",)
# A person pastes a line, not a book; each word is one more scan.
MAX_WORDS = 8


def matches(text: str, prefix: str = "", private: bool = True) -> Q:
    """Return the condition that every word of ``text`` occurs in some searched field.

    ``prefix`` leads from the model asked to the user (``"user__"`` from a profile). Without ``private`` the fields
    that need a permission are left out, so that a search cannot be used to guess them.
    """
    fields = SEARCH_FIELDS + (PRIVATE_SEARCH_FIELDS if private else ())
    condition = Q()
    for word in text.replace("\x00", "").split()[:MAX_WORDS]:
        anywhere = Q()
        for field in fields:
            anywhere |= Q(**{f"{prefix}{field}__icontains": word})
        digits = "".join(character for character in word if character.isdigit())
        if private and len(digits) >= 4 and digits != word:
            # +49 (30) 12-34 is stored as +493012 34 without the spaces and signs it was typed with.
            anywhere |= Q(**{f"{prefix}profile__phone_number__contains": digits.lstrip("0")})
        condition &= anywhere
    return condition
