"""Looks after what people are put in order by, where somebody wrote past the ORM, or the version before this did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from users_profiles.models import Profile, User
from users_profiles.models.folded import FoldedField, folded_fields

_KEPT: list[tuple[type[Model], str, list[FoldedField]]] = [
    (User, "", folded_fields(User)),
    (Profile, "profile__", folded_fields(Profile)),
]
# Where it is found from the person, and what it is made of.
PATHS = [f"{prefix}{name}" for _model, prefix, fields in _KEPT for field in fields for name in (field.of, field.name)]


def mend(people: Mapping[int, Sequence[Any]]) -> set[int]:
    """Make anew what is not as it should be, of people given by key with their values at the paths above.

    Returns those whom somebody is writing to at this moment: to wait for them could have two wait for each other.
    """
    busy: set[int] = set()
    for model, prefix, fields in _KEPT:
        wrong = {
            key for key, values in people.items() if _is_wrong(dict(zip(PATHS, values, strict=True)), prefix, fields)
        }
        if wrong:
            rows = model._base_manager.filter(pk__in=wrong).order_by("pk")
            free = list(rows.select_for_update(skip_locked=True, no_key=True))
            for row in free:
                folded = {field.name: field.fold(getattr(row, field.of)) for field in fields}
                model._base_manager.filter(pk=row.pk).update(**folded)
            busy |= wrong - {row.pk for row in free}
    return busy


def _is_wrong(person: Mapping[str, Any], prefix: str, fields: Sequence[FoldedField]) -> bool:
    """Of somebody without a profile, nothing of it is."""
    said = [(field, person[prefix + field.of]) for field in fields]
    return any(text is not None and person[prefix + field.name] != field.fold(text) for field, text in said)
