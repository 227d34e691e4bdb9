"""Writes the trail: every change of a person, whichever road it takes, is noted where it happens.

What a form or a program saves is seen by the receivers below. What is written past them, by one statement to many
people, says so itself (``note``). Imports do neither: their rows say what became of whom, and ``trail`` reads both.
Groups, and with them what a role may do, are left to auditlog's own receivers.

Nothing here ever holds a password, only that there is a new one; of a picture only that there is one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from allauth.account.adapter import get_adapter
from auditlog.registry import auditlog
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify

from users_profiles.models import Profile, Report, Road, Role, TrailEntry, User
from users_profiles.models.profile import PROFILE_FIELDS

Action = TrailEntry.Action
Change = list[str | None]

PERSON_FIELDS = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
# Tracked otherwise than by comparing two texts: that there is a new password; and what is kept in tables beside.
OTHER_FIELDS = ("password", "role", "groups", "user_permissions")
# Every other field of a person, and why nobody would miss it. A test sees to it that a new field is in one of these.
NOT_TRACKED = {
    "id": "never changes",
    "last_login": "a sign-in changes nothing about a person",
    "date_joined": "set once; the entry of the new person has the moment",
    "version": "counts what is tracked",
    "language": "how they are spoken to changes nothing about a person",
    "time_zone": "as their language",
    "deactivated_at": "follows from the change of is_active",
    "profile.user": "never changes",
    "profile.version": "counts what is tracked",
    "profile.updated_at": "follows from what is tracked",
}
# How the names of the addresses of signing in begin: by password, second factor and sign-in service.
SIGN_IN_PAGES = ("account_", "mfa_", "openid_connect_")
# Who looks at the same thing again within so many seconds is still looking.
STILL_LOOKING = 600

auditlog.register(Group, include_fields=["name"], m2m_fields={"permissions"})


# From where ---------------------------------------------------------------------------------------------------------

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_road: ContextVar[str] = ContextVar("road", default="")
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_mark: ContextVar[str | None] = ContextVar("mark", default=None)


def remember_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is changed while a request is answered was changed by whoever sent it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


@contextmanager
def by(road: Road) -> Iterator[None]:
    """Say which road the changes of a block take, where the address of the page does not."""
    token = _road.set(road)
    try:
        yield
    finally:
        _road.reset(token)


@contextmanager
def marked(mark: str) -> Iterator[None]:
    """Give the entries of a block a mark in common, so that what was done together can be found, and undone, together.

    Entries are written at the end of ``together``, so that goes inside.
    """
    token = _mark.set(mark)
    try:
        yield
    finally:
        _mark.reset(token)


@contextmanager
def quietly() -> Iterator[None]:
    """Note nothing: of imports and their undoing the rows are the entries, and made-up people have no past."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def is_recording() -> bool:
    return not _quiet.get()


def _origin() -> dict[str, Any]:
    """Who, by which road and from where, as an entry has it. Without a request it is the operator of the host."""
    request = _request.get()
    if request is None:
        return {"road": _road.get() or Road.COMMAND, "cid": _mark.get()}
    user = getattr(request, "user", None)
    actor = user if user is not None and user.is_authenticated else None
    return {
        "road": _road.get() or _road_of(request),
        "actor_id": actor.pk if actor else None,
        "actor_name": str(actor)[:320] if actor else "",
        "remote_addr": _address_of(request),
        "cid": _mark.get(),
    }


def _road_of(request: HttpRequest) -> Road:
    match = request.resolver_match
    if match is not None and match.app_name == "admin":
        return Road.ADMIN
    return Road.ACCOUNT if match is not None and match.view_name.startswith(SIGN_IN_PAGES) else Road.SELF


def _address_of(request: HttpRequest) -> str | None:
    """The client, as the rate limits see it: a header is believed only where the settings name a proxy."""
    try:
        return str(ipaddress.ip_address(get_adapter().get_client_ip(request)))
    except (ValueError, PermissionDenied):
        return None


# One entry a person -------------------------------------------------------------------------------------------------


@dataclass
class _Note:
    """What is to be written about one person."""

    label: str
    action: int = Action.UPDATE
    changes: dict[str, Change] = field(default_factory=dict)


@dataclass
class _Unit:
    """What belongs together: notes by person, and what people were before the first of them."""

    notes: dict[int, _Note] = field(default_factory=dict)
    before: dict[int, dict[str, Any]] = field(default_factory=dict)

    def add(self, key: int, note: _Note) -> None:
        known = self.notes.setdefault(key, note)
        if known is note:
            return
        if note.action != Action.UPDATE:
            known.action = note.action
        for name, (old, new) in note.changes.items():
            first = known.changes.pop(name, [old])[0]
            if first != new or first is None:
                known.changes[name] = [first, new]

    def write(self) -> None:
        notes = {key: note for key, note in self.notes.items() if note.changes or note.action != Action.UPDATE}
        if notes:
            origin = _origin()
            entries = [_entry(key, note.label, note.action, note.changes, origin) for key, note in notes.items()]
            TrailEntry.objects.bulk_create(entries, batch_size=500)


_unit: ContextVar[_Unit | None] = ContextVar("unit", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Make all that this block changes of a person one entry, written when it ends well.

    Call it inside a transaction, so that the change and its entry are kept both or neither.
    """
    if _unit.get() is not None:
        yield
        return
    unit = _Unit()
    token = _unit.set(unit)
    try:
        yield
    finally:
        _unit.reset(token)
    unit.write()


def note(people: Iterable[User], changes: Mapping[int, dict[str, Change]]) -> None:
    """Note what one statement changes of many people: ``changes`` by the key of each."""
    if not is_recording():
        return
    with together():
        for person in people:
            if person.pk in changes:
                _add(person.pk, _Note(str(person), changes=changes[person.pk]))


def note_same(people: Iterable[User], name: str, old: str | None, new: str) -> None:
    """Note the same change of each of these people."""
    people = list(people)
    note(people, {person.pk: {name: [old, new]} for person in people})


def _add(key: int, made: _Note) -> None:
    unit = _unit.get()
    if unit is not None:
        unit.add(key, made)
        return
    unit = _Unit()
    unit.add(key, made)
    unit.write()


def note_report(report: Report, changes: dict[str, Change], *, is_new: bool = False, is_gone: bool = False) -> None:
    """Note that somebody saved, changed or deleted a report: who may use it, and who is mailed what."""
    if changes or is_gone:
        action = Action.CREATE if is_new else Action.DELETE if is_gone else Action.UPDATE
        _entry(report.pk, str(report), action, changes, _origin(), Report).save()


def _entry(
    key: int | None, label: str, action: int, changes: Any, origin: dict[str, Any], model: type[Model] = User
) -> TrailEntry:
    return TrailEntry(
        content_type=ContentType.objects.get_for_model(model),
        object_id=key,
        object_pk="" if key is None else str(key),
        object_repr=label[:320],
        action=action,
        changes=changes,
        **origin,
    )


@receiver(pre_save, sender=TrailEntry, dispatch_uid="users_profiles.complete_entry")
def complete_entry(sender: type, instance: TrailEntry, **kwargs: Any) -> None:
    """Say of what auditlog writes by itself, too, who did it and from where; headers are not to be believed."""
    if not instance.road:
        for name, value in _origin().items():
            setattr(instance, name, value)
        if instance.action == Action.CREATE:  # auditlog has the word None for what was not there before
            for name, pair in (instance.changes or {}).items():
                if isinstance(pair, list | tuple):
                    instance.changes[name] = [None, *pair[1:]]  # type: ignore[index]


# Looking ------------------------------------------------------------------------------------------------------------


def looked_at(person: User | None, page: str = "") -> None:
    """Note that whoever asks was shown private fields of a person, or of many on a page; once in a while is enough."""
    origin = _origin()
    key = person.pk if person else None
    if origin.get("actor_id") in (None, key):
        return
    if cache.add(f"trail:looked:{origin['actor_id']}:{key or slugify(page)}", 1, STILL_LOOKING):
        _entry(key, str(person) if person else page, Action.ACCESS, {}, origin).save()


# What is saved one by one -------------------------------------------------------------------------------------------


def text(value: Any) -> str:
    """A value as the rows of an import keep it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def before(key: int) -> dict[str, Any]:
    """What is known of a person at this moment; asked once a unit, which keeps it up to date from then on."""
    unit = _unit.get()
    if unit is not None and key in unit.before:
        return unit.before[key]
    paths = {name: f"profile__{name}" for name in PROFILE_FIELDS}
    columns = ("password", "role_name", *PERSON_FIELDS, *paths.values())
    row = User.objects.with_role().filter(pk=key).values(*columns).first() or {}
    found = {name: row.get(paths.get(name, name)) for name in (*PERSON_FIELDS, *PROFILE_FIELDS, "password")}
    found["role"] = row.get("role_name", "")
    if unit is not None:
        unit.before[key] = found
    return found


def _label(known: Mapping[str, Any]) -> str:
    return f"{text(known['first_name'])} {text(known['last_name'])}".strip() or text(known["username"])


def _differences(names: Iterable[str], known: dict[str, Any], instance: Any) -> dict[str, Change]:
    """What is different from what is ``known``; from then on it is known."""
    found: dict[str, Change] = {}
    for name in names:
        if name not in instance.__dict__:
            continue
        value = getattr(instance, name)
        old, new = text(known.get(name)), text(value.name if name == "avatar" else value)
        known[name] = new
        if old != new:
            found[name] = [_worth(name, old), _worth(name, new)]
    return found


def _worth(name: str, value: str) -> str:
    """What of a value is kept: of a picture only that there is one."""
    return "yes" if name == "avatar" and value else value


def _touched(names: tuple[str, ...], update_fields: Collection[str] | None) -> list[str]:
    return [name for name in names if update_fields is None or name in update_fields]


def _seen_anew(raw: bool) -> bool:
    """Whether a save is one to note: a fixture restores what was, the trail included, and is no change."""
    return not raw and is_recording()


@receiver(pre_save, sender=User, dispatch_uid="users_profiles.look_at_person")
@receiver(pre_save, sender=Profile, dispatch_uid="users_profiles.look_at_profile")
def look_before(
    sender: type, instance: Any, raw: bool = False, update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """Keep what was there, for the receiver after the save; signing in touches nothing that is tracked."""
    instance.__dict__.pop("_before", None)
    names = (*PERSON_FIELDS, "password") if sender is User else PROFILE_FIELDS
    if _seen_anew(raw) and not instance._state.adding and _touched(names, update_fields):
        instance._before = before(instance.pk)


@receiver(post_save, sender=User, dispatch_uid="users_profiles.note_person")
@receiver(post_save, sender=Profile, dispatch_uid="users_profiles.note_profile")
def note_saved(
    sender: type,
    instance: Any,
    created: bool,
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    """Note what is new, or different, about a person or their profile."""
    known = instance.__dict__.pop("_before", None)
    if not _seen_anew(raw) or (known is None and not created):
        return
    if sender is User:
        _note_person(instance, known or {}, created, update_fields)
    else:
        _note_profile(instance, known, update_fields)


def _note_person(person: User, known: dict[str, Any], created: bool, update_fields: Collection[str] | None) -> None:
    changes = _differences(_touched(PERSON_FIELDS, update_fields), known, person)
    if created:
        changes = {name: [None, new] for name, (_old, new) in changes.items() if new != "no" or name == "is_active"}
    elif "password" in _touched(("password",), update_fields) and _has_new_password(known, person):
        changes["password"] = [None, None]
    if created or changes:
        _add(person.pk, _Note(str(person), Action.CREATE if created else Action.UPDATE, changes))


def _has_new_password(known: dict[str, Any], person: User) -> bool:
    """Whether somebody set one, or took it away; a stronger hash of the same one at a sign-in is no news."""
    if person.password == known.get("password"):
        return False
    return getattr(person, "_password", None) is not None or not is_password_usable(person.password)


def _note_profile(profile: Profile, known: dict[str, Any] | None, update_fields: Collection[str] | None) -> None:
    """An empty one comes with its person and is no news."""
    changes = _differences(_touched(PROFILE_FIELDS, update_fields), known or {}, profile)
    if changes:
        _add(profile.pk, _Note(_label(known or before(profile.pk)), changes=changes))


@receiver(post_delete, sender=User, dispatch_uid="users_profiles.note_deletion")
def note_deletion(sender: type, instance: User, **kwargs: Any) -> None:
    if is_recording():
        _add(instance.pk, _Note(str(instance), Action.DELETE))


def note_erasure(key: int, label: str) -> None:
    """Note that somebody was erased, by a number and without a name."""
    _add(key, _Note(label, Action.DELETE))


# Roles, groups, permissions -----------------------------------------------------------------------------------------


def roles_of(keys: Collection[int]) -> dict[int, str]:
    """The role of each of these people, in one query or, where they were looked at already, in none."""
    unit = _unit.get()
    if unit is not None and unit.before.keys() >= set(keys):
        return {key: unit.before[key]["role"] for key in keys}
    held = User.groups.through._default_manager.filter(user_id__in=keys, group__name__in=Role.values)
    names = dict(held.order_by("-group__name").values_list("user_id", "group__name"))
    return {key: names.get(key, "") for key in keys}


def note_roles(people: Collection[User], old: Mapping[int, str], new: str) -> None:
    """Note who has another role now."""
    note(people, {key: {"role": [role, new]} for key, role in old.items() if role != new})
    known = unit.before if (unit := _unit.get()) is not None else {}
    for key in known.keys() & old.keys():
        known[key]["role"] = new


@receiver(m2m_changed, sender=User.groups.through, dispatch_uid="users_profiles.note_groups")
@receiver(m2m_changed, sender=User.user_permissions.through, dispatch_uid="users_profiles.note_permissions")
def note_memberships(
    sender: type, instance: Any, action: str, reverse: bool, model: Any, pk_set: set[int] | None, **kwargs: Any
) -> None:
    """Note the groups and permissions of people beside their role; only superusers touch them."""
    if action not in {"post_add", "post_remove", "pre_clear"} or not is_recording():
        return
    name = "groups" if sender is User.groups.through else "user_permissions"
    others = model._default_manager.filter(pk__in=pk_set) if pk_set is not None else _all_of(instance, name, reverse)
    people, things = ([*others], [instance]) if reverse else ([instance], [*others])
    if people and things:
        words = ", ".join(sorted(str(thing) for thing in things))
        change: Change = ["", words] if action == "post_add" else [words, ""]
        with together():
            for person in people:
                _add(person.pk, _Note(str(person), changes={name: change}))


def _all_of(instance: Any, name: str, reverse: bool) -> Any:
    return instance.user_set.all() if reverse else getattr(instance, name).all()
