"""Moments and days as people say them, in the reader's language and time zone."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _


def ago(moment: datetime | None, never: str = "") -> SafeString | str:
    """A moment as people say it (``2 h ago``), the exact one on hover."""
    if moment is None:
        return never or _("Never")
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
        _in_words(moment),
    )


def _in_words(moment: datetime) -> str:
    seconds = int((timezone.now() - moment).total_seconds())
    if seconds < 60:
        return _("just now")
    if seconds < 3_600:
        return _("%d min ago") % (seconds // 60)
    if seconds < 86_400:
        return _("%d h ago") % (seconds // 3_600)
    days = seconds // 86_400
    if days < 30:
        return _("yesterday") if days == 1 else _("%d days ago") % days
    return day(timezone.localtime(moment).date())


def day(value: date) -> str:
    """A date that fits a column: ``3 Nov 2026``."""
    return date_format(value, "DATE_FORMAT")
