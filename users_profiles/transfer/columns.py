"""The columns of a person in a file: declared once, for both directions, as a django-import-export resource.

To add a column, add a field to ``PersonResource`` and its names in other people's files to ``SYNONYMS``. What the
pages and the sample files say of a column comes from its field, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from users_profiles import moments, roles
from users_profiles.folding import fold
from users_profiles.models import User
from users_profiles.models.profile import PRIVATE_FIELDS, PROFILE_FIELDS
from users_profiles.sentences import sentence as _
from users_profiles.transfer import dates, values
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import DateOrder, Origin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# What other systems call our columns. Compared without case, accents, spaces and signs.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "username": ("username", "user", "user name", "login", "login name", "account", "user id", "userid",
                 "Benutzername", "Anmeldename", "nom d'utilisateur", "identifiant", "usuario", "nombre de usuario"),
    "email": ("email", "e-mail", "e-mail address", "mail", "email address", "work email", "E-Mail-Adresse",
              "courriel", "adresse e-mail", "correo", "correo electrónico"),
    "first_name": ("first name", "firstname", "given name", "forename", "Vorname", "prénom", "nombre"),
    "last_name": ("last name", "lastname", "surname", "family name", "Nachname", "Familienname", "nom",
                  "nom de famille", "apellido", "apellidos"),
    "is_active": ("is active", "active", "activated", "enabled", "account active", "aktiv", "actif", "activo"),
    "role": ("role", "user role", "Rolle", "rôle", "rol"),
    "phone_number": ("phone number", "phone", "telephone", "tel", "mobile", "mobile phone", "cell", "work phone",
                     "Telefon", "Telefonnummer", "Handy", "Mobil", "téléphone", "portable", "teléfono", "móvil"),
    "location": ("location", "office", "site", "place", "Standort", "Ort", "Büro", "lieu", "bureau", "ubicación",
                 "lugar", "oficina"),
    "birth_date": ("birth date", "birthdate", "date of birth", "birthday", "dob", "born", "Geburtsdatum",
                   "Geburtstag", "date de naissance", "né le", "fecha de nacimiento"),
    "bio": ("bio", "about", "about me", "biography", "description", "Über mich", "Beschreibung", "à propos",
            "biografía", "acerca de"),
    "date_joined": ("date joined", "start date", "hire date", "Eintrittsdatum", "date d'entrée", "fecha de ingreso",
                    "joined", "joined on", "join date", "joining date", "date of joining", "date of hire", "hired",
                    "entry date", "employed since", "member since", "Eintritt", "Einstellungsdatum", "Startdatum",
                    "beschäftigt seit", "dabei seit", "date d'arrivée", "date d'embauche", "date de début", "arrivée",
                    "membre depuis", "fecha de alta", "fecha de contratación", "fecha de incorporación",
                    "fecha de inicio", "llegada", "miembro desde"),
}  # fmt: skip

# Columns that would give away the house. Refused by name, so that nobody believes they were taken.
FORBIDDEN = ("password", "passwd", "pwd", "password hash", "Passwort", "Kennwort", "mot de passe", "contraseña",
             "is_superuser", "superuser", "superuser status", "is_staff", "staff status",
             "user_permissions", "permissions")  # fmt: skip

# Words that make a column somebody else's, or something else, however much the rest of its name resembles ours.
STRANGERS = frozenset(
    "manager supervisor boss lead emergency company department team parent spouse partner assistant vendor customer "
    "id code type status url count old previous verified course project "
    "vorgesetzter vorgesetzte chef firma abteilung notfall kostenstelle entreprise superviseur empresa jefe".split()
)


class PersonWidget(Widget):
    """What a column does to its cells."""

    def note(self, value: Any) -> str:
        """A value as the record of a change keeps it; ``clean`` gives it back. Mostly that is how files have it."""
        text: str = self.render(value)
        return text


class CellWidget(PersonWidget):
    """A library widget around one of our value functions."""

    def __init__(self, clean: Callable[[str], Any], render: Callable[[Any], str] = str) -> None:
        super().__init__()
        self._clean = clean
        self._render = render

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> Any:
        return self._clean(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else self._render(value)


class PersonField(Field):
    """A column. ``path`` is where the ORM finds it from the user, for exports that never build objects.

    ``label`` is what people call it, ``takes`` tells them what a cell of a file may hold, and ``samples`` are the cells
    of the people in the sample files.
    """

    def __init__(self, name: str, widget: Widget, label: StrPromise, takes: StrPromise, *samples: str) -> None:
        path = f"profile__{name}" if name in PROFILE_FIELDS else {"role": "role_name"}.get(name, name)
        super().__init__(attribute=path, column_name=name, widget=widget)
        self.path, self.label, self.takes, self.samples = path, label, takes, samples


class LineField(PersonField):
    """A column for a line of text."""

    def __init__(self, name: str, label: StrPromise, *samples: str) -> None:
        widget = CellWidget(lambda value: values.line(value, 150))
        super().__init__(name, widget, label, gettext_lazy("Any text of one line."), *samples)


class PhoneWidget(PersonWidget):
    """Numbers without a country code are taken to be from ``region``."""

    region = ""

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> str:
        return values.phone(value, self.region)


class DayWidget(PersonWidget):
    """Days; ``order`` says how 03/04/2020 is meant."""

    order = DateOrder.ASK

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> date:
        return dates.birthday(value, self.order)

    def render(self, value: date | None, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else value.isoformat()


class ArrivalWidget(PersonWidget):
    """Moments, which files have to the minute and records of changes exactly; ``order`` as above."""

    order = DateOrder.ASK

    def clean(self, value: str, row: Any = None, **kwargs: Any) -> datetime:
        return dates.arrival(value, self.order)

    def render(self, value: datetime | None, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else moments.office_time(value).isoformat(" ", "minutes")

    def note(self, value: datetime) -> str:
        return value.isoformat()


class PersonResource(ModelResource):
    """One row is one person: the user and the profile together."""

    username = PersonField(
        "username",
        CellWidget(values.username),
        gettext_lazy("Username"),
        gettext_lazy("How the person signs in. When the file has none, one can be made from the name or the e-mail."),
        "sam.sample",
        "kim.example",
    )
    email = PersonField(
        "email",
        CellWidget(values.email),
        gettext_lazy("E-mail"),
        gettext_lazy("One address, which belongs to this person only."),
        "sam.sample@example.com",
        "kim@example.com",
    )
    first_name = LineField("first_name", gettext_lazy("First name"), "Sam", "Kim")
    last_name = LineField("last_name", gettext_lazy("Last name"), "Sample", "Example")
    is_active = PersonField(
        "is_active",
        CellWidget(values.flag, lambda value: "yes" if value else "no"),
        gettext_lazy("Active"),
        gettext_lazy("Whether they may sign in: yes or no, true or false, 1 or 0, in several languages."),
        "yes",
        "no",
    )
    role = PersonField(
        "role",
        CellWidget(values.role, lambda value: value or roles.MEMBER_WORD),
        gettext_lazy("Role"),
        gettext_lazy("Admin, Editor, Reader or Member; none above your own."),
        "Member",
        "Member",
    )
    phone_number = PersonField(
        "phone_number",
        PhoneWidget(),
        gettext_lazy("Phone number"),
        gettext_lazy("With the country code, or without it: then you say which country is meant."),
        "+49 30 123456",
        "+44 20 7946 0000",
    )
    location = LineField("location", gettext_lazy("Location"), "Berlin", "London")
    birth_date = PersonField(
        "birth_date",
        DayWidget(),
        gettext_lazy("Birth date"),
        gettext_lazy("1990-12-31, 31.12.1990, 31 December 1990, or a date cell of Excel."),
        "1990-12-31",
        "1984-02-29",
    )
    bio = PersonField(
        "bio",
        CellWidget(lambda value: values.paragraph(value, 2_000)),
        gettext_lazy("About"),
        gettext_lazy("Any text, of several lines if you like."),
        "Knows where everything is.",
        "Joins in spring.",
    )
    date_joined = PersonField(
        "date_joined",
        ArrivalWidget(),
        gettext_lazy("Joined"),
        gettext_lazy("A day, written like a birth date, with a time if you like. Without it new people join today."),
        "2019-04-01",
        "2024-09-16",
    )

    class Meta:
        model = User
        # What is not named here does not exist for a file, whatever the file says.
        fields = ("username", "email", "first_name", "last_name", "is_active", "role",
                  "phone_number", "location", "birth_date", "bio", "date_joined")  # fmt: skip
        export_order = fields
        import_id_fields = ("username",)

    def __init__(self, region: str = "", date_order: DateOrder = DateOrder.ASK, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["phone_number"].widget.region = region or settings.PHONE_DEFAULT_REGION
        for name in DATES:
            self.fields[name].widget.order = date_order


NAMES: tuple[str, ...] = PersonResource.Meta.fields
FIELDS: dict[str, PersonField] = PersonResource.fields  # type: ignore[misc]
# What a file of ours says of a person and no file can change. The version tells a file that has been overtaken since.
READ_ONLY: tuple[str, ...] = ("last_login", "updated_at", "deactivated_at", "complete", "version")
# Those that hold dates.
DATES = ("birth_date", "date_joined")
# What many people can have in common. Who somebody is cannot be a default.
DEFAULTABLE: tuple[str, ...] = NAMES[2:]


def labels() -> dict[str, str]:
    """What we call the columns before people."""
    return {
        **{name: str(FIELDS[name].label) for name in NAMES},
        "last_login": _("Last sign-in"),
        "updated_at": _("Last change"),
        "deactivated_at": _("Left"),
        "complete": _("Complete"),
        "version": _("Version"),
    }


def exportable(private: bool) -> list[str]:
    """The columns that may leave, for somebody who may or may not see private fields."""
    return [name for name in (*NAMES, *READ_ONLY) if private or name not in PRIVATE_FIELDS]


def _key(header: str) -> str:
    """What two spellings of one header have in common."""
    return re.sub(r"[\W_]+", "", fold(header))


_BY_KEY = {_key(word): name for name in NAMES for word in (name, *SYNONYMS[name])}
_FORBIDDEN_KEYS = {_key(word) for word in FORBIDDEN}
_READ_ONLY_KEYS = {_key(word) for word in (*READ_ONLY, "last sign-in", "last change", "left")}


def field_for(header: str) -> str:
    """The field a header means, or the empty text."""
    return _BY_KEY.get(_key(header), "")


def is_read_only(header: str) -> bool:
    """Whether this is a column of our own exports that there is nothing to import from."""
    return _key(header) in _READ_ONLY_KEYS


def version_at(headers: Sequence[str]) -> int:
    """Where a file of our own exports says which version of each person it holds; -1 for any other file.

    Other people's files have versions too, of other things: ours are those in which we know every column.
    """
    keys = [_key(header) for header in headers]
    is_ours = all(key in _BY_KEY or key in _READ_ONLY_KEYS for key in keys)
    return keys.index("version") if is_ours and "version" in keys else -1


def recognised(cells: Iterable[str]) -> int:
    """How many of these cells would make a header of ours: how a header row is told from data."""
    return sum(1 for cell in cells if len(cell) < 60 and (_key(cell) in _BY_KEY or _key(cell) in _FORBIDDEN_KEYS))


def recognise(headers: Sequence[str]) -> tuple[list[str], list[Origin]]:
    """What each column means, and how we know: one field name a header, empty where none fits.

    Raises ``FileRefused`` when a header names something no file may set.
    """
    refuse_forbidden(headers)
    mapping = [field_for(header) for header in headers]
    origins = [Origin.NAME if name else Origin.NONE for name in mapping]
    # The closest resemblance first; a field that has its column needs no guess.
    guesses = [
        (*_resembling(header), at) for at, header in enumerate(headers) if not mapping[at] and not is_read_only(header)
    ]
    for likeness, name, at in sorted(guesses, key=lambda guess: (-guess[0], guess[2])):
        if likeness and name not in mapping:
            mapping[at], origins[at] = name, Origin.GUESS
    return mapping, origins


def _resembling(header: str) -> tuple[float, str]:
    """How much a header resembles a name we know, from 0 to 1, and the field of that name."""
    words = _words(header)
    if not words or len(words) > 6 or not STRANGERS.isdisjoint(words):
        return 0.0, ""
    key = "".join(words)
    runs = ("".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    known = max((run for run in runs if len(run) > 2 and run in _BY_KEY), key=len, default="")
    if known:
        return len(known) / len(key), _BY_KEY[known]
    # In short words one other letter makes another word: "state" is no "site".
    near = get_close_matches(key, _BY_KEY, n=1, cutoff=0.86) if len(key) > 5 else []
    return (0.5, _BY_KEY[near[0]]) if near else (0.0, "")


def _words(header: str) -> list[str]:
    """The words of a header, told apart by spaces, signs or capital letters."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return [word for word in map(_key, re.split(r"[\W_]+", parted)) if word]


def refuse_forbidden(headers: Iterable[str]) -> None:
    """Raise ``FileRefused`` naming every column that no file may set."""
    forbidden = [header for header in headers if _key(header) in _FORBIDDEN_KEYS]
    if forbidden:
        raise FileRefused(
            _("This file has the column %(columns)s, which cannot be imported. Delete that column and try again.")
            % {"columns": ", ".join(forbidden)}
        )


def check_mapping(headers: Sequence[str], mapping: Sequence[str]) -> None:
    """Raise ``FileRefused`` when two columns mean the same field or no column says who the person is."""
    refuse_rivals(headers, mapping)
    if "username" not in mapping and "email" not in mapping:
        raise FileRefused(
            _("No column says who each person is. The file needs a column with usernames or e-mail addresses.")
        )


def refuse_rivals(headers: Sequence[str], mapping: Sequence[str]) -> None:
    """Raise ``FileRefused`` naming the columns that are taken for one field."""
    for name in NAMES:
        rivals = [header for header, field in zip(headers, mapping, strict=True) if field == name]
        if len(rivals) > 1:
            raise FileRefused(
                _("The columns %(columns)s are both taken for %(field)s. Choose one and ignore the other.")
                % {"columns": " / ".join(rivals), "field": labels()[name]}
            )


def header_key(header: str) -> str:
    """What a column of this name is remembered by, however it is spelled."""
    return _key(header) or header
