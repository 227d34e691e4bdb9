"""Dates and moments in cells, as people and programs write them."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from users_profiles import moments
from users_profiles.transfer import dates
from users_profiles.transfer.options import DateOrder
from users_profiles.transfer.reasons import Refused

BERLIN = "Europe/Berlin"


@pytest.fixture(autouse=True)
def _in_berlin(settings: Any) -> None:
    settings.TIME_ZONE = BERLIN


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1990-12-31", date(1990, 12, 31)),
        ("31.12.1990", date(1990, 12, 31)),
        ("3.4.1990", date(1990, 4, 3)),
        ("31/12/1990", date(1990, 12, 31)),
        ("12/31/1990", date(1990, 12, 31)),
        ("05/05/1990", date(1990, 5, 5)),
        ("1990/12/31", date(1990, 12, 31)),
        ("33238", date(1990, 12, 31)),
        ("3 April 1990", date(1990, 4, 3)),
        ("Apr 3, 1990", date(1990, 4, 3)),
        ("3rd of May 1990", date(1990, 5, 3)),
        ("3. März 1990", date(1990, 3, 3)),
        ("03-abr-1990", date(1990, 4, 3)),
        ("4 juil. 1990", date(1990, 7, 4)),
        ("1990 Dez 31", date(1990, 12, 31)),
        ("１９９０-12-31", date(1990, 12, 31)),
        ("1990-12-31T00:00:00", date(1990, 12, 31)),
        ("12/31/1990 12:00:00 AM", date(1990, 12, 31)),
        ("1990-12-31 00:00:00", date(1990, 12, 31)),
        (" 1990-12-31 ", date(1990, 12, 31)),
    ],
)
def test_a_date_that_can_mean_one_day_is_read(written: str, meant: date) -> None:
    assert dates.birthday(written, DateOrder.ASK) == meant


def test_a_date_that_can_mean_two_days_is_read_only_when_somebody_says_which() -> None:
    with pytest.raises(ValueError, match=r"can mean two days.*choose on the Columns step which comes first"):
        dates.birthday("03/04/2020", DateOrder.ASK)
    assert dates.birthday("03/04/2020", DateOrder.DAY_FIRST) == date(2020, 4, 3)
    assert dates.birthday("03/04/2020", DateOrder.MONTH_FIRST) == date(2020, 3, 4)


@pytest.mark.parametrize(
    "written",
    [
        "1990-02-30",
        "yesterday",
        "31.12.90",
        "1990-1",
        "99/99/1990",
        "1990-12-31T10:00",
        "3 ju 1990",
        "Juni 1990",
        "Apr 1990 3",
        "3 Nonsense 1990",
        "٣/٤",
    ],
)
def test_what_is_not_a_date_is_refused_with_a_cure(written: str) -> None:
    with pytest.raises(ValueError, match="1990-12-31"):
        dates.birthday(written, DateOrder.ASK)


@pytest.mark.parametrize("written", ["1850-01-01", "2999-01-01"])
def test_nobody_was_born_before_1900_or_tomorrow(written: str) -> None:
    with pytest.raises(ValueError, match="between 1900 and today"):
        dates.birthday(written, DateOrder.ASK)


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["03/04/2020", "25/12/2020"], DateOrder.DAY_FIRST),
        (["03/04/2020", "12-25-2020 00:00"], DateOrder.MONTH_FIRST),
        (["03/04/2020", "31.12.2020", "2020-12-31", "", "x"], DateOrder.ASK),
        (["25/12/2020", "12/25/2020"], DateOrder.ASK),
    ],
)
def test_dates_that_can_mean_one_day_tell_about_the_others(cells: list[str], order: DateOrder) -> None:
    assert dates.order_of(cells) is order


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2019-04-01", "2019-04-01 12:00"),
        ("01.04.2019", "2019-04-01 12:00"),
        ("1. April 2019", "2019-04-01 12:00"),
        ("25/12/2019", "2019-12-25 12:00"),
        ("43556", "2019-04-01 12:00"),
        ("2019-04-01 00:00:00", "2019-04-01 12:00"),
        ("2019-04-01 09:13", "2019-04-01 09:13"),
        ("2019-04-01T09:13:22.5", "2019-04-01 09:13"),
        ("2019-04-01T07:13Z", "2019-04-01 09:13"),
        ("2019-04-01 02:13:22-05:00", "2019-04-01 09:13"),
        ("01.04.2019 9:13", "2019-04-01 09:13"),
        ("25/12/2019 9:13:22", "2019-12-25 09:13"),
        ("12/25/2019 9:13 PM", "2019-12-25 21:13"),
        ("12/25/2019, 12:05 a.m.", "2019-12-25 00:05"),
        ("April 1, 2019 12:30 pm", "2019-04-01 12:30"),
    ],
)
def test_a_day_with_or_without_a_time_is_on_the_clock_of_the_office(written: str, meant: str) -> None:
    found = dates.arrival(written, DateOrder.ASK)
    assert found.tzinfo is UTC
    assert moments.office_time(found).isoformat(" ", "minutes") == meant


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("soon", "day"),
        ("2019-02-30", "day"),
        ("2019-04-01 25:00", "day"),
        ("2019-04-01 9:77", "day"),
        ("12:30", "day"),
        ("03/04/2019", "two_days"),
        ("03/04/2019 10:00", "two_days"),
        ("1899-12-31", "arrival"),
        ("2204-04-01", "arrival"),
    ],
)
def test_what_is_no_day_or_no_likely_one_is_refused(written: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        dates.arrival(written, DateOrder.ASK)
    assert refusal.value.code == code


def test_who_is_expected_may_be_in_the_file_already() -> None:
    ahead = date.today() + timedelta(days=200)
    assert dates.arrival(ahead.isoformat(), DateOrder.ASK).date() == ahead


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "America/Sao_Paulo", "Asia/Tokyo", "Asia/Kolkata", BERLIN])
def test_a_day_is_the_same_day_for_readers_far_away(zone: str) -> None:
    found = dates.arrival("2019-04-01", DateOrder.ASK)
    assert timezone.localtime(found, ZoneInfo(zone)).date() == date(2019, 4, 1)


def test_somebody_who_is_expected_has_not_just_come() -> None:
    with translation.override("en"):
        assert "just now" in moments.ago(timezone.now() - timedelta(seconds=5))
        assert "just now" not in moments.ago(timezone.now() + timedelta(days=40))
