"""Profiles: beside the person on one page. Whoever looks for a list of them is led to the list of people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from users_profiles import phones, roles
from users_profiles.admin.access import visible_profile_fields
from users_profiles.admin.columns import EMPTY
from users_profiles.forms import EditsProfile
from users_profiles.keys import FoundByKeyMixin, is_key
from users_profiles.models import Profile, User


class ProfileInline(admin.StackedInline):
    """The profile on the person's page. It is there already, so nothing is added or removed."""

    model = Profile
    form = EditsProfile
    # The field brings its own input, which the admin would replace by one for any text.
    formfield_overrides = {phones.PhoneField: {}}
    can_delete = False
    extra = 0
    max_num = 1
    verbose_name_plural = gettext_lazy("Profile")

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        if obj is None:
            return []
        fields = [name for name in visible_profile_fields(request.user, obj) if name != "avatar"]
        if self.has_change_permission(request, obj):
            return fields
        return ["number_to_dial" if name == "phone_number" else name for name in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return ("number_to_dial",)

    @admin.display(description=gettext_lazy("Phone number"))
    def number_to_dial(self, profile: Profile) -> SafeString | str:
        """What stands for the number where it can only be looked at: the stored one is none that people read."""
        number = profile.phone_number
        return format_html('<a href="tel:{}">{}</a>', number, phones.pretty(number)) if number else EMPTY

    def get_formset(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        """Have the picture in the form and not among its lines: its field is at the top of the person's page."""
        fields = [] if obj is None else visible_profile_fields(request.user, obj)
        formset = super().get_formset(request, obj, **{**kwargs, "fields": fields})
        formset.form.not_stored = getattr(request, "not_stored", "")  # type: ignore[attr-defined]  # a class of its own
        return formset

    # Whoever may see or edit the person, if profiles too.

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return roles.may(request.user, roles.Action.VIEW, obj) and super().has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return roles.may(request.user, roles.Action.EDIT, obj) and super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Profile)
class ProfileAdmin(FoundByKeyMixin, admin.ModelAdmin):
    """Where Django's admin would have profiles, it leads to their people.

    Everybody has one profile, so a list of profiles is the list of people once more, and the page of one is the middle
    of its person's page: two places for everything, of which the second would always know less.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # nothing in the menu

    def has_view_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return roles.may(request.user, roles.Action.VIEW, obj.user if obj else None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Profile | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseRedirect:
        return self._to_people(request, "changelist")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseRedirect:
        return self._to_people(request, "change", object_id)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseRedirect:
        return self._to_people(request, "history", object_id)

    def _to_people(self, request: HttpRequest, page: str, *keys: str) -> HttpResponseRedirect:
        """The same page of people, with the same filter: a profile has the key of its person."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not all(map(is_key, keys)):
            raise Http404
        address = reverse(f"admin:users_profiles_user_{page}", args=keys)
        return redirect(f"{address}?{request.GET.urlencode()}" if request.GET else address)
