"""What is under way and what happened lately: as far as the one who asks may know of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users_profiles import recorder
from users_profiles.figures import lately
from users_profiles.models import Export, Import, Road, TrailEntry, User


def deactivate(person):
    person.is_active = False
    person.save()


# What happened ------------------------------------------------------------------------------------------------------


def test_the_latest_edits_and_imports_come_first_and_in_one_list(superuser, stranger):
    deactivate(stranger)
    Import.objects.create(
        owner=superuser,
        filename="people.csv",
        size=1,
        state=Import.State.DONE,
        created=2,
        updated=1,
        finished_at=timezone.now(),
    )
    stranger.delete()
    found = lately.recent(superuser, limit=3)
    assert [(item.who, item.what) for item in found] == [
        ("Command line", "Stan Stranger: Deleted"),
        ("root", "Imported people.csv: 3 people new or changed"),
        ("Command line", "Stan Stranger: Deactivated"),
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
    TrailEntry.objects.forget()
    (found,) = lately.recent(superuser)
    assert found.what == sentence
    assert (found.who, found.when == undone) == (("Alice Admin", True) if state == "undone" else ("root", False))


@pytest.mark.parametrize(
    ("state", "note", "who"),
    [
        ("done", {"operator": False}, "Command line"),
        ("undone", {"operator": True}, "Command line"),
        ("undone", {"operator": False}, "Somebody who has been deleted"),
    ],
)
def test_an_import_says_who_answers_for_it_where_that_is_nobody_here(superuser, state, note, who):
    now = timezone.now()
    job = {"by_operator": True, "filename": "staff.csv", "size": 1, "state": state, "finished_at": now}
    Import.objects.create(**job, undo={**note, "finished": now.isoformat()})
    TrailEntry.objects.forget()
    assert [found.who for found in lately.recent(superuser)] == [who]


def test_only_so_many_are_listed(superuser, stranger):
    for number in range(12):
        stranger.first_name = f"Stan {number}"
        stranger.save()
    assert len(lately.recent(superuser)) == lately.RECENT


def test_what_one_action_did_to_many_people_is_one_line(superuser, admin, make_person):
    many = [make_person(f"person{number}") for number in range(2 * lately.RECENT + 4)]
    many[0].first_name = "Nell"
    many[0].save()
    for road, before, after in ((Road.ACTION, "yes", "no"), (Road.UNDO, "no", "yes")):
        with recorder.by(road), recorder.marked("one action"):
            recorder.note_same(many, "is_active", before, after)
    deactivate(admin)
    assert [item.what for item in lately.recent(superuser, limit=4)] == [
        "Alice Admin: Deactivated",
        "20 people: Activated",
        "20 people: Deactivated",
        "Nell: Changed First name",
    ]


def test_imports_of_others_are_not_told_to_who_may_not_see_them(superuser, reader, editor, admin):
    Import.objects.create(owner=superuser, filename="people.csv", size=1, state=Import.State.CHECKED)
    TrailEntry.objects.forget()
    assert [len(lately.recent(person)) for person in (reader, editor, admin)] == [0, 0, 1]


def test_edits_are_not_told_to_who_may_not_see_people(superuser, stranger, make_person):
    deactivate(stranger)
    assert lately.recent(make_person("clerk", is_staff=True)) == []


# What is under way --------------------------------------------------------------------------------------------------


def an_import(owner, state, **values):
    return Import.objects.create(owner=owner, filename="staff.csv", size=1, state=state, **values)


def an_export(owner, state, **values):
    return Export.objects.create(owner=owner, format=Export.Format.CSV, state=state, **values)


def test_what_runs_and_what_failed_lately_is_listed_newest_first(admin):
    now = timezone.now()
    an_import(admin, Import.State.APPLYING, total=200, cursor=50, started_at=now - timedelta(minutes=2))
    an_export(admin, Export.State.MAKING, total=10, cursor=9, started_at=now - timedelta(minutes=1))
    an_import(admin, Import.State.FAILED, finished_at=now - timedelta(minutes=3))
    an_export(admin, Export.State.FAILED, finished_at=now - lately.FAILED - timedelta(minutes=1))
    an_import(admin, Import.State.DONE, finished_at=now)
    found = [(job.what.split(" ")[0], job.state, job.percent, job.has_failed) for job in lately.jobs(admin)]
    assert found == [
        ("Export", "Being made", 90, False),
        ("Import", "Being applied", 25, False),
        ("Import", "Failed", None, True),
    ]


def test_jobs_of_others_are_shown_to_who_may_see_all_and_to_nobody_else(admin, editor, reader):
    for owner in (admin, editor):
        an_import(owner, Import.State.APPLYING, started_at=timezone.now())
        an_export(owner, Export.State.MAKING, started_at=timezone.now())
    assert [len(lately.jobs(person)) for person in (admin, editor, reader)] == [4, 2, 0]


def test_only_so_many_jobs_are_listed_and_they_cost_the_same(admin):
    def ask():
        with CaptureQueriesContext(connection) as queries:
            found = lately.jobs(admin)
        return len(queries), len(found)

    lately.jobs(admin)
    assert ask() == (2, 0)
    for _number in range(9):
        an_import(admin, Import.State.FAILED, finished_at=timezone.now())
    assert ask() == (2, lately.JOBS)
