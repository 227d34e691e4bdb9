"""When a report is due: at an hour of the office's clock, whatever becomes of the clock."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from users_profiles.models import Report

Every = Report.Every
# So many days hold at least one that any report is due on.
LONGEST = 63


def next_moment(report: Report, after: datetime) -> datetime | None:
    """The first moment after ``after`` at which the report is due; None when it is not sent by itself.

    Days are counted and not hours: on the day that lacks the hour it is sent when the clock has jumped, and on the day
    that has it twice, at the first.
    """
    if not report.every:
        return None
    zone = timezone.get_default_timezone()
    today = timezone.localdate(after, zone)
    for day in (today + timedelta(days=ahead) for ahead in range(LONGEST)):
        # In Greenwich: two times of one zone are compared by what the clock shows.
        moment = datetime(day.year, day.month, day.day, report.hour, tzinfo=zone).astimezone(UTC)
        if moment > after and _is_day_of(report, day):
            return moment
    raise ValueError(f"report {report.pk} is never due")


def _is_day_of(report: Report, day: date) -> bool:
    if report.every == Every.WEEK:
        return day.weekday() == report.weekday
    if report.every == Every.MONTH:
        return day.day == min(report.monthday, monthrange(day.year, day.month)[1])
    return True


def in_words(report: Report) -> str:
    """The schedule as people say it, and on which clock if it is not the reader's; empty when there is none."""
    if not report.every:
        return ""
    words = _rhythm(report)
    if timezone.get_current_timezone() == timezone.get_default_timezone():
        return words
    return _("%(rhythm)s, on the clock of %(zone)s") % {"rhythm": words, "zone": settings.TIME_ZONE.replace("_", " ")}


def _rhythm(report: Report) -> str:
    hour = date_format(datetime(2000, 1, 1, report.hour), "TIME_FORMAT")
    if report.every == Every.DAY:
        return _("Every day at %(hour)s") % {"hour": hour}
    if report.every == Every.WEEK:
        return _("Every %(day)s at %(hour)s") % {"day": WEEKDAYS[report.weekday], "hour": hour}
    if report.monthday == 31:
        return _("On the last day of every month at %(hour)s") % {"hour": hour}
    return _("On day %(day)s of every month at %(hour)s") % {"day": report.monthday, "hour": hour}
