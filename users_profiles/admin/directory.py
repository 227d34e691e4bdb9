"""People to print: with picture, name, place and, for who may see it, phone number; by place, clean on A4."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from users_profiles import recorder, roles, selection
from users_profiles.admin.access import visible_profile_fields
from users_profiles.models.user import UserQuerySet
from users_profiles.roles import Action
from users_profiles.search.folding import fold

_ASKS_FOR_INACTIVE = ("active", "left", "left_from", "left_to")
# People without a place come last.
_LAST = "\U0010ffff"


def directory_page(request: HttpRequest, people: UserQuerySet, query: str, context: dict[str, Any]) -> HttpResponse:
    """The directory of these people; where they are too many to print, a page that says so.

    Who may not sign in any more is not looked for in it, unless the selection asks for them.
    """
    only_active = selection.parameters(query).keys().isdisjoint(_ASKS_FOR_INACTIVE)
    if only_active:
        people = people.filter(is_active=True)
    count = people.count()
    most = settings.DIRECTORY_MAX_PEOPLE
    shown = {**context, "only_active": only_active, "count": count, "most": most, "printed_at": timezone.now()}
    if count <= most:
        private = roles.may(request.user, Action.VIEW_PRIVATE)
        if private and count:
            recorder.looked_at(None, "Directory")
        shown |= {"places": _by_place(request, people), "private": private}
    return TemplateResponse(request, "admin/reports/directory.html", shown)


def _by_place(request: HttpRequest, people: UserQuerySet) -> list[dict[str, Any]]:
    """The people, in the order of their names, under the places in the order of theirs."""
    found = [
        {"person": person, "fields": visible_profile_fields(request.user, person)}
        for person in people.with_role().with_profile().order_by()
    ]
    found.sort(key=_name)
    found.sort(key=_place)  # keeps the order of the names
    return [
        {"name": place if place != _LAST else _("Without a location"), "people": list(those)}
        for place, those in groupby(found, key=_place)
    ]


def _name(entry: dict[str, Any]) -> tuple[str, ...]:
    """Where somebody stands among others: “de Groot” and “Ängström” where people look for them."""
    person = entry["person"]
    return tuple(_folded(text) for text in (person.last_name, person.first_name, person.username))


def _folded(text: str) -> str:
    """The letters of a name, without case, accents and signs."""
    return "".join(letter for letter in fold(text) if letter.isalnum() or letter == " ")


def _place(entry: dict[str, Any]) -> str:
    return str(entry["person"].profile.location or _LAST)
