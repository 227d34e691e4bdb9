"""When what a request needs goes away in the middle of it, the database or the room on the disk.

What was only to be looked at is asked for once more on a new connection; else people are told in words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.contrib.messages.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.views import defaults

from users_profiles import room

SAFE = frozenset({"GET", "HEAD"})
# Seconds after which a program may ask again.
RETRY_AFTER = 5


class DatabaseAway(HttpResponse):
    """The page that says so."""

    def __init__(self) -> None:
        super().__init__(render_to_string("database_away.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)})


def server_error(request: HttpRequest) -> HttpResponseBase:
    """What Django answers where nobody has caught an error; called while that is being handled."""
    error = sys.exc_info()[1]
    if hasattr(request, "_messages"):
        # What was about to be said is not so: nobody should read on the next page that something was saved.
        request._messages = default_storage(request)
    if room.is_lacking(error):
        return HttpResponse(render_to_string("no_room.html"), status=507)
    if isinstance(error, room.DATABASE_AWAY):
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
