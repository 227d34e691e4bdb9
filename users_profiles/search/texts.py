"""What one person is found by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet

from users_profiles.folding import fold
from users_profiles.models import SearchNote, User

FIELDS_OF_USER = ("username", "first_name", "last_name", "email")
FIELDS_OF_PROFILE = ("location", "phone_number")  # the phone number last: it is found by its digits
FIELDS = len(FIELDS_OF_USER) + len(FIELDS_OF_PROFILE)
# In front of every word. Two blanks and one letter are three, so the index finds words by how they begin, too.
GAP = "  "
RANGES_AT_ONCE = 200

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


def noted_alone(most: int) -> list[int]:
    """The people with a note of their own, the latest notes first."""
    notes = SearchNote.objects.filter(first=F("last")).order_by("-pk")
    return list(notes.values_list("first", flat=True)[:most])


def noted_together() -> list[Range]:
    """Those noted with many others, as ranges of keys in their order that neither touch nor overlap."""
    found: list[Range] = []
    wide = SearchNote.objects.filter(first__lt=F("last")).order_by("first", "last")
    for first, last in wide.values_list("first", "last"):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def count_noted() -> int:
    """How many people are noted; of many ranges, some may be counted twice that are noted alone as well."""
    alone = SearchNote.objects.filter(first=F("last")).values("last").distinct().count()
    ranges = noted_together()
    return alone + sum(
        User._base_manager.filter(among(ranges[at : at + RANGES_AT_ONCE])).count()
        for at in range(0, len(ranges), RANGES_AT_ONCE)
    )


def among(ranges: Sequence[Range]) -> Q:
    """The condition that the key of a person is in one of these ranges."""
    found = Q(pk__in=[first for first, last in ranges if first == last])
    for first, last in ranges:
        if first != last:
            found |= Q(pk__gte=first) if last == SearchNote.OPEN else Q(pk__range=(first, last))
    return found
