"""Groups, and with them what each role may do: for superusers only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest

from users_profiles import trail
from users_profiles.accounts.proving import asks_for_password
from users_profiles.admin.forms import GroupForm, PermissionsField
from users_profiles.admin.trail import TrailMixin
from users_profiles.keys import FoundByKeyMixin
from users_profiles.models import Role


def only_superusers(request: HttpRequest, obj: Any = None) -> bool:
    """Whoever may change a group may give themselves every permission in it."""
    return bool(request.user.is_active and request.user.is_superuser)


def is_role(group: Group | None) -> bool:
    return group is not None and group.name in Role.values


@admin.register(Group)
class GroupAdmin(FoundByKeyMixin, TrailMixin, DjangoGroupAdmin):
    """The groups of the roles are there to be tuned, not to be renamed or removed: everything asks for them by name."""

    form = GroupForm
    filter_horizontal = ()
    actions = None  # deleting several at once would pass by what is said below

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            return db_field.formfield(form_class=PermissionsField, **kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return only_superusers(request)

    def has_view_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return only_superusers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return only_superusers(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return only_superusers(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return only_superusers(request) and not is_role(obj)

    def story_of(self, request: HttpRequest, obj: Group) -> trail.Page:
        return trail.of_group(obj, request.user, request.GET.get("older", ""))

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        proof = ["own_password"] if asks_for_password(request) else []
        return [*([] if is_role(obj) else ["name"]), "permissions", *proof]

    def get_form(self, request: HttpRequest, obj: Group | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.request = request  # the class was made for this request
        return form
