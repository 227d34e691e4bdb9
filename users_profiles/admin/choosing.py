"""Which columns of the list of people each person chooses, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from users_profiles import recorder, selection
from users_profiles.admin import listing
from users_profiles.models import User
from users_profiles.transfer import columns


class ChoosesColumnsMixin:
    """The list shows the columns that whoever looks has chosen, and its address may name others."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["person", *(listing.display(name, request.user) for name in listing.shown(request))]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Whatever has an order; asked for the list again, Django would not know its columns from the ones it has."""
        return None

    def list_columns(self, request: HttpRequest) -> list[str]:
        """What a file needs to hold what the list shows."""
        return [*listing.PERSON, *(name for name in listing.shown(request) if name not in listing.PERSON)]

    def has_own_columns(self, request: HttpRequest) -> bool:
        return listing.is_own_choice(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Note who looks through birth dates and phone numbers."""
        if listing.has_private(listing.shown(request)):
            recorder.looked_at(None, gettext_noop("List of people"))
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(require_POST(view))  # type: ignore[attr-defined]
            return path(f"{end}/", wrapped, name=f"users_profiles_user_{end}")

        return [at("columns", self.columns_view), *super().get_urls()]  # type: ignore[misc]

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Remember the columns; one that is moved without script is moved at once, and the menu opens again.

        Those of an opened view are in its address, and nothing to remember: the view is there to be updated.
        """
        actor = self._looks(request)
        names = [name for name in request.POST.getlist("listed") if name in request.POST.getlist("columns")]
        names = names or request.POST.getlist("columns")
        if "reset" in request.POST:
            names = []
        moved = request.POST.get("move", "")
        names = _moved(names, moved) if moved else names
        address = QueryDict(request.POST.get("address", "")[: selection.MAX_QUERY_BYTES], mutable=True)
        address.pop(listing.COLUMNS, None)
        if listing.VIEW in address:
            address[listing.COLUMNS] = ",".join(names or listing.USUAL)
        else:
            listing.choose(actor, names)
        return HttpResponseRedirect(listing.ADDRESS + listing.as_address(address) + ("#columns" if moved else ""))

    def _looks(self, request: HttpRequest) -> User:
        if not self.has_view_permission(request) or not isinstance(request.user, User):  # type: ignore[attr-defined]
            raise PermissionDenied
        return request.user


def _moved(names: list[str], what: str) -> list[str]:
    """The names with one of them a place further up or down: ``up:email``."""
    way, _sign, name = what.partition(":")
    if name in names:
        at = names.index(name)
        to = max(0, min(len(names) - 1, at + (1 if way == "down" else -1)))
        names.insert(to, names.pop(at))
    return names


# The menu above the list --------------------------------------------------------------------------------------------


def columns_menu(request: HttpRequest) -> dict[str, Any]:
    """The columns to tick and to put in order, those that are shown first."""
    ticked, labels = listing.shown(request), columns.labels()
    rest = [name for name in listing.offered(request.user) if name not in ticked]
    return {
        "listed": [(name, labels[name], name in ticked) for name in [*ticked, *rest]],
        "usual": listing.picked(request) == list(listing.USUAL),
    }
