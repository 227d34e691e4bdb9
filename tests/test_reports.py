"""What a report is: who may use it, what of it they get, and what changed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from tests.reporting import saved
from users_profiles import roles
from users_profiles.models import Export, Report, Role, User
from users_profiles.reports import looking, running
from users_profiles.reports.running import Days
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import changed, formats
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import Wanted

pytestmark = pytest.mark.django_db


def happened(report: Report, actor: User | None = None, days: Days | None = None) -> list[tuple[str, ...]]:
    """What changed as rows of: what, username, field, before, after."""
    wanted = running.run(report, actor, days).wanted
    return [(one.what.value, one.username, one.field, one.old, one.new) for one in changed.happened(wanted)]


def sent(wanted: Wanted) -> bytes:
    return b"".join(Sending(wanted.entry(wanted.count())))


# Who may use it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sharing", "seen_by"),
    [
        ("mine", {"edgar", "alice", "root"}),
        ("role", {"edgar", "emma", "alice", "root"}),
        ("staff", {"edgar", "emma", "rita", "alice", "root"}),
    ],
)
def test_a_report_is_used_by_those_it_is_shared_with_and_by_admins(
    sharing: str,
    seen_by: set[str],
    superuser: User,
    admin: User,
    editor: User,
    reader: User,
    stranger: User,
    make_person: Callable[..., User],
) -> None:
    another = make_person("emma", role=Role.EDITOR)
    saved(editor, sharing=sharing, role=Role.EDITOR)
    everybody = (superuser, admin, editor, another, reader, stranger)
    assert {person.username for person in everybody if Report.objects.visible_to(person).exists()} == seen_by


def test_whom_a_report_is_mailed_to_may_open_it(editor: User, reader: User) -> None:
    report = saved(editor, to=[reader])
    assert list(Report.objects.visible_to(reader)) == [report]


def test_who_may_not_export_any_more_has_no_reports(editor: User) -> None:
    saved(editor)
    roles.assign([editor], roles.MEMBER)
    assert not Report.objects.visible_to(User.objects.get(pk=editor.pk)).exists()


def test_only_its_owner_and_admins_change_a_report(
    superuser: User, admin: User, editor: User, reader: User, stranger: User
) -> None:
    report = saved(editor, sharing="staff")
    people = (superuser, admin, editor, reader, stranger)
    assert [running.may_change(person, report) for person in people] == [True, True, True, False, False]


# What they get ------------------------------------------------------------------------------------------------------


def test_the_file_and_the_page_have_the_same_people_in_the_same_order(
    editor: User, reader: User, ada: User, make_person: Callable[..., User]
) -> None:
    for at in range(looking.PAGE + 3):
        make_person(f"p{at:02}", location="Berlin")
    report = saved(editor, query="location=Berlin", order="-username", columns=["username", "location"])
    wanted = running.run(report, editor).wanted
    pages = [looking.people(wanted, number) for number in (1, 2)]
    rows = [row for page in pages for row in page.rows]
    assert pages[0].count == looking.PAGE + 3
    assert [list(row) for row in csv.reader(io.StringIO(sent(wanted).decode("utf-8-sig")))][1:] == rows
    assert rows[0] == [f"p{looking.PAGE + 2:02}", "Berlin"]
    assert looking.people(wanted, 99).number == 2


def test_the_page_speaks_the_language_of_who_looks_and_is_on_their_clock(
    editor: User, ada: User, superuser: User, settings: Any
) -> None:
    settings.PHONE_DEFAULT_REGION = "GB"
    User.objects.filter(pk=ada.pk).update(date_joined=datetime(2026, 3, 3, 23, 30, tzinfo=UTC))
    names = ["username", "role", "is_active", "complete", "phone_number", "birth_date", "date_joined"]
    wanted = running.run(saved(editor, query="q=ada", columns=names), editor).wanted
    with translation.override("de"), timezone.override("Europe/Berlin"):
        [row] = looking.people(wanted, 1).rows
    assert row == ["ada", "Mitglied", "ja", "ja", "020 7946 0000", "10.12.1990", "04.03.2026, 00:30"]
    wanted = running.run(saved(editor, "Root", query="q=root", columns=["role", "birth_date"]), editor).wanted
    with translation.override("es"):
        assert looking.people(wanted, 1).rows == [["Superusuario", ""]]


def test_of_more_people_than_the_list_counts_as_many_are_counted(
    browse: Callable[[User | None], Client], editor: User, make_person: Callable[..., User], monkeypatch: Any
) -> None:
    monkeypatch.setattr(looking, "MOST_COUNTED", 3)
    for at in range(4):
        make_person(f"p{at}", location="Berlin")
    report = saved(editor, query="location=Berlin")
    page = looking.people(running.run(report, editor).wanted, 1)
    assert (page.count, page.more, page.is_cut) == (3, True, True)
    html = browse(editor).get(reverse("admin:users_profiles_report_change", args=[report.pk])).content.decode()
    assert "More than 3 people" in html
    everybody = looking.people(running.run(saved(editor, "All", query=""), editor).wanted, 1)
    assert (everybody.count, everybody.more) == (5, False)


def test_columns_somebody_may_not_see_are_left_out_and_named(editor: User, reader: User, ada: User) -> None:
    report = saved(editor, columns=["username", "phone_number", "birth_date"], sharing="staff")
    run = running.run(report, reader)
    assert (run.wanted.columns, run.dropped) == (["username"], ["Phone number", "Birth date"])
    assert b"+442079460000" not in sent(run.wanted)
    assert running.run(report, editor).dropped == []


@pytest.mark.parametrize(
    "values",
    [
        {"query": "birthday=3"},
        {"query": "missing=phone_number"},
        {"order": "birth_date"},
        {"columns": ["phone_number"]},
        {"query": "q=%2B4420"},
        {"query": "q=ada+7946"},
    ],
    ids=str,
)
def test_a_report_that_is_about_private_things_is_refused_and_never_of_other_people(
    editor: User, reader: User, ada: User, values: dict[str, Any]
) -> None:
    report = saved(editor, sharing="staff", **values)
    running.run(report, editor)
    running.run(report, None)
    with pytest.raises(FileRefused):
        running.run(report, reader)


def test_a_search_for_words_is_the_same_for_everybody(editor: User, reader: User, ada: User) -> None:
    report = saved(editor, query="q=ada+b2b", sharing="staff")
    assert running.run(report, reader).wanted.count() == running.run(report, editor).wanted.count() == 0


def test_the_ledger_says_which_report_an_export_was_of_even_when_it_is_gone(editor: User) -> None:
    report = saved(editor, name="Fire wardens")
    sent(running.run(report, editor).wanted)
    export = Export.objects.get()
    assert (export.report, export.owner, export.state) == (report, editor, Export.State.DONE)
    report.delete()
    export.refresh_from_db()
    assert (export.report, export.title) == (None, "Fire wardens")
    assert export.filename.startswith("fire-wardens-")


# What changed -------------------------------------------------------------------------------------------------------


@pytest.fixture
def report(editor: User) -> Report:
    """What changed in a few columns."""
    return saved(editor, kind="changes", columns=["username", "email", "location", "role", "phone_number"])


def test_joiners_leavers_and_changed_fields_are_told(
    report: Report, editor: User, ada: User, stranger: User, make_person: Callable[..., User]
) -> None:
    Report.objects.filter(pk=report.pk).update(ran_at=timezone.now())
    report.refresh_from_db()
    ada.profile.location = "Paris"
    ada.first_name = "Countess"  # not a column of the report
    ada.save()
    stranger.is_active = False
    stranger.email = ""
    stranger.save()
    roles.assign([ada], Role.READER)
    make_person("newcomer", location="Berlin")
    stranger.is_active = True
    stranger.save()
    told = [row for row in happened(report) if row[1] != "newcomer"]
    assert told == [
        ("changed", "ada", "location", "London", "Paris"),
        ("changed", "stan", "email", "stan@example.com", ""),
        ("left", "stan", "", "", ""),
        ("changed", "ada", "role", "Member", "Reader"),
        ("back", "stan", "", "", ""),
    ]
    assert ("joined", "newcomer", "", "", "") in happened(report)


def test_changes_are_those_of_the_people_in_the_filter_and_leavers_are_active_no_more(
    editor: User, ada: User, stranger: User
) -> None:
    report = saved(editor, kind="changes", columns=["email"], query="active=yes&q=ada", ran_at=timezone.now())
    for person in (ada, stranger):
        person.email, person.is_active = f"{person.username}@new.example.com", False
        person.save()
    assert {row[:2] for row in happened(report)} == {("changed", "ada"), ("left", "ada")}


def test_who_was_deleted_has_left_everybody_and_no_filter(editor: User, make_person: Callable[..., User]) -> None:
    everybody = saved(editor, kind="changes")
    some = saved(editor, name="Some", kind="changes", query="q=gone")
    person = make_person("gone", first_name="Gone", last_name="Girl")
    person.delete()
    wanted = running.run(everybody, editor).wanted
    assert [(one.what.value, one.person) for one in changed.happened(wanted) if one.person == "Gone Girl"][-1:] == [
        ("left", "Gone Girl")
    ]
    assert happened(some) == []


def test_private_fields_are_no_change_for_who_may_not_see_them(report: Report, reader: User, ada: User) -> None:
    Report.objects.filter(pk=report.pk).update(sharing="staff", ran_at=timezone.now())
    report.refresh_from_db()
    ada.profile.phone_number, ada.profile.location = "+442079460001", "Paris"
    ada.save()
    assert [row[2] for row in happened(report, None)] == ["location", "phone_number"]
    assert [row[2] for row in happened(report, reader)] == ["location"]


def test_a_report_goes_on_where_it_last_ran_and_days_are_chosen_freely(report: Report, editor: User, ada: User) -> None:
    ada.profile.location = "Paris"
    ada.save()
    wanted = running.run(report, editor).wanted
    assert wanted.since == report.created_at - timedelta(days=30)
    assert b"London" in sent(wanted)
    report.refresh_from_db()
    assert report.ran_at == wanted.until
    assert happened(report) == []
    today = timezone.localdate()
    assert len(happened(report, None, Days(today, today))) > 0
    assert happened(report, None, Days(None, today)) == []
    with pytest.raises(FileRefused):
        running.run(report, editor, Days(today + timedelta(days=1)))
    sent(running.run(report, editor, Days(today, today)).wanted)
    with pytest.raises(FileRefused):
        running.run(report, editor, Days(today, today - timedelta(days=1)))


def test_days_that_leave_a_gap_do_not_move_where_the_next_run_begins(report: Report, editor: User) -> None:
    long_ago = timezone.now() - timedelta(days=20)
    Report.objects.filter(pk=report.pk).update(ran_at=long_ago)
    report.refresh_from_db()
    today = timezone.localdate()
    sent(running.run(report, editor, Days(today)).wanted)
    report.refresh_from_db()
    assert report.ran_at == long_ago
    sent(running.run(report, editor, Days(today - timedelta(days=40))).wanted)
    report.refresh_from_db()
    assert report.ran_at is not None
    assert report.ran_at > long_ago


def test_what_is_mailed_keeps_its_own_count(report: Report, editor: User) -> None:
    Report.objects.filter(pk=report.pk).update(every="week")
    report.refresh_from_db()
    sent(running.run(report, editor).wanted)
    report.refresh_from_db()
    assert report.ran_at is None


@pytest.mark.parametrize("file_format", Export.Format.values)
def test_every_format_has_the_same_changes(report: Report, editor: User, ada: User, file_format: str) -> None:
    ada.email = "=cmd@example.com"
    ada.save()
    report.format = file_format
    wanted = running.run(report, editor).wanted
    data = sent(wanted)
    if file_format == "csv":
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
        assert rows[-1]["new"] == "'=cmd@example.com"
    elif file_format == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
        header, *cells = sheet.iter_rows(values_only=True)
        assert list(header) == list(changed.labels().values())
        rows = [dict(zip(changed.NAMES, row, strict=True)) for row in cells]
        assert rows[-1]["when"].date() == timezone.localdate()
    else:
        rows = json.loads(data) if file_format == "json" else [json.loads(line) for line in data.splitlines()]
    assert rows[-1]["new"].endswith("=cmd@example.com")
    assert (rows[-1]["field"], rows[-1]["username"], rows[-1]["what"]) == ("E-mail", "ada", "Changed")
    assert len(rows) == Export.objects.get().cursor == looking.changes(wanted, 1).count


def test_more_changes_than_a_page_holds_are_counted_and_the_cut_is_said(
    report: Report, editor: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Report.objects.filter(pk=report.pk).update(ran_at=timezone.now())
    report.refresh_from_db()
    for at in range(6):
        ada.email = f"ada{at}@example.com"
        ada.save()
    wanted = running.run(report, editor).wanted
    page = looking.changes(wanted, 1)
    assert (page.count, page.sums["changed"], page.more) == (6, 6, False)
    assert page.happened[0].new == "ada5@example.com"
    monkeypatch.setattr(looking, "MOST_CHANGES", 4)
    page = looking.changes(wanted, 1)
    assert (page.count, page.more, page.is_cut) == (4, True, True)
    assert looking.changes(wanted, 1, "left").happened == []


def test_changes_too_many_for_excel_are_refused_and_not_cut_off(
    report: Report, editor: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_profiles.transfer.export.xlsx.MAX_ROWS", 0)
    report.format = "xlsx"
    with pytest.raises(FileRefused):
        b"".join(data for data, _rows in formats.blocks_of(running.run(report, editor).wanted))


def test_changes_cost_a_fixed_number_of_queries(
    report: Report, editor: User, make_person: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    for at in range(15):
        make_person(f"p{at}")
    with django_assert_max_num_queries(12):
        assert len(happened(report, editor)) >= 15
