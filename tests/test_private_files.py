"""Files with people's data that commands write: for whoever runs them, and for nobody else on that machine."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from users_profiles.management.files import private_file
from users_profiles.models import User


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """What a new file is on a machine that hides nothing."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("is_there", [False, True])
def test_nobody_else_may_read_a_file_before_anything_is_in_it(tmp_path: Path, is_there: bool) -> None:
    path = tmp_path / "people.csv"
    if is_there:
        path.write_bytes(b"old")
        assert rights(path) == 0o666
    with private_file(path) as file:
        assert (rights(path), path.read_bytes()) == (0o600, b"")
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_what_is_no_file_keeps_its_rights() -> None:
    before = rights(Path(os.devnull))
    private_file(Path(os.devnull)).close()
    assert rights(Path(os.devnull)) == before


@pytest.mark.django_db
@pytest.mark.parametrize("is_there", [False, True])
def test_every_command_that_writes_people_writes_for_its_owner_only(tmp_path: Path, ada: User, is_there: bool) -> None:
    staff = tmp_path / "staff.csv"
    staff.write_text("username,email\nbob,nonsense\n")
    exported, held, refused = (tmp_path / name for name in ("people.csv", "ada.zip", "refused.csv"))
    for path in (exported, held, refused) if is_there else ():
        path.touch()
    call_command("export_users", output=str(exported), stdout=io.StringIO(), stderr=io.StringIO())
    call_command("export_person", "ada", output=str(held), stderr=io.StringIO())
    with pytest.raises(SystemExit):  # a row was refused
        call_command("import_users", str(staff), errors=refused, stdout=io.StringIO(), stderr=io.StringIO())
    assert refused.read_bytes()
    assert [rights(path) for path in (exported, held, refused)] == [0o600] * 3
