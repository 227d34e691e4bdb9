"""Reports as staff click through them: saved from a list, opened, edited, deleted, and who may not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import USERS, messages_of, queries_of
from tests.people import Browse
from tests.reporting import ADD, form, page, saved
from users_profiles import roles, trail
from users_profiles.models import Export, Report, Role, TrailEntry, User
from users_profiles.reports import mailing

pytestmark = pytest.mark.django_db

LIST = reverse("admin:users_profiles_report_changelist")
VIEWS = reverse("admin:users_profiles_user_views")
DIRECTORY = reverse("admin:users_profiles_directory")
OF_ONE = ("change", "edit", "delete", "history", "directory")


def rows(answer: HttpResponse) -> list[dict[str, str]]:
    assert answer.streaming, answer.content.decode()
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


# From the list ------------------------------------------------------------------------------------------------------


def test_what_a_list_shows_becomes_a_report_that_is_mailed(browse: Browse, editor: User, ada: User) -> None:
    client = browse(editor)
    shown = {"address": "location=London&q=a&o=-last_name&p=1", "columns": ["email", "role"]}
    answer = client.post(VIEWS, {**shown, "name": "Londoners", "mail": "1"})
    report = Report.objects.get()
    assert answer["Location"] == f"{page('edit', report)}?every=week"
    assert (report.owner, report.query, report.order) == (editor, "location=London&q=a", "-last_name")
    assert report.every == ""  # proposed, until it is saved
    assert client.get(answer["Location"]).context["form"]["every"].value() == "week"
    Report.objects.update(format="csv")
    assert [row["username"] for row in rows(client.post(page("file", report)))] == ["ada"]


def test_what_was_chosen_for_an_export_becomes_a_report(browse: Browse, editor: User) -> None:
    client = browse(editor)
    export = reverse("admin:users_profiles_user_export")
    answer = client.post(
        f"{export}?role=Editor&o=-email", {"format": "json", "columns": ["email", "role"], "report": "1"}
    )
    address = answer["Location"]
    assert urlsplit(address).path == ADD
    shown = client.get(address).context["form"]
    assert [name for name, _label, ticked in shown.listed if ticked] == ["email", "role"]
    assert (shown["query"].value(), shown["format"].value()) == ("role=Editor", "json")
    assert shown["order"].value() == "-email"
    assert not Export.objects.exists()


def test_the_menu_beside_export_has_the_reports_one_may_use(browse: Browse, editor: User, reader: User) -> None:
    saved(editor, "Shared one", sharing="staff")
    saved(editor, "Own one")
    assert "Own one" in browse(editor).get(USERS).content.decode()
    html = browse(reader).get(USERS).content.decode()
    assert "Shared one" in html
    assert "Own one" not in html


# One report ---------------------------------------------------------------------------------------------------------


def test_a_report_opens_as_a_table_and_its_file_has_the_same(browse: Browse, editor: User, ada: User) -> None:
    report = saved(editor, query="q=ada", columns=["username", "phone_number"])
    client = browse(editor)
    context = client.get(page("change", report)).context
    assert context["page"].rows == [["ada", "+44 20 7946 0000"]]  # the file has it as programs do
    assert rows(client.post(page("file", report))) == [{"username": "ada", "phone_number": "'+442079460000"}]
    export = Export.objects.get()
    assert (export.report, export.owner, export.cursor) == (report, editor, 1)
    result = client.get(reverse("admin:users_profiles_export_change", args=[export.pk])).content.decode()
    assert page("change", report) in result


def test_whoever_sees_private_fields_in_a_report_is_in_the_trail(browse: Browse, editor: User, ada: User) -> None:
    browse(editor).get(page("change", saved(editor, "Names", columns=["username"])))
    assert not TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS).exists()
    browse(editor).get(page("change", saved(editor, "Phones", columns=["username", "phone_number"])))
    assert TrailEntry.objects.get(action=TrailEntry.Action.ACCESS).actor == editor


def test_a_reader_is_told_what_is_left_out_and_refused_what_is_private(
    browse: Browse, editor: User, reader: User, ada: User
) -> None:
    client = browse(reader)
    shared = saved(editor, "Shared", sharing="staff", columns=["username", "phone_number"])
    answer = client.get(page("change", shared))
    assert "Left out, because you may not see it: Phone number." in answer.content.decode()
    assert "+442079460000" not in answer.content.decode()
    assert set(rows(client.post(page("file", shared)))[0]) == {"username"}
    private = saved(editor, "Private", sharing="staff", query="birthday=12")
    answer = client.get(page("change", private))
    assert "You may not use the filter" in answer.content.decode()
    assert "page" not in answer.context
    for name in ("file", "directory"):
        method = client.post if name == "file" else client.get
        answer = method(page(name, private), follow=True)
        assert "You may not use the filter" in messages_of(answer)[0]


def test_what_changed_is_shown_between_days_and_by_what_happened(browse: Browse, editor: User, ada: User) -> None:
    ada.profile.location = "Paris"
    ada.save()
    report = saved(editor, kind="changes", columns=["location"])
    client = browse(editor)
    context = client.get(page("change", report)).context
    sums = {tab["name"]: tab["count"] for tab in context["tabs"]}
    assert (sums["joined"], sums["left"]) == (2, 0)
    only = client.get(f"{page('change', report)}?what=changed").context["page"]
    assert only.happened[0].new == "Paris"
    today = timezone.localdate()
    none = client.get(f"{page('change', report)}?until={today - timedelta(days=1)}")
    assert none.context["page"].count == 0
    assert "Nothing has changed in that time." in none.content.decode()
    days = {"since": str(today), "until": str(today)}
    assert len(rows(client.post(page("file", report), days))) == context["page"].count


@pytest.mark.parametrize(
    "query", ["page=x", "page=99999999999999999999", "page=-1", "what=x", "since=x", "until=0001-01-01"]
)
def test_a_senseless_address_is_no_error(browse: Browse, editor: User, query: str) -> None:
    for kind in ("people", "changes"):
        report = saved(editor, kind, kind=kind)
        assert browse(editor).get(f"{page('change', report)}?{query}").status_code == 200


def test_a_page_of_a_report_costs_the_same_however_many_people(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    report = saved(editor)
    client = browse(editor)
    before = queries_of(client, page("change", report))
    for at in range(12):
        make_person(f"p{at}")
    assert queries_of(client, page("change", report)) == before


def test_the_list_of_reports_costs_the_same_however_many(browse: Browse, editor: User) -> None:
    client = browse(editor)
    saved(editor, "First")
    before = queries_of(client, LIST)
    for at in range(6):
        saved(editor, f"Report {at}", sharing="staff")
    assert queries_of(client, LIST) == before


def test_the_empty_list_says_what_to_do(browse: Browse, editor: User) -> None:
    assert "No reports yet." in browse(editor).get(LIST).content.decode()


def test_a_file_is_not_for_who_may_not_ask_for_those_people_any_more(browse: Browse, admin: User, editor: User) -> None:
    saved(admin, to=[editor], query="birthday=3", columns=["username"])
    mailing.send_due()
    export = Export.objects.get(owner=editor)
    file = reverse("admin:users_profiles_export_file", args=[export.pk])
    assert browse(editor).get(file).status_code == 200
    roles.assign([editor], Role.READER)
    assert browse(editor).get(file).status_code == 404


def test_what_a_report_exports_is_not_what_somebody_chose_for_exports(browse: Browse, editor: User) -> None:
    report = saved(editor, columns=["bio"], format="json")
    client = browse(editor)
    b"".join(client.post(page("file", report)).streaming_content)  # type: ignore[attr-defined]
    assert client.get(reverse("admin:users_profiles_user_export")).context["form"]["format"].value() == "xlsx"


# The form -----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_saved_with_the_moment_it_is_due(browse: Browse, admin: User, editor: User) -> None:
    browse(admin).post(ADD, form(every="month", monthday="31", hour="7", recipients=[editor.pk]))
    report = Report.objects.get()
    assert report.next_at is not None
    assert report.next_at > timezone.now()
    assert timezone.localtime(report.next_at).hour == 7
    assert list(report.recipients.all()) == [editor]
    due = report.next_at
    browse(admin).post(
        page("edit", report), form(name="Renamed", every="month", monthday="31", hour="7", recipients=[editor.pk])
    )
    report.refresh_from_db()
    assert (report.name, report.next_at) == ("Renamed", due)
    browse(admin).post(page("edit", report), form(every=""))
    report.refresh_from_db()
    assert report.next_at is None


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "TAKEN"}, "name"),
        ({"query": "colour=red"}, "query"),
        ({"query": "role=King"}, "query"),
        ({"order": "password"}, "order"),
        ({"columns": []}, "columns"),
        ({"columns": ["username", "password"]}, "columns"),
        ({"sharing": "world"}, "sharing"),
        ({"every": "week"}, "recipients"),
        ({"every": "hour"}, "every"),
        ({"monthday": "32"}, "monthday"),
        ({"recipients": ["99999"]}, "recipients"),
    ],
)
def test_a_report_that_makes_no_sense_is_not_saved(
    browse: Browse, editor: User, values: dict[str, Any], field: str
) -> None:
    saved(editor, "Taken")
    answer = browse(editor).post(ADD, form(**values))
    assert field in answer.context["form"].errors
    assert Report.objects.count() == 1


def test_who_may_not_see_it_cannot_be_chosen_to_be_mailed(
    browse: Browse, admin: User, editor: User, reader: User, stranger: User
) -> None:
    columns = ["username", "phone_number"]
    answer = browse(admin).post(ADD, form(columns=columns, every="day", recipients=[editor.pk, reader.pk]))
    assert answer.context["form"].errors["recipients"] == ["Rita Reader may not see Phone number."]
    answer = browse(admin).post(ADD, form(every="day", recipients=[stranger.pk]))
    assert "recipients" in answer.context["form"].errors


def test_a_reader_cannot_save_what_they_may_not_see(browse: Browse, reader: User) -> None:
    client = browse(reader)
    for values in (
        {"columns": ["username", "phone_number"]},
        {"query": "birthday=3"},
        {"query": "q=5551234"},
        {"order": "birth_date"},
    ):
        assert client.post(ADD, form(**values)).context["form"].errors
    assert not Report.objects.exists()


def test_among_many_staff_people_are_named_and_not_ticked(
    browse: Browse, admin: User, editor: User, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_profiles.reports.forms.MANY", 1)
    client = browse(admin)
    assert "nobody" in str(client.post(ADD, form(every="day", others="edgar, nobody")).context["form"].errors)
    client.post(ADD, form(every="day", others="EDGAR, rita"))
    report = Report.objects.get()
    assert set(report.recipients.all()) == {editor, reader}
    assert list(client.get(page("edit", report)).context["form"].fields["recipients"].queryset) == [editor, reader]


def test_my_role_is_the_role_at_the_time_of_saving(
    browse: Browse, editor: User, superuser: User, make_person: Callable[..., User]
) -> None:
    browse(editor).post(ADD, form(sharing="role"))
    assert Report.objects.get().role == Role.EDITOR
    assert Report.objects.visible_to(make_person("emma", role=Role.EDITOR)).exists()
    assert "sharing" in browse(superuser).post(ADD, form(sharing="role")).context["form"].errors


def test_columns_are_moved_without_script(browse: Browse, editor: User) -> None:
    data = form(listed=["username", "email"], move="up:email")
    answer = browse(editor).post(ADD, data)
    assert [name for name, _label, _ticked in answer.context["form"].listed][:2] == ["email", "username"]
    assert not Report.objects.exists()


def test_an_owner_with_fewer_rights_than_before_is_told_what_goes(browse: Browse, reader: User) -> None:
    report = saved(reader, columns=["username", "phone_number"])
    assert "You may not see Phone number." in browse(reader).get(page("edit", report)).content.decode()


# To delete, and the trail -------------------------------------------------------------------------------------------


def test_deleting_says_what_ends_with_it(browse: Browse, admin: User, editor: User) -> None:
    report = saved(admin, "Fire wardens", to=[editor], sharing="staff", hour=6)
    html = browse(admin).get(page("delete", report)).content.decode()
    for words in ("All staff", "Every day at 06:00", "Edgar Editor"):
        assert words in html
    browse(admin).post(page("delete", report), {"post": "yes"})
    assert not Report.objects.exists()


def test_what_is_done_to_a_report_is_in_the_trail_without_names_of_others(
    browse: Browse, admin: User, editor: User
) -> None:
    client = browse(admin)
    client.post(ADD, form(name="Fire wardens", every="day", recipients=[editor.pk]))
    report = Report.objects.get()
    client.post(page("edit", report), form(name="Fire wardens", every="day", recipients=[editor.pk], sharing="staff"))
    client.post(page("delete", report), {"post": "yes"})
    told = [entry for entry in trail.everything(trail.Filter(), admin).entries if entry.label == "Report Fire wardens"]
    assert [entry.what for entry in told] == ["Deleted", "", "Added"]
    assert [(change.field, change.old, change.new) for change in told[1].changes] == [
        ("sharing", "Only me", "All staff")
    ]
    assert f"#{editor.pk}" in {change.new for change in told[2].changes}
    assert "edgar" not in str([entry.changes for entry in told])


# Who may not --------------------------------------------------------------------------------------------------------


def test_strangers_get_nowhere(browse: Browse, editor: User, stranger: User) -> None:
    report = saved(editor, sharing="staff")
    for person, expected in ((stranger, 403), (None, 302)):
        client = browse(person)
        for address in (LIST, ADD, DIRECTORY, *(page(name, report) for name in OF_ONE)):
            assert client.get(address).status_code == expected, address
        assert client.post(page("file", report)).status_code == expected
        assert client.post(page("delete", report), {"post": "yes"}).status_code == expected
    assert Report.objects.count() == 1


def test_staff_without_the_right_to_export_get_nowhere(browse: Browse, editor: User, make_person: Any) -> None:
    report = saved(editor, sharing="staff")
    client = browse(make_person("clerk", is_staff=True))
    for address in (LIST, ADD, DIRECTORY, *(page(name, report) for name in OF_ONE)):
        assert client.get(address).status_code == 403, address
    assert client.post(page("file", report)).status_code == 403


def test_a_report_of_somebody_else_is_not_there(browse: Browse, editor: User, reader: User, make_person: Any) -> None:
    report = saved(editor)
    for person in (reader, make_person("emma", role=Role.EDITOR)):
        client = browse(person)
        for name in OF_ONE:
            assert client.get(page(name, report)).status_code == 404, name
        for name in ("file", "edit", "delete"):
            assert client.post(page(name, report), form()).status_code == 404, name
    report.refresh_from_db()
    assert report.name == "Editors"


def test_a_shared_report_is_used_and_not_changed(browse: Browse, editor: User, reader: User) -> None:
    report = saved(editor, sharing="staff", to=[editor])
    client = browse(reader)
    html = client.get(page("change", report)).content.decode()
    assert page("edit", report) not in html
    assert "Edgar Editor, " not in html  # who else is mailed is the owner's business
    for name in ("edit", "delete"):
        assert client.get(page(name, report)).status_code == 403
        assert client.post(page(name, report), form(post="yes")).status_code == 403
    assert Report.objects.get().name == "Editors"


def test_an_admin_changes_the_reports_of_others_and_they_stay_theirs(browse: Browse, admin: User, editor: User) -> None:
    report = saved(editor)
    browse(admin).post(page("edit", report), form(name="By Alice"))
    report.refresh_from_db()
    assert (report.name, report.owner) == ("By Alice", editor)


def test_nobody_downloads_by_following_a_link(browse: Browse, editor: User) -> None:
    assert browse(editor).get(page("file", saved(editor))).status_code == 405


def test_a_report_outlives_its_owner(browse: Browse, admin: User, editor: User, reader: User) -> None:
    report = saved(editor, sharing="staff")
    editor.delete()
    report.refresh_from_db()
    assert browse(reader).get(page("change", report)).status_code == 200
    assert browse(admin).post(page("edit", report), form(name="Adopted")).status_code == 302
