"""People out of the database, and back in unharmed."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import connection, connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.importing import crowd
from users_profiles.models import Export, Import, Profile, Role, User
from users_profiles.transfer import columns, importer, intake, values
from users_profiles.transfer.export import cells, formats, source, wanted, xlsx

pytestmark = pytest.mark.django_db

EVERYTHING = columns.exportable(private=True)
WRITABLE = [*columns.NAMES, "version"]
# Without the moment somebody joined: it is on the office's clock, which PostgreSQL is not asked to know.
USUAL = list(wanted.USUAL)
FORMATS = Export.Format.values


def exported(file_format: str, names: list[str] = EVERYTHING) -> bytes:
    people = User.objects.order_by("pk")
    return b"".join(data for data, _rows in formats.blocks(people, names, file_format))


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def sheet_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data)).active


def brought_back(data: bytes) -> Import:
    job = intake.receive(ContentFile(data, name="people"), "people", None)
    for start in (job.start_check, job.start_apply):
        assert start()
        importer.run(job)
    job.refresh_from_db()
    return job


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    ada = make_person(
        "ada",
        role="Editor",
        first_name="Ada",
        last_name="Lovelace",
        location="=cmd|'/c calc'!A1",
        phone_number="+4930123456",
        birth_date=date(1990, 12, 10),
        bio="-1\nsecond line\t'=x",
    )
    User.objects.filter(pk=ada.pk).update(date_joined=datetime(2020, 3, 1, 23, 30, tzinfo=UTC), version=4)
    return ada


# What is in a file --------------------------------------------------------------------------------------------------


def test_a_csv_has_a_header_and_a_row_for_each_person(ada: User, stranger: User) -> None:
    rows = rows_of(exported("csv"))
    assert list(rows[0]) == EVERYTHING
    assert rows[0]["username"] == "ada"
    assert (rows[0]["is_active"], rows[0]["role"], rows[0]["birth_date"]) == ("yes", "Editor", "1990-12-10")
    assert rows[1]["role"] == "Member"


def test_columns_come_in_the_order_that_is_asked_for(ada: User) -> None:
    assert exported("csv", ["role", "username"]).decode("utf-8-sig") == "role,username\nEditor,ada\n"


def test_moments_are_told_in_the_time_of_the_office(ada: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    [row] = rows_of(exported("csv", ["username", "date_joined", "last_login"]))
    assert (row["date_joined"], row["last_login"]) == ("2020-03-02 00:30", "")
    [person] = json.loads(exported("json", ["username", "date_joined"]))
    assert person["date_joined"] == "2020-03-02T00:30:00+01:00"
    assert sheet_of(exported("xlsx", ["date_joined"]))["A2"].value == datetime(2020, 3, 2, 0, 30)


def test_the_version_grows_with_person_and_profile(ada: User) -> None:
    def version() -> int:
        [row] = rows_of(exported("csv", ["username", "version"]))
        return int(row["version"])

    first = version()
    ada.refresh_from_db()
    ada.first_name = "Augusta"
    ada.save()
    second = version()
    ada.profile.location = "Rome"
    ada.profile.save()
    assert first < second < version()


def test_no_cell_of_a_csv_is_a_formula(ada: User) -> None:
    text = exported("csv").decode("utf-8-sig")
    found = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'+4930123456" in found
    assert not [cell for cell in found if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


def test_an_excel_file_has_real_types_and_a_header_that_stays_and_filters(ada: User, stranger: User) -> None:
    data = exported("xlsx")
    sheet = sheet_of(data)
    assert [cell.value for cell in sheet[1]] == [columns.labels()[name] for name in EVERYTHING]
    kinds = {name: cell.data_type for name, cell in zip(EVERYTHING, sheet[2], strict=True) if cell.value is not None}
    days = {kinds.pop(name) for name in ("birth_date", "date_joined", "updated_at")}
    assert (days, kinds.pop("version")) == ({"d"}, "n")
    assert set(kinds.values()) == {"s"}
    first = dict(zip(EVERYTHING, sheet[2], strict=True))
    assert first["location"].value == "=cmd|'/c calc'!A1"
    assert (first["birth_date"].value, first["birth_date"].number_format) == (datetime(1990, 12, 10), "yyyy-mm-dd")
    last = sheet.cell(1, len(EVERYTHING)).column_letter
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet["A1"].font.bold) == ("A2", f"A1:{last}3", True)
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["E"].width
    strict = openpyxl.load_workbook(io.BytesIO(data), read_only=True).active  # believes the size that a file claims
    assert len(list(strict.iter_rows())) == 3


def test_json_has_the_values_as_they_are(ada: User, stranger: User) -> None:
    first, second = json.loads(exported("json"))
    assert (first["phone_number"], first["is_active"], first["birth_date"]) == ("+4930123456", True, "1990-12-10")
    assert (second["birth_date"], second["last_login"], second["location"]) == (None, None, "")
    assert [json.loads(line) for line in exported("jsonl").splitlines()] == [first, second]


def test_nobody_at_all_is_still_a_file() -> None:
    assert json.loads(exported("json")) == []
    assert exported("jsonl") == b""
    assert exported("csv").decode("utf-8-sig") == ",".join(EVERYTHING) + "\n"
    assert sheet_of(exported("xlsx")).max_row == 1
    nobody = User.objects.none()
    assert b"".join(data for data, _ in formats.blocks(nobody, WRITABLE, "csv")).count(b"\n") == 1


# There and back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_what_was_exported_comes_back_unchanged(ada: User, stranger: User, superuser: User, file_format: str) -> None:
    before = [list(User.objects.values()), list(Profile.objects.values())]
    job = brought_back(exported(file_format))
    assert (job.created, job.updated, job.unchanged, job.refused) == (0, 0, 3, 0)
    assert [list(User.objects.values()), list(Profile.objects.values())] == before
    ignored = [header for header, name in zip(job.options["headers"], job.options["mapping"], strict=True) if not name]
    assert len(ignored) == len(columns.READ_ONLY)
    assert all(map(columns.is_read_only, ignored))


_line = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=30)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_line, location=_line, bio=_line)
def test_any_text_in_the_database_survives_the_round_trip(ada: User, name: str, location: str, bio: str) -> None:
    User.objects.filter(pk=ada.pk).update(first_name=name)
    Profile.objects.filter(pk=ada.pk).update(location=location, bio=bio)
    for file_format in ("csv", "xlsx"):
        job = brought_back(exported(file_format))
        assert (job.updated, job.refused) == (0, 0), list(job.rows.values_list("changes", "errors"))
    for data in (exported("json"), b"[" + exported("jsonl") + b"]"):
        [person] = json.loads(data)
        assert (person["first_name"], person["location"], person["bio"]) == (name, location, bio)


# As the columns' own widgets write it, byte for byte ----------------------------------------------------------------


def as_the_widgets_write_it(names: list[str]) -> bytes:
    """The plain way: an object a person, a widget a cell, the csv module a row; LF at the end of each."""
    fields = columns.PersonResource().fields
    lines = [",".join(names)]
    for person in User.objects.with_role().with_profile().order_by("pk"):
        texts = []
        for name in names:
            if name == "version":
                texts.append(str(person.version + person.profile.version))
            else:
                value: Any = person
                for part in fields[name].path.split("__"):
                    value = getattr(value, part)
                texts.append(values.defuse(fields[name].widget.render(value)))
        out = io.StringIO(newline="")
        csv.writer(out).writerow(texts)
        lines.append(out.getvalue().removesuffix("\r\n"))
    return b"\xef\xbb\xbf" + "".join(line + "\n" for line in lines).encode()


_any = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
_nasty = st.builds(
    "{}{}".format,
    st.text(st.sampled_from("'=+-@＝＋－＠\t\r\n\",; \\.٣\u2028"), max_size=6),
    st.one_of(_any, st.just("")),
)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_nasty, email=_nasty, location=_nasty, bio=_nasty, phone=st.sampled_from(["", "+491", "'+49", "=1"]))
def test_a_csv_is_byte_for_byte_what_the_widgets_and_the_csv_module_would_write(
    ada: User, stranger: User, name: str, email: str, location: str, bio: str, phone: str
) -> None:
    User.objects.filter(pk=ada.pk).update(first_name=name, email=email)
    Profile.objects.filter(pk=ada.pk).update(location=location, bio=bio, phone_number=phone)
    assert exported("csv", WRITABLE) == as_the_widgets_write_it(WRITABLE)
    assert exported("csv", ["first_name"]) == as_the_widgets_write_it(["first_name"])


@pytest.mark.postgres
@pytest.mark.parametrize("debug", [False, True])
def test_postgresql_writes_the_lines_by_itself(ada: User, monkeypatch: pytest.MonkeyPatch, debug: bool) -> None:
    monkeypatch.setattr(connections["default"], "force_debug_cursor", debug)
    monkeypatch.setattr(source, "chunks", None)
    assert exported("csv", USUAL) == as_the_widgets_write_it(USUAL)


@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
def test_the_role_is_the_first_by_name_however_many_have_one(
    make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    from django.contrib.auth.models import Group

    for role in (*Role.values, ""):
        make_person(f"one{role}", role=role)
    User.objects.get(username="oneReader").groups.add(Group.objects.get(name="Editor"), Group.objects.create(name="A"))
    make_person("root", role="Admin", is_superuser=True)
    if many:
        monkeypatch.setattr(cells, "FEW", 1)
    rows = rows_of(exported("csv", ["username", "role"]))
    assert [row["role"] for row in rows] == ["Admin", "Editor", "Editor", "Member", "Superuser"]
    roles = [person.role_name or "Member" for person in User.objects.with_role().order_by("pk")]
    assert [row["role"] for row in rows][:-1] == roles[:-1]


@pytest.mark.parametrize("text", ["a & b < c > d", "\r\n", "\x01\x1f\ufffe", "_x0041_", "_x005F_", "]]>", " a ", "'=1"])
def test_whatever_xml_cannot_hold_can_still_be_exported(ada: User, text: str) -> None:
    Profile.objects.filter(pk=ada.pk).update(bio=text)
    found = sheet_of(exported("xlsx", ["bio"]))["A2"].value
    assert found is not None
    if text.isprintable() and "_x" not in text:
        assert values.restore(found) == text


# Streamed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_first_bytes_come_before_the_first_question_to_the_database(
    ada: User, file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> Any:
        raise RuntimeError("later")
        yield

    monkeypatch.setattr(source, "chunks", fails)
    monkeypatch.setattr(source, "copied", fails)
    blocks = formats.blocks(User.objects.all(), ["username", "email"], file_format)
    first, rows = next(blocks)
    assert (bool(first), rows) == (file_format != "jsonl", 0)
    with pytest.raises(RuntimeError, match="later"):
        list(blocks)


@pytest.mark.parametrize("file_format", FORMATS)
def test_rows_are_counted_as_they_leave(
    make_person: Callable[..., User], file_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHUNK", 2)
    for at in range(5):
        make_person(f"p{at}")
    counts = [rows for _data, rows in formats.blocks(User.objects.all(), ["username", "email"], file_format)]
    assert sum(counts) == 5
    assert max(counts) == 2


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_takes_the_same_queries_however_many_people(
    make_person: Callable[..., User], django_assert_num_queries: Callable[..., Any], file_format: str
) -> None:
    for count in (2, 4):
        for at in range(count):
            make_person(f"user{count}x{at}")
        copies = file_format == "csv" and connection.vendor == "postgresql"  # COPY is not counted by Django
        with django_assert_num_queries(1 if copies else 2):
            exported(file_format, USUAL)


MEASURE = """
import django, sys
django.setup()
from django.conf import settings
settings.DEBUG = False
from django.db import connection
if connection.vendor == "sqlite":  # whose cache grows with the database up to a bound of its own
    connection.cursor().execute("PRAGMA cache_size=-1000")
from users_profiles.models import User
from users_profiles.management.progress import peak_memory_mb
from users_profiles.transfer.export import formats
for file_format in ("jsonl", "json", "csv", "xlsx"):
    for data, rows in formats.blocks(User.objects.order_by("pk"), sys.argv[1].split(","), file_format):
        pass
print(peak_memory_mb())
"""


@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_number_of_people() -> None:
    from tests.workers import environment

    own = environment(Path(django_settings.MEDIA_ROOT))

    def peak() -> float:
        arguments = [sys.executable, "-c", MEASURE, ",".join(WRITABLE)]
        done = subprocess.run(arguments, cwd=django_settings.BASE_DIR, env=own, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    crowd(5_000)
    few = peak()
    crowd(60_000, first=5_000)
    assert peak() < few + 12  # a row more in memory would be 20 MB


def test_there_is_no_column_for_a_password() -> None:
    assert not {"password", "is_superuser", "is_staff", "groups", "user_permissions"} & set(EVERYTHING)
    assert not {"birth_date", "phone_number"} & set(columns.exportable(private=False))


def test_a_sheet_holds_what_excel_can_open() -> None:
    assert xlsx.MAX_ROWS == 2**20 - 1
