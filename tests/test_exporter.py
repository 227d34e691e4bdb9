"""People out of the database, and back in unharmed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.core.files.base import ContentFile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from users_profiles.models import Import, Profile, User
from users_profiles.transfer import columns, exporter, importer, intake

pytestmark = pytest.mark.django_db

EVERYTHING = list(columns.NAMES)


def exported(file_format: str, names: list[str] = EVERYTHING) -> bytes:
    return b"".join(exporter.export(User.objects.order_by("pk"), names, file_format))


def brought_back(data: bytes) -> Import:
    job = intake.receive(ContentFile(data, name="people"), "people", None)
    for start in (job.start_check, job.start_apply):
        assert start()
        importer.run(job)
    job.refresh_from_db()
    return job


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person(
        "ada",
        role="Editor",
        first_name="Ada",
        last_name="Lovelace",
        location="=cmd|'/c calc'!A1",
        phone_number="+4930123456",
        birth_date=date(1990, 12, 10),
        bio="-1\nsecond line\t'=x",
    )


def test_a_csv_has_a_header_and_a_row_for_each_person(ada: User, stranger: User) -> None:
    rows = list(csv.DictReader(io.StringIO(exported("csv").decode("utf-8-sig"))))
    assert list(rows[0]) == EVERYTHING
    assert rows[0]["username"] == "ada"
    assert (rows[0]["is_active"], rows[0]["role"], rows[0]["birth_date"]) == ("yes", "Editor", "1990-12-10")
    assert rows[1]["role"] == "Member"


def test_no_cell_of_a_csv_is_a_formula(ada: User) -> None:
    cells = [cell for row in csv.reader(io.StringIO(exported("csv").decode("utf-8-sig"))) for cell in row]
    assert "'+4930123456" in cells
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


def test_every_cell_of_an_excel_file_is_text(ada: User) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(exported("xlsx"))).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s", "inlineStr"}
    assert sheet.freeze_panes == "A2"
    assert sheet["H2"].value == "=cmd|'/c calc'!A1"


def test_json_has_the_values_as_they_are(ada: User) -> None:
    [person] = json.loads(exported("json"))
    assert person["phone_number"] == "+4930123456"


def test_nobody_at_all_is_still_a_file() -> None:
    assert json.loads(exported("json")) == []
    assert exported("csv").decode("utf-8-sig").strip() == ",".join(EVERYTHING)
    assert openpyxl.load_workbook(io.BytesIO(exported("xlsx"))).active.max_row == 1


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_what_was_exported_comes_back_unchanged(ada: User, stranger: User, superuser: User, file_format: str) -> None:
    before = [list(User.objects.values()), list(Profile.objects.values())]
    job = brought_back(exported(file_format))
    assert (job.created, job.updated, job.unchanged, job.refused) == (0, 0, 3, 0)
    assert [list(User.objects.values()), list(Profile.objects.values())] == before


_line = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=30)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_line, location=_line, bio=_line)
def test_any_text_in_the_database_survives_the_round_trip(ada: User, name: str, location: str, bio: str) -> None:
    User.objects.filter(pk=ada.pk).update(first_name=name)
    Profile.objects.filter(pk=ada.pk).update(location=location, bio=bio)
    for file_format in ("csv", "xlsx"):
        job = brought_back(exported(file_format))
        assert (job.updated, job.refused) == (0, 0), list(job.rows.values_list("changes", "errors"))


def test_an_export_takes_one_query_however_many_people(
    make_person: Callable[..., User], django_assert_num_queries: Callable[..., Any]
) -> None:
    for count in (2, 4):
        for at in range(count):
            make_person(f"user{count}x{at}")
        with django_assert_num_queries(1):
            exported("csv")


def test_there_is_no_column_for_a_password() -> None:
    assert not {"password", "is_superuser", "is_staff", "groups", "user_permissions"} & set(columns.NAMES)
    assert not {"birth_date", "phone_number"} & set(columns.exportable(private=False))
