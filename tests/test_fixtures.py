"""The sample files: they are what the generator writes, they load, and each mistake is there."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command

from users_profiles.demo.fixtures import COLUMNS, FRIENDLY
from users_profiles.demo.people import COMPANY_SIZE
from users_profiles.models import ImportRow, Profile, Role, User
from users_profiles.transfer import importer, intake

FOLDER = settings.BASE_DIR / "fixtures"


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def cells_of(path: Path) -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(path, read_only=True).active.values)


def test_the_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    call_command("make_fixtures", folder=tmp_path, verbosity=0)
    for name in ("demo.json", "people.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), f"run `make fixtures`: {name} is stale"
    assert cells_of(tmp_path / "people.xlsx") == cells_of(FOLDER / "people.xlsx"), "run `make fixtures`"


@pytest.mark.django_db
def test_the_demo_company_loads_beside_whoever_is_there(superuser: User) -> None:
    for _ in range(2):  # loading it again changes nothing
        call_command("loaddata", FOLDER / "demo.json", verbosity=0)
        assert User.objects.count() == Profile.objects.count() == COMPANY_SIZE + 1
    assert User.objects.get(pk=superuser.pk).username == "root"
    assert set(User.objects.with_role().values_list("role_name", flat=True)) == {"", *Role.values}
    assert Profile.objects.exclude(location="").count() > 150
    staff = set(User.objects.filter(is_staff=True, is_superuser=False))
    assert staff == set(User.objects.exclude(groups=None))


def test_the_good_csv_has_25_people_under_our_own_column_names() -> None:
    header, *rows = rows_of(FOLDER / "people.csv")
    assert header == list(COLUMNS)
    assert len(rows) == 25
    assert all(len(row) == len(header) for row in rows)
    assert len({row[0] for row in rows}) == 25


def test_the_excel_file_has_what_excel_makes_of_people() -> None:
    header, *rows = cells_of(FOLDER / "people.xlsx")
    assert header == FRIENDLY
    assert len(rows) == 25
    kinds = [{type(row[position]).__name__ for row in rows} - {"NoneType"} for position in range(len(header))]
    assert kinds[FRIENDLY.index("Birthday")] == {"datetime"}
    assert kinds[FRIENDLY.index("Activated")] == {"bool"}
    assert kinds[FRIENDLY.index("Phone")] == {"str", "int"}


@pytest.mark.django_db
def test_every_row_that_is_called_a_mistake_is_refused() -> None:
    job = intake.receive(ContentFile((FOLDER / "people-with-mistakes.csv").read_bytes()), "mistakes.csv", None)
    assert job.start_check()
    importer.run(job)
    # A row may end early, and what looks like a formula is text like any other.
    fine = {"nadia.good", "last.good", "short.row", "formula.cell"}
    taken = job.rows.exclude(outcome=ImportRow.Outcome.REFUSED)
    assert {row.changes["username"][1] for row in taken} <= fine


def test_the_file_with_mistakes_has_every_kind() -> None:
    header, *rows = rows_of(FOLDER / "people-with-mistakes.csv")
    cells = [cell for row in rows for cell in row]
    usernames = [row[0] for row in rows]
    emails = [row[1] for row in rows if len(row) > 1]
    assert header == list(COLUMNS)
    assert {len(row) for row in rows} == {3, 10, 11}
    assert len(usernames) - len(set(usernames)) == 1
    assert len(set(usernames)) - len({name.lower() for name in usernames}) == 1
    assert len(set(emails)) - len({email.lower() for email in emails}) == 1
    assert "" in usernames
    assert {"1985-02-30", "03/04/2020", "2190-01-01", "perhaps", "Emperor", "call me"} <= set(cells)
    assert any(cell.startswith("=") for cell in cells)
    assert any(len(cell) > 2_000 for cell in cells)
    assert {"Cc", "Cf"} <= {unicodedata.category(character) for cell in cells for character in cell}
    assert any(not name.isascii() for name in usernames)
