"""Moments and days as people say them, in the reader's language and time zone; and those of the office, for files."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache

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
    if seconds < -60:  # of somebody who is expected
        return day(timezone.localtime(moment).date())
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


# On the clock of the office, whoever asks -----------------------------------------------------------------------------


def office_time(moment: datetime) -> datetime:
    """A moment as the clock of the office shows it, for files: two of them can be compared."""
    return timezone.localtime(moment, timezone.get_default_timezone()).replace(tzinfo=None)


def at_the_office(moment: datetime) -> datetime:
    """The moment that is meant by a time; one without a zone is of the office."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_default_timezone())
    return aware.astimezone(UTC)


def noon(value: date) -> datetime:
    """The moment that stands for a whole day: its noon, when it is that day for readers nearly everywhere on earth."""
    return _noon_in(timezone.get_default_timezone(), value)


@lru_cache(maxsize=10_000)
def _noon_in(zone: tzinfo, value: date) -> datetime:
    return datetime.combine(value, time(12), zone).astimezone(UTC)


def is_a_day(moment: datetime) -> bool:
    """Whether a moment stands for a whole day."""
    return office_time(moment).time() == time(12)


def day_or_moment(moment: datetime) -> str:
    """A moment with its time for the reader, or the day it stands for."""
    if is_a_day(moment):
        return day(office_time(moment).date())
    return str(date_format(timezone.localtime(moment), "DATETIME_FORMAT"))
