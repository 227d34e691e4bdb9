"""Keys and numbers out of an address or a form: anybody can send anything, and some are too large for the database."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest


def is_key(text: str) -> bool:
    """Say whether a text out of an address or a form can be a key at all; 18 digits surely fit the database."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def read_number(text: str) -> int | None:
    """The number of a row, or of a version, that a text says; None where it can be none. Nine digits fit any column."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


class KeysField(forms.ModelMultipleChoiceField):
    """Rows to tick. What can be nobody's key is an error of the form, as a key that is not offered is."""

    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> Any:
        return super().clean(self._keys(value))

    def to_python(self, value: Any) -> Any:
        return super().to_python(self._keys(value))

    def _keys(self, value: Any) -> Any:
        for key in value if isinstance(value, list | tuple) else ():
            if not is_key(str(key)):
                raise ValidationError(self.error_messages["invalid_pk_value"], code="invalid", params={"pk": key})
        return value


class FoundByKeyMixin:
    """For a ModelAdmin whose rows are found by keys only; Django's takes the name of any field out of an address."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super().get_object(request, object_id) if is_key(object_id) else None  # type: ignore[misc]
