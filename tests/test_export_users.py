"""The command line for pipelines: export_users."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.workers import environment
from users_profiles.models import Export, User
from users_profiles.transfer.export.wanted import USUAL

pytestmark = pytest.mark.django_db


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*arguments: str, err: io.StringIO | None = None) -> str:
    """Call the command and return what it printed."""
    out = io.StringIO()
    call_command("export_users", *arguments, stdout=out, stderr=err or io.StringIO())
    return out.getvalue()


def usernames(path: Path) -> list[str]:
    return [row["username"] for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))]


def test_everybody_leaves_with_the_usual_columns_and_the_ledger_knows(tmp_path: Path, editor: User, ada: User) -> None:
    path = tmp_path / "people.csv"
    said = run("-o", str(path))
    assert said.startswith("2 people in ")
    assert usernames(path) == ["edgar", "ada"]
    assert path.read_text(encoding="utf-8-sig").splitlines()[0] == ",".join(USUAL)
    export = Export.objects.get()
    assert (export.by_operator, export.owner, export.state) == (True, None, Export.State.DONE)
    assert (export.cursor, export.digest) == (2, hashlib.sha256(path.read_bytes()).hexdigest())
    assert list(tmp_path.iterdir()) == [path]


def test_whom_which_columns_and_in_what_order(tmp_path: Path, editor: User, reader: User, ada: User) -> None:
    path = tmp_path / "people.csv"
    run("-o", str(path), "--query", "q=example.com&role=Editor", "--columns", "role, username")
    assert path.read_text(encoding="utf-8-sig") == "role,username\nEditor,edgar\n"
    run("-o", str(path), "--order=-username")
    assert usernames(path) == ["rita", "edgar", "ada"]


def test_the_format_is_what_is_asked_for_or_what_the_name_ends_in(tmp_path: Path, ada: User) -> None:
    for name, arguments in (("a.xlsx", ()), ("b.dat", ("--format", "xlsx"))):
        run("-o", str(tmp_path / name), *arguments)
        (tmp_path / name).rename(tmp_path / "book.xlsx")
        assert openpyxl.load_workbook(tmp_path / "book.xlsx").active["A2"].value == "ada"
    run("-o", str(tmp_path / "c.jsonl"))
    assert json.loads((tmp_path / "c.jsonl").read_text())["username"] == "ada"
    run("-o", str(tmp_path / "d"))
    assert usernames(tmp_path / "d") == ["ada"]


def test_without_a_name_the_file_is_called_by_its_day(
    tmp_path: Path, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("--format", "json")
    [path] = tmp_path.iterdir()
    assert path.name == f"people-{Export.objects.get().asked_at:%Y-%m-%d}.json"


def test_an_actor_has_their_own_rights_and_no_more(tmp_path: Path, reader: User, ada: User, stranger: User) -> None:
    path = tmp_path / "people.csv"
    run("-o", str(path), "--actor", "RITA")
    assert "phone_number" not in path.read_text(encoding="utf-8-sig")
    assert Export.objects.get().owner == reader
    for wrong in (
        ("--actor", "rita", "--columns", "username,phone_number"),
        ("--actor", "rita", "--query", "birthday=12"),
        ("--actor", "stan", "--columns", "username"),
        ("--actor", "nobody"),
    ):
        with pytest.raises(CommandError):
            run("-o", str(path), *wrong)
    assert Export.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--query", "colour=red"), "There is no filter"),
        (("--query", "role=King"), "makes no sense"),
        (("--columns", "password"), "cannot be exported like that. There are, each once: username, email"),
        (("--columns", ""), "at least one column"),
        (("--order", "password"), "cannot be put in order"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_nothing_is_written(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("-o", str(tmp_path / "people.csv"), *arguments)
    assert not list(tmp_path.iterdir())
    assert not Export.objects.exists()


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        run("-o", str(tmp_path / "nowhere" / "people.csv"))
    old = tmp_path / "people.csv"
    old.write_text("old")
    monkeypatch.setattr("users_profiles.transfer.export.source.chunks", None)
    monkeypatch.setattr("users_profiles.transfer.export.source.copied", None)
    with pytest.raises(TypeError):
        run("-o", str(old))
    assert old.read_text() == "old"
    assert list(tmp_path.iterdir()) == [old]
    assert Export.objects.get().state == Export.State.FAILED


def test_whoever_stops_it_gets_no_file_and_the_ledger_says_so(
    tmp_path: Path, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("users_profiles.management.progress.Progress.show", interrupted)
    with pytest.raises(SystemExit) as end:
        run("-o", str(tmp_path / "people.csv"))
    assert end.value.code == 130
    assert not list(tmp_path.iterdir())
    assert Export.objects.get().state == Export.State.BROKEN_OFF


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(tmp_path: Path, ada: User) -> None:
    pipe, terminal = io.StringIO(), Terminal()
    for err in (pipe, terminal):
        run("-o", str(tmp_path / "people.csv"), err=err)
    assert pipe.getvalue() == ""
    assert "100%" in terminal.getvalue()


@pytest.mark.django_db(transaction=True)
def test_standard_output_holds_the_data_and_nothing_else(make_person: Callable[..., User]) -> None:
    make_person("ada")
    arguments = [sys.executable, "manage.py", "export_users", "-o", "-", "--columns", "username,email"]
    own = environment(Path(settings.MEDIA_ROOT))
    done = subprocess.run(arguments, cwd=settings.BASE_DIR, env=own, capture_output=True)
    assert (done.returncode, done.stdout.decode("utf-8-sig")) == (0, "username,email\nada,ada@example.com\n")
    assert b"1 people in" in done.stderr
    failed = subprocess.run([*arguments, "--query", "x=y"], cwd=settings.BASE_DIR, env=own, capture_output=True)
    assert (failed.returncode, failed.stdout) == (1, b"")
