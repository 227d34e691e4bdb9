"""Gives people back what they had before, field by field, and leaves alone what has been changed again since.

What an import did (``undo_import``) and what was done to several people in the list (``undo_action``) is taken back
by the same rules: both know the old and the new value of every field they changed, and each person is asked about
anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy

from users_profiles import roles
from users_profiles.among import among
from users_profiles.models import ImportRow, Role, User
from users_profiles.models.profile import BLANKS
from users_profiles.models.user import names_of_roles
from users_profiles.roles import Action
from users_profiles.transfer import columns, people
from users_profiles.transfer.people import Candidate, Known
from users_profiles.transfer.writer import Writer

Fate = ImportRow.Fate
# Why somebody is kept, or not removed, or not restored in full. Stored by their keys, so that they can be translated.
REASONS = {
    "gone": gettext_lazy("has been deleted since"),
    "superuser": gettext_lazy("is a superuser"),
    "oneself": gettext_lazy("is whoever undoes this"),
    "above": gettext_lazy("has a role that may not be touched by whoever undoes this"),
    "forbidden": gettext_lazy("may not be changed by whoever undoes this"),
    "signed_in": gettext_lazy("has signed in since"),
    "password": gettext_lazy("has chosen a password since"),
    "edited": gettext_lazy("the profile was edited since"),
    "changed": gettext_lazy("was changed again since"),
    "inactive": gettext_lazy("was used since and is inactive already"),
    "taken": gettext_lazy("the old value belongs to somebody else now"),
    "unreadable": gettext_lazy("the old value is not valid any more"),
}


@dataclass(slots=True)
class Person:
    """Somebody the import wrote, as they are now."""

    known: Known
    last_login: datetime | None
    password: str
    extra: bool = False  # has permissions or groups that no import gives

    def used(self) -> str:
        """Why a person that the import created is not just removed, as far as that is not a matter of values."""
        if self.last_login is not None:
            return "signed_in"
        if not self.password.startswith(UNUSABLE_PASSWORD_PREFIX):
            return "password"
        return "edited" if self.known.version > 1 else ""


@dataclass(slots=True)
class Decision:
    row: Any
    fate: ImportRow.Fate
    reason: str = ""
    kept: list[str] = field(default_factory=list)
    restore: Candidate | None = None

    def __str__(self) -> str:
        return ":".join(part for part in (self.fate, self.reason, ",".join(self.kept)) if part)


class Undo:
    """Decides about people, and writes what was decided. ``actor`` is None for the operator of the host."""

    def __init__(self, actor: User | None, resource: columns.PersonResource) -> None:
        self.actor = actor
        self.resource = resource
        self.writer = Writer()

    def decide(self, rows: Sequence[Any], lock: bool) -> list[Decision]:
        """What is to become of each row: a ``user_id`` with ``changes``, the old and the new text of each field."""
        persons = _load({row.user_id for row in rows if row.user_id}, lock=lock)
        decisions = [self.decide_one(row, persons.get(row.user_id)) for row in rows]
        self._keep_taken(decisions)
        return decisions

    def decide_one(self, row: Any, person: Person | None) -> Decision:
        """What is to become of one person, as far as nobody else has to be asked about."""
        raise NotImplementedError

    def may_touch(self, person: Person) -> bool:
        return self.actor is None or roles.may(self.actor, Action.EDIT, person.known)

    def restore(self, row: Any, person: Person) -> Decision:
        """Somebody the import changed: each field gets its old value back, unless it was changed again since."""
        known = person.known
        candidate = Candidate(row.number, {}, [], known=known, user_id=known.pk)
        kept: dict[str, str] = {}
        for name, (old, new) in row.changes.items():
            reason = self._obstacle(name, old, new, known)
            if reason:
                kept[name] = reason
            else:
                value = self._value(name, old)
                candidate.values[name] = value
                candidate.changes[name] = (known.values[name], value)
        reason = next(iter(kept.values()), "")
        if not candidate.changes:
            return Decision(row, Fate.KEPT, reason, list(kept))
        return Decision(row, Fate.RESTORED, reason, list(kept), candidate)

    def _obstacle(self, name: str, old: str, new: str, known: Known) -> str:
        """Why a field does not get its old value back; empty where nothing is in the way."""
        if self.text(name, known.values[name]) != new:
            return "changed"
        try:
            value = self._value(name, old)
        except ValueError:
            return "unreadable"
        if name == "is_active" and not self.may(Action.DEACTIVATE, known):
            return "forbidden"
        if name == "role" and self.actor is not None and not roles.may_grant(self.actor, value, known):
            return "forbidden"
        return ""

    def _keep_taken(self, decisions: Sequence[Decision]) -> None:
        """Keep usernames and e-mails whose old value belongs to somebody else by now."""
        for name in ("username", "email"):
            wanted = {
                value.lower(): decision
                for decision in decisions
                if decision.restore is not None and (value := decision.restore.values.get(name))
            }
            if not wanted:
                continue
            holders = User.objects.annotate(key=Lower(name)).filter(key__in=among(wanted))
            for key, holder in holders.values_list("key", "pk"):
                decision = wanted[key]
                if holder != decision.row.user_id:
                    _keep(decision, name, "taken")

    def may(self, action: Action, known: Known) -> bool:
        return self.actor is None or roles.may(self.actor, action, known)

    def text(self, name: str, value: Any) -> str:
        return people.noted(name, value, self.resource)

    def _value(self, name: str, text: str) -> Any:
        """What the change record has as text. Text itself is taken as it is: what was stored need not be cleaned."""
        if name not in people.NOT_TEXT:
            return text
        return self.resource.fields[name].widget.clean(text) if text else None

    def write(self, decisions: Sequence[Decision]) -> None:
        """Give them back what is to be given back."""
        restored = [decision.restore for decision in decisions if decision.restore is not None]
        if restored:
            self.writer.update(restored)


def _keep(decision: Decision, name: str, reason: str) -> None:
    """Take one field out of what is restored."""
    assert decision.restore is not None  # noqa: S101
    del decision.restore.changes[name], decision.restore.values[name]
    decision.reason = decision.reason or reason
    decision.kept.append(name)
    if not decision.restore.changes:
        decision.fate, decision.restore = Fate.KEPT, None


_LOADED = ("pk", "is_superuser", "last_login", "password", "profile__version", "version")
_VALUES = [name for name in columns.NAMES if name != "role"]


def _load(keys: Collection[int], lock: bool) -> dict[int, Person]:
    """The people with these keys, in a fixed number of queries; with ``lock``, as nobody else can change them."""
    found: Any = User.objects.filter(pk__in=among(keys, "bigint")).order_by("pk")
    if lock:
        found = found.select_for_update(of=("self",))
    fields = columns.PersonResource().fields
    paths = [fields[name].path for name in _VALUES]
    persons = {}
    for pk, is_superuser, last_login, password, version, person_version, *values in found.values_list(*_LOADED, *paths):
        own = dict(zip(_VALUES, values, strict=True))
        if version is None:  # raw SQL can leave somebody without a profile
            own.update(BLANKS)
        known = Known(pk, is_superuser, version or 0, person_version, {**own, "role": ""})
        persons[pk] = Person(known, last_login, password)
    _load_groups(persons)
    return persons


def _load_groups(persons: dict[int, Person]) -> None:
    held = User.groups.through._default_manager.filter(user_id__in=among(persons, "bigint"))
    for key, role in names_of_roles(held).items():
        persons[key].known.values["role"] = role
    beside = held.exclude(group__name__in=Role.values)
    for (user_id,) in beside.values_list("user_id").distinct():
        persons[user_id].extra = True
    own = User.user_permissions.through._default_manager.filter(user_id__in=among(persons, "bigint"))
    for (user_id,) in own.values_list("user_id").distinct():
        persons[user_id].extra = True
