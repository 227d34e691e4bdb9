"""What every admin class about people asks: may this member of staff do this to this person?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext as _

from users_profiles import roles, search
from users_profiles.admin.columns import EMPTY
from users_profiles.admin.filters import filters_for
from users_profiles.models import Profile, User
from users_profiles.models.profile import PROFILE_FIELDS

Actor = User | AnonymousUser


def visible_profile_fields(actor: Actor, person: User) -> list[str]:
    """The fields that this person's profile has and that ``actor`` may see."""
    has = roles.spec_of(person).profile_fields
    return roles.visible_fields(actor, [name for name in PROFILE_FIELDS if name in has])


def may_see_private(request: HttpRequest) -> bool:
    return roles.may(request.user, roles.Action.VIEW_PRIVATE)


class PeopleAdmin(admin.ModelAdmin):
    """A list of people, whether by user or by profile: same search, same filters, same policy, closed by default."""

    # The paths from the listed model to the person and to the profile.
    to_user = ""
    to_profile = ""

    search_fields = search.SEARCH_FIELDS
    empty_value_display = EMPTY
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def person_of(self, obj: Any) -> User | None:
        """The person that a listed object is about."""
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, roles.Action.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(request.user, roles.Action.VIEW, self.person_of(obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(request.user, roles.Action.EDIT, self.person_of(obj))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Say in the search box what it looks at, for who is looking."""
        changelist = super().get_changelist_instance(request)
        private = may_see_private(request)
        changelist.search_help_text = _("Name, e-mail, place or phone") if private else _("Name, e-mail or place")
        return changelist

    def get_list_filter(self, request: HttpRequest) -> Any:
        return filters_for(request.user)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse every look-up in the address that is not one of the filters.

        Django allows any field of the model: ``?password__startswith=`` and ``?phone_number__startswith=`` would let
        a reader guess both, one character at a time.
        """
        offered = filters_for(request.user) if request else []
        return any(lookup in one.parameters() for one in offered)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found = search.matches(search_term, prefix=self.to_user, private=may_see_private(request))
        return queryset.filter(found), False


class ProfilePermissions:
    """Permission hooks for the profile of a person: whoever may see or edit the person, if the profile too."""

    def may_view_profile(self, request: HttpRequest, person: User | None) -> bool:
        return roles.may(request.user, roles.Action.VIEW, person) and request.user.has_perm(_permission("view"))

    def may_change_profile(self, request: HttpRequest, person: User | None) -> bool:
        return roles.may(request.user, roles.Action.EDIT, person) and request.user.has_perm(_permission("change"))


def _permission(verb: str) -> str:
    return f"{Profile._meta.app_label}.{verb}_{Profile._meta.model_name}"
