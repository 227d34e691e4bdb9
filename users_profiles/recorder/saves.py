"""Sees what a form or a program saves one by one, and notes what is different about a person or their profile.

Groups, and with them what a role may do, are left to auditlog's own receivers.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from auditlog.registry import auditlog
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.dispatch import receiver

from users_profiles.models import Profile, TrailEntry, User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.recorder.notes import Action, Change, Note, add, is_recording, together
from users_profiles.recorder.origin import origin
from users_profiles.recorder.people import PERSON_FIELDS, before, differences, name_of

auditlog.register(Group, include_fields=["name"], m2m_fields={"permissions"})


@receiver(pre_save, sender=TrailEntry, dispatch_uid="users_profiles.complete_entry")
def complete_entry(sender: type, instance: TrailEntry, **kwargs: Any) -> None:
    """Say of what auditlog writes by itself, too, who did it and from where; headers are not to be believed."""
    if not instance.road:
        for name, value in origin().items():
            setattr(instance, name, value)
        if instance.action == Action.CREATE:  # auditlog has the word None for what was not there before
            for name, pair in (instance.changes or {}).items():
                if isinstance(pair, list | tuple):
                    instance.changes[name] = [None, *pair[1:]]  # type: ignore[index]


def _touched(names: tuple[str, ...], update_fields: Collection[str] | None) -> list[str]:
    return [name for name in names if update_fields is None or name in update_fields]


def _is_to_note(raw: bool) -> bool:
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
    if _is_to_note(raw) and not instance._state.adding and _touched(names, update_fields):
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
    if not _is_to_note(raw) or (known is None and not created):
        return
    if sender is User:
        _note_person(instance, known or {}, created, update_fields)
    else:
        _note_profile(instance, known, update_fields)


def _note_person(person: User, known: dict[str, Any], created: bool, update_fields: Collection[str] | None) -> None:
    changes = differences(_touched(PERSON_FIELDS, update_fields), known, person)
    if created:
        changes = {name: [None, new] for name, (_old, new) in changes.items() if new != "no" or name == "is_active"}
    elif "password" in _touched(("password",), update_fields) and _has_new_password(known, person):
        changes["password"] = [None, None]
    if created or changes:
        add(person.pk, Note(str(person), Action.CREATE if created else Action.UPDATE, changes))


def _has_new_password(known: dict[str, Any], person: User) -> bool:
    """Whether somebody set one, or took it away; a stronger hash of the same one at a sign-in is no news."""
    if person.password == known.get("password"):
        return False
    return getattr(person, "_password", None) is not None or not is_password_usable(person.password)


def _note_profile(profile: Profile, known: dict[str, Any] | None, update_fields: Collection[str] | None) -> None:
    """An empty one comes with its person and is no news."""
    changes = differences(_touched(PROFILE_FIELDS, update_fields), known or {}, profile)
    if changes:
        add(profile.pk, Note(name_of(known or before(profile.pk)), changes=changes))


@receiver(post_delete, sender=User, dispatch_uid="users_profiles.note_deletion")
def note_deletion(sender: type, instance: User, **kwargs: Any) -> None:
    if is_recording():
        add(instance.pk, Note(str(instance), Action.DELETE))


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
                add(person.pk, Note(str(person), changes={name: change}))


def _all_of(instance: Any, name: str, reverse: bool) -> Any:
    return instance.user_set.all() if reverse else getattr(instance, name).all()
