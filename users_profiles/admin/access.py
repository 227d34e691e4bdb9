"""What the list and the page of people ask before anything else: may this member of staff do this to this person?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from users_profiles import avatars, conflicts, recorder, roles, search, selection
from users_profiles.admin import choosing, saved_views
from users_profiles.admin.filters import BirthdayFilter, filters_for
from users_profiles.admin.listing import ADDRESS, PeopleList, as_address
from users_profiles.admin.paging import PeoplePaginator
from users_profiles.keys import FoundByKeyMixin, is_key
from users_profiles.models import User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.superusers import LastSuperuserError, changing

Actor = User | AnonymousUser


def visible_profile_fields(actor: Actor, person: User) -> list[str]:
    """The fields that this person's profile has and that ``actor`` may see."""
    has = roles.spec_of(person).profile_fields
    return roles.visible_fields(actor, [name for name in PROFILE_FIELDS if name in has])


def may_see_private(request: HttpRequest) -> bool:
    return roles.may(request.user, roles.Action.VIEW_PRIVATE)


class PeopleAdmin(FoundByKeyMixin, admin.ModelAdmin):
    """A list of people and the page of one: search, filters and policy, closed by default."""

    change_list_template = "admin/users_profiles/people_list.html"
    search_fields = search.FIELDS_OF_USER  # only says that there is a search box; users_profiles/search finds
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, roles.Action.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(request.user, roles.Action.VIEW, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.may(request.user, roles.Action.EDIT, obj)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PeopleList]:
        return PeopleList

    def action_checkbox(self, obj: Any) -> SafeString:
        """As Django's, which takes a widget and two templates for each row: a sixth of what a page took."""
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            _("Select %(person)s") % {"person": obj},
        )

    def order_words(self, request: HttpRequest) -> list[str]:
        """The order that the address asks for, as far as whoever asks may see it; nothing for the usual one."""
        return self.known_order(request, request.GET)

    def known_order(self, request: HttpRequest, address: Mapping[str, str]) -> list[str]:
        """What of the order in an address there is, and whoever asks may see; each column once."""
        words = roles.visible_fields(request.user, selection.ORDERS)
        known: dict[str, str] = {}
        for word in address.get(ORDER_VAR, "").split(","):
            if word.removeprefix("-") in words:
                known.setdefault(word.removeprefix("-"), word)
        return list(known.values())

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Say in the search box what it looks at, for who is looking."""
        changelist = super().get_changelist_instance(request)
        private = may_see_private(request)
        changelist.search_help_text = _("Name, e-mail, place or phone") if private else _("Name, e-mail or place")
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show a shared link without what the viewer may not filter by, and say so, instead of refusing all of it."""
        query = request.GET.copy()
        hidden = BirthdayFilter.parameters() if not may_see_private(request) else []
        if [query.pop(name) for name in hidden if name in query]:
            messages.warning(request, _("You may not filter by birthday, so that part of the link was left out."))
            return HttpResponseRedirect(request.path + as_address(query))
        try:
            menus = {
                "columns_menu": choosing.columns_menu(request),
                "views_menu": saved_views.views_menu(request, self.order_words(request)),
                "address": request.GET.urlencode(),
                "not_yet_found": search.not_yet() if request.GET.get(SEARCH_VAR) else 0,
            }
        except selection.SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        return super().changelist_view(request, {**menus, **(extra_context or {})})

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
        """Look once a request: every filter that counts asks for the list without itself."""
        kept: dict[str, Any] = request.__dict__.setdefault("_searched", {})
        if search_term not in kept:
            kept[search_term] = search.matches(search_term, private=may_see_private(request))
        return queryset.filter(kept[search_term]), False

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> PeoplePaginator:
        """One for each list of a request, so that it is counted once."""
        kept: PeoplePaginator | None = getattr(request, "_paginator", None)
        if kept is None or kept.object_list is not queryset:
            kept = PeoplePaginator(queryset, *args, **kwargs)
            kept.whole = self.get_queryset(request)
            request._paginator = kept  # type: ignore[attr-defined]
        return kept

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Refuse ticks that no list of ours has: to Django they are a server error."""
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            if not is_key(key):
                raise SuspiciousOperation(f"not the key of a person: {key[:40]!r}")
        return super().response_action(request, queryset, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Save all of it or nothing, and say which sentence it is when it is nothing."""
        try:
            return super().changeform_view(request, object_id, *args, **kwargs)
        except IntegrityError:
            # Somebody else took the name between our look and our write; looked at again, it is an error in the form.
            return super().changeform_view(request, object_id, *args, **kwargs)
        except avatars.NotStored as refusal:
            # The same: what was typed stays, and so does the picture, to be sent again when there is room.
            request.not_stored = str(refusal)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, *args, **kwargs)
        except LastSuperuserError as refusal:
            return self.refuse(request, refusal)

    def _changeform_view(self, request: HttpRequest, object_id: str | None, *args: Any) -> Any:
        """Within Django's transaction: what a form changes of a person and their profile is one entry of the trail.

        The person is locked first of all; of a superuser, all superusers before, so that the last one stays.
        """
        with ExitStack() as stack:
            if request.method == "POST" and object_id is not None and is_key(object_id):
                stack.enter_context(changing(User.objects.filter(pk=object_id)))
                conflicts.lock([int(object_id)])
            stack.enter_context(recorder.together())
            return super()._changeform_view(request, object_id, *args)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Say what somebody else has changed since the page was opened, and that it stays."""
        super().save_related(request, form, formsets, change)
        for each in (form, *(one for formset in formsets for one in formset.forms)):
            for sentence in each.told():
                self.message_user(request, sentence, messages.INFO)

    def list_one_was_on(self, request: HttpRequest) -> str:
        """The list as one left it: with its filters, its order and its page."""
        kept = request.GET.get("_changelist_filters", "")
        return f"{ADDRESS}?{kept}" if kept else str(ADDRESS)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Say in our own words that it is saved; who keeps editing stays here, others are back at their list."""
        if "_popup" in request.POST or "_addanother" in request.POST:
            return super().response_change(request, obj)
        self.message_user(request, _("%(person)s was saved.") % {"person": obj}, messages.SUCCESS)
        if "_continue" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return self.response_post_save_change(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.list_one_was_on(request))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list. Django's own answers keep one value of each filter, where a filter can have several."""
        answer = super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(self.list_one_was_on(request)) if answer.status_code == 302 else answer

    def refuse(self, request: HttpRequest, refusal: Exception) -> HttpResponse:
        """Go back to the page, with a sentence why nothing was changed."""
        self.message_user(request, str(refusal), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
