"""Saved views of the list of people: kept, opened, changed, updated, renamed, and by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, heads, messages_of
from tests.people import Browse
from tests.reporting import saved
from users_profiles.admin import listing
from users_profiles.models import ListColumns, Report, Role, TrailEntry, User

VIEWS = reverse("admin:users_profiles_user_views")
COLUMNS = reverse("admin:users_profiles_user_columns")


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person("ada", role=Role.EDITOR, first_name="Ada", location="Berlin", birth_date=date(1990, 3, 9))


def update(report: Report) -> str:
    return reverse("admin:users_profiles_user_view", args=[report.pk])


def rename(report: Report) -> str:
    return reverse("admin:users_profiles_user_view_name", args=[report.pk])


def opened(client: Client, report: Report, **changes: str) -> Any:
    """The list at the address of a view, with some of it changed."""
    asked = {name: values[-1] for name, values in parse_qs(urlsplit(listing.of_report(report)).query).items()}
    return client.get(USERS, {**asked, **changes})


def test_a_view_is_saved_where_one_is_and_is_a_report(browse: Browse, editor: User, ada: User) -> None:
    client = browse(editor)
    address = "role=Editor&role=Reader&o=-last_login&columns=email,location&p=1"
    answer = client.post(
        VIEWS, {"name": "Mine", "sharing": "mine", "address": address, "columns": ["email", "location"]}
    )
    report = Report.objects.get()
    assert (report.name, report.owner, report.query) == ("Mine", editor, "role=Editor&role=Reader")
    assert (report.order, report.columns[3:]) == ("-last_login", ["email", "location"])
    assert heads(client, "?" + answer["Location"].partition("?")[2]) == ["email", "location", "role", "last_login"][:3]
    html = client.get(answer["Location"]).content.decode()
    assert '<span class="current-view">Mine</span>' in html
    assert client.get(reverse("admin:users_profiles_report_change", args=[report.pk])).status_code == 200


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"name": " "}, "Name: This field is required."),
        ({"name": "Shared"}, "You already have a report of this name."),
        ({"name": "X", "sharing": "everybody"}, "Select a valid choice"),
        ({"name": "X", "address": "role=King"}, "makes no sense"),
        ({"name": "X", "address": "active=yes&active=no"}, "twice"),
    ],
)
def test_a_view_that_makes_no_sense_is_not_saved(
    browse: Browse, editor: User, answers: dict[str, Any], sentence: str
) -> None:
    saved(editor, "Shared", sharing="staff")
    answer = browse(editor).post(VIEWS, {"sharing": "mine", **answers}, follow=True)
    assert any(sentence in message for message in messages_of(answer))
    assert Report.objects.count() == 1


def test_a_view_keeps_of_its_order_what_there_is_and_its_owner_may_see(browse: Browse, reader: User) -> None:
    for asked, kept in {"3.-1": "", "-email,colour,email": "-email", "birth_date,last_name": "last_name"}.items():
        browse(reader).post(VIEWS, {"name": "Mine", "sharing": "mine", "address": f"o={asked}", "columns": ["email"]})
        report = Report.objects.get()
        assert report.order == kept
        page = reverse("admin:users_profiles_report_change", args=[report.pk])
        assert browse(reader).get(page).status_code == 200
        report.delete()


def test_others_use_what_is_shared_with_them_and_see_whose_it_is(
    browse: Browse, editor: User, reader: User, stranger: User
) -> None:
    saved(editor, "Birthdays", sharing="staff", columns=["username", "birth_date", "email"])
    saved(editor, "Private")
    html = browse(reader).get(USERS).content.decode()
    assert "Shared with you" in html
    assert "Private" not in html
    report = Report.objects.get(name="Birthdays")
    assert heads(browse(reader), "?" + listing.of_report(report).partition("?")[2]) == ["email"]
    assert browse(stranger).post(VIEWS, {"name": "X"}).status_code == 403


# Opened and changed


def test_an_opened_view_whose_filter_order_or_columns_are_others_can_be_updated(browse: Browse, editor: User) -> None:
    report = saved(editor, "Mine", query="role=Editor", columns=["email", "username", "version"])
    client = browse(editor)
    assert "Update “Mine”" not in opened(client, report).content.decode()
    for changes in ({"location": "Berlin"}, {"o": "-email"}, {"columns": "email,role"}, {"q": "ada"}):
        html = opened(client, report, **changes).content.decode()
        assert "Update “Mine”" in html
        assert "Save as a new view called" in html
    assert "Update “Mine”" not in opened(client, report, p="2").content.decode()
    left = opened(client, report).context["cl"].clear_all_filters_qs
    assert "Update “Mine”" not in client.get(USERS + left).content.decode()

    address = f"role=Editor&location=Berlin&o=role,-last_login&columns=role&view={report.pk}"
    answer = client.post(update(report), {"address": address, "columns": ["role", "location"]}, follow=True)
    assert "“Mine” is updated." in messages_of(answer)
    assert "Update “Mine”" not in answer.content.decode()
    report.refresh_from_db()
    assert (report.query, report.order) == ("location=Berlin&role=Editor", "role,-last_login")
    assert report.columns == ["username", "role", "location", "version"]
    note = TrailEntry.objects.filter(object_id=report.pk, content_type__model="report").latest("pk")
    assert note.changes["query"] == ["role=Editor", "location=Berlin&role=Editor"]


def test_a_mailed_view_keeps_its_rhythm_and_its_readers_when_it_is_updated(
    browse: Browse, editor: User, reader: User
) -> None:
    report = saved(editor, "Weekly", to=[editor], weekday=3, hour=7, sharing="staff")
    due = report.next_at
    browse(editor).post(update(report), {"address": "location=Berlin", "columns": ["email"]})
    report.refresh_from_db()
    assert (report.query, report.weekday, report.hour, report.sharing) == ("location=Berlin", 3, 7, "staff")
    assert (list(report.recipients.all()), report.next_at) == ([editor], due)
    report.recipients.set([reader])
    answer = browse(editor).post(update(report), {"address": "", "columns": ["birth_date"]}, follow=True)
    assert any("may not see Birth date" in message for message in messages_of(answer))
    report.refresh_from_db()
    assert report.query == "location=Berlin"


def test_somebody_else_s_shared_view_is_changed_and_kept_as_one_s_own(
    browse: Browse, editor: User, reader: User
) -> None:
    report = saved(editor, "Shared", query="role=Editor", sharing="staff")
    client = browse(reader)
    html = opened(client, report, location="Berlin").content.decode()
    assert "Update “Shared”" not in html
    assert "Delete this view" not in html
    assert "Save as a new view called" in html
    for address, data in ((update(report), {"address": "q=ada"}), (rename(report), {"name": "Mine"})):
        assert client.post(address, {"columns": ["email"], **data}).status_code == 403
    report.refresh_from_db()
    assert (report.name, report.query) == ("Shared", "role=Editor")


def test_a_view_one_may_not_use_is_as_if_there_were_none(
    browse: Browse, editor: User, reader: User, stranger: User
) -> None:
    report = saved(editor, "Private")
    client = browse(reader)
    assert "Private" not in client.get(USERS, {"view": report.pk, "q": "ada"}).content.decode()
    assert client.post(update(report), {"address": "", "columns": ["email"]}).status_code == 404
    assert client.post(rename(report), {"name": "Mine"}).status_code == 404
    assert browse(stranger).post(update(report), {}).status_code == 403
    assert client.get(update(report)).status_code == 405


@pytest.mark.parametrize("key", ["x", "0", "9" * 30, "-1", ""])
def test_an_address_that_names_no_view_is_a_list_all_the_same(browse: Browse, editor: User, key: str) -> None:
    assert browse(editor).get(USERS, {"view": key, "role": "Editor"}).status_code == 200


def test_an_admin_may_update_what_others_share(browse: Browse, editor: User, admin: User) -> None:
    report = saved(editor, "Shared", sharing="staff")
    assert "Update “Shared”" in opened(browse(admin), report, q="ada").content.decode()
    browse(admin).post(update(report), {"address": "q=ada", "columns": ["email"]})
    report.refresh_from_db()
    assert (report.query, report.owner) == ("q=ada", editor)


@pytest.mark.parametrize("address", ["role=King", "active=yes&active=no", "location=%00"])
def test_a_view_is_not_updated_to_what_makes_no_sense(browse: Browse, editor: User, address: str) -> None:
    report = saved(editor, "Mine", query="role=Editor")
    answer = browse(editor).post(update(report), {"address": address, "columns": ["email"]}, follow=True)
    assert messages_of(answer)
    report.refresh_from_db()
    assert report.query == "role=Editor"


def test_columns_chosen_in_an_opened_view_are_the_view_s_and_not_those_of_every_list(
    browse: Browse, editor: User
) -> None:
    report = saved(editor, "Mine")
    client = browse(editor)
    address = f"columns=email&view={report.pk}"
    answer = client.post(COLUMNS, {"listed": ["email", "role"], "columns": ["role", "email"], "address": address})
    assert answer["Location"] == f"{USERS}?view={report.pk}&columns=email%2Crole"
    assert not ListColumns.objects.exists()
    assert "Update “Mine”" in client.get(answer["Location"]).content.decode()


def test_a_view_is_renamed_where_it_is_shown(browse: Browse, editor: User) -> None:
    report, other = saved(editor, "Mine", query="role=Editor"), saved(editor, "Other")
    client = browse(editor)
    answer = client.post(rename(report), {"name": "Berlin", "address": "role=Editor&p=2"}, follow=True)
    assert "“Mine” is called “Berlin” now." in messages_of(answer)
    assert answer.redirect_chain == [(f"{USERS}?role=Editor&p=2", 302)]
    answer = client.post(rename(other), {"name": "Berlin"}, follow=True)
    assert any("already have a report of this name" in message for message in messages_of(answer))
    report.refresh_from_db()
    assert (report.name, report.query, report.columns) == ("Berlin", "role=Editor", ["username", "email"])
    html = opened(client, report).content.decode()
    assert reverse("admin:users_profiles_report_delete", args=[report.pk]) in html
