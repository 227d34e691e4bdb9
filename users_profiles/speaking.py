"""In which language somebody is spoken to, and on which clock: their own choice, else what their browser says.

Pages get it from the middleware. What has no request (mails, the background worker) says for whom it speaks; a job
keeps the language of whoever started it, because the browser that said it is not there any more. What is kept in the
database for everybody, above all the trail, why a row of a file was refused and why a job failed, is in no language: it
is said anew to each reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

# The rest of the zones' database are other names for the same places, or belong to nobody.
CONTINENTS = {
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Antarctica": gettext_lazy("Antarctica"),
    "Arctic": gettext_lazy("Arctic Ocean"),
    "Asia": gettext_lazy("Asia"),
    "Atlantic": gettext_lazy("Atlantic Ocean"),
    "Australia": gettext_lazy("Australia"),
    "Europe": gettext_lazy("Europe"),
    "Indian": gettext_lazy("Indian Ocean"),
    "Pacific": gettext_lazy("Pacific Ocean"),
}


@cache
def zones() -> tuple[str, ...]:
    """The names of the time zones to choose from, such as ``Europe/Berlin``."""
    return tuple(sorted(name for name in available_timezones() if name.split("/")[0] in CONTINENTS))


def zone_of(person: Any) -> tzinfo:
    """The time zone of a person; without a choice, or a person, the one of the settings."""
    name = getattr(person, "time_zone", "")
    return ZoneInfo(name) if name and name in available_timezones() else timezone.get_default_timezone()


def language_of(person: Any) -> str:
    """The language to write to a person in, who may have chosen one that is not offered any more."""
    chosen = getattr(person, "language", "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def spoken() -> str:
    """The language spoken at this moment, for a job to keep."""
    return translation.get_language() or settings.LANGUAGE_CODE


@contextmanager
def speaking_to(person: Any, language: str = "") -> Iterator[None]:
    """Speak to a person for the length of a block; ``language`` where it is known better than from their choice."""
    with translation.override(language or language_of(person)), timezone.override(zone_of(person)):
        yield


def to_whoever_asks(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: answer in the language and the time zone of who is signed in.

    Django's own, before it, has chosen by the cookie and the browser; that stays for whoever has made no choice.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if getattr(request.user, "language", ""):
            translation.activate(language_of(request.user))
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(zone_of(request.user)):
            return get_response(request)

    return middleware
