"""What people may say about themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import keep_lazy_text
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import avatars, phones, recorder, roles, speaking
from users_profiles.conflicts import NoticesOtherEdits
from users_profiles.models import Profile, User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.transfer.dates import OLDEST


@keep_lazy_text
def _with_numbers(sentence: Any) -> str:
    """A sentence that asks for a phone number, with one of this country and one of another."""
    return str(sentence % phones.examples())


class EditsProfile(NoticesOtherEdits):
    """The fields of a profile, with the rules that hold for whoever edits it; only what changed is written."""

    # Why the storage has just refused the picture, where the form is looked at once more.
    not_stored = ""

    class Meta:
        model = Profile
        fields = PROFILE_FIELDS
        help_texts = {
            "birth_date": gettext_lazy("Private: Readers do not see it."),
            "phone_number": _with_numbers(
                gettext_lazy("Such as %(here)s or %(elsewhere)s. Private: Readers do not see it.")
            ),
        }
        widgets = {
            "bio": forms.Textarea(attrs={"rows": 4}),
            "birth_date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def clean_avatar(self) -> Any:
        """Ask again before a picture goes that somebody else has chosen meanwhile; the page shows both by then."""
        picture = self.cleaned_data["avatar"]
        shown = self.data.get(avatars.shown_name(self.add_prefix("avatar")))
        if shown is not None and "avatar" in self.changed_data and shown != avatars.version_of(self.initial["avatar"]):
            sentence = _("Somebody changed the picture while you were editing. Save again to have it your way.")
            raise ValidationError(sentence, code="conflict")
        if self.not_stored and isinstance(picture, avatars.Redrawn):
            raise ValidationError(self.not_stored, code="not_stored")
        return picture

    def clean_birth_date(self) -> date | None:
        """Refuse what no living person has, in the words of the import."""
        born: date | None = self.cleaned_data["birth_date"]
        if born and not OLDEST <= born <= date.today():
            raise ValidationError(_("A birth date lies between 1900 and today."), code="birth_date")
        return born

    def save(self, commit: bool = True) -> Profile:
        """Write what changed. Raises ``avatars.NotStored`` when the storage refuses the picture."""
        profile: Profile = super().save(commit=False)
        if commit:
            profile.save_changes()
        return profile


# What browsers may fill in by themselves; only here, because they fill in what they know of whoever sits before them.
AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "location": "address-level2",
    "phone_number": "tel",
    "birth_date": "bday",
}


class ProfileForm(EditsProfile):
    """One's own profile: the fields that one's role may edit, and no other, whatever is sent."""

    first_name = User._meta.get_field("first_name").formfield()
    last_name = User._meta.get_field("last_name").formfield()

    field_order = ("avatar", *roles.NAME_FIELDS, "location", "phone_number", "birth_date", "bio")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = self.instance.user
        self.initial.update({name: getattr(person, name) for name in roles.NAME_FIELDS})
        own = roles.spec_of(person).own_fields
        for name in set(self.fields) - set(own):
            del self.fields[name]
        for name in AUTOCOMPLETE.keys() & self.fields.keys():
            self.fields[name].widget.attrs["autocomplete"] = AUTOCOMPLETE[name]

    def save(self, commit: bool = True) -> Profile:
        """Write what changed, of the name and of the profile: both or neither."""
        person = super().save(commit=False).user
        changed = [name for name in roles.NAME_FIELDS if name in self.fields and name in self.changed_data]
        for name in changed:
            setattr(person, name, self.cleaned_data[name])
        with transaction.atomic(), recorder.together():
            if commit and changed:
                person.save(update_fields=changed)
            return super().save(commit)


class SpeakingForm(forms.ModelForm[User]):
    """In which language, and on which clock, somebody wants to be spoken to."""

    class Meta:
        model = User
        fields = ("language", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages = [("", _("As your browser says")), *settings.LANGUAGES]
        zones = [("", settings.TIME_ZONE.replace("_", " ")), *_zones()]
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=languages, required=False)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=zones, required=False)

    def save(self, commit: bool = True) -> User:
        """Write these two and nothing else: the copy in hand may be older than the rest of the row."""
        person: User = super().save(commit=False)
        person.save(update_fields=self._meta.fields)
        return person


def _zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """The time zones, by continent, as a browser groups them; places are called as the database of zones calls them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in speaking.zones():
        continent, _slash, place = name.partition("/")
        found.setdefault(str(speaking.CONTINENTS[continent]), []).append((name, place.replace("_", " ")))
    return list(found.items())
