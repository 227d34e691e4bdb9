"""What tells in a text who is meant: what somebody is called, where mail reaches them, and what those were before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from users_profiles import phones
from users_profiles.models import ImportRow, TrailEntry, User
from users_profiles.models.user import has_email, has_username
from users_profiles.trail.entries import people_type

TELLING = ("username", "email", "phone_number")
# So short a text stands for somebody only by chance.
SHORTEST = 3
# Of files that may be called after somebody.
ENDINGS = "(?:csv|tsv|txt|xlsx|zip|jpe?g|png|webp|gif)"


@dataclass(frozen=True)
class Names:
    """The texts that mean one person, and nobody else who is still here."""

    texts: tuple[str, ...]
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Whole words only: "ada" is not in "canada", and not in another's "ada.byron@example.com"; it is in "ada.png".
        words = "|".join(re.escape(text) for text in sorted(self.texts, key=len, reverse=True))
        whole = rf"(?<![\w.@+-])(?:{words})(?![\w@+-]|\.(?!{ENDINGS}\b)\w)"
        object.__setattr__(self, "_pattern", re.compile(whole if words else r"(?!)", re.IGNORECASE))

    def mentioned_in(self, text: str) -> bool:
        """Whether a text mentions the person."""
        return self._pattern.search(text) is not None

    def without(self, value: Any, label: str) -> Any:
        """A text, or anything made of texts, with ``label`` wherever it mentioned the person."""
        if isinstance(value, str):
            return self._pattern.sub(lambda _match: label, value)
        if isinstance(value, list):
            return [self.without(one, label) for one in value]
        if isinstance(value, dict):
            return {self.without(key, label): self.without(one, label) for key, one in value.items()}
        return value

    def somewhere_in(self, *columns: str) -> Q:
        """The condition that a row may mention the person in one of these columns; ``mentioned_in`` says for certain.

        JSON is text to the database, and may have letters beyond ASCII escaped.
        """
        found = Q(pk__in=[])
        for text in self.texts:
            for spelled in {text, json.dumps(text)[1:-1]}:
                for column in columns:
                    found |= Q(**{f"{column}__icontains": spelled})
        return found


def as_text(*columns: str) -> dict[str, Cast]:
    """JSON columns as text, for ``somewhere_in``, by the name ``text_of_COLUMN``."""
    return {f"text_of_{column}": Cast(column, TextField()) for column in columns}


def names_of(person: User) -> Names:
    """All that is known to have meant this person, now or earlier, and means nobody else today."""
    known = {text.strip() for text in _known(person) if len(text.strip()) >= SHORTEST}
    return Names(tuple(sorted(text for text in known if not _means_another(text, person))))


def _known(person: User) -> Iterator[str]:
    yield from (person.username, person.email, *phones.spellings(person.profile.phone_number))
    yield from _full_names(person.first_name, person.last_name)
    noted = TrailEntry.objects.filter(content_type=people_type(), object_id=person.pk)
    for label, changes in noted.values_list("object_repr", "changes"):
        yield label
        yield from _telling(changes or {})
    for changes in ImportRow.objects.filter(user=person).values_list("changes", flat=True):
        yield from _telling(changes)


def _telling(changes: dict[str, Any]) -> Iterator[str]:
    for name in TELLING:
        for value in changes.get(name) or ():
            yield from phones.spellings(value or "") if name == "phone_number" else (value or "",)


def _full_names(first: str, last: str) -> Iterable[str]:
    return (f"{first} {last}", f"{last} {first}", f"{last}, {first}") if first and last else ()


def _means_another(text: str, person: User) -> bool:
    """Whether somebody else is called this, or has it by now."""
    first, _space, last = text.partition(" ")
    called = has_username(text) | has_email(text) | Q(profile__phone_number=_as_stored(text))
    namesake = Q(first_name__iexact=first, last_name__iexact=last) if last else Q(pk__in=[])
    return User.objects.filter(called | namesake).exclude(pk=person.pk).exists()


def _as_stored(text: str) -> str:
    """A phone number in one of its spellings as profiles have it; any other text as it is."""
    try:
        number = phones.normalise(text)
    except ValidationError:
        return text
    return number if text in phones.spellings(number) else text
