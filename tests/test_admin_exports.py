"""Exports as staff click through them: the page, the file, the list of all of them, and who may not."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import USERS, act, messages_of
from tests.people import Browse
from users_profiles.models import Export, TrailEntry, User
from users_profiles.transfer.export import making
from users_profiles.transfer.export.wanted import Wanted

pytestmark = pytest.mark.django_db

State = Export.State
EXPORT = reverse("admin:users_profiles_user_export")
TRAIL = reverse("admin:users_profiles_trailentry_changelist")
LEDGER = reverse("admin:users_profiles_export_changelist")


def page(name: str, export: Export) -> str:
    return reverse(f"admin:users_profiles_export_{name}", args=[export.pk])


def download(client: Client, address: str = EXPORT, **data: Any) -> list[dict[str, str]]:
    answer = client.post(address, {"format": "csv", "columns": ["username", "email", "role"], **data})
    assert answer.status_code == 200
    assert answer.streaming, answer.content.decode()
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def names(rows: list[dict[str, str]]) -> list[str]:
    return [row["username"] for row in rows]


def made(owner: User | None, **wanted: Any) -> Export:
    """An export that the worker has made a file of."""
    export = Wanted(owner, columns=["username", *wanted.pop("columns", [])], **wanted).entry(1)
    assert export.start_making()
    making.run(export)
    export.refresh_from_db()
    assert export.state == State.DONE
    return export


# The page -----------------------------------------------------------------------------------------------------------


def test_an_export_has_what_the_list_shows_in_its_order(
    browse: Browse, editor: User, reader: User, stranger: User
) -> None:
    client = browse(editor)
    assert len(download(client)) == 3
    assert names(download(client, f"{EXPORT}?q=rita")) == ["rita"]
    assert names(download(client, f"{EXPORT}?active=yes&o=-email&p=1")) == ["stan", "rita", "edgar"]
    assert names(download(client, f"{EXPORT}?o=-last_name")) == ["stan", "rita", "edgar"]
    html = client.get(f"{EXPORT}?q=rita").content.decode()
    assert "Export 1 person" in html
    assert "rita@example.com" in html
    assert "stan@example.com" not in html


def test_the_page_shows_the_first_five_and_how_many_there_are(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    for at in range(7):
        make_person(f"p{at}", last_name=f"Z{at}", location="Berlin")
    context = browse(editor).get(f"{EXPORT}?location=Berlin").context
    assert context["count"] == 7
    assert [{name: text for name, text, _ in row}["username"] for row in context["sample"]] == [
        f"p{at}" for at in range(5)
    ]
    assert [(scope.name, scope.count) for scope in context["scopes"]] == [("list", 7), ("all", 8)]
    assert len(download(browse(editor), f"{EXPORT}?location=Berlin&whom=all")) == 8


@pytest.mark.parametrize("query", ["colour=red", "role=King", "joined_from=x", "q=a%00", "birthday=13"])
def test_a_selection_that_makes_no_sense_is_refused_with_a_sentence(browse: Browse, editor: User, query: str) -> None:
    answer = browse(editor).get(f"{EXPORT}?{query}", follow=True)
    assert answer.redirect_chain == [(USERS, 302)]
    assert messages_of(answer)[0].endswith(".")
    assert not Export.objects.exists()


def test_ticked_rows_are_kept_on_the_server_however_many(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    people = User.objects.bulk_create([User(username=f"p{at:03}") for at in range(700)])
    client = browse(editor)
    answer = act(client, "export", people)
    address = answer.redirect_chain[-1][0]
    assert "Export 700 people" in answer.content.decode()
    assert len(download(client, address)) == 700
    assert len(download(client, f"{address}&whom=all")) == 701
    kept = Export.objects.get(state=State.CHOSEN)
    assert kept.keys is not None
    assert len(kept.keys) == 700


def test_everybody_on_every_page_ticked_is_the_filter_and_not_a_list_of_keys(
    browse: Browse, editor: User, reader: User
) -> None:
    answer = act(browse(editor), "export", [reader], f"{USERS}?q=r", select_across="1")
    assert answer.redirect_chain[-1][0] == f"{EXPORT}?q=r"
    assert not Export.objects.exists()


@pytest.mark.parametrize("ticked", ["x", "0", "9" * 30, "²", "-1"])
def test_ticks_that_are_not_there_are_not_found(browse: Browse, editor: User, ticked: str) -> None:
    assert browse(editor).get(EXPORT, {"ticked": ticked}).status_code == 404


def test_nobody_gets_at_the_ticks_of_somebody_else(browse: Browse, admin: User, editor: User) -> None:
    act(browse(admin), "export", [editor])
    kept = Export.objects.get()
    assert browse(editor).get(EXPORT, {"ticked": kept.pk}).status_code == 404
    assert browse(admin).get(page("change", kept)).status_code == 404


def test_columns_and_their_order_and_the_format_are_remembered_per_person(
    browse: Browse, editor: User, reader: User
) -> None:
    download(browse(editor), columns=["role", "username"])
    form = browse(editor).get(EXPORT).context["form"]
    assert [name for name, _label, ticked in form.listed if ticked] == ["role", "username"]
    assert form["format"].value() == "csv"
    assert browse(reader).get(EXPORT).context["form"]["format"].value() == "xlsx"


def test_columns_are_moved_without_a_script(browse: Browse, editor: User) -> None:
    shown = browse(editor).get(EXPORT).context["form"].listed
    listed = [name for name, _label, _ticked in shown]
    at, after = listed.index("email"), listed[listed.index("email") + 3]
    data = {"format": "json", "columns": ["email", after], "listed": listed}
    # Past those that are not in the file at once; one of those moves past its neighbour.
    for move, place in (
        ("up:email", at),
        ("down:email", at + 3),
        (f"up:{after}", at + 1),
        ("up:username", at),
        ("up:nothing", at),
        ("x", at),
    ):
        answer = browse(editor).post(EXPORT, {**data, "move": move})
        form = answer.context["form"]
        assert [name for name, _label, _ticked in form.listed].index("email") == place
        assert {name for name, _label, ticked in form.listed if ticked} == {"email", after}
        assert form["format"].value() == "json"
    assert not Export.objects.exists()


def test_no_column_at_all_is_an_error(browse: Browse, editor: User) -> None:
    answer = browse(editor).post(EXPORT, {"format": "csv"})
    assert "Choose at least one column." in answer.content.decode()


def test_the_file_is_nobodys_but_theirs_on_the_way(browse: Browse, editor: User) -> None:
    answer = browse(editor).post(EXPORT, {"format": "jsonl", "columns": ["username"]})
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("private, no-store")


# A8, E1, E3 ---------------------------------------------------------------------------------------------------------


def test_a_reader_exports_no_private_fields_not_even_by_force(browse: Browse, reader: User, ada: User) -> None:
    client = browse(reader)
    offered = client.get(EXPORT).content.decode()
    for secret in ("phone_number", "birth_date", ada.profile.phone_number, "1990-12-10"):
        assert secret not in offered
    for column in ("phone_number", "birth_date", "password", "is_superuser"):
        forged = client.post(EXPORT, {"format": "csv", "columns": ["username", column]})
        assert (forged.status_code, forged.streaming) == (200, False)
    assert not Export.objects.exists()


def test_every_export_is_one_line_in_the_ledger(browse: Browse, editor: User, reader: User) -> None:
    answer = browse(editor).post(
        f"{EXPORT}?q=rita&o=-email", {"format": "csv", "columns": ["username", "phone_number"]}
    )
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    export = Export.objects.get()
    assert (export.owner, export.query, export.order) == (editor, "q=rita", "-email")
    assert (export.columns, export.format, export.cursor) == (["username", "phone_number"], "csv", 1)
    assert (export.state, export.digest) == (State.DONE, hashlib.sha256(data).hexdigest())


@pytest.mark.django_db(transaction=True)  # the end of the request closes the connection
def test_the_server_tells_the_ledger_that_the_reader_has_gone(browse: Browse, editor: User) -> None:
    answer = browse(editor).post(EXPORT, {"format": "csv", "columns": ["username"]})
    next(iter(answer.streaming_content))  # type: ignore[attr-defined]
    answer.close()
    export = Export.objects.get()
    assert export.state == State.BROKEN_OFF
    assert "broken off after 0 people" in browse(editor).get(page("change", export)).content.decode()


def test_admins_see_all_of_the_ledger_and_others_their_own(
    browse: Browse, admin: User, editor: User, reader: User
) -> None:
    download(browse(editor))
    Wanted(None).entry(0).start_sending()

    def listed(person: User, query: str = "") -> int:
        return browse(person).get(LEDGER + query).context["cl"].result_count

    assert (listed(admin), listed(editor), listed(reader)) == (2, 1, 0)
    assert listed(admin, "?private=yes") == listed(admin, "?private=no") == 1
    assert listed(admin, "?format__exact=csv&state__exact=done") == 1
    assert listed(admin, "?q=edgar") == 1
    html = browse(admin).get(LEDGER).content.decode()
    assert "Edgar Editor" in html
    assert "Command line" in html


@pytest.mark.parametrize("who", ["reader", "editor"])
def test_an_export_of_somebody_else_is_not_found(
    browse: Browse, request: pytest.FixtureRequest, admin: User, who: str
) -> None:
    export = Wanted(admin).entry(0)
    export.start_making()
    client = browse(request.getfixturevalue(who))
    for name in ("change", "file", "progress"):
        assert client.get(page(name, export)).status_code == 404
    for name in ("cancel", "again"):
        assert client.post(page(name, export)).status_code == 404
    assert Export.objects.get().state == State.MAKING


def test_who_may_not_export_gets_nowhere(browse: Browse, stranger: User, admin: User) -> None:
    export = Wanted(admin).entry(0)
    export.start_making()
    client = browse(stranger)
    for address in (EXPORT, LEDGER, *(page(name, export) for name in ("change", "file", "progress"))):
        assert client.get(address, follow=True).status_code in {403, 404}
        assert browse(None).get(address).status_code == 302
    for name in ("cancel", "again"):
        assert client.post(page(name, export)).status_code in {403, 404}
    answer = client.post(EXPORT, {"format": "csv", "columns": ["username"]}, follow=True)
    assert answer.status_code == 403


def test_nobody_changes_or_deletes_the_ledger(browse: Browse, superuser: User, editor: User) -> None:
    download(browse(editor))
    export = Export.objects.get()
    client = browse(superuser)
    assert client.post(page("delete", export), {"post": "yes"}).status_code == 403
    client.post(page("change", export), {"query": "q=x", "columns": "[]"})
    assert client.get(page("history", export)).status_code == 302
    export.refresh_from_db()
    assert (export.query, export.columns) == ("", ["username", "email", "role"])
    assert client.get(page("cancel", export)).status_code == 405


# Large ones ---------------------------------------------------------------------------------------------------------


def begin_large(client: Client, settings: Any) -> HttpResponse:
    settings.EXPORT_SYNC_ROWS = 1
    return client.post(EXPORT, {"format": "csv", "columns": ["username"]}, follow=True)


def test_many_people_are_left_to_the_worker_and_found_again(
    browse: Browse, editor: User, reader: User, settings: Any
) -> None:
    answer = begin_large(browse(editor), settings)
    export = Export.objects.get()
    assert answer.redirect_chain == [(page("change", export), 302)]
    assert (export.state, export.total) == (State.MAKING, 2)
    assert "Making people-" in answer.content.decode()
    assert browse(editor).get(page("progress", export)).json()["under_way"]
    assert page("change", export) in browse(editor).get(LEDGER).content.decode()


def test_it_can_be_cancelled_and_asked_for_again(browse: Browse, editor: User, reader: User, settings: Any) -> None:
    client = browse(editor)
    begin_large(client, settings)
    export = Export.objects.get()
    answer = client.post(page("cancel", export), follow=True)
    assert "Cancelled. Nothing of it is kept." in answer.content.decode()
    client.post(page("again", export))
    export.refresh_from_db()
    assert export.state == State.MAKING


@pytest.mark.django_db(transaction=True)
def test_the_file_is_served_to_its_owner_and_to_admins_until_it_expires(
    browse: Browse, editor: User, admin: User, reader: User
) -> None:
    export = made(editor)
    for person in (editor, admin):
        answer = browse(person).get(page("file", export))
        data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert hashlib.sha256(data).hexdigest() == export.digest
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"].startswith("private, no-store")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert browse(reader).get(page("file", export)).status_code == 404
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = browse(editor).get(page("file", export), follow=True)
    assert "not kept any more" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_file_with_private_fields_is_not_served_to_who_may_not_see_them_any_more(
    browse: Browse, editor: User, reader: User
) -> None:
    export = made(editor, columns=["phone_number"])
    Export.objects.update(owner=reader)
    assert browse(reader).get(page("file", export)).status_code == 404
    assert page("file", export) not in browse(reader).get(page("change", export)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_who_fetches_somebody_elses_file_with_private_fields_is_noted(
    browse: Browse, editor: User, admin: User
) -> None:
    looks = TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS)
    private, plain = made(editor, columns=["phone_number"]), made(editor)
    browse(admin).get(page("file", plain))
    browse(editor).get(page("file", private))
    assert not looks.exists()
    browse(admin).get(page("file", private))
    assert looks.get().actor == admin
    trail = browse(admin).get(TRAIL).content.decode()
    assert f"Export {private.pk}" in trail


@pytest.mark.django_db(transaction=True)
def test_a_file_that_has_been_lost_is_no_server_error(browse: Browse, editor: User) -> None:
    export = made(editor)
    Path(export.file.path).unlink()
    assert browse(editor).get(page("file", export)).status_code == 302


@pytest.mark.parametrize("key", ["abc", "1.5", "9" * 40, "9" * 5000, "-1", "²"])
def test_an_address_that_is_no_export_is_not_found(browse: Browse, editor: User, key: str) -> None:
    assert browse(editor).get(f"/admin/users_profiles/export/{key}/change/").status_code == 404
