"""When reports are due: by the office's clock, also on the two days a year on which it jumps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from users_profiles.models import Report
from users_profiles.reports import schedule


@pytest.fixture(autouse=True)
def _berlin(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rhythm", "after", "due"),
    [
        ({"every": "day", "hour": 6}, "2026-11-22T04:59", "2026-11-22T05:00"),
        ({"every": "day", "hour": 6}, "2026-11-22T05:00", "2026-11-23T05:00"),
        ({"every": "day", "hour": 6}, "2026-07-01T12:00", "2026-07-02T04:00"),
        ({"every": "day", "hour": 0}, "2026-11-22T22:30", "2026-11-22T23:00"),
        ({"every": "week", "hour": 7, "weekday": 0}, "2026-11-22T12:00", "2026-11-23T06:00"),
        ({"every": "week", "hour": 7, "weekday": 6}, "2026-11-22T12:00", "2026-11-29T06:00"),
        ({"every": "month", "hour": 6, "monthday": 1}, "2026-11-22T12:00", "2026-12-01T05:00"),
        ({"every": "month", "hour": 6, "monthday": 31}, "2026-02-01T12:00", "2026-02-28T05:00"),
        ({"every": "month", "hour": 6, "monthday": 31}, "2028-02-01T12:00", "2028-02-29T05:00"),
        ({"every": "month", "hour": 6, "monthday": 30}, "2026-01-31T12:00", "2026-02-28T05:00"),
        # On 29 March 2026 there is no half past two: at two it is three.
        ({"every": "day", "hour": 2}, "2026-03-28T12:00", "2026-03-29T01:00"),
        ({"every": "day", "hour": 2}, "2026-03-29T01:00", "2026-03-30T00:00"),
        # On 25 October 2026 it is two o'clock twice; it is sent at the first, and not again.
        ({"every": "day", "hour": 2}, "2026-10-24T12:00", "2026-10-25T00:00"),
        ({"every": "day", "hour": 2}, "2026-10-25T00:00", "2026-10-26T01:00"),
    ],
)
def test_a_report_is_due_at_its_hour_of_the_offices_clock(rhythm: dict[str, Any], after: str, due: str) -> None:
    assert schedule.next_moment(Report(**rhythm), utc(after)) == utc(due)


@pytest.mark.parametrize("hour", range(24))
def test_every_day_of_a_year_has_exactly_one_run(hour: int) -> None:
    report, moment, days = Report(every="day", hour=hour), utc("2026-01-01T12:00"), []
    for _day in range(365):
        found = schedule.next_moment(report, moment)
        assert found is not None
        moment = found
        days.append(timezone.localdate(moment, timezone.get_default_timezone()))
    assert len(set(days)) == 365
    assert (days[-1] - days[0]).days == 364


def test_a_report_without_a_rhythm_is_never_due() -> None:
    assert schedule.next_moment(Report(), timezone.now()) is None
    assert schedule.in_words(Report()) == ""


@pytest.mark.parametrize(
    ("rhythm", "words"),
    [
        ({"every": "day", "hour": 6}, "Every day at 06:00"),
        ({"every": "week", "weekday": 4, "hour": 18}, "Every Friday at 18:00"),
        ({"every": "month", "monthday": 15, "hour": 0}, "On day 15 of every month at 00:00"),
        ({"every": "month", "monthday": 31, "hour": 6}, "On the last day of every month at 06:00"),
    ],
)
def test_the_rhythm_is_said_in_words(rhythm: dict[str, Any], words: str) -> None:
    assert schedule.in_words(Report(**rhythm)) == words


def test_who_lives_on_another_clock_is_told_whose_the_hour_is(settings: Any) -> None:
    with timezone.override("America/New_York"):
        words = schedule.in_words(Report(every="day", hour=6))
    assert words == f"Every day at 06:00, on the clock of {settings.TIME_ZONE}"
