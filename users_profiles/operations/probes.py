"""Answers the programs that watch: is it alive, is it ready, and what are the figures.

In front of all other middleware: a probe comes by plain HTTP, with an address for a host name, and must neither be sent
to HTTPS nor be refused for it; and it must get its answer when the database is down that sessions need.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from users_profiles.operations import health

# How long an answer to "are you ready" stands, in seconds: asking without end costs the database nothing.
STANDS = 1.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_given: dict[tuple[str, ...], tuple[float, JsonResponse]] = {}


def answer_probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the very first."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = PAGES.get(request.path_info)
        if answer is None:
            return get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
        answered = answer(request)
        # What is wrong is in the log already; Django would mail every single 503 to those who are told about errors.
        answered._has_been_logged = True  # type: ignore[attr-defined]
        return answered

    return middleware


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing else is looked at, so nothing else gets it killed."""
    return JsonResponse({"alive": True}, headers=HEADERS)


def ready(request: HttpRequest) -> HttpResponse:
    """All parts, or those of ``?parts=database,storage``: 200 when all of them are well, else 503."""
    asked = set(request.GET.get("parts", ",".join(health.PARTS)).split(","))
    # In the order that they have here: another order, or a part said twice, is no other question.
    names = tuple(name for name in health.PARTS if name in asked)
    if not health.PARTS.keys() >= asked:
        sentence = f"parts are {', '.join(health.PARTS)}"
        return JsonResponse({"error": sentence}, status=HTTPStatus.BAD_REQUEST, headers=HEADERS)
    given_at, answer = _given.get(names, (0.0, None))
    if answer is None or time.monotonic() - given_at >= STANDS:
        answer = _look(names)
        _given[names] = (time.monotonic(), answer)
    return answer


def _look(names: tuple[str, ...]) -> JsonResponse:
    parts = health.look(names)
    is_ready = all(part.ok for part in parts.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    found = {"ready": is_ready, "parts": {name: asdict(part) for name, part in parts.items()}}
    return JsonResponse(found, status=status, headers=HEADERS)


def figures(request: HttpRequest) -> HttpResponse:
    """The metrics, for who knows the token. Without a token in the settings there are none, and no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={**HEADERS, "WWW-Authenticate": "Bearer"})
    from users_profiles.operations import metrics  # not before the settings have said where counts are kept

    return metrics.page()


PAGES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": alive,
    "/readyz": ready,
    "/metrics": figures,
}
