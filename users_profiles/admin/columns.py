"""How facts about people are shown in lists and headers: chips and names. Nothing here asks the database."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from users_profiles.models import User
from users_profiles.templatetags.people import avatar_html

EMPTY = "–"


def chip(text: object, tone: str = "") -> SafeString:
    """A small label; ``tone`` is a class such as ``chip-good``, and never the only sign of what it says."""
    return format_html('<span class="chip{}">{}</span>', f" {tone}" if tone else "", text)


def active_chip(person: User) -> SafeString:
    """Whether the person can sign in."""
    return chip(_("Active"), "chip-good") if person.is_active else chip(_("Inactive"))


def person_cell(person: User) -> SafeString:
    """Picture, full name, and the username muted under it."""
    name = person.get_full_name()
    username = format_html('<span class="muted small">{}</span>', person.username) if name else ""
    return format_html(
        '<span class="person">{}<span class="person-name"><span>{}</span>{}</span></span>',
        avatar_html(person, "s"),
        name or person.username,
        username,
    )
