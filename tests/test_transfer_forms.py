"""The columns step of an import: what was found, what staff choose, and what is remembered of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.transfer import memory
from users_profiles.transfer.options import Options

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:users_profiles_user_import")
HR = b"Vorname;Nachname;Work mail;Standort\nAda;Lovelace;ada@example.com;\n"


def upload(client: Client, content: bytes, name: str = "staff.csv") -> Import:
    answer = client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.content.decode()
    return Import.objects.latest("pk")


def address(job: Import) -> str:
    return reverse("admin:users_profiles_import_columns", args=[job.pk])


def html(client: Client, job: Import) -> str:
    return client.get(address(job)).content.decode()


def choose(client: Client, job: Import, **changes: Any) -> HttpResponse:
    """Send the form as the page shows it, but for the changes."""
    options = Options.from_json(job.options)
    shown = {name: getattr(options, name) for name in ("mode", "match", "region", "date_order")}
    shown |= {f"column_{at}": name for at, name in enumerate(options.mapping)}
    shown |= {"pattern": options.username_pattern}
    shown |= {f"default_{name}": text for name, text in options.defaults.items()}
    return client.post(address(job), {**shown, **changes}, follow=True)


def read_again(client: Client, job: Import, **changes: Any) -> HttpResponse:
    return client.post(address(job), {"reread": "1", **{f"reading-{k}": v for k, v in changes.items()}}, follow=True)


def options_of(job: Import) -> Options:
    job.refresh_from_db()
    return Options.from_json(job.options)


# What was found -----------------------------------------------------------------------------------------------------


def test_the_page_says_how_the_file_was_read(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, "Liste\n\nusername;Ort\njosé;Köln\n".encode("cp1252"))
    page = html(client, job)
    assert "Text in Windows-1252 (Western Europe), cells separated by semicolons, column names in row 3." in page
    assert "Köln" in page


def test_a_guess_is_marked_as_one(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, b"username,Company mobile,Office location\nada,1,Rome\n")
    page = html(client, job)
    assert page.count("Recognised</span>") == 2  # the name of the column of marks, and one mark
    assert page.count(">?</b>Guessed") == 1


def test_reading_it_differently_gives_other_columns(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, b"a;b|username\nx;y|ada\n")
    read_again(client, job, encoding="latin-1", delimiter=";", header_row="2")
    options = options_of(job)
    assert (options.delimiter, options.encoding, options.headers) == (";", "latin-1", ["x", "y|ada"])
    assert job.total == 0
    assert "y|ada" in html(client, job)


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ({"encoding": "utf-8", "delimiter": ",", "header_row": "1"}, "cannot be read in this encoding"),
        ({"encoding": "utf-16", "delimiter": ",", "header_row": "1"}, "cannot be read in this encoding"),
        ({"encoding": "cp1252", "delimiter": ",", "header_row": "900"}, "Row 900 is empty"),
        ({"encoding": "cp1252", "delimiter": ",", "header_row": "-1"}, "greater than or equal to 0"),
        ({"encoding": "rot13", "delimiter": ",", "header_row": "1"}, "Select a valid choice"),
        ({"encoding": "cp1252", "delimiter": "x", "header_row": "1"}, "Select a valid choice"),
        ({}, "This field is required"),
    ],
)
def test_a_wrong_way_of_reading_is_said_and_changes_nothing(
    browse: Browse, editor: User, choice: dict[str, str], why: str
) -> None:
    client = browse(editor)
    job = upload(client, "username,Ort\njosé,Köln\n".encode("cp1252"))
    before = job.options
    answer = read_again(client, job, **choice)
    assert answer.status_code == 200
    assert why in answer.content.decode()
    job.refresh_from_db()
    assert job.options == before


def test_a_column_nobody_may_set_is_refused_when_the_file_is_read_again(browse: Browse, superuser: User) -> None:
    client = browse(superuser)
    job = upload(client, b"username,Ort\nusername,password\nada,secret\n")
    answer = read_again(client, job, encoding="utf-8", delimiter=",", header_row="2")
    assert "This file has the column password, which cannot be imported." in answer.content.decode()
    assert options_of(job).headers == ["username", "Ort"]


def test_another_sheet_of_an_excel_file_can_be_chosen(browse: Browse, editor: User) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title = "Berlin"
    workbook.active.append(["username", "Vorname", "E-Mail"])
    workbook.create_sheet("Paris").append(["username", "Ort"])
    out = io.BytesIO()
    workbook.save(out)
    client = browse(editor)
    job = upload(client, out.getvalue(), "staff.xlsx")
    assert "Excel, sheet Berlin" in html(client, job)
    assert "Excel, sheet Paris" in read_again(client, job, sheet="Paris", header_row="1").content.decode()
    assert options_of(job).mapping == ["username", "location"]
    assert "Select a valid choice" in read_again(client, job, sheet="Rome", header_row="1").content.decode()


def test_what_was_checked_is_not_applied_after_the_file_was_read_differently(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, b"username\nada\n")
    choose(client, job)
    job.refresh_from_db()
    assert job.state == "checked"
    read_again(client, job, encoding="utf-8", delimiter=",", header_row="1")
    client.post(reverse("admin:users_profiles_import_apply", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == "uploaded"
    assert not User.objects.filter(username="ada").exists()


def test_the_page_is_quick_for_two_hundred_columns(
    browse: Browse, editor: User, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client = browse(editor)
    headers = ["username", *(f"Custom attribute {at}" for at in range(199))]
    job = upload(client, ",".join(headers).encode() + b"\nada" + b",x" * 199 + b"\n")
    with django_assert_max_num_queries(15):
        page = html(client, job)
    assert page.count('<select name="column_') == 200


# What staff choose --------------------------------------------------------------------------------------------------


def test_usernames_are_made_by_the_pattern_that_fits_the_file(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, HR)
    assert options_of(job).username_pattern == "{first}.{last}"
    assert "ada.lovelace" in choose(client, job).content.decode()
    assert options_of(upload(client, b"E-Mail,Ort\nada@example.com,Rome\n")).username_pattern == "{mailbox}"
    assert options_of(upload(client, b"username,Ort\nada,Rome\n")).username_pattern == ""


def test_a_pattern_of_ones_own_is_taken_or_said_to_be_none(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, HR)
    wrong = choose(client, job, pattern="own", own_pattern="{nick}").content.decode()
    assert "This cannot make usernames." in wrong
    assert '<a href="#id_own_pattern">Another pattern</a>' in wrong
    assert "This cannot make usernames." in choose(client, job, pattern="own", own_pattern="").content.decode()
    assert "x_lovelace" in choose(client, job, pattern="own", own_pattern="x_{last}").content.decode()
    assert 'value="x_{last}"' in html(client, job)


def test_a_pattern_needs_its_columns(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, b"username,Ort\nada,Rome\n")
    answer = choose(client, job, pattern="{first}.{last}").content.decode()
    assert "no column is taken for E-mail, First name, Last name." in answer


def test_defaults_reach_the_preview(browse: Browse, admin: User) -> None:
    client = browse(admin)
    job = upload(client, HR)
    preview = choose(client, job, default_role="Reader", default_is_active="no", default_location=" Rome ")
    assert options_of(job).defaults == {"role": "Reader", "is_active": "no", "location": "Rome"}
    text = preview.content.decode()
    assert "Reader" in text
    assert "Rome" in text


def test_an_editor_is_offered_no_roles_and_cannot_force_one(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = upload(client, HR)
    assert '<option value="Admin">' not in html(client, job)
    assert "Select a valid choice. Admin is not" in choose(client, job, default_role="Admin").content.decode()
    assert options_of(job).defaults == {}


def test_a_default_with_an_invisible_character_is_refused(browse: Browse, editor: User) -> None:
    client = browse(editor)
    answer = choose(client, upload(client, HR), default_location="Ro\u202eme").content.decode()
    assert "invisible character (U+202E)" in answer


def test_two_columns_for_one_field_are_named_before_anything_is_sent(browse: Browse, editor: User) -> None:
    """C10."""
    client = browse(editor)
    job = upload(client, b"username,Phone,Mobile\nada,1,2\n")
    assert "The columns Phone / Mobile are both taken for Phone number." in html(client, job)


@pytest.mark.parametrize("forged", ["password", "is_superuser", "is_staff", "groups", "profile__avatar"])
def test_a_column_cannot_be_forged_into_a_field_no_file_may_set(browse: Browse, superuser: User, forged: str) -> None:
    client = browse(superuser)
    job = upload(client, b"username,x\nada,1\n")
    assert "Select a valid choice" in choose(client, job, column_1=forged).content.decode()
    job.refresh_from_db()
    assert job.state == "uploaded"


# What is remembered -------------------------------------------------------------------------------------------------


def test_the_same_columns_are_taken_as_the_last_time(browse: Browse, editor: User) -> None:
    client = browse(editor)
    choose(client, upload(client, HR), column_3="bio", mode="create", region="DE", pattern="{f}{last}")
    job = upload(client, b"standort,WORK MAIL,Nachname,Vorname\nx,bob@example.com,Stone,Bob\n")
    options = options_of(job)
    assert options.mapping == ["bio", "email", "last_name", "first_name"]
    assert (options.mode, options.region, options.username_pattern) == ("create", "DE", "{f}{last}")
    assert "As last time" in html(client, job)


def test_refused_rows_come_back_to_the_choices_of_their_file(browse: Browse, editor: User) -> None:
    client = browse(editor)
    data = b"Vorname,E-Mail,Telefon\nAda,ada@example.com,030 123456\nBob,nonsense,030 123457\n"
    job = upload(client, data)
    choose(client, job, region="DE")
    answer = client.get(reverse("admin:users_profiles_import_refused", args=[job.pk]))
    mended = answer.getvalue().replace(b"nonsense", b"bob@example.com")
    assert mended.count(b"\n") == 2
    again = upload(client, mended)
    assert options_of(again).region == "DE"
    assert options_of(again).mapping == ["first_name", "email", "phone_number", ""]


def test_what_was_only_uploaded_is_not_remembered(browse: Browse, editor: User) -> None:
    client = browse(editor)
    first = upload(client, HR)
    assert first.headers_digest == ""
    assert "As last time" not in html(client, upload(client, HR))


def test_ones_own_choices_go_before_those_of_others(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    mine, other = browse(editor), browse(make_person("other", role="Editor"))
    choose(mine, upload(mine, HR), column_3="bio")
    choose(other, upload(other, HR), column_3="")
    assert options_of(upload(mine, HR)).mapping[3] == "bio"
    third = browse(make_person("third", role="Editor"))
    assert options_of(upload(third, HR)).mapping[3] == ""


def test_nobody_inherits_a_role_they_may_not_give(browse: Browse, admin: User, editor: User) -> None:
    client = browse(admin)
    choose(client, upload(client, HR), default_role="Admin", default_location="Rome")
    assert options_of(upload(client, HR)).defaults == {"role": "Admin", "location": "Rome"}
    assert options_of(upload(browse(editor), HR)).defaults == {"location": "Rome"}


def test_the_fingerprint_is_of_the_set_of_columns() -> None:
    assert memory.digest_of(["E-Mail", "Ort"]) == memory.digest_of([" ort", "EMAIL"])
    assert memory.digest_of(["E-Mail", "Ort"]) != memory.digest_of(["E-Mail", "Ort", "Ort"])
    assert memory.digest_of(["→"]) != memory.digest_of(["←"])
