"""Columns that people are put in order by: a name as one looks for it in a list, beside the name as it is written.

Databases differ in how they put texts in order, and SQLite goes by the codes of their letters, which has “Zając” before
“de Groot” and “Özil”. An expression of its functions that knows better would cost an import a tenth of its pace if it
had an index; a column costs little. It follows by itself where its row is saved, and where many are updated at once;
what writes past the ORM is noticed by the triggers of the search, and mended with its texts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from django.db import models
from django.db.models import signals

from users_profiles.folding import sortable

Row = TypeVar("Row", bound=models.Model)


# Not serialized: whoever loads a row has it made anew.
_ALWAYS = {"max_length": 150, "blank": True, "default": "", "db_default": "", "editable": False, "serialize": False}


class FoldedField(models.CharField[str, str]):
    """Another text of the same row, named by ``of``, in small letters without accents and signs."""

    def __init__(self, *, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(**{**_ALWAYS, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {"of": self.of, **kwargs}

    def fold(self, value: str) -> str:
        """What is stored beside ``value``; folding makes some texts longer."""
        return sortable(value)[: self.max_length]

    def contribute_to_class(self, cls: type[models.Model], name: str, *args: Any, **kwargs: Any) -> None:
        super().contribute_to_class(cls, name, *args, **kwargs)
        # A fixture is saved without asking any field.
        signals.pre_save.connect(self._follow, sender=cls)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Follow for who is written without signals, many at once."""
        self._follow(instance=model_instance)
        return str(getattr(model_instance, self.attname))

    def _follow(self, instance: models.Model, **kwargs: Any) -> None:
        value = instance.__dict__.get(self.of)
        if isinstance(value, str):  # and is neither left unread nor what only the database knows
            setattr(instance, self.attname, self.fold(value))


def folded_fields(model: type[models.Model], names: Collection[str] | None = None) -> list[FoldedField]:
    """The fields that follow when these are written; all there are when none are named."""
    folded = [field for field in model._meta.concrete_fields if isinstance(field, FoldedField)]
    return [field for field in folded if names is None or field.of in names]


def folded_names(model: type[models.Model], names: Collection[str]) -> list[str]:
    return [field.name for field in folded_fields(model, names)]


class FoldingQuerySet(models.QuerySet[Row]):
    """Has what rows are put in order by follow when many are updated at once."""

    def update(self, **values: Any) -> int:
        """Write to all in one statement. What only the database knows beforehand follows a moment later, see above."""
        said = {name: value for name, value in values.items() if isinstance(value, str)}
        follows = {field.name: field.fold(said[field.of]) for field in folded_fields(self.model, said)}
        return super().update(**follows, **values)
