"""The figures: right, of a fixed price, and only what the one who asks may know; and where they are kept."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users_profiles import criteria, roles
from users_profiles.figures import counting, showing, store
from users_profiles.models import Import, Role, Snapshot, User, Worker
from users_profiles.models.figures import LOST
from users_profiles.transfer import tasks

TODAY = date(2026, 3, 31)


def at(*when):
    return timezone.make_aware(datetime(*when))


def bars_of(chart):
    return {bar.label: bar.count for bar in chart.bars}


def charts_for(actor, day=TODAY):
    return {chart.name: chart for chart in showing.charts(counting.count(day), actor)}


@pytest.fixture
def office(superuser, make_person):
    make_person("ada", role=Role.EDITOR, location="London", phone_number="+442079460000")
    make_person("ben", role=Role.READER, location="Berlin", is_active=False)
    make_person("cem", location="Berlin")
    make_person("dov")
    make_person("eve", location="Rome", phone_number="+390612345678", is_active=False)
    User.objects.update(date_joined=at(2026, 3, 1, 0, 0))
    User.objects.filter(username="dov").update(date_joined=at(2026, 2, 28, 23, 59))
    User.objects.filter(username="cem").update(date_joined=at(2024, 4, 1), last_login=at(2026, 3, 2))
    User.objects.filter(username="ben").update(date_joined=at(2024, 3, 31, 23, 59), deactivated_at=at(2026, 3, 1))
    User.objects.filter(username="eve").update(deactivated_at=at(2026, 2, 28, 23, 59))
    return superuser


# Months -------------------------------------------------------------------------------------------------------------


def test_the_last_months_are_two_years_without_a_gap():
    months = counting.last_months(TODAY)
    assert len(months) == 24
    assert (months[0][0], months[-1]) == (date(2024, 4, 1), (date(2026, 3, 1), date(2026, 3, 31)))
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(months))


# The row of figures -------------------------------------------------------------------------------------------------


def test_the_big_numbers_and_the_words_below_them_are_right(office):
    found = {
        figure.label: (figure.value, figure.aside.text) for figure in showing.figures(counting.count(TODAY), office)
    }
    assert found == {
        "People": (6, "4 active"),
        "Joined this month": (3, "1 in February"),
        "Left this month": (1, "1 in February"),
        "Incomplete profiles": (3, "3 without phone number"),
        "Never signed in": (3, "75% of active"),
        "Birthdays this week": (0, "until 6 April"),
    }


def test_somebody_who_came_back_has_not_left(office):
    User.objects.filter(username="ben").update(is_active=True)
    assert counting.count(TODAY)["left"] == [1, 0]


def test_who_may_not_see_private_fields_gets_no_figure_about_them(office, reader):
    counts = counting.count(TODAY)
    shown = {figure.label: figure.aside for figure in showing.figures(counts, reader)}
    assert "Birthdays this week" not in shown
    assert shown["Incomplete profiles"].text.endswith("without location")
    fields = bars_of(charts_for(reader)["missing"])
    assert "Location" in fields
    assert not {"Phone number", "Birth date"} & set(fields)


def test_people_with_birthdays_are_those_of_the_coming_week_who_still_work_here(office, make_person, editor):
    today = timezone.localdate()
    for ahead in (-1, 0, 6, 7):
        make_person(f"in{ahead}", birth_date=(today + timedelta(days=ahead)).replace(year=1988))
    make_person("gone", birth_date=today.replace(year=1988), is_active=False)
    assert counting.count(today)["numbers"]["birthdays"] == 2


@pytest.mark.parametrize(
    ("today", "celebrated"), [(date(2026, 2, 22), True), (date(2028, 2, 22), False), (date(2028, 2, 23), True)]
)
def test_who_was_born_on_the_29th_of_february_has_a_birthday_every_year(today, celebrated):
    assert ("02-29" in criteria.birthdays_from(today)) is celebrated


def test_a_role_with_wishes_of_its_own_counts_in_what_is_missing(office, settings):
    settings.USERS_PROFILES_ROLES = {"Editor": {"required": ["bio"]}}
    counts = counting.count(TODAY)
    aside = {figure.label: figure.aside for figure in showing.figures(counts, office)}["Incomplete profiles"]
    assert aside.params == {"active": "yes", "missing": "bio"}


# Charts -------------------------------------------------------------------------------------------------------------


def test_people_are_counted_by_role_and_everybody_once(office):
    roles.assign([User.objects.get(username="root")], Role.ADMIN)
    User.objects.get(username="ada").groups.add(Group.objects.get(name=Role.READER))
    bars = bars_of(charts_for(office)["role"])
    assert (bars["Superuser"], bars["Admin"], bars["Editor"], bars["Member"]) == (1, 0, 1, 3)


def test_people_are_counted_by_place_with_the_rest_and_those_without(office, make_person):
    for number in range(12):
        make_person(f"p{number}", location=f"Place {number:02}")
    found = bars_of(charts_for(office)["place"])
    assert next(iter(found)) == "Berlin"
    assert (found["Berlin"], found["Elsewhere"], found["No location"]) == (2, 5, 2)
    assert sum(found.values()) == User.objects.count()


def test_people_are_counted_by_the_month_they_joined(office):
    chart = charts_for(office)["joined"]
    assert {label: count for label, count in bars_of(chart).items() if count} == {
        "Apr 2024": 1,
        "Feb 2026": 1,
        "Mar 2026": 3,
    }
    assert chart.bars[-1].params == {"joined_from": "2026-03-01", "joined_to": "2026-03-31"}


def test_what_most_lack_comes_first_and_the_whole_is_beside_it(office):
    chart = charts_for(office)["missing"]
    counts = [bar.count for bar in chart.bars]
    assert counts == sorted(counts, reverse=True)
    assert (chart.aside.text, chart.aside.value) == ("1 complete (25%)", 1)


def test_an_empty_company_has_figures_too(db):
    counts = counting.count(TODAY)
    nobody = AnonymousUser()
    assert showing.figures(counts, nobody)[0].value == 0
    assert {bar.count for chart in showing.charts(counts, nobody) for bar in chart.bars} == {0}


def test_figures_cost_the_same_for_many_as_for_few(office, make_person):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            counting.count(TODAY)
        return len(queries)

    before = ask()
    for number in range(20):
        make_person(f"p{number}", role=Role.READER, location=f"Place {number}", is_active=bool(number % 2))
    assert ask() == before == 6


def test_figures_can_be_kept_as_they_are(office):
    counts = counting.count(TODAY)
    assert json.loads(json.dumps(counts)) == counts


# Where they are kept ------------------------------------------------------------------------------------------------


@pytest.fixture
def ordered(monkeypatch):
    """Counts how often the worker is asked; nobody answers."""
    asked = []
    monkeypatch.setattr(store, "refresh", type("Task", (), {"enqueue": staticmethod(lambda: asked.append(1))}))
    return asked


@pytest.fixture
def many(settings, office):
    """A company too large to be counted while somebody waits."""
    settings.FIGURES_SYNC_PEOPLE = 5
    return office


def test_with_few_people_the_figures_are_of_this_moment_and_nothing_is_kept(office, settings, ordered):
    settings.FIGURES_SYNC_PEOPLE = 6
    known = store.known()
    assert (known.counts["numbers"]["people"], known.counted_at, ordered) == (6, None, [])
    assert not Snapshot.objects.exists()


def test_with_many_people_nobody_is_counted_in_a_request(many, ordered, django_capture_on_commit_callbacks):
    with CaptureQueriesContext(connection) as queries, django_capture_on_commit_callbacks(execute=True):
        known = store.known()
    assert (known.counts, known.needs_worker, ordered) == (None, True, [1])
    assert not any("COUNT(" in query["sql"] for query in queries)


def test_a_count_is_ordered_once_and_again_only_when_it_was_lost(many, ordered, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        store.known()
        store.known()
        assert Snapshot.objects.count() == 1
    assert ordered == [1]
    Snapshot.objects.update(ordered_at=timezone.now() - LOST - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        store.known()
    assert ordered == [1, 1]


def test_what_was_counted_is_there_for_every_process_until_it_is_too_old(
    many, ordered, settings, make_person, django_capture_on_commit_callbacks
):
    began = timezone.now()
    count_now()
    make_person("new")
    with django_capture_on_commit_callbacks(execute=True):
        known = store.known()
    assert (known.counts["numbers"]["people"], ordered) == (6, [])
    assert began <= known.counted_at <= timezone.now()
    Snapshot.objects.update(counted_at=timezone.now() - timedelta(seconds=settings.FIGURES_SECONDS + 1))
    with django_capture_on_commit_callbacks(execute=True):
        known = store.known()
    assert (known.counts["numbers"]["people"], ordered) == (6, [1])


def count_now():
    """What the worker does, past the stand-in for its queue."""
    counts = counting.count(timezone.localdate())
    Snapshot.objects.update_or_create(name=store.NAME, defaults={"counts": counts, "counted_at": timezone.now()})


def test_the_worker_s_count_is_kept_and_a_new_one_can_be_ordered(many):
    Snapshot.order(store.NAME)
    store.refresh.call()
    kept = Snapshot.objects.get()
    assert (kept.counts["numbers"]["people"], kept.ordered_at) == (6, None)
    assert Snapshot.order(store.NAME)
    assert not Snapshot.order(store.NAME)


def test_late_figures_without_a_worker_are_said_to_be_so(many, ordered, settings):
    count_now()
    assert not store.known().needs_worker
    old = timezone.now() - timedelta(seconds=settings.FIGURES_SECONDS * store.LATE + 1)
    Snapshot.objects.update(counted_at=old)
    assert store.known().needs_worker
    Worker.objects.create(name="somebody")
    assert not store.known().needs_worker


@pytest.mark.parametrize(("has_written", "times"), [(True, 1), (False, 0)])
def test_an_import_that_wrote_people_has_them_counted_anew(
    many, ordered, monkeypatch, has_written, times, django_capture_on_commit_callbacks
):
    job = Import.objects.create(owner=many, filename="staff.csv", size=1, state=Import.State.DONE)
    job.applied_at = timezone.now() if has_written else None
    monkeypatch.setattr(tasks, "_engine", lambda job: lambda *args: None)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.run(job)
    assert sum(ordered) == times
