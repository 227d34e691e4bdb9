"""What staff choose on the way in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import roles
from users_profiles.models import Import, Role, User
from users_profiles.transfer import columns, countries, intake, memory, pictures, reader, reconcile, usernames, values
from users_profiles.transfer.drop_zone import DropZone
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import DateOrder, Kind, Match, Mode, Options, Origin


class MakesImport(forms.Form):
    """A form with a file; a valid one has made the import that will deal with it."""

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.job: Import | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        source = self._source(cleaned)
        if source is not None:
            try:
                self.job = self._receive(source)
            except FileRefused as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return cleaned

    def _source(self, cleaned: dict[str, Any]) -> File[bytes] | None:
        return cleaned.get("file")

    def _receive(self, source: File[bytes]) -> Import:
        raise NotImplementedError


class UploadForm(MakesImport):
    """A file, or cells copied from a spreadsheet."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=DropZone([".csv", ".tsv", ".txt", ".xlsx"], gettext_lazy("This is a folder. Take one file out of it.")),
        help_text=gettext_lazy("CSV or Excel (.xlsx). Nothing is changed before you have seen what would change."),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste cells from a spreadsheet"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("With the row of column names on top."),
    )

    def _source(self, cleaned: dict[str, Any]) -> File[bytes] | None:
        source = super()._source(cleaned)
        if source is None and (cleaned.get("pasted") or "").strip():
            return ContentFile(cleaned["pasted"].encode(), name=_("pasted cells"))
        if source is None and not self.errors:
            raise forms.ValidationError(_("Choose a file, or paste some cells."))
        return source

    def _receive(self, source: File[bytes]) -> Import:
        """Begin with what staff chose the last time for such a file."""
        job = intake.receive(source, source.name or "", self.owner)
        options = Options.from_json(job.options)
        memory.recall(options, self.owner)
        suggest_pattern(options)
        job.options = options.to_json()
        job.save(update_fields=["options"])
        return job


class ArchiveForm(MakesImport):
    """A ZIP archive of pictures."""

    file = forms.FileField(
        label=gettext_lazy("ZIP archive"),
        widget=DropZone([".zip"], gettext_lazy("This is a folder. Make a ZIP archive of it first.")),
        help_text=gettext_lazy("JPEG, PNG, WebP or GIF. Nothing is changed before you have seen what would change."),
    )

    def _receive(self, source: File[bytes]) -> Import:
        return pictures.receive(source, source.name or "", self.owner)


def suggest_pattern(options: Options) -> None:
    """A file without usernames gets them made from names, else from e-mails, unless staff say otherwise."""
    if "username" not in options.mapping and "email" in options.mapping and not options.username_pattern:
        has_names = {"first_name", "last_name"} <= set(options.mapping)
        options.username_pattern = "{first}.{last}" if has_names else "{mailbox}"


class ReadingForm(forms.Form):
    """How the file is read, as found out or as staff know better."""

    prefix = "reading"

    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"))
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[
            ("utf-8", "UTF-8"),
            ("utf-8-sig", gettext_lazy("UTF-8 with mark")),
            ("cp1252", gettext_lazy("Windows-1252 (Western Europe)")),
            ("latin-1", gettext_lazy("Latin-1 (Western Europe)")),
            ("utf-16", "UTF-16"),
            ("utf-16-le", gettext_lazy("UTF-16 without mark, little-endian")),
            ("utf-16-be", gettext_lazy("UTF-16 without mark, big-endian")),
        ],
        help_text=gettext_lazy("Choose another when letters like é or ü look wrong below."),
    )
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Cells are separated by"),
        choices=[
            (",", gettext_lazy("commas")),
            (";", gettext_lazy("semicolons")),
            ("\t", gettext_lazy("tabs")),
            ("|", gettext_lazy("vertical bars")),
        ],
    )
    header_row = forms.IntegerField(
        label=gettext_lazy("Row with the column names"),
        min_value=0,
        max_value=1_000,
        help_text=gettext_lazy("0 if there is none."),
    )

    def __init__(self, data: Any = None, *, job: Import, owner: User | AnonymousUser) -> None:
        self.job = job
        self.owner = owner
        self.options = Options.from_json(job.options)
        super().__init__(data, initial=self.options.to_json())
        if self.options.kind is Kind.XLSX:
            del self.fields["encoding"], self.fields["delimiter"]
            self.fields["sheet"].choices = [(sheet, sheet) for sheet in self.options.sheets]  # type: ignore[attr-defined]
            if len(self.options.sheets) < 2:
                del self.fields["sheet"]
        else:
            del self.fields["sheet"]

    def summary(self) -> list[str]:
        """What was found, in words."""
        labels = {name: dict(field.choices) for name, field in self.fields.items() if hasattr(field, "choices")}
        options = self.options
        if options.kind is Kind.XLSX:
            found = [_("Excel, sheet %(sheet)s") % {"sheet": options.sheet}]
        else:
            found = [
                _("Text in %(encoding)s") % {"encoding": labels["encoding"][options.encoding]},
                _("cells separated by %(sign)s") % {"sign": labels["delimiter"][options.delimiter]},
            ]
        row = options.header_row
        return [*found, _("column names in row %(row)s") % {"row": row} if row else _("no column names")]

    def clean(self) -> dict[str, Any]:
        """Read the file in the new way; what does not work changes nothing."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        for name, value in cleaned.items():
            setattr(self.options, name, value)
        try:
            with intake.opened(self.job) as file:
                reader.reread(file, self.options)
                self.job.total = reader.estimate_rows(file, self.options)
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        return cleaned

    def save(self) -> None:
        """Keep the new way of reading, with the columns it gives."""
        memory.recall(self.options, self.owner)
        suggest_pattern(self.options)
        self.job.options = self.options.to_json()
        self.job.save(update_fields=["options", "total"])


# How usernames can be made, each with an example.
PATTERNS = {
    "{first}.{last}": gettext_lazy("Make them like ada.lovelace"),
    "{f}{last}": gettext_lazy("Make them like alovelace"),
    "{first}{l}": gettext_lazy("Make them like adal"),
    "{mailbox}": gettext_lazy("Take the e-mail up to the @"),
    "{email}": gettext_lazy("Take the whole e-mail"),
}
_OWN_PATTERN = "own"
_PLAIN_CHOICES = ("mode", "match", "blank_clears", "region", "date_order")


class ColumnsForm(reconcile.RosterFields):
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
    region = forms.ChoiceField(label=gettext_lazy("Phone numbers without a country code are from"))
    date_order = forms.ChoiceField(
        label=gettext_lazy("A date like 03/04/2020 means"),
        required=False,
        choices=[
            (DateOrder.ASK.value, gettext_lazy("I am not sure: refuse such rows")),
            (DateOrder.DAY_FIRST.value, gettext_lazy("3 April (day first)")),
            (DateOrder.MONTH_FIRST.value, gettext_lazy("March 4 (month first)")),
        ],
    )

    pattern = forms.ChoiceField(
        label=gettext_lazy("Usernames"),
        required=False,
        choices=[
            ("", gettext_lazy("Do not make any: refuse new people without one")),
            *PATTERNS.items(),
            (_OWN_PATTERN, gettext_lazy("Another pattern")),
        ],
        help_text=gettext_lazy("For new people who come without one. Needs an e-mail in the row."),
    )
    own_pattern = forms.CharField(
        label=gettext_lazy("Another pattern"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("From {first}, {last}, {f}, {l}, {mailbox} and {email}, such as {last}_{f}."),
    )
    default_role = forms.ChoiceField(label=gettext_lazy("Role"), required=False)
    default_is_active = forms.ChoiceField(
        label=gettext_lazy("Active"),
        required=False,
        choices=[("", gettext_lazy("Yes, they may sign in")), ("no", gettext_lazy("No, not yet"))],
    )
    default_location = forms.CharField(label=gettext_lazy("Location"), required=False, max_length=150)

    def __init__(self, data: Any = None, *, job: Import, names: list[str]) -> None:
        self.job = job
        self.options = Options.from_json(job.options)
        super().__init__(data, initial=self._initial())
        self.offer_roster(job.owner)
        self.fields["region"].choices = [  # type: ignore[attr-defined]
            (_("Most likely"), countries.likely()),
            (_("All countries"), countries.choices()),
        ]
        self.fields["default_role"].choices = self._roles()  # type: ignore[attr-defined]
        labels = columns.labels()
        choices = [("", _("Ignore this column")), *((name, labels[name]) for name in names)]
        for at, header in enumerate(self.options.headers):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=header, choices=choices, required=False, initial=self.options.mapping[at]
            )

    def _initial(self) -> dict[str, Any]:
        initial = self.options.to_json()
        pattern = self.options.username_pattern
        own = bool(pattern) and pattern not in PATTERNS
        initial |= {"pattern": _OWN_PATTERN if own else pattern, "own_pattern": pattern if own else ""}
        return initial | {f"default_{name}": text for name, text in self.options.defaults.items()}

    def _roles(self) -> list[tuple[str, str]]:
        """The roles that the import's owner may give; everybody may make members."""
        granted = roles.grantable(self.job.owner) if self.job.owner else Role.values
        return [(role, str(roles.LABELS[role])) for role in (roles.MEMBER, *filter(None, granted))]

    def columns(self, sample: list[list[str]]) -> list[dict[str, Any]]:
        """The rows of the table that the page shows: header, first values, choice, and how sure we are."""
        return [
            {
                "header": header,
                "values": [row[at] for row in sample if at < len(row) and row[at]],
                "field": self[f"column_{at}"],
                "origin": str(self.options.origins[at]) if at < len(self.options.origins) else "",
                "is_version": at == self.options.version_at,
            }
            for at, header in enumerate(self.options.headers)
        ]

    def warning(self) -> str:
        """What is to be put right before anything is read, or the empty text; once sent, the errors say it."""
        try:
            columns.check_mapping(self.options.headers, self.options.mapping)
        except FileRefused as refusal:
            return "" if self.is_bound else str(refusal)
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        mapping = [cleaned.get(f"column_{at}", "") for at in range(len(self.options.headers))]
        self._take_mapping(mapping)
        try:
            columns.check_mapping(self.options.headers, mapping)
        except FileRefused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        if cleaned.get("match") and cleaned["match"] not in mapping:
            self.add_error("match", _("No column is taken for this, so people cannot be recognised by it."))
        self._clean_pattern(cleaned, mapping)
        self._clean_location(cleaned)
        return cleaned

    def _take_mapping(self, mapping: list[str]) -> None:
        old = zip(self.options.mapping, self.options.origins or [Origin.NONE] * len(mapping), strict=True)
        self.options.origins = [
            origin if name == before else Origin.CHOSEN if name else Origin.NONE
            for name, (before, origin) in zip(mapping, old, strict=True)
        ]
        self.options.mapping = mapping

    def _clean_pattern(self, cleaned: dict[str, Any], mapping: list[str]) -> None:
        """A pattern must be one, and its parts must be in the file."""
        chosen = cleaned.get("pattern", "")
        where = "own_pattern" if chosen == _OWN_PATTERN else "pattern"
        pattern = (cleaned.get("own_pattern") or "").strip() if chosen == _OWN_PATTERN else chosen
        self.options.username_pattern = pattern
        if not chosen:
            return
        try:
            usernames.check_pattern(pattern)
        except ValueError as error:
            self.add_error(where, str(error))
            return
        labels = columns.labels()
        needed = (usernames.fields_of(pattern) | {"email"}) - {*mapping}  # a row is known by its e-mail until then
        missing = [labels[name] for name in columns.NAMES if name in needed]
        if missing:
            names = ", ".join(missing)
            self.add_error(where, _("Usernames cannot be made: no column is taken for %(names)s.") % {"names": names})

    def _clean_location(self, cleaned: dict[str, Any]) -> None:
        try:
            cleaned["default_location"] = values.line(cleaned.get("default_location") or "", 150)
        except ValueError as error:
            self.add_error("default_location", str(error))

    def save(self) -> Import:
        """Keep the choices with the import, and remember them for the next file with the same columns."""
        for name in _PLAIN_CHOICES:
            setattr(self.options, name, self.cleaned_data[name])
        offered = {name: self.cleaned_data[f"default_{name}"] for name in ("role", "is_active", "location")}
        self.options.defaults = {name: text for name, text in offered.items() if text}
        self.save_roster(self.options)
        self.job.options = self.options.to_json()
        self.job.headers_digest = memory.digest_of(self.options.headers)
        self.job.save(update_fields=["options", "headers_digest"])
        return self.job
