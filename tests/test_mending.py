"""Refused rows mended on the page: a small import of their own, with the choices of the first one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from tests.admin_pages import messages_of
from tests.import_pages import applied, checked, choose, html, page, upload
from tests.importing import book
from tests.people import Browse
from users_profiles import roles
from users_profiles.models import Import, User
from users_profiles.transfer import mending

pytestmark = pytest.mark.django_db

# Rows 3 and 4 are refused: for the e-mail, and for the telephone number and the day.
STAFF = (
    "username,email,phone_number,birth_date,note\n"
    "ada,ada@example.com,,,first\n"
    "bob,nonsense,,,=1+1\n"
    'carl,carl@example.com,call me,1990-02-30,"two\nlines"\n'
)


def mend(client: Client, job: Import, **cells: str) -> Any:
    """Send the page of refused rows with these cells: ``mend(client, job, cell_3_email="...")``."""
    cells = {name.replace("_", "-", 2): text for name, text in cells.items()}
    return client.post(page("mend", job), {"show": "refused", **cells}, follow=True)


def latest() -> Import:
    return Import.objects.latest("pk")


def outcomes(job: Import) -> list[tuple[str, str]]:
    return list(job.rows.order_by("number").values_list("label", "outcome"))


@pytest.mark.parametrize("apply_first", [False, True], ids=["before the first is applied", "after it"])
def test_a_row_whose_cells_were_written_anew_is_checked_by_itself_and_imported(
    browse: Browse, editor: User, apply_first: bool
) -> None:
    client = browse(editor)
    job = (applied if apply_first else checked)(client, STAFF)
    answer = mend(client, job, cell_4_phone_number="+49 30 123456", cell_4_birth_date="1990-02-28")
    mended = latest()
    assert answer.redirect_chain[-1][0] == page("change", mended)
    assert (mended.filename, mended.state, mended.owner) == ("staff, mended rows.csv", "checked", editor)
    assert outcomes(mended) == [("carl", "new")]
    client.post(page("apply", mended))
    profile = User.objects.get(username="carl").profile
    assert (profile.phone_number, profile.birth_date) == ("+4930123456", date(1990, 2, 28))
    assert User.objects.filter(username="ada").exists() == apply_first
    assert not User.objects.filter(username="bob").exists()


def test_what_nobody_mended_stays_and_what_was_mended_badly_is_mended_again(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, STAFF)
    mend(client, job, cell_3_email="nonsense", cell_4_phone_number="12", cell_4_birth_date="1990-02-28")
    mended = latest()
    assert outcomes(mended) == [("carl", "refused")]  # bob's e-mail was sent as it was
    mend(client, mended, cell_2_phone_number="+49 30 123456")
    assert outcomes(latest()) == [("carl", "new")]
    assert latest().filename == mended.filename


def test_cells_that_are_not_wrong_come_along_as_they_were(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, STAFF.replace("note", "bio"))
    mend(client, job, cell_3_email="bob@example.com", cell_4_phone_number="+4930123456", cell_4_birth_date="")
    assert latest().file.read().decode() == (
        "username,email,phone_number,birth_date,bio\r\n"
        "bob,bob@example.com,,,'=1+1\r\n"
        'carl,carl@example.com,\'+4930123456,,"two\nlines"\r\n'
    )
    client.post(page("apply", latest()))
    assert User.objects.get(username="bob").profile.bio == "=1+1"
    assert User.objects.get(username="carl").profile.bio == "two\nlines"


@pytest.mark.parametrize("kind", ["latin", "excel", "without a header"])
def test_however_the_first_file_is_written_its_rows_are_mended(browse: Browse, editor: User, kind: str) -> None:
    client = browse(editor)
    if kind == "latin":
        upload(client, "Benutzername;E-Mail;Ort\nzoë;nonsense;Köln\n".encode("cp1252"))
    elif kind == "excel":
        upload(client, book(["Cover"], [None, "Username", "E-mail", "Location"], [None, "zoë", "nonsense", "Köln"]))
    else:
        upload(client, "zoë,nonsense,Köln\n".encode())
    job = latest()
    if kind == "without a header":
        client.post(page("columns", job), {"reread": "1", "reading-header_row": "0", "reading-encoding": "utf-8",
                                           "reading-delimiter": ","})  # fmt: skip
        choose(client, job, column_0="username", column_1="email", column_2="location")
    else:
        choose(client, job)
    [number] = job.rows.values_list("number", flat=True)
    mend(client, job, **{f"cell_{number}_email": "zoë@example.com".replace("ë", "e")})
    assert outcomes(latest()) == [("zoë", "new")]
    client.post(page("apply", latest()))
    assert User.objects.get(username="zoë").profile.location == "Köln"


def test_a_cell_that_is_not_there_empties_nothing_in_a_mended_row_either(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", location="London")
    client = browse(editor)
    job = checked(client, "username,email,location\nada,nonsense\n", blank_clears="on")
    mend(client, job, cell_2_email="ada@example.com")
    client.post(page("apply", latest()), {"understood": "yes"})
    ada = User.objects.get(username="ada")
    assert (ada.email, ada.profile.location) == ("ada@example.com", "London")


def test_the_choices_of_the_first_import_hold_and_nobody_is_deactivated_for_not_being_in_the_second(
    browse: Browse, admin: User, stranger: User
) -> None:
    client = browse(admin)
    job = checked(
        client,
        "email,first_name,last_name,birth_date\nx@example.com,Ada,Byron,soon\ny@example.com,Grace,Hopper,\n",
        pattern="{first}.{last}",
        date_order="dmy",
        default_location="Rome",
        roster="everybody",
        match="email",
    )
    assert job.missing
    mend(client, job, cell_2_birth_date="03/04/2000")
    mended = latest()
    assert (mended.created, mended.missing) == (1, 0)
    client.post(page("apply", mended))
    ada = User.objects.get(username="ada.byron")
    assert (ada.profile.birth_date, ada.profile.location) == (date(2000, 4, 3), "Rome")
    stranger.refresh_from_db()
    assert stranger.is_active


def test_the_two_imports_lead_to_each_other_and_a_mended_row_is_not_mended_twice(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, STAFF)
    mend(client, job, cell_3_email="bob@example.com")
    mended = latest()
    assert f'href="{page("change", job)}">staff.csv</a>' in html(client, "change", mended)
    refused = html(client, "change", job, show="refused")
    assert f'href="{page("change", mended)}">Mended and checked again' in refused
    assert "cell-3-email" not in refused
    assert "cell-4-phone_number" in refused
    mend(client, job, cell_3_email="bobby@example.com")
    assert latest() == mended
    mended.delete()  # as what was only checked is, after two days
    assert "cell-3-email" in html(client, "change", job, show="refused")


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"cell_3_email": "nonsense"},
        {"cell_2_email": "other@example.com"},  # a row that is not refused
        {"cell_3_username": "root"},  # a cell that is not wrong
        {"cell_3_is_superuser": "yes"},
        {"cell_99999999999_email": "x@example.com", "cell_x_email": "x@example.com"},
    ],
    ids=str,
)
def test_without_a_wrong_cell_that_was_changed_nothing_is_checked(
    browse: Browse, editor: User, cells: dict[str, str]
) -> None:
    client = browse(editor)
    job = checked(client, STAFF)
    answer = mend(client, job, **cells)
    assert messages_of(answer) == ["Nothing was checked again: change a cell first."]
    assert answer.redirect_chain[-1][0] == f"{page('change', job)}?show=refused"
    assert latest() == job


def test_nobody_mends_the_import_of_somebody_else(
    browse: Browse, editor: User, admin: User, reader: User, make_person: Callable[..., User]
) -> None:
    job = checked(browse(editor), STAFF)
    assert "cell-3-email" not in html(browse(admin), "change", job, show="refused")
    for person in (admin, make_person("other", role="Editor"), reader):
        assert mend(browse(person), job, cell_3_email="bob@example.com").status_code in {403, 404}
    roles.assign([editor], "Reader")
    assert mend(browse(editor), job, cell_3_email="bob@example.com").status_code in {403, 404}
    assert browse(editor).get(page("mend", job)).status_code == 405
    assert Import.objects.count() == 1


def test_what_an_editor_may_not_do_is_not_done_by_mending(browse: Browse, editor: User, admin: User) -> None:
    client = browse(editor)
    job = checked(client, "username,role\nada,Emperor\n")
    mend(client, job, cell_2_role="Admin")
    assert outcomes(latest()) == [("ada", "refused")]


def test_of_a_large_file_or_one_that_is_gone_nothing_is_mended_here(
    browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(editor)
    job = checked(client, STAFF)
    with monkeypatch.context() as patch:
        patch.setattr(mending, "MOST_ROWS", 2)
        assert "cell-3-email" not in html(client, "change", job, show="refused")
        assert not any("Mended" in said for said in messages_of(mend(client, job, cell_3_email="b@example.com")))
    job.file.storage.delete(job.file.name)
    assert "not kept any more" in mend(client, job, cell_3_email="b@example.com").content.decode()
    assert latest() == job


def test_mistakes_of_a_whole_row_and_values_that_were_cut_short_are_not_for_an_input(
    browse: Browse, editor: User
) -> None:
    client = browse(editor)
    job = checked(client, f"username,first_name\nada,Ada,too,much\nbob,{'B' * 300}\n,Nobody\n")
    refused = html(client, "change", job, show="refused")
    assert "cell-2-" not in refused
    assert "cell-3-" not in refused
    assert "cell-4-username" in refused  # an empty cell is one


def test_of_a_mended_row_of_excel_the_cells_it_does_not_keep_are_empty(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", location="Berlin")
    client = browse(editor)
    upload(client, book(["username", "email", "location"], ["ada", "nonsense", None]), "staff.xlsx")
    choose(client, latest(), blank_clears="on")
    mend(client, latest(), cell_2_email="ada@example.com")
    client.post(page("apply", latest()), {"understood": "yes"})
    assert User.objects.get(username="ada").profile.location == ""
