"""People to print: with picture, name, place and, for who may see it, phone number; by place, clean on A4."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.conf import settings
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from users_profiles import recorder, roles, selection
from users_profiles.admin.access import visible_profile_fields
from users_profiles.models.user import BY_NAME, UserQuerySet
from users_profiles.roles import Action

_ASKS_FOR_INACTIVE = ("active", "left", "left_from", "left_to")
# Of two places that differ by a letter's case or accent, too, each has its people together; those without come last.
_BY_PLACE = (Case(When(profile__location="", then=1), default=0), "profile__location_folded", "profile__location")


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
    found: list[dict[str, Any]] = [
        {"person": person, "fields": visible_profile_fields(request.user, person)}
        for person in people.with_role().with_profile().order_by(*_BY_PLACE, *BY_NAME)
    ]
    return [
        {"name": place or _("Without a location"), "people": list(those)}
        for place, those in groupby(found, key=lambda entry: entry["person"].profile.location)
    ]
