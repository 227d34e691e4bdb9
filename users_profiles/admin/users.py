"""People: the list staff live in, and the one page on which a person and their profile are edited."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from users_profiles import invitations, roles, selection, trail
from users_profiles.accounts.proving import asks_for_password
from users_profiles.admin import import_rows, proof
from users_profiles.admin.access import PeopleAdmin
from users_profiles.admin.actions import PeopleActionsMixin
from users_profiles.admin.choosing import ChoosesColumnsMixin
from users_profiles.admin.columns import active_chip, person_cell
from users_profiles.admin.finding import FindingMixin
from users_profiles.admin.forms import AddPersonForm, PermissionsField, PersonForm
from users_profiles.admin.guide import GuideMixin
from users_profiles.admin.neighbours import neighbours
from users_profiles.admin.pictures import PicturesMixin
from users_profiles.admin.privacy import PrivacyMixin
from users_profiles.admin.profiles import ProfileInline
from users_profiles.admin.saved_views import SavesViewsMixin
from users_profiles.admin.trail import PersonTrailMixin
from users_profiles.admin.transfer import TransferMixin
from users_profiles.figures.showing import field_label
from users_profiles.keys import KeysField, is_key
from users_profiles.models import Mail, Profile, Role, User
from users_profiles.moments import ago, day
from users_profiles.roles import Action
from users_profiles.superusers import LastSuperuserError, changing
from users_profiles.templatetags.people import role_chip

HISTORY = 5
RAW_ACCESS = ("is_superuser", "is_staff", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(  # type: ignore[misc]
    ChoosesColumnsMixin,
    SavesViewsMixin,
    FindingMixin,
    PrivacyMixin,
    GuideMixin,
    PicturesMixin,
    TransferMixin,
    PersonTrailMixin,
    PeopleActionsMixin,
    PeopleAdmin,
):
    form = PersonForm
    add_form = AddPersonForm
    inlines = [ProfileInline]
    list_select_related = ("profile",)
    ordering = tuple(map(selection.path_of, selection.DEFAULT_ORDER))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: Any = super().get_queryset(request)
        return people.with_role().with_profile()

    # Who may do what

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.ADD)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return roles.may(request.user, Action.DELETE, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let a person be deleted although profiles cannot: the profile goes along.

        That they were in a group, or were sent a mail, is nothing to be missed, and has no name that people would know.
        """
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        every = apps.get_models(include_auto_created=True)
        links = [model._meta for model in every if model._meta.auto_created or issubclass(model, Mail)]
        named = tuple(f"{capfirst(meta.verbose_name)}: " for meta in links)
        counts = {name: count for name, count in counts.items() if name not in {m.verbose_name_plural for m in links}}
        return _without(named, to_delete), counts, perms_needed - {Profile._meta.verbose_name}, protected

    # The list

    @admin.display(description=gettext_lazy("Person"), ordering="last_name_folded")
    def person(self, person: User) -> str:
        return person_cell(person)

    @admin.display(description=gettext_lazy("Role"), ordering="role_name")
    def role_column(self, person: User) -> str:
        return role_chip(person)

    @admin.display(description=gettext_lazy("Active"), ordering="is_active")
    def active_column(self, person: User) -> str:
        return active_chip(person)

    # One person: what is shown

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """Hide the profile on the add page: the signal creates it, and an inline would create a second one."""
        return self.inlines if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        own = [("first_name", "last_name"), "username", "email"]
        granted = bool(roles.grantable(request.user, obj))
        may_need_proof = granted or (obj is not None and obj.is_staff and roles.may(request.user, Action.EDIT, obj))
        password = ["own_password"] if may_need_proof and asks_for_password(request) else []
        if obj is None:
            return [(_("Person"), {"fields": [*own, *(["role"] if granted else []), *password, "send_invitation"]})]
        access = [
            "role" if granted else "role_column",
            "is_active" if roles.may(request.user, Action.DEACTIVATE, obj) else "active_column",
            *password,
        ]
        fieldsets: list[Any] = [
            (_("Person"), {"fields": own}),
            (_("Role and access"), {"fields": access, "classes": ["side"]}),
        ]
        if _may_touch_raw_access(request.user, obj):
            raw = [name for name in RAW_ACCESS if name != "groups" or _other_groups().exists()]
            fieldsets.append((_("Permissions"), {"fields": raw, "classes": ["side", "collapse"]}))
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("role_column", "active_column")

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **{"form": self.form if obj else self.add_form, **kwargs})
        form.actor, form.request = request.user, request  # the class was made for this request
        return form

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Show groups and permissions as tick boxes, without links to a window in which to add more of them."""
        if not isinstance(db_field, models.ManyToManyField):
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "user_permissions":
            return db_field.formfield(form_class=PermissionsField, **kwargs)
        return db_field.formfield(queryset=_other_groups(), form_class=KeysField, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        person = kwargs.get("obj")
        if person is not None:
            context |= self._about(request, person)
        return super().render_change_form(request, context, *args, **kwargs)

    def _about(self, request: HttpRequest, person: User) -> dict[str, Any]:
        """What stands above and beside the form."""
        history = trail.of(person, request.user, size=HISTORY, looks=False).entries
        is_above = roles.may(request.user, Action.EDIT) and not roles.may(request.user, Action.EDIT, person)
        why_not = _("You may not change this person, whose role is above yours.") if is_above else ""
        return {
            "role_chip": role_chip(person),
            "last_mail": person.invitations.first(),
            "active_chip": active_chip(person),
            "joined": day(timezone.localtime(person.date_joined).date()),
            "signed_in": ago(person.last_login),
            "incomplete": bool(roles.missing_fields(person)),
            "why_not": why_not,
            "missing": [] if why_not else self._missing(request, person),
            "can_send_link": roles.may(request.user, Action.EDIT, person) and person.is_active and bool(person.email),
            "can_delete": self.has_delete_permission(request, person),
            "show_delete": False,  # beside what else one may do with somebody who leaves, not beside "Save"
            **neighbours(request, person),
            **self.about_privacy(request, person),
            **import_rows.rows_about(person, request.user),
            "person_history": [{"entry": entry, "ago": ago(entry.when)} for entry in history],
        }

    def _missing(self, request: HttpRequest, person: User) -> list[dict[str, str]]:
        """The fields that the profile lacks, of those one may see, with their inputs where one may fill them."""
        editable = self.has_change_permission(request, person)
        found = []
        for name in roles.visible_fields(request.user, roles.missing_fields(person)):
            prefix = "id_" if name in roles.NAME_FIELDS else "id_profile-0-"
            found.append({"label": capfirst(field_label(name)), "input": f"{prefix}{name}" if editable else ""})
        return found

    # One person: what is saved

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Write the fields that changed, and no others: the copy may be older than what it would overwrite."""
        if not change:
            obj.save()
            return
        own = {field.name for field in User._meta.concrete_fields}
        changed = own.intersection(form.changed_data)
        if "is_superuser" in changed:
            changed.add("is_staff")
        obj.save(update_fields=changed)  # never the last superuser, see PeopleAdmin

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.new_role is not None:
            roles.assign([form.instance], form.new_role)
        if not change and form.cleaned_data["send_invitation"]:
            invitations.invite([form.instance])

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the new person's page, where the profile waits to be filled in."""
        if "_addanother" in request.POST or "_popup" in request.POST or not self.has_change_permission(request, obj):
            return super().response_add(request, obj, post_url_continue)
        sent = "send_invitation" in request.POST
        sentence = _("%(person)s was added. An invitation is on its way.") if sent else _("%(person)s was added.")
        self.message_user(request, sentence % {"person": obj}, messages.SUCCESS)
        return HttpResponseRedirect(self._page_of(request, obj))

    def response_post_save_change(self, request: HttpRequest, obj: User) -> HttpResponseRedirect:
        """Go on to whom the page named as the next: a new name may have put this one elsewhere in the list."""
        key = request.POST.get("_next", "")
        following = self.get_queryset(request).filter(pk=key).first() if is_key(key) else None
        if following is not None:
            return HttpResponseRedirect(self._page_of(request, following))
        return super().response_post_save_change(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask for one's own password when the sign-in is old; to Django, having a session is proof enough."""
        why_not = proof.objection_to_deleting(request) if request.method == "POST" else ""
        if why_not:
            self.message_user(request, why_not, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        asked = {"proof": proof.asked_to_delete(request), **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, asked)
        except LastSuperuserError as refusal:
            return self.refuse(request, refusal)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with changing(User.objects.filter(pk=obj.pk)):
            super().delete_model(request, obj)

    # Mail with a link to set a password

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.send_link_view))
        return [path("<int:pk>/send-link/", view, name="users_profiles_user_send_link"), *super().get_urls()]

    def send_link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mail a link to set a password; staff never set one for somebody else."""
        person = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if invitations.invite([person]).queued:
            self.message_user(
                request, _("A mail to %(email)s is on its way.") % {"email": person.email}, messages.SUCCESS
            )
        else:
            self.message_user(
                request, _("No mail was sent: the person is inactive or has no e-mail."), messages.WARNING
            )
        return HttpResponseRedirect(self._page_of(request, person))

    def _page_of(self, request: HttpRequest, person: User) -> str:
        """The page of a person, which keeps the list one came from."""
        address = reverse("admin:users_profiles_user_change", args=[person.pk])
        return str(
            add_preserved_filters(
                {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}, address
            )
        )


def _other_groups() -> QuerySet[Group]:
    """The groups that are not roles; those have a field of their own."""
    return Group.objects.exclude(name__in=Role.values).order_by("name")


def _may_touch_raw_access(actor: User | AnonymousUser, person: User) -> bool:
    """Only superusers, and nobody for themselves: one wrong tick locks out."""
    return actor.is_superuser and roles.may(actor, Action.GRANT, person)


def _without(beginnings: tuple[str, ...], lines: list[Any]) -> list[Any]:
    """A list of lists of lines, but for those lines that begin like that."""
    kept = [line for line in lines if isinstance(line, list) or not str(line).startswith(beginnings)]
    return [_without(beginnings, line) if isinstance(line, list) else line for line in kept]
