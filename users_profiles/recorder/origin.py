"""Who does it, by which road and from where: known of each request, or said by who goes without one."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from users_profiles.models import Road

# How the names of the addresses of signing in begin: by password, second factor and sign-in service.
SIGN_IN_PAGES = ("account_", "mfa_", "openid_connect_")

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)
_road: ContextVar[str] = ContextVar("road", default="")
_mark: ContextVar[str | None] = ContextVar("mark", default=None)


def remember_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: what is changed while a request is answered was changed by whoever sent it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        token = _request.set(request)
        try:
            return get_response(request)
        finally:
            _request.reset(token)

    return middleware


@contextmanager
def by(road: Road) -> Iterator[None]:
    """Say which road the changes of a block take, where the address of the page does not."""
    token = _road.set(road)
    try:
        yield
    finally:
        _road.reset(token)


@contextmanager
def marked(mark: str) -> Iterator[None]:
    """Give the entries of a block a mark in common, so that what was done together can be found, and undone, together.

    Entries are written at the end of ``together``, so that goes inside.
    """
    token = _mark.set(mark)
    try:
        yield
    finally:
        _mark.reset(token)


def origin() -> dict[str, Any]:
    """Who, by which road and from where, as an entry has it. Without a request it is the operator of the host."""
    request = _request.get()
    if request is None:
        return {"road": _road.get() or Road.COMMAND, "cid": _mark.get()}
    user = getattr(request, "user", None)
    actor = user if user is not None and user.is_authenticated else None
    return {
        "road": _road.get() or _road_of(request),
        "actor_id": actor.pk if actor else None,
        "actor_name": str(actor)[:320] if actor else "",
        "remote_addr": _address_of(request),
        "cid": _mark.get(),
    }


def _road_of(request: HttpRequest) -> Road:
    match = request.resolver_match
    if match is not None and match.app_name == "admin":
        return Road.ADMIN
    return Road.ACCOUNT if match is not None and match.view_name.startswith(SIGN_IN_PAGES) else Road.SELF


def _address_of(request: HttpRequest) -> str | None:
    """The client, as the rate limits see it: a header is believed only where the settings name a proxy."""
    try:
        return str(ipaddress.ip_address(get_adapter().get_client_ip(request)))
    except (ValueError, PermissionDenied):
        return None
