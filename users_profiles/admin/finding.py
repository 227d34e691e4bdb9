"""Finds people while somebody types, for the palette that goes anywhere by keyboard."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from users_profiles import roles, selection
from users_profiles.folding import fold
from users_profiles.models import User

SHOWN = 8
# Of many who match, so many are looked at, in no order: putting a tenth of a million people in order takes its time.
LOOKED_AT = 50
SHORTEST = 2
LONGEST = 100


def find(text: str, actor: User | AnonymousUser) -> list[User]:
    """The few people whom ``actor`` most likely means by ``text``: whose names begin with it first."""
    text = text.strip()[:LONGEST]
    if len(text) < SHORTEST:
        return []
    try:
        found = selection.people({selection.SEARCH: text}, actor).with_profile()[:LOOKED_AT]
    except selection.SelectionRefused:
        return []
    start = fold(text)

    def likeliness(person: User) -> tuple[bool, str, str]:
        names = (str(person), person.last_name, person.username)
        return not any(fold(name).startswith(start) for name in names), fold(str(person)), person.username

    return sorted(found, key=likeliness)[:SHOWN]


class FindingMixin:
    """Adds to the admin of people the answer to what is typed into the palette."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_GET(self.find_view))  # type: ignore[attr-defined]
        return [path("find/", view, name="users_profiles_user_find"), *super().get_urls()]  # type: ignore[misc]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """The people who match, as options of a list box."""
        if not roles.may(request.user, roles.Action.VIEW):
            raise PermissionDenied
        text = request.GET.get("q", "")
        context = {"people": find(text, request.user), "text": text.strip()[:LONGEST]}
        # A part of a page, and none to be opened by itself.
        return TemplateResponse(request, "admin/users_profiles/user/found.html", context, content_type="text/plain")
