"""What staff choose on the way in and on the way out."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django import forms
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles.models import Import, User
from users_profiles.transfer import columns, intake
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.exporter import FORMATS
from users_profiles.transfer.options import DateOrder, Match, Mode, Options


class UploadForm(forms.Form):
    """A file, or cells copied from a spreadsheet."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=gettext_lazy("CSV or Excel (.xlsx). Nothing is changed before you have seen what would change."),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste cells from a spreadsheet"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("With the row of column names on top."),
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.job: Import | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        source = self._source(cleaned)
        if source is None:
            if not self.errors:
                raise forms.ValidationError(_("Choose a file, or paste some cells."))
            return cleaned
        try:
            self.job = intake.receive(source, source.name or "", self.owner)
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return cleaned

    def _source(self, cleaned: dict[str, Any]) -> File[bytes] | None:
        if cleaned.get("file"):
            upload: File[bytes] = cleaned["file"]
            return upload
        if (cleaned.get("pasted") or "").strip():
            return ContentFile(cleaned["pasted"].encode(), name=_("pasted cells"))
        return None


def _regions() -> list[tuple[str, str]]:
    return [
        (code, f"{code} (+{phonenumbers.country_code_for_region(code)})")
        for code in sorted(phonenumbers.SUPPORTED_REGIONS)
    ]


class ColumnsForm(forms.Form):
    """What each column of the file means, and what is to be done with its rows."""

    mode = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[
            (Mode.UPSERT.value, gettext_lazy("Add new people and change those we have")),
            (Mode.CREATE.value, gettext_lazy("Only add new people")),
            (Mode.UPDATE.value, gettext_lazy("Only change people we have")),
        ],
    )
    match = forms.ChoiceField(
        label=gettext_lazy("Recognise people by"),
        choices=[(Match.USERNAME.value, gettext_lazy("Username")), (Match.EMAIL.value, gettext_lazy("E-mail"))],
    )
    blank_clears = forms.BooleanField(
        label=gettext_lazy("An empty cell empties the field"),
        required=False,
        help_text=gettext_lazy("Otherwise an empty cell leaves what is there."),
    )
    region = forms.ChoiceField(
        label=gettext_lazy("Phone numbers without a country code are from"),
        choices=_regions,
    )
    date_order = forms.ChoiceField(
        label=gettext_lazy("A date like 03/04/2020 means"),
        required=False,
        choices=[
            (DateOrder.ASK.value, gettext_lazy("I am not sure: refuse such rows")),
            (DateOrder.DAY_FIRST.value, gettext_lazy("3 April (day first)")),
            (DateOrder.MONTH_FIRST.value, gettext_lazy("March 4 (month first)")),
        ],
    )

    def __init__(self, data: Any = None, *, job: Import, names: list[str]) -> None:
        self.job = job
        self.options = Options.from_json(job.options)
        super().__init__(data, initial=self.options.to_json())
        labels = columns.labels()
        choices = [("", _("Ignore this column")), *((name, labels[name]) for name in names)]
        for at, header in enumerate(self.options.headers):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=header, choices=choices, required=False, initial=self.options.mapping[at]
            )

    def columns(self, sample: list[list[str]]) -> list[dict[str, Any]]:
        """The rows of the table that the page shows: header, first values, choice, and how sure we are."""
        return [
            {
                "header": header,
                "values": [row[at] for row in sample if at < len(row) and row[at]],
                "field": self[f"column_{at}"],
                "known": bool(self.options.mapping[at]),
            }
            for at, header in enumerate(self.options.headers)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        mapping = [cleaned.get(f"column_{at}", "") for at in range(len(self.options.headers))]
        try:
            columns.check_mapping(self.options.headers, mapping)
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        if cleaned.get("match") and cleaned["match"] not in mapping:
            self.add_error("match", _("No column is taken for this, so people cannot be recognised by it."))
        self.options.mapping = mapping
        return cleaned

    def save(self) -> Import:
        """Keep the choices with the import."""
        for name in ("mode", "match", "blank_clears", "region", "date_order"):
            setattr(self.options, name, self.cleaned_data[name])
        self.job.options = self.options.to_json()
        self.job.save(update_fields=["options"])
        return self.job


class ExportForm(forms.Form):
    """Which columns leave, and in what format. Only those the person may see are offered, and only those are taken."""

    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[("xlsx", "Excel (.xlsx)"), ("csv", "CSV"), ("json", "JSON")],
        initial="xlsx",
    )
    columns = forms.MultipleChoiceField(label=gettext_lazy("Columns"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = columns.labels()
        names = columns.exportable(private)
        self.fields["columns"].choices = [(name, labels[name]) for name in names]  # type: ignore[attr-defined]
        self.fields["columns"].initial = names

    @property
    def content_type(self) -> str:
        return FORMATS[self.cleaned_data["format"]]
