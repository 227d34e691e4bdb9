"""Sentences that are kept for others to read: with them goes what they were made of, so that each reader has them in
their own language, whoever they were said to first.

    from users_profiles.sentences import sentence as _

    raise FileRefused(_("Row %(row)s is empty.") % {"row": 7})
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext


class Sentence(str):
    """A text in the present language that knows its original and what was filled in. ``%`` fills in, as ever."""

    original: str
    details: Mapping[str, Any]

    def __new__(cls, original: str, details: Mapping[str, Any] | None = None) -> Self:
        text = gettext(original)
        made = super().__new__(cls, text if details is None else str.__mod__(text, details))
        made.original, made.details = original, details or {}
        return made

    def __mod__(self, details: Any) -> str:
        return Sentence(self.original, details) if isinstance(details, Mapping) else super().__mod__(details)


def sentence(original: str) -> Sentence:
    """For ``_``, in place of gettext."""
    return Sentence(original)


class SentenceField(models.TextField[str, str]):
    """Keeps sentences by what they are made of; other texts as they are. For the database it is text."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return keep(value) if isinstance(value, str) else super().get_prep_value(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value and say(value)


_START = '{"sentence":'


def keep(text: str) -> str:
    """What to store of a text for ``say`` to say it to somebody else."""
    return json.dumps(_taken_apart(text)) if isinstance(text, Sentence) else text


def say(stored: str) -> str:
    """A stored text in the present language, as far as it was a sentence."""
    text: str = _put_together(json.loads(stored)) if stored.startswith(_START) else stored
    return text


def _taken_apart(value: Any) -> Any:
    if isinstance(value, Sentence):
        return {"sentence": value.original, "details": {k: _taken_apart(detail) for k, detail in value.details.items()}}
    return value if isinstance(value, int | float) else str(value)


def _put_together(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    details = {name: _put_together(detail) for name, detail in value["details"].items()}
    return Sentence(value["sentence"], details or None)
