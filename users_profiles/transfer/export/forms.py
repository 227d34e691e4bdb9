"""What staff choose on the way out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from users_profiles.models import Export
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export.wanted import Wanted, exportable


class ExportForm(forms.Form):
    """Which columns leave, in what order, and in what format. Only those the person may see are offered, and taken.

    The order is that of the ticks as they are sent; ``listed`` has all of the columns, so that a page that is shown
    again shows them as they were.
    """

    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Export.Format.choices)
    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one column.")},
    )

    def __init__(self, data: Any = None, *, wanted: Wanted, count: int) -> None:
        super().__init__(data)
        self._wanted = wanted
        self._count = count
        offered = exportable(wanted.actor)
        sent = data.getlist("listed") if data is not None else wanted.columns
        order = [name for name in dict.fromkeys([*sent, *offered]) if name in offered]
        labels = columns.labels()
        self.fields["columns"].choices = [(name, labels[name]) for name in order]  # type: ignore[attr-defined]
        self.fields["columns"].initial = list(wanted.columns)
        self.fields["format"].initial = wanted.format

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self._wanted.columns, self._wanted.format = cleaned["columns"], cleaned["format"]
            try:
                self._wanted.check(self._count)
            except FileRefused as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return cleaned

    @property
    def listed(self) -> list[tuple[str, str, bool]]:
        """All columns in their order: name, label, and whether it is ticked."""
        ticked = self["columns"].value() or []
        choices: Any = self.fields["columns"]
        return [(name, label, name in ticked) for name, label in choices.choices]

    def move(self, what: str) -> None:
        """Move a column up or down by one place, for browsers that run no script: ``up:email``.

        One that is ticked goes past those that are not: they are not in the file, so nothing would be seen to move.
        """
        way, _sign, name = what.partition(":")
        ticked = {column: is_ticked for column, _label, is_ticked in self.listed}
        choices: Any = self.fields["columns"]
        listed = list(choices.choices)
        at = next((at for at, (other, _label) in enumerate(listed) if other == name), None)
        if at is not None:
            ahead = range(at + 1, len(listed)) if way == "down" else range(at - 1, -1, -1)
            to = next((to for to in ahead if ticked[listed[to][0]] or not ticked[name]), at)
            listed.insert(to, listed.pop(at))
        choices.choices = listed
