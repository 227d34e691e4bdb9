"""What one person is found by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from users_profiles.models import SearchNote, User
from users_profiles.search.folding import fold

FIELDS_OF_USER = ("username", "first_name", "last_name", "email")
FIELDS_OF_PROFILE = ("location", "phone_number")  # the phone number last: it is found by its digits
# In front of every word. Two blanks and one letter are three, so the index finds words by how they begin, too.
GAP = "  "

Range = tuple[int, int]


class Text(NamedTuple):
    """The words of a person, and the digits of their phone number."""

    words: str
    phone: str


def text_of(*values: str | None) -> Text:
    """The text of a person with these values, one a field; of a person without a profile some are None."""
    *named, phone = values
    words = fold(" ".join(value or "" for value in named)).replace("\x00", "").split()
    return Text(GAP + GAP.join(words), (phone or "").lstrip("+"))


def people(*more: str) -> QuerySet[User, tuple[Any, ...]]:
    """Keys with what ``text_of`` takes and whatever ``more`` is asked for, in the order of the keys."""
    paths = (*FIELDS_OF_USER, *(f"profile__{name}" for name in FIELDS_OF_PROFILE))
    return User._base_manager.order_by("pk").values_list("pk", *paths, *more)


def noted() -> Iterator[Range]:
    """The people whose text may be older than they are, as ranges of keys that neither touch nor overlap."""
    held: Range | None = None
    for first, last in SearchNote.objects.order_by("first", "last").values_list("first", "last").iterator():
        if held is not None and first <= held[1] + 1:
            held = (held[0], max(last, held[1]))
            continue
        if held is not None:
            yield held
        held = (first, last)
    if held is not None:
        yield held


def among(ranges: Sequence[Range]) -> Q:
    """The condition that the key of a person is in one of these ranges."""
    found = Q(pk__in=[first for first, last in ranges if first == last])
    for first, last in ranges:
        if first != last:
            found |= Q(pk__gte=first) if last == SearchNote.OPEN else Q(pk__range=(first, last))
    return found
