"""How a person is shown: their picture, or their initials on a colour that is always theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zlib import crc32

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from users_profiles import moments, phones, roles
from users_profiles.accounts import single_sign_on as sso
from users_profiles.models import Role

register = template.Library()

# Which thumbnail each size shows (for screens with two pixels to the point), and its side on the page in pixels.
SIZES = {"s": (64, 32), "m": (192, 40), "l": (192, 96)}
TONES = 8
ROLE_TONES = {Role.ADMIN.value: "chip chip-warn", Role.EDITOR.value: "chip chip-accent"}


def avatar_html(person: Any, size: str = "s", label: str = "", loading: str = "") -> SafeString:
    """The round picture of a person, or their initials; ``size`` is "s", "m" or "l".

    It is decoration beside the name, so it says nothing to a screen reader; where the name is not beside it, pass one
    as ``label``. ``loading`` is "eager" on what is to be printed: not every browser fetches what it has put off. Never
    queries: somebody whose profile is not loaded is shown by initials.
    """
    edge, side = SIZES[size]
    profile = person._state.fields_cache.get("profile")
    picture = profile.__dict__.get("avatar") and profile.avatar if profile is not None else None
    if picture and picture._committed:
        address = picture.thumbnail_url(edge)
        loading = loading or ("eager" if size == "l" else "lazy")  # the large one is what the page is about
        image = format_html(
            '<img src="{}" alt="{}" width="{}" height="{}" loading="{}">', address, label, side, side, loading
        )
        return format_html('<span class="avatar avatar-{}">{}</span>', size, image)
    spoken = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<span class="avatar avatar-{} tone-{}" {}>{}</span>', size, tone(person.username), spoken, person.initials
    )


def tone(username: str) -> int:
    """The number of the colour behind somebody's initials; the same in every process and after every restart."""
    return crc32(username.lower().encode()) % TONES


@register.simple_tag
def avatar(person: Any, size: str = "s", label: str = "", loading: str = "") -> SafeString:
    """``{% avatar person "s" %}``, see ``avatar_html``."""
    return avatar_html(person, size, label, loading)


@register.simple_tag
def role_chip(person: Any) -> SafeString:
    """What a person may do, in one word; a superuser is one, whatever the role."""
    if person.is_superuser:
        return format_html('<span class="chip chip-bad">{}</span>', _("Superuser"))
    return format_html('<span class="{}">{}</span>', ROLE_TONES.get(person.role, "chip"), roles.LABELS[person.role])


@register.simple_tag(takes_context=True)
def people_actions(context: template.Context) -> dict[str, Any]:
    """What the palette offers to do with people, as far as who is signed in may: its links, and where it finds them."""
    actor = context["user"]
    offered = (
        (roles.Action.ADD, "add", "plus", _("Add person")),
        (roles.Action.IMPORT, "import", "import", _("Import people")),
        (roles.Action.EXPORT, "export", "export", _("Export people")),
    )
    return {
        "find": reverse("admin:users_profiles_user_find") if roles.may(actor, roles.Action.VIEW) else "",
        "links": [
            {"url": reverse(f"admin:users_profiles_user_{name}"), "icon": icon, "label": label}
            for action, name, icon, label in offered
            if roles.may(actor, action)
        ],
    }


@register.simple_tag
def registration_open() -> bool:
    """Say whether the sign-in page may offer to register."""
    return bool(settings.REGISTRATION_OPEN)


@register.simple_tag
def single_sign_on(next: str | None = None) -> dict[str, str] | None:  # noqa: A002 (what the address calls it)
    """The service that the sign-in page offers, and where signing in by it begins; None where there is none."""
    if not sso.is_on():
        return None
    query = f"?{urlencode({'next': next})}" if next else ""
    return {"name": settings.OIDC["name"], "address": sso.address() + query}


@register.filter
def ago(moment: datetime) -> SafeString | str:
    """A moment as people say it, see ``moments.ago``."""
    return moments.ago(moment)


@register.filter
def pretty_phone(number: str) -> str:
    """A stored phone number with the spaces that people read it by."""
    return phones.pretty(number)
