"""When the database goes away in the middle of a request: asked again where that is safe, and else said in words."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views import defaults

# A connection that was cut, a server that restarts, a lock that was not given, a disk without room: nobody's mistake.
AWAY = (OperationalError, InterfaceError)
SAFE = frozenset({"GET", "HEAD"})
# Seconds after which a program may ask again.
RETRY_AFTER = 5


class DatabaseAway(HttpResponse):
    """The page that says so."""

    def __init__(self) -> None:
        super().__init__(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)})


def server_error(request: HttpRequest) -> HttpResponseBase:
    """What Django answers where nobody has caught an error; called while that is being handled."""
    if isinstance(sys.exc_info()[1], AWAY):
        return DatabaseAway()
    return defaults.server_error(request)


def ask_again(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a page that was only to be looked at is made once more, on a new connection.

    What changes something is not: it may be stored already, with only the answer lost.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, DatabaseAway) and request.method in SAFE:
            if not connection.in_atomic_block:  # as a test is as a whole
                connection.close_if_unusable_or_obsolete()
            request.__dict__.pop("_cached_user", None)  # who is signed in is looked up anew, too
            response = get_response(request)
        return response

    return middleware
