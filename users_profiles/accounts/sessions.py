"""Where somebody is signed in: which browser, from where, and when it was last seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from users_profiles.accounts.identity import SIGNED_IN_AT
from users_profiles.models import User

SEEN_AT = "seen_at"
# Noting it at every request would be a write for every look at a page.
NOTED_EVERY = 300  # seconds

# What a browser calls itself and what people call it. The first that fits: most of them also claim to be others.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def remember(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: note now and then that a session is in use, and from where."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and _is_due(request):
            UserSession.objects.create_from_request(request)
            request.session[SEEN_AT] = time.time()
        return get_response(request)

    return middleware


def _is_due(request: HttpRequest) -> bool:
    """A session that has just begun has been noted by allauth."""
    noted_at = max(request.session.get(SEEN_AT, 0), request.session.get(SIGNED_IN_AT, 0))
    return bool(time.time() - noted_at >= NOTED_EVERY)


@dataclass(frozen=True)
class Place:
    """One browser that somebody is signed in with."""

    session: UserSession
    device: str
    is_this: bool


def places(request: HttpRequest, person: User) -> list[Place]:
    """Where ``person``, who asks, is signed in: this browser first, then the one seen last."""
    UserSession.objects.create_from_request(request)  # at the latest now this one is known
    known = sorted(UserSession.objects.purge_and_list(person), key=lambda one: one.last_seen_at, reverse=True)
    found = [Place(one, device(one.user_agent), one.session_key == request.session.session_key) for one in known]
    return sorted(found, key=lambda place: not place.is_this)


def forget_ended() -> None:
    """Delete what is left of sessions that are over: addresses and browsers of people are personal data."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def device(user_agent: str) -> str:
    """A browser and what it runs on, in words; what it says about itself is a claim, and no more than a hint."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")
