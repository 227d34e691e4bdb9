"""The trail as it is read: one story from three sources, in pages, as far as somebody may know of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from tests.importing import apply
from users_profiles import recorder, roles, trail
from users_profiles.models import Import, Role, TrailEntry, User
from users_profiles.trail import pages
from users_profiles.trail.entries import APPLIED, NOTED, Cursor
from users_profiles.transfer import retention, tasks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _from_here_on(superuser: User, admin: User, reader: User, ada: User) -> None:
    TrailEntry.objects.forget()


def rename(person: User, *names: str) -> None:
    for name in names:
        person.first_name = name
        person.save()


def told(page: trail.Page) -> list[str]:
    """Each entry in a line: what and, field by field, from what to what."""
    return [" ".join(filter(None, [entry.what, *_told(entry)])) for entry in page.entries]


def _told(entry: trail.Entry) -> list[str]:
    return [f"{change.label}: {change.old} > {change.new}." for change in entry.changes]


def whole(pages: Callable[[str], trail.Page]) -> list[trail.Entry]:
    """All entries of all pages, one page after the other."""
    page = pages("")
    entries = [*page.entries]
    while page.older:
        page = pages(page.older)
        entries += page.entries
    return entries


# What people read


def test_values_are_as_people_read_them(ada: User, admin: User) -> None:
    ada.is_active = False
    ada.profile.birth_date = datetime(1991, 2, 3, tzinfo=UTC).date()
    with recorder.together():
        ada.save()
        roles.assign([ada], Role.EDITOR)
    [line] = told(trail.of(ada, admin))
    assert line == "Active: yes > no. Role: Member > Editor. Birth date: 10 Dec 1990 > 3 Feb 1991."


def test_a_new_password_is_said_and_nothing_of_it(ada: User, admin: User) -> None:
    ada.set_password("something-quite-new")
    ada.save()
    assert told(trail.of(ada, admin)) == ["Password:  > changed."]


def test_an_import_is_told_in_the_same_words(ada: User, admin: User, superuser: User) -> None:
    apply("username,role,active,birth_date\nada,Editor,no,1991-02-03\nbob,,,\n", superuser)
    [line] = told(trail.of(ada, admin))
    assert line == "Active: yes > no. Role: Member > Editor. Birth date: 10 Dec 1990 > 3 Feb 1991."
    [entry] = trail.of(User.objects.get(username="bob"), admin).entries
    assert (entry.what, entry.who, entry.road_label) == ("Added", "root", "Import")


def test_an_undone_import_is_told_twice_there_and_back(ada: User, admin: User) -> None:
    job = apply("username,first_name,last_name\nada,Augusta,King\n", admin)
    User.objects.filter(pk=ada.pk).update(last_name="Byron")
    assert job.start_undo(None, write=True)
    tasks.run(job)
    page = trail.of(ada, admin)
    assert told(page) == [
        "First name: Augusta > Ada.",
        "First name: Ada > Augusta. Last name: Lovelace > King.",
    ]
    assert [entry.who for entry in page.entries] == ["Command line", "Alice Admin"]


def test_what_was_only_checked_or_left_alone_is_no_entry(ada: User, admin: User) -> None:
    from tests.importing import check

    check("username,first_name\nada,Augusta\n", admin)
    apply("username,first_name\nada,Ada\n", admin)
    assert trail.of(ada, admin).entries == []


def test_what_happened_is_told_by_what_was_noted_and_not_by_a_translation(ada: User, admin: User) -> None:
    for active in (False, True):
        ada.is_active = active
        ada.save()
    with translation.override("de"):
        entries = trail.of(ada, admin).entries
    with translation.override("en"):
        assert [entry.summary for entry in entries] == ["Activated", "Deactivated"]


# Who may know


def test_private_fields_are_for_those_who_may_see_them(ada: User, admin: User, reader: User) -> None:
    ada.profile.phone_number = "+4930123456"
    ada.profile.location = "Paris"
    ada.save()
    ada.profile.birth_date = None
    ada.save()
    apply("username,phone\nada,+442079460001\n", admin)
    assert told(trail.of(ada, reader)) == ["Location: London > Paris."]
    assert len(trail.of(ada, admin).entries) == 3
    assert {entry.summary for entry in trail.latest(reader, 5)} == {"Changed Location"}


def test_who_looked_and_from_where_is_for_those_who_give_roles(
    ada: User, admin: User, editor: User, rf: Any, settings: Any
) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7")
    request.user = admin
    request.resolver_match = None

    def answer(_request: Any) -> Any:
        recorder.looked_at(ada)
        rename(ada, "Augusta")

    recorder.remember_request(answer)(request)
    assert [entry.address for entry in trail.of(ada, admin).entries] == ["192.0.2.7"] * 2
    assert [(entry.summary, entry.address) for entry in trail.of(ada, editor).entries] == [("Changed First name", "")]
    assert [entry.summary for entry in trail.of(ada, admin, looks=False).entries] == ["Changed First name"]


def test_nobody_without_a_role_is_told_what_happened_lately(ada: User, stranger: User, reader: User) -> None:
    rename(ada, "Augusta")
    assert trail.latest(stranger, 5) == []
    assert trail.latest(reader, 5)[0].label == "Augusta Lovelace"


# Pages


def test_pages_follow_each_other_without_a_gap_whatever_the_source(ada: User, admin: User) -> None:
    for number in range(9):
        rename(ada, f"A{number}")
        apply(f"username,location\nada,Place{number}\n", admin)
    job = apply("username,location\nada,Nowhere\n", admin)
    assert job.start_undo(admin, write=True)
    tasks.run(job)
    once = trail.of(ada, admin, size=100).entries
    assert len(once) == 20
    assert once == sorted(once, key=lambda entry: entry.at, reverse=True)
    for size in (1, 2, 3, 7, 20):
        paged = whole(lambda older, size=size: trail.of(ada, admin, older, size))
        assert [entry.at for entry in paged] == [entry.at for entry in once]


def test_entries_of_one_moment_are_told_apart(ada: User, admin: User) -> None:
    rename(ada, "A", "B", "C")
    apply("username,location\nada,Paris\n", admin)
    moment = timezone.now()
    TrailEntry._base_manager.update(timestamp=moment)
    Import.objects.update(applied_at=moment)
    paged = whole(lambda older: trail.of(ada, admin, older, 1))
    assert [entry.at.source for entry in paged] == [NOTED, NOTED, NOTED, APPLIED]
    everything = whole(lambda older: trail.everything(trail.Filter(), admin, older, 1))
    assert len(everything) == 4


@pytest.mark.parametrize(
    "text", ["", "x", "1-2", "1-2-3-4", "a-b-c", f"{10**40}-2-1", f"1-2-{10**30}", "-1-2-3", "\x00"]
)
def test_a_place_that_is_nonsense_is_the_first_page(ada: User, admin: User, text: str) -> None:
    rename(ada, "Augusta")
    assert len(trail.of(ada, admin, text).entries) == 1


def test_a_place_survives_the_address() -> None:
    at = Cursor(datetime(2026, 11, 22, 11, 22, 33, 444555, tzinfo=UTC), NOTED, 17)
    assert Cursor.parse(str(at)) == at


def test_a_page_takes_as_many_queries_however_long_the_story(ada: User, admin: User) -> None:
    trail.of(ada, admin)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            trail.of(ada, admin)
        return len(asked)

    rename(ada, "A", "B")
    few = queries()
    rename(ada, *(f"A{number}" for number in range(30)))
    for number in range(5):
        apply(f"username,location\nada,Place{number}\n", admin)
    assert queries() == few == 3


# Looking for something


@pytest.fixture
def story(ada: User, admin: User, reader: User) -> None:
    rename(ada, "Augusta")
    roles.assign([reader], Role.EDITOR)
    apply("username,location\nada,Paris\nrita,Rome\n", admin)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["staff.csv", "Rita Reader", "Augusta Lovelace"]),
        ({"person": "ada"}, ["Augusta Lovelace", "Augusta Lovelace"]),
        ({"person": "ADA@example.com", "field": "location"}, ["Augusta Lovelace"]),
        ({"person": "reader"}, ["Rita Reader", "Rita Reader"]),
        ({"person": "nobody"}, []),
        ({"actor": "alice"}, ["staff.csv"]),
        ({"actor": "Alice Admin", "person": "ada"}, ["Augusta Lovelace"]),
        ({"field": "role"}, ["Rita Reader"]),
        ({"field": "location"}, ["staff.csv"]),
        ({"road": "command"}, ["Rita Reader", "Augusta Lovelace"]),
        ({"road": "import"}, ["staff.csv"]),
        ({"road": "undo"}, []),
        ({"since": timezone.now() + timedelta(days=1)}, []),
        ({"until": timezone.now() - timedelta(days=1)}, []),
        ({"since": timezone.now() - timedelta(days=1), "road": "command", "person": "ada"}, ["Augusta Lovelace"]),
    ],
)
def test_everything_can_be_looked_through(story: None, admin: User, wanted: dict[str, Any], found: list[str]) -> None:
    page = trail.everything(trail.Filter(**wanted), admin)
    assert [entry.label for entry in page.entries] == found


def test_what_no_index_knows_is_looked_for_a_page_at_a_time(
    ada: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LOOKED_THROUGH", 10)
    ada.last_name = "King"
    ada.save()
    rename(ada, *(f"A{number}" for number in range(35)))
    first = trail.everything(trail.Filter(field="last_name"), admin)
    assert (first.entries, bool(first.older)) == ([], True)
    found = whole(lambda older: trail.everything(trail.Filter(field="last_name"), admin, older))
    assert [entry.summary for entry in found] == ["Changed Last name"]
    names = whole(lambda older: trail.everything(trail.Filter(field="first_name"), admin, older, 4))
    assert [entry.changes[0].new for entry in names] == [f"A{number}" for number in range(34, -1, -1)]


def test_who_is_gone_is_found_by_the_name_they_had(ada: User, admin: User) -> None:
    ada.delete()
    assert told(trail.everything(trail.Filter(person="lovelace"), admin)) == ["Deleted"]


# For reports


def test_changes_are_told_from_the_oldest_of_some_fields_and_within_the_bounds(ada: User, admin: User) -> None:
    rename(ada, "Augusta")
    start = timezone.now()
    rename(ada, "Ada")
    apply("username,first_name,location\nada,Gus,Paris\n", admin)
    end = timezone.now()
    rename(ada, "Later")
    found = list(trail.changes(start, end, {"first_name"}))
    assert [(one.old, one.new, one.road) for one in found] == [
        ("Augusta", "Ada", "command"),
        ("Ada", "Gus", "import"),
    ]
    assert {(one.person, one.field) for one in found} == {(ada.pk, "first_name")}
    assert [one.when for one in found] == sorted(one.when for one in found)


def test_an_import_of_many_is_told_in_few_queries(admin: User) -> None:
    start = timezone.now()
    apply("username\n" + "".join(f"p{number}\n" for number in range(300)), admin)
    with CaptureQueriesContext(connection) as queries:
        found = list(trail.changes(start, timezone.now()))
    assert len([one for one in found if one.new == "added" and not one.field]) == 300
    assert len(queries) < 8


# How long it is kept


def test_what_is_older_than_the_setting_is_pruned(ada: User, settings: Any) -> None:
    settings.TRAIL_KEEP_YEARS = 2
    rename(ada, "Old", "New")
    old = TrailEntry.objects.earliest("pk")
    TrailEntry._base_manager.filter(pk=old.pk).update(timestamp=timezone.now() - timedelta(days=3 * 365))
    assert retention.prune(dry_run=True).entries == 1
    assert TrailEntry.objects.count() == 2
    retention.prune()
    assert [entry.changes for entry in TrailEntry.objects.all()] == [{"first_name": ["Old", "New"]}]


def test_nobody_is_found_in_it_by_a_phone_number_who_may_not_see_those(ada: User, admin: User, reader: User) -> None:
    rename(ada, "Augusta")
    for wanted in (trail.Filter(person="44 20 7946"), trail.Filter(actor="44 20 7946")):
        assert not trail.everything(wanted, reader).entries
    assert trail.everything(trail.Filter(person="44 20 7946"), admin).entries
