"""The trail before people: the history of one person, and for who gives roles the page on which all of it is found."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from users_profiles import recorder, roles, trail
from users_profiles.criteria import start_of
from users_profiles.models import Road, TrailEntry, User
from users_profiles.models.profile import PRIVATE_FIELDS, PROFILE_FIELDS
from users_profiles.roles import Action


class TrailMixin:
    """An admin whose history is the trail; Django's own log would say the same again, and less of it."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return None

    def story_of(self, request: HttpRequest, obj: Any) -> trail.Page:
        """The page of the trail that the address asks for."""
        raise NotImplementedError

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What happened to this object, newest first, as far as this member of staff may know."""
        obj = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):  # type: ignore[attr-defined]
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "object": obj,
            "module_name": str(self.opts.verbose_name_plural).capitalize(),  # type: ignore[attr-defined]
            "page": self.story_of(request, obj),
            "is_first": not request.GET.get("older"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/trail/history.html", context)


class PersonTrailMixin(TrailMixin):
    """The same for a person; who was shown private fields is in it, too, for who asks."""

    def story_of(self, request: HttpRequest, obj: Any) -> trail.Page:
        _note_look(request, obj)
        return trail.of(obj, request.user, request.GET.get("older", ""), looks=_wants_looks(request))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Show the changes, and among them who looked only when asked for: of most people that is most of it."""
        looks = {"looks": _wants_looks(request)} if trail.sees_everything(request.user) else {}
        return super().history_view(request, object_id, {**looks, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("obj") is not None:
            _note_look(request, kwargs["obj"])
        return super().render_change_form(request, *args, **kwargs)  # type: ignore[misc]


def _wants_looks(request: HttpRequest) -> bool:
    return request.GET.get("looks") == "yes"


def _note_look(request: HttpRequest, person: User) -> None:
    if roles.may(request.user, Action.VIEW_PRIVATE):
        recorder.looked_at(person)


class DayField(forms.DateField):
    """A day that something can have happened on; beyond those, time zones run out of numbers."""

    default_validators = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9000, 1, 1))]

    def __init__(self, label: Any) -> None:
        picker = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(label=label, required=False, widget=picker)


class TrailForm(forms.Form):
    """What to look for."""

    person = forms.CharField(label=gettext_lazy("Person"), required=False, max_length=150)
    actor = forms.CharField(label=gettext_lazy("By whom"), required=False, max_length=150)
    field = forms.ChoiceField(label=gettext_lazy("Field"), required=False)
    road = forms.ChoiceField(label=gettext_lazy("How"), required=False)
    since = DayField(label=gettext_lazy("From"))
    until = DayField(label=gettext_lazy("Until"))

    def __init__(self, asked: dict[str, str]) -> None:
        super().__init__(asked, label_suffix="")
        names = (
            *recorder.PERSON_FIELDS,
            *PROFILE_FIELDS,
            *recorder.OTHER_FIELDS,
            "link",
            "second_factor",
            "sign_in_service",
        )
        fields = sorted(((name, trail.label_of(name)) for name in names), key=lambda choice: choice[1].casefold())
        self.fields["field"].choices = [("", _("Any")), *fields]  # type: ignore[attr-defined]
        self.fields["road"].choices = [("", _("Any")), *Road.choices]  # type: ignore[attr-defined]

    def wanted(self) -> trail.Filter:
        """The question; an answer that makes no sense is none."""
        self.is_valid()
        given = self.cleaned_data
        since, until = given.get("since"), given.get("until")
        return trail.Filter(
            person=given.get("person", "").replace("\x00", ""),
            actor=given.get("actor", "").replace("\x00", ""),
            field=given.get("field", ""),
            road=given.get("road", ""),
            since=start_of(since) if since else None,
            until=start_of(until + timedelta(days=1)) if until else None,
        )


@admin.register(TrailEntry)
class TrailAdmin(admin.ModelAdmin):
    """One page, to look. Nothing of it can be added, changed or deleted by anybody."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="users_profiles_trailentry_changelist")]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.GRANT)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(request.user, Action.GRANT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Everything that was noted, and every import, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = {name: request.GET[name] for name in TrailForm.base_fields if request.GET.get(name)}
        form = TrailForm(asked)
        older = request.GET.get("older", "")
        page = trail.everything(form.wanted(), request.user, older)
        if any(change.field in PRIVATE_FIELDS for entry in page.entries for change in entry.changes):
            recorder.looked_at(None, gettext_noop("Trail"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "asked": asked,
            "page": page,
            "is_first": not older,
        }
        return TemplateResponse(request, "admin/trail/index.html", context)
