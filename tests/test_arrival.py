"""When somebody joined, as files of other systems have it: a day mostly, and in our own exports to the minute."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests.import_pages import page
from tests.importing import apply, book, check, reasons, take_back
from tests.people import Browse, Make
from users_profiles.models import User
from users_profiles.trail.entries import readable
from users_profiles.transfer import columns
from users_profiles.transfer.export import formats

BERLIN = "Europe/Berlin"


@pytest.fixture(autouse=True)
def _in_berlin(settings: Any) -> None:
    settings.TIME_ZONE = BERLIN


def joined(username: str = "ada") -> datetime:
    return User.objects.get(username=username).date_joined


def came(person: User, moment: datetime) -> None:
    User.objects.filter(pk=person.pk).update(date_joined=moment)


@pytest.mark.parametrize(
    "header",
    [
        "Start Date",
        "Hire date",
        "Joined",
        "date_joined",
        "Eintrittsdatum",
        "Date d’entrée",
        "Fecha de ingreso",
    ],
)
def test_other_systems_have_names_for_it(header: str) -> None:
    assert columns.field_for(header) == "date_joined"


@pytest.mark.parametrize("header", ["End date", "Project start date", "Last working date", "Contract date"])
def test_other_dates_are_not_taken_for_it(header: str) -> None:
    assert columns.recognise([header])[0] == [""]


@pytest.mark.django_db
def test_new_people_join_when_the_file_says_and_else_now() -> None:
    before = timezone.now()
    job = apply("username,Eintrittsdatum\nada,01.04.2019\nbob,\n")
    assert job.created == 2
    assert joined() == datetime(2019, 4, 1, 10, tzinfo=UTC)
    assert before <= joined("bob") <= timezone.now()


@pytest.mark.django_db
def test_what_people_have_is_changed_and_said_to_each_reader(
    browse: Browse, superuser: User, make_person: Make
) -> None:
    person = make_person("ada")
    came(person, datetime(2026, 3, 1, 7, 13, 22, 123456, tzinfo=UTC))
    person.refresh_from_db()
    before = person.version
    job = check("username,Start date\nada,2019-04-01\n", superuser)
    superuser.language, superuser.time_zone = "de", "Asia/Tokyo"
    superuser.save()
    shown = browse(superuser).get(page("change", job), {"show": "changed"}).content.decode()
    assert "<del>01.03.2026, 16:13</del> → <ins>01.04.2019</ins>" in shown
    applied = apply("username,Start date\nada,2019-04-01\n", superuser)
    assert applied.updated == 1
    person.refresh_from_db()
    assert (joined(), person.version) == (datetime(2019, 4, 1, 10, tzinfo=UTC), before + 1)


@pytest.mark.django_db
def test_a_day_that_is_known_already_changes_nothing(make_person: Make) -> None:
    came(make_person("ada"), datetime(2019, 3, 31, 22, 30, tzinfo=UTC))  # half past midnight in Berlin
    assert check("username,Joined\nada,2019-04-01\n").unchanged == 1
    assert check("username,Joined\nada,2019-03-31\n").updated == 1


# In the hour that a clock in Berlin shows twice, before and after; a moment to the last digit; and midnight.
MOMENTS = [
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    datetime(2024, 2, 29, 22, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 6, 30, 22, 0, tzinfo=UTC),
    datetime(2024, 6, 30, 10, 0, tzinfo=UTC),
]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_with_the_column_comes_back_unchanged(kind: str, make_person: Make) -> None:
    for at, moment in enumerate(MOMENTS):
        came(make_person(f"p{at}"), moment)
    people = User.objects.order_by("pk")
    file = b"".join(part for part, _rows in formats.blocks(people, ["username", "date_joined", "version"], kind))
    job = check(file)
    assert "date_joined" in job.options["mapping"]
    assert (job.unchanged, job.refused, job.updated) == (len(MOMENTS), 0, 0)


@pytest.mark.django_db
def test_a_date_cell_of_excel_is_taken() -> None:
    apply(book(["username", "Hire date"], ["ada", datetime(2019, 4, 1)], ["bob", datetime(2019, 4, 1, 9, 13)]))
    assert joined() == datetime(2019, 4, 1, 10, tzinfo=UTC)
    assert joined("bob") == datetime(2019, 4, 1, 7, 13, tzinfo=UTC)


@pytest.mark.django_db
def test_an_undo_gives_back_the_moment_to_the_last_digit(superuser: User, make_person: Make) -> None:
    exact = datetime(2026, 3, 1, 7, 13, 22, 123456, tzinfo=UTC)
    came(make_person("ada"), exact)
    job = apply("username,Joined\nada,2019-04-01\nbob,2019-04-01\ncarl,2019-04-01\n", superuser)
    came(User.objects.get(username="carl"), exact)  # has had a life of its own since
    found = take_back(job, superuser)
    assert joined() == exact
    assert not User.objects.filter(username="bob").exists()
    assert joined("carl") == exact
    assert (found["restored"], found["removed"], found["deactivated"]) == (1, 1, 1)


@pytest.mark.django_db
def test_an_undo_removes_whom_the_file_did_not_say_it_of(superuser: User) -> None:
    assert take_back(apply("username\nada\n", superuser), superuser)["removed"] == 1


@pytest.mark.django_db
def test_an_empty_cell_takes_nothing_away(make_person: Make) -> None:
    came(make_person("ada"), MOMENTS[0])
    assert check("username,Joined\nada,\n", blank_clears=True).unchanged == 1


@pytest.mark.django_db
def test_which_comes_first_is_found_in_either_column_of_dates() -> None:
    assert check("username,Birth date,Start date\nada,25/12/1990,03/04/2019\n").refused == 0
    assert check("username,Birth date,Start date\nada,,25/12/2018\nbob,03/04/1990,\n").refused == 0
    torn = check("username,Birth date,Start date\nada,25/12/1990,12/25/2018\nbob,03/04/1990,\n")
    assert [column for column, _why in reasons(torn)[3]] == ["Birth date"]


@pytest.mark.django_db
def test_a_file_without_the_column_neither_asks_for_it_nor_writes_it(make_person: Make) -> None:
    make_person("ada")
    with CaptureQueriesContext(connection) as queries:
        apply("username,first_name\nada,Ada\n")
    assert not [query["sql"] for query in queries if "date_joined" in query["sql"]]


def test_the_trail_tells_a_day_as_a_day_and_a_moment_as_one() -> None:
    with translation.override("en"), timezone.override("Asia/Tokyo"):
        assert readable("date_joined", "2019-04-01T10:00:00+00:00") == "1 Apr 2019"
        assert readable("date_joined", "2019-04-01T07:13:22+00:00") == "1 Apr 2019, 16:13"
        assert readable("date_joined", "2019-04-01 09:13") == "1 Apr 2019, 16:13"
