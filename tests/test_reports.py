"""The figures: right, of a fixed price, and only what the one who asks may know."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users_profiles import reports, roles
from users_profiles.models import Import, Role, User

TODAY = date(2026, 3, 31)


def at(*when):
    return timezone.make_aware(datetime(*when))


def values(bars):
    return {bar.label: bar.count for bar in bars}


# Days ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 3, 31), date(2026, 3, 1), date(2026, 3, 31)),
        (date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 31)),
        (date(2024, 2, 10), date(2024, 2, 1), date(2024, 2, 29)),
    ],
)
def test_a_month_begins_and_ends_where_calendars_say(day, first, last):
    assert reports.month_of(day) == (first, last)


def test_the_last_months_are_twelve_without_a_gap():
    months = reports.last_months(TODAY)
    assert len(months) == 12
    assert (months[0][0], months[-1]) == (date(2025, 4, 1), (date(2026, 3, 1), date(2026, 3, 31)))
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(months))


def test_days_begin_at_midnight_in_the_office_and_not_in_greenwich():
    with timezone.override("Asia/Tokyo"):
        assert reports.start_of(date(2026, 3, 1)).isoformat() == "2026-03-01T00:00:00+09:00"


# Figures ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(superuser, make_person):
    make_person("ada", role=Role.EDITOR, location="London", phone_number="+442079460000")
    make_person("ben", role=Role.READER, location="Berlin", is_active=False)
    make_person("cem", location="Berlin")
    make_person("dov")
    User.objects.update(date_joined=at(2026, 3, 1, 0, 0))
    User.objects.filter(username="dov").update(date_joined=at(2026, 2, 28, 23, 59))
    User.objects.filter(username="cem").update(date_joined=at(2025, 4, 1), last_login=at(2026, 3, 2))
    User.objects.filter(username="ben").update(date_joined=at(2025, 3, 31, 23, 59))


def test_the_big_numbers_are_right(office):
    found = {figure.label: figure.value for figure in reports.figures(TODAY)}
    assert found == {
        "People": 5,
        "Active": 4,
        "New this month": 2,
        "Incomplete profiles": 4,
        "Never signed in": 4,
        "Without a picture": 5,
    }


def test_people_are_counted_by_role_and_everybody_once(office):
    roles.assign([User.objects.get(username="root")], Role.ADMIN)
    assert values(reports.by_role()) == {"Superuser": 1, "Admin": 0, "Editor": 1, "Reader": 1, "Member": 2}


def test_people_are_counted_by_place_with_the_rest_and_those_without(office, make_person):
    for number in range(12):
        make_person(f"p{number}", location=f"Place {number:02}")
    found = values(reports.by_location())
    assert next(iter(found)) == "Berlin"
    assert (found["Berlin"], found["Elsewhere"], found["No location"]) == (2, 4, 2)
    assert sum(found.values()) == User.objects.count()


def test_people_are_counted_by_the_month_they_joined(office):
    months = reports.joined(TODAY)
    assert [month.month for month in months][:1] + [month.month for month in months][-1:] == ["2025-04", "2026-03"]
    assert {month.month: month.count for month in months if month.count} == {"2025-04": 1, "2026-02": 1, "2026-03": 2}
    assert months[-1].params == {"joined_from": "2026-03-01", "joined_to": "2026-03-31"}


def test_the_longest_bar_is_full_and_the_shortest_can_be_seen(make_person):
    people = User.objects.bulk_create([User(username=f"p{number}") for number in range(300)])
    roles.assign(people[:1], Role.READER)
    shares = {bar.label: bar.share for bar in reports.by_role()}
    assert (shares["Member"], shares["Reader"], shares["Admin"]) == (100, 1, 0)


def test_an_empty_company_has_figures_too(db):
    assert reports.figures(TODAY)[0].value == 0
    assert {bar.share for bar in reports.by_role()} == {0}
    assert reports.by_location() == []


def test_figures_cost_the_same_for_many_as_for_few(superuser, office, make_person):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            reports.figures(TODAY)
            reports.by_role()
            reports.by_location()
            reports.joined(TODAY)
            reports.recent(superuser)
        return len(queries)

    ask()
    before = ask()
    for number in range(20):
        person = make_person(f"p{number}", role=Role.READER, location=f"Place {number}")
        LogEntry.objects.log_actions(superuser.pk, [person], CHANGE, "Deactivated")
    assert ask() == before
    assert before <= 9


# What happened ------------------------------------------------------------------------------------------------------


def test_the_latest_edits_and_imports_come_first_and_in_one_list(superuser, stranger):
    LogEntry.objects.log_actions(superuser.pk, [stranger], CHANGE, "Deactivated")
    Import.objects.create(
        owner=superuser,
        filename="people.csv",
        size=1,
        state=Import.State.DONE,
        created=2,
        updated=1,
        finished_at=timezone.now(),
    )
    LogEntry.objects.log_actions(superuser.pk, [stranger], DELETION)
    found = reports.recent(superuser)
    assert [(item.who, item.what) for item in found] == [
        ("root", "Stan Stranger: Deleted"),
        ("root", "Imported people.csv: 3 people new or changed"),
        ("root", "Stan Stranger: Deactivated"),
    ]
    assert [item.model for item in found] == [None, Import, User]


@pytest.mark.parametrize(
    ("subject", "state", "sentence"),
    [
        ("people", "failed", "Import of staff.csv: Failed"),
        ("people", "undone", "Undid the import of staff.csv: 4 people as before"),
        ("pictures", "done", "Imported staff.csv: 1 picture new or replaced"),
        ("pictures", "undone", "Undid the import of staff.csv: 4 pictures as before"),
    ],
)
def test_each_import_has_a_sentence(superuser, admin, subject, state, sentence):
    undone = timezone.now()
    Import.objects.create(
        owner=superuser,
        undone_by=admin,
        filename="staff.csv",
        size=1,
        subject=subject,
        state=state,
        created=1,
        finished_at=undone - timedelta(days=3),
        undo={"removed": 3, "restored": 1, "kept": 7, "finished": undone.isoformat()},
    )
    (found,) = reports.recent(superuser)
    assert found.what == sentence
    assert (found.who, found.when == undone) == (("Alice Admin", True) if state == "undone" else ("root", False))


def test_only_so_many_are_listed(superuser, stranger):
    for _number in range(12):
        LogEntry.objects.log_actions(superuser.pk, [stranger], CHANGE, "Deactivated")
    assert len(reports.recent(superuser)) == reports.RECENT


def test_imports_of_others_are_not_told_to_who_may_not_see_them(superuser, reader, editor, admin):
    Import.objects.create(owner=superuser, filename="people.csv", size=1, state=Import.State.CHECKED)
    assert [len(reports.recent(person)) for person in (reader, editor, admin)] == [0, 0, 1]


def test_edits_are_not_told_to_who_may_not_see_people(superuser, stranger, make_person):
    LogEntry.objects.log_actions(superuser.pk, [stranger], CHANGE, "Deactivated")
    assert reports.recent(make_person("clerk", is_staff=True)) == []
