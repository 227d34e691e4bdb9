"""Roles, and who may do what to whom. Everything that must decide asks ``may``.

The table below creates the groups Admin, Editor and Reader after the first migrate. From then on the groups are the
single source of permissions, so that admins can tune them where Django people expect; what a permission does not
say (whether somebody *above* may be touched) is a matter of rank and stays here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Protocol

from auditlog.context import disable_auditlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.signals import setting_changed
from django.db import models, transaction
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from users_profiles import recorder
from users_profiles.models import Role, User
from users_profiles.models.profile import PRIVATE_FIELDS, PROFILE_FIELDS

# Somebody without a role: signs in, sees and edits their own profile, nothing else.
MEMBER = ""
MEMBER_WORD = gettext_noop("Member")
# What files say in the place of a role: nobody becomes one by a file, and nobody ceases to be.
SUPERUSER_WORD = gettext_noop("Superuser")
NAME_FIELDS = ("first_name", "last_name")
FIELDS = NAME_FIELDS + PROFILE_FIELDS


@dataclass(frozen=True)
class RoleSpec:
    """What a role means.

    ``permissions`` are codenames of this app. ``profile_fields`` is what the profile of such a person has,
    ``own_fields`` what they may edit themselves, ``required`` what must be filled for the profile to be complete.
    """

    is_staff: bool
    permissions: tuple[str, ...] = ()
    profile_fields: tuple[str, ...] = PROFILE_FIELDS
    own_fields: tuple[str, ...] = FIELDS
    required: tuple[str, ...] = ("location", "phone_number")


_SEES = ("view_user", "view_profile", "export_user")
_EDITS = (*_SEES, "view_private_fields", "change_user", "add_user", "change_profile", "import_user", "view_import")
_RULES = (*_EDITS, "delete_user", "grant_role", "deactivate_user")

TABLE: dict[str, RoleSpec] = {
    MEMBER: RoleSpec(is_staff=False),
    Role.READER: RoleSpec(is_staff=True, permissions=_SEES),
    Role.EDITOR: RoleSpec(is_staff=True, permissions=_EDITS),
    Role.ADMIN: RoleSpec(is_staff=True, permissions=_RULES),
}

# What people call the roles, and having none.
LABELS = {MEMBER: _(MEMBER_WORD), **{role.value: role.label for role in Role}}
# What each of them means, as the groups come; said beside the choice.
MEANINGS = {
    MEMBER: _("sees and edits their own profile"),
    Role.READER.value: _("sees people and exports them, without birth dates and phone numbers"),
    Role.EDITOR.value: _("sees all of it, edits people and imports them"),
    Role.ADMIN.value: _("also gives roles, deactivates and deletes"),
}
RANKS = {MEMBER: 0, Role.READER.value: 1, Role.EDITOR.value: 2, Role.ADMIN.value: 3}
SUPERUSER_RANK = 4


@cache
def specs() -> dict[str, RoleSpec]:
    """The table with ``settings.USERS_PROFILES_ROLES`` laid over it; checks.py has rejected nonsense by then."""
    overrides = settings.USERS_PROFILES_ROLES
    return {
        role: replace(spec, **{key: _frozen(value) for key, value in overrides.get(str(role), {}).items()})
        for role, spec in TABLE.items()
    }


def _frozen(value: Any) -> Any:
    return value if isinstance(value, bool) else tuple(value)


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "USERS_PROFILES_ROLES":
        specs.cache_clear()


def spec_of(user: User) -> RoleSpec:
    """What this person's role means."""
    return specs()[user.role]


# Groups -------------------------------------------------------------------------------------------------------------


def create_groups_after_migrate(using: str = "default", **kwargs: Any) -> None:
    """Create the groups that are missing, with their permissions; leave alone those that are there.

    post_migrate runs once per app: the permissions of this app are created by django.contrib.auth's own receiver,
    which may come after this one, so it is called first (it does nothing the second time).
    """
    from django.apps import apps
    from django.contrib.auth.management import create_permissions

    create_permissions(apps.get_app_config("users_profiles"), verbosity=0, using=using)
    with disable_auditlog():  # nobody did this to anybody
        for role, spec in specs().items():
            if role != MEMBER:
                _create_group(role, spec, using)


def _create_group(role: str, spec: RoleSpec, using: str) -> None:
    group, created = Group.objects.using(using).get_or_create(name=str(role))
    if created:
        own = Permission.objects.using(using).filter(content_type__app_label="users_profiles")
        group.permissions.set(own.filter(codename__in=spec.permissions))


def assign(people: Iterable[User], role: str) -> None:
    """Give each of these people this role and no other, with the staff flag that goes with it.

    Asks nobody: who may do that is for ``may_grant`` to say. Superusers stay staff whatever their role. The people are
    locked first: of two at once neither sees the membership that the other makes, and somebody would be left with both.
    """
    people = list(people)
    keys = [person.pk for person in people]
    membership = User.groups.through
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
        before = recorder.roles_of(keys) if recorder.is_recording() else {}
        membership._default_manager.filter(user_id__in=keys, group__name__in=Role.values).delete()
        if role != MEMBER:
            group = Group.objects.get(name=role)
            membership._default_manager.bulk_create([membership(user_id=key, group_id=group.pk) for key in keys])
        # Superusers are in it as well: a role is part of what a version of a person says.
        is_staff = models.Case(models.When(is_superuser=True, then="is_staff"), default=specs()[role].is_staff)
        User.objects.filter(pk__in=keys).update(is_staff=is_staff)
        recorder.note_roles(people, before, role)
    for person in people:
        person.__dict__["role"] = role
        person.is_staff = person.is_superuser or specs()[role].is_staff


# Who may do what to whom --------------------------------------------------------------------------------------------


class Action(Enum):
    """What somebody may want to do to a person, with the permission it takes."""

    VIEW = "view_user"
    VIEW_PRIVATE = "view_private_fields"
    ADD = "add_user"
    EDIT = "change_user"
    GRANT = "grant_role"
    DEACTIVATE = "deactivate_user"
    DELETE = "delete_user"
    IMPORT = "import_user"
    EXPORT = "export_user"

    @property
    def permission(self) -> str:
        return f"users_profiles.{self.value}"


# Looking at somebody above oneself is fine; these change them.
_CHANGES = {Action.EDIT, Action.GRANT, Action.DEACTIVATE, Action.DELETE}
# Nobody does these to themselves: it locks people out, or up.
_NEVER_ONESELF = {Action.GRANT, Action.DEACTIVATE, Action.DELETE}


class Ranked(Protocol):
    """As much of a person as it takes to decide what may be done to them; bulk code has no model objects."""

    @property
    def pk(self) -> Any: ...
    @property
    def is_superuser(self) -> bool: ...
    @property
    def role(self) -> str: ...


def rank(user: Ranked) -> int:
    """How high somebody stands: nobody changes a person above themselves."""
    return SUPERUSER_RANK if user.is_superuser else RANKS[user.role]


def may(actor: User | AnonymousUser, action: Action, target: Ranked | None = None) -> bool:
    """Say whether ``actor`` may do ``action`` to ``target``, or at all when there is no target. Denies by default."""
    if not isinstance(actor, User) or not actor.is_active or not actor.has_perm(action.permission):
        return False
    if target is None or action not in _CHANGES:
        return True
    if target.pk == actor.pk and action in _NEVER_ONESELF:
        return False
    return rank(target) <= rank(actor)


def grantable(actor: User | AnonymousUser, target: Ranked | None = None) -> list[str]:
    """The roles ``actor`` may give to ``target`` (to anybody, when there is none), lowest first."""
    if not may(actor, Action.GRANT, target):
        return []
    return [role for role, height in RANKS.items() if height <= rank(actor)]  # type: ignore[arg-type]


def may_grant(actor: User | AnonymousUser, role: str, target: Ranked | None = None) -> bool:
    """Say whether ``actor`` may give ``role`` to ``target``."""
    return role in grantable(actor, target)


def visible_fields(actor: User | AnonymousUser, fields: Iterable[str]) -> list[str]:
    """Those of ``fields`` that ``actor`` may see of other people."""
    private = may(actor, Action.VIEW_PRIVATE)
    return [name for name in fields if private or name not in PRIVATE_FIELDS]


# Complete profiles --------------------------------------------------------------------------------------------------


def missing_fields(user: User) -> list[str]:
    """The fields that this person's role requires and that are empty, in the order of the table."""
    required = spec_of(user).required
    return [name for name in required if not getattr(user if name in NAME_FIELDS else user.profile, name)]


def is_filled(field: str) -> models.Q:
    """The condition that a person has a value in ``field``."""
    path = field if field in NAME_FIELDS else f"profile__{field}"
    if field == "birth_date":
        return models.Q(**{f"{path}__isnull": False})
    return models.Q(**{f"{path}__gt": ""})  # and not "is not blank": that would hold for people without a profile


def is_complete() -> models.Q:
    """The condition that a person has all that their role requires.

    Roles with the same requirements share one branch, so that the usual table asks for no role at all.
    """
    by_required: dict[tuple[str, ...], list[str]] = {}
    for role, spec in specs().items():
        by_required.setdefault(tuple(sorted(spec.required)), []).append(str(role))
    complete = models.Q(pk__in=[])
    for required, names in by_required.items():
        branch = _has_role(names) if len(by_required) > 1 else models.Q()
        for field in required:
            branch &= is_filled(field)
        complete |= branch
    return complete


def _has_role(names: list[str]) -> models.Q:
    holders = User.groups.through._default_manager.filter(group__name__in=names).values("user_id")
    anybody = User.groups.through._default_manager.filter(group__name__in=Role.values).values("user_id")
    condition = models.Q(pk__in=holders)
    return condition | ~models.Q(pk__in=anybody) if MEMBER in names else condition
