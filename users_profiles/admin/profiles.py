"""Profiles: beside the person on one page, and as a list of their own for people who think in profiles."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from users_profiles import phones, recorder, roles
from users_profiles.admin.access import PeopleAdmin, ProfilePermissions, may_see_private, visible_profile_fields
from users_profiles.admin.columns import EMPTY, chip, person_cell
from users_profiles.admin.trail import PersonTrailMixin
from users_profiles.admin.transfer import ExportPeopleMixin
from users_profiles.forms import EditsProfile
from users_profiles.models import Profile, User
from users_profiles.moments import ago, day
from users_profiles.templatetags.people import avatar_html

# The field brings its own input, which the admin would replace by one for any text.
WIDGETS: dict[Any, dict[str, Any]] = {phones.PhoneField: {}}


class LooksAtProfile(ProfilePermissions):
    """What stands for a field where it can only be looked at, and the stored value is none that people read."""

    @admin.display(description=gettext_lazy("Phone number"))
    def number_to_dial(self, profile: Profile) -> SafeString | str:
        number = profile.phone_number
        return format_html('<a href="tel:{}">{}</a>', number, phones.pretty(number)) if number else EMPTY

    @admin.display(description=gettext_lazy("Picture"))
    def picture(self, profile: Profile) -> SafeString:
        return avatar_html(profile.user, "l")

    def fields_to_look_at(self, names: list[str]) -> list[str]:
        stand_ins = {"avatar": "picture", "phone_number": "number_to_dial"}
        return [stand_ins.get(name, name) for name in names]


class ProfileInline(LooksAtProfile, admin.StackedInline):
    """The profile on the person's page. It is there already, so nothing is added or removed."""

    model = Profile
    form = EditsProfile
    formfield_overrides = WIDGETS
    can_delete = False
    extra = 0
    max_num = 1
    verbose_name_plural = gettext_lazy("Profile")

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        if obj is None:
            return []
        fields = [name for name in visible_profile_fields(request.user, obj) if name != "avatar"]
        return fields if self.has_change_permission(request, obj) else self.fields_to_look_at(fields)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("number_to_dial",)

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        """Have the picture in the form and not among its lines: its field is at the top of the person's page."""
        fields = [] if obj is None else visible_profile_fields(request.user, obj)
        return super().get_formset(request, obj, **{**kwargs, "fields": fields})

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self.may_view_profile(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self.may_change_profile(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(ExportPeopleMixin, LooksAtProfile, PersonTrailMixin, PeopleAdmin):  # type: ignore[misc]
    to_user = "user__"
    actions = ["export"]
    form = EditsProfile
    formfield_overrides = WIDGETS
    list_select_related = loaded_along = ("user",)
    ordering = ("user__last_name", "user__first_name")

    def person_of(self, obj: Profile | None) -> User | None:
        return obj.user if obj else None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Profile]:
        complete = Case(When(roles.is_complete(self.to_user, self.to_profile), then=Value(True)), default=Value(False))
        return super().get_queryset(request).annotate(complete=complete)

    # Who may do what: a profile comes and goes with its person.

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may_view_profile(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return self.may_view_profile(request, self.person_of(obj))

    def has_change_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return self.may_change_profile(request, self.person_of(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return False

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Note who looks through birth dates and phone numbers."""
        if may_see_private(request):
            recorder.looked_at(None, gettext_noop("List of profiles"))
        return super().changelist_view(request, extra_context)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        private = ["phone", "born"] if may_see_private(request) else []
        return ["person", "location", *private, "completeness", "has_picture", "changed", "user_page"]

    @admin.display(description=gettext_lazy("Person"), ordering="user__last_name")
    def person(self, profile: Profile) -> SafeString:
        profile.user.profile = profile  # loaded already, the other way round
        return person_cell(profile.user)

    @admin.display(description=gettext_lazy("Phone"), ordering="phone_number")
    def phone(self, profile: Profile) -> str:
        return phones.pretty(profile.phone_number) or EMPTY

    @admin.display(description=gettext_lazy("Birth date"), ordering="birth_date")
    def born(self, profile: Profile) -> str:
        return day(profile.birth_date) if profile.birth_date else EMPTY

    @admin.display(description=gettext_lazy("Profile"))
    def completeness(self, profile: Any) -> SafeString:
        return chip(_("Complete"), "chip-good") if profile.complete else chip(_("Incomplete"), "chip-warn")

    @admin.display(description=gettext_lazy("Picture"))
    def has_picture(self, profile: Profile) -> str:
        return _("Yes") if profile.avatar else EMPTY

    @admin.display(description=gettext_lazy("Changed"), ordering="updated_at")
    def changed(self, profile: Profile) -> SafeString | str:
        return ago(profile.updated_at)

    @admin.display(description=gettext_lazy("Account"))
    def user_page(self, profile: Profile) -> SafeString:
        url = reverse("admin:users_profiles_user_change", args=[profile.pk])
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>',
            url,
            _("Account of %(person)s") % {"person": profile.user},
            profile.user.username,
        )

    # One profile

    def get_fields(self, request: HttpRequest, obj: Profile | None = None) -> list[Any]:
        if obj is None:
            return []
        fields = visible_profile_fields(request.user, obj.user)
        if not self.has_change_permission(request, obj):
            fields = self.fields_to_look_at(fields)
        return ["user_page", *fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Profile | None = None) -> tuple[str, ...]:
        return ("user_page", "picture", "number_to_dial")

    def save_model(self, request: HttpRequest, obj: Profile, form: Any, change: bool) -> None:
        obj.save_changes()
