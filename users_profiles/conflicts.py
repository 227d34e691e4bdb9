"""Edits that cross each other: nobody's work is lost when two people change the same person at once (check F1).

Every field of a form carries along the value it showed. What somebody else changed meanwhile stays as they left it, and
that is said; where both changed the same field, whoever saves second sees both values, who made the other one and
when, and chooses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from users_profiles import recorder, trail
from users_profiles.keys import is_key
from users_profiles.models import Profile, User

MINE, THEIRS = "mine", "theirs"


def lock(keys: Collection[int]) -> None:
    """Let nobody else write to these people and their profiles until the transaction ends.

    Called before they are read: what a form compares is then what it writes over, also when two press Save at the very
    same moment. (SQLite has one writer at a time, whose transaction this is already.)
    """
    for model in (User, Profile):
        rows = model._base_manager.select_for_update().filter(pk__in=keys)
        list(rows.order_by("pk").values_list("pk"))


def versions(people: Iterable[User]) -> str:
    """What these people are like at this moment, to be sent along with a question about them."""
    return " ".join(f"{person.pk}:{_version(person)}" for person in people)


def read_versions(shown: str) -> dict[int, str]:
    """What ``versions`` said, by the key of each person."""
    pairs = (part.partition(":") for part in shown.split())
    return {int(key): version for key, _colon, version in pairs if is_key(key)}


def is_as_shown(person: User, shown: dict[int, str]) -> bool:
    """Whether a person is still as they were when ``shown`` was."""
    return shown.get(person.pk) == _version(person)


def _version(person: User) -> str:
    return f"{person.version}.{person.profile.version}"


@dataclass(frozen=True)
class Crossing:
    """A field that two people changed at once, in words, with what the page sends back about it."""

    name: str
    author: trail.Author | None
    before: str
    mine: str
    theirs: str
    seen: str
    choice: str

    @property
    def sentence(self) -> str:
        """Who changed it, and when."""
        if self.author is None:
            return _("Somebody changed this while you were editing.")
        when = date_format(timezone.localtime(self.author.when), "DATETIME_FORMAT")
        return _("%(who)s changed this while you were editing (%(when)s).") % {"who": self.author.who, "when": when}


class NoticesOtherEdits(forms.ModelForm):
    """A form that notices what somebody else has changed since it was shown."""

    class Media:
        css = {"all": ["users_profiles/conflicts.css"]}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What somebody else changed and this form leaves alone, by the name of the field.
        self.left_alone: dict[str, Any] = {}
        for name, field in self.fields.items():
            field.show_hidden_initial = self._is_compared(name, field)

    def _is_compared(self, name: str, field: forms.Field) -> bool:
        if isinstance(field, forms.FileField) or self.instance._state.adding:
            return False
        if not self.is_bound or self.add_initial_prefix(name) in self.data:
            return True
        # A list that showed nothing has no input for it; that the rest was shown is all there is to go by.
        shown = self.add_initial_prefix("")
        return isinstance(field, forms.ModelMultipleChoiceField) and any(key.startswith(shown) for key in self.data)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        crossed: list[str] = []
        for name, field in self.fields.items():
            if not field.show_hidden_initial or name not in cleaned:
                continue
            if isinstance(field, forms.ModelMultipleChoiceField):
                self._merge(name, field, cleaned)
            elif self._is_crossed(name, field, cleaned):
                crossed.append(name)
        if crossed:
            self._settle(crossed, cleaned)
        return cleaned

    def _merge(self, name: str, field: forms.ModelMultipleChoiceField, cleaned: dict[str, Any]) -> None:
        """Of a list, keep what the other one added and took away, beside what was added and taken away here."""
        posted = cast(QueryDict, self.data).getlist(self.add_initial_prefix(name))
        shown = {int(key) for key in posted if is_key(key)}
        chosen = {one.pk: one for one in cleaned[name]}
        current = {one.pk: one for one in getattr(self.instance, name).all()}
        wanted = {**current, **{key: one for key, one in chosen.items() if key not in shown}}
        cleaned[name] = [one for key, one in wanted.items() if key in chosen or key not in shown]

    def _is_crossed(self, name: str, field: forms.Field, cleaned: dict[str, Any]) -> bool:
        """Whether both have changed a field; if only the other one has, theirs stays."""
        current = self.get_initial_for_field(field, name)
        if not field.has_changed(current, self.data.get(self.add_initial_prefix(name))):
            return False
        is_answer = self._choice(name) != ""
        if cleaned[name] == current or (name not in self.changed_data and not is_answer):
            self._leave(name, current, cleaned)
            return False
        return True

    def _leave(self, name: str, current: Any, cleaned: dict[str, Any]) -> None:
        """Write nothing to a field."""
        if cleaned[name] != current:
            self.left_alone[name] = current
        cleaned[name] = current
        if name in self.changed_data:
            self.changed_data.remove(name)

    def _settle(self, crossed: list[str], cleaned: dict[str, Any]) -> None:
        """Do as was chosen, and ask where nothing was, or something else than what is there by now."""
        values = {name: self.get_initial_for_field(self.fields[name], name) for name in crossed}
        authors = self._authors(values)
        for name, current in values.items():
            field, mine = self.fields[name], cleaned[name]
            seen = self.data.get(self._key(name, "seen"))
            choice = "" if seen is None or field.has_changed(current, seen) else self._choice(name)
            before = self.data.get(self.add_initial_prefix(name), "")
            field.crossing = Crossing(  # type: ignore[attr-defined]  # beside the field, where its template finds it
                name=self.add_prefix(name),
                author=authors.get(name),
                before=_in_words(field, _read(field, before)),
                mine=_in_words(field, mine),
                theirs=_in_words(field, current),
                seen=_as_text(field.prepare_value(current)),
                choice=choice,
            )
            if choice == THEIRS:
                self._leave(name, current, cleaned)
                del self.left_alone[name]  # nobody needs to be told what they have just chosen
            elif choice == MINE:
                self.changed_data.append(name)  # also when it is what there was in the beginning
            else:
                self.add_error(name, ValidationError(_("Choose which of the two to keep."), code="conflict"))

    def _key(self, name: str, part: str) -> str:
        return f"{self.add_prefix(name)}-{part}"

    def _choice(self, name: str) -> str:
        choice = self.data.get(self._key(name, "choice"), "")
        return choice if choice in {MINE, THEIRS} else ""

    def _authors(self, values: dict[str, Any]) -> dict[str, trail.Author]:
        return trail.authors(self.instance.pk, {name: recorder.text(value) for name, value in values.items()})

    def told(self) -> list[str]:
        """One sentence for each field that somebody else changed and that was left as they want it."""
        authors = self._authors(self.left_alone) if self.left_alone else {}
        return [self._sentence(name, value, authors.get(name)) for name, value in self.left_alone.items()]

    def _sentence(self, name: str, value: Any, author: trail.Author | None) -> str:
        field = self.fields[name]
        label = field.label or name
        words = {
            "who": author.who if author else _("Somebody"),
            "field": capfirst(label),
            "value": _in_words(field, value),
        }
        return _("While you were editing, %(who)s changed this, and it stays: %(field)s: %(value)s.") % words


def _in_words(field: forms.Field, value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices = dict(getattr(field, "choices", ()))
    if value in choices:
        return str(choices[value])
    if value in field.empty_values:
        return _("(empty)")
    return date_format(value, "DATE_FORMAT") if isinstance(value, date) else str(field.prepare_value(value))


def _read(field: forms.Field, shown: str) -> Any:
    """What was shown, as a value; a forged one as it stands."""
    try:
        return field.to_python(shown)
    except ValidationError:
        return shown


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
