"""The command line for pipelines: import_users, undo_import, prune."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from tests.importing import exported
from tests.workers import environment
from users_profiles.management.progress import Progress
from users_profiles.models import Import, Profile, User

pytestmark = pytest.mark.django_db

KEYS = [
    "import", "created", "updated", "unchanged", "refused", "rows", "seconds", "rows_per_second", "peak_memory_mb",
    "left_out", "deactivated",
]  # fmt: skip


@pytest.fixture
def staff(tmp_path: Path) -> Callable[[str], str]:
    """Write a file and return its path."""

    def write(content: str) -> str:
        path = tmp_path / "staff.csv"
        path.write_text(content, encoding="utf-8")
        return str(path)

    return write


def run(*arguments: str) -> tuple[int, str, str]:
    """Call the command; return its exit code and what it printed. Nothing done is an exception instead."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_users", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_every_row_taken_ends_with_0(staff: Callable[[str], str]) -> None:
    code, out, err = run(staff("username,email\nada,ada@example.com\nbob,bob@example.com\n"))
    assert (code, err) == (0, "")
    assert out.startswith("Done: 2 new, 0 changed, 0 unchanged, 0 refused. 2 rows in ")
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "bob"}


def test_without_an_actor_the_history_says_that_it_was_the_operator(
    staff: Callable[[str], str], browse: Callable[..., Any], superuser: User
) -> None:
    run(staff("username,role\nada,Admin\n"))
    job = Import.objects.get()
    assert (job.owner, job.by_operator, job.state, job.filename) == (None, True, "done", "staff.csv")
    assert User.objects.get(username="ada").role == "Admin"
    page = browse(superuser).get(f"/admin/users_profiles/import/{job.pk}/change/")
    assert "Command line" in page.content.decode()


def test_an_actor_has_their_own_rights_and_no_more(staff: Callable[[str], str], editor: User) -> None:
    code, _out, err = run(staff("username,role\nada,Admin\nbob,\n"), "--actor", "EDGAR")
    assert code == 2
    assert "Row 2: role: You may not give this role." in err
    assert list(Import.objects.values_list("owner", "by_operator")) == [(editor.pk, False)]
    assert User.objects.filter(username__in=["ada", "bob"]).get().username == "bob"


@pytest.mark.parametrize("who", ["reader", "stranger"])
def test_an_actor_who_may_not_import_does_nothing(
    staff: Callable[[str], str], who: str, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(who)
    with pytest.raises(CommandError, match="may not import people"):
        run(staff("username\nada\n"), "--actor", actor.username)
    assert not User.objects.filter(username="ada").exists()


def test_refused_rows_end_with_2_and_are_written_to_a_file_that_can_be_mended(
    staff: Callable[[str], str], tmp_path: Path
) -> None:
    errors = tmp_path / "errors.csv"
    code, out, _err = run(staff("username,email\nada,nonsense\nbob,bob@example.com\n"), "--errors", str(errors))
    assert code == 2
    assert "1 refused" in out
    header, row = list(csv.reader(errors.read_text("utf-8-sig").splitlines()))
    assert header == ["username", "email", "error"]
    assert row[:2] == ["ada", "nonsense"]
    assert "not an e-mail address" in row[2]
    mended = staff(errors.read_text("utf-8-sig").replace("nonsense", "ada@example.com"))
    assert run(mended, "--errors", str(errors))[0] == 0
    assert errors.read_text("utf-8-sig") == "username,email,error\n"
    assert User.objects.get(username="ada").email == "ada@example.com"


@pytest.mark.parametrize(
    ("content", "arguments", "reason"),
    [
        ("username,password\nada,x\n", [], "has the column password"),
        ("one,two\n1,2\n", [], "No column says who each person is"),
        ("username\nada\n", ["--map", "Nothing=email"], "no column 'Nothing'. It has: username"),
        ("username,x\nada,1\n", ["--map", "x=password"], "no field 'password'. There are: username, email"),
        ("username\nada\n", ["--match", "email"], "No column is taken for email"),
        ("username\nada\n", ["--actor", "nobody"], "There is nobody with the username 'nobody'"),
        ("username\nada\n", ["--default", "is_superuser=1"], "no field 'is_superuser'"),
        ('username\nada\nbob\n"carl\n', [], "quotation mark is never closed"),
        ("", [], "empty"),
    ],
)
def test_whatever_stops_the_whole_file_ends_with_1_and_changes_nothing(
    staff: Callable[[str], str], content: str, arguments: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason) as stopped:
        run(staff(content), *arguments)
    assert stopped.value.returncode == 1
    assert not User.objects.exists()
    assert not Import.objects.filter(state__in=Import.UNDER_WAY).exists()


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"/no/such\.csv cannot be read: No such file"):
        run("/no/such.csv")


def test_a_dry_run_counts_and_writes_nothing(staff: Callable[[str], str], stranger: User) -> None:
    code, out, _err = run(staff("username,location\nstan,Paris\nada,\n"), "--dry-run")
    assert code == 0
    assert out.startswith("Nothing is written. Would be: 1 new, 1 changed")
    assert User.objects.count() == 1
    assert Profile.objects.get().location == ""


def test_mode_match_map_default_and_blank_clears_do_what_they_say(
    staff: Callable[[str], str], make_person: Callable[..., User]
) -> None:
    make_person("ada", location="Berlin", bio="Counts.")
    file = staff("Who=ever;Post;Town;Bio\nada;ada@example.com;Rome;\nbob;bob@example.com;;\n")
    chosen = ["--map", "Who=ever=username", "--map", "Post=email", "--map", "town=location", "--match", "email"]
    assert run(file, *chosen, "--map", "Bio=", "--mode", "update")[0] == 2
    ada = User.objects.get()
    assert (ada.profile.location, ada.profile.bio) == ("Rome", "Counts.")
    assert run(file, *chosen, "--mode", "create", "--default", "location=Oslo", "--default", "role=Reader")[0] == 0
    bob = User.objects.get(username="bob")
    assert (bob.profile.location, bob.role) == ("Oslo", "Reader")
    assert run(file, *chosen, "--blank-clears")[0] == 0
    assert Profile.objects.get(user__username="ada").bio == ""


def test_json_is_one_object_last_with_exactly_these_keys(staff: Callable[[str], str]) -> None:
    code, out, _err = run(staff("username,email\nada,\nbob,nonsense\n"), "--json")
    figures = json.loads(out.splitlines()[-1])
    assert list(figures) == KEYS
    assert code == 2
    assert [figures[key] for key in KEYS[:6]] == [Import.objects.get().pk, 1, 0, 0, 1, 2]
    assert figures["peak_memory_mb"] > 10


@pytest.mark.parametrize(("content", "figures"), [("username,password\nada,x\n", None), ("username\nada\n", (1, 0, 0))])
def test_json_is_printed_too_when_nothing_was_done(
    staff: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, content: str, figures: tuple[int, ...] | None
) -> None:
    """With the reason, and with the figures of an import that had begun."""

    def give_up(job: Import, *args: Any) -> None:
        Import.objects.filter(pk=job.pk).update(created=1)
        job.fail("The disk is full.")

    monkeypatch.setattr("users_profiles.management.progress.tasks.run", give_up)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_users", staff(content), "--json", stdout=out, stderr=io.StringIO())
    report = json.loads(out.getvalue())
    if figures is None:
        assert list(report) == ["error"]
    else:
        assert list(report) == ["error", *KEYS]
        assert (report["created"], report["updated"], report["refused"]) == figures
        assert report["error"] == "The disk is full."


def test_a_place_for_refused_rows_that_cannot_be_written_is_said_before_anything_is(
    staff: Callable[[str], str], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        run(staff("username\nada\n"), "--errors", str(tmp_path / "nowhere" / "errors.csv"))
    assert not User.objects.exists()


def test_the_refused_rows_are_an_excel_file_where_it_is_called_so(staff: Callable[[str], str], tmp_path: Path) -> None:
    errors = tmp_path / "errors.xlsx"
    assert run(staff("username,email\nada,nonsense\n"), "--errors", str(errors))[0] == 2
    header, row = openpyxl.load_workbook(errors).active.values
    assert (header[:3], row[:2]) == (("username", "email", "error"), ("ada", "nonsense"))


def test_usernames_are_made_from_a_pattern(staff: Callable[[str], str]) -> None:
    file = staff("First name,Last name,E-mail\nZoë,Łukasz,zoe@example.com\n")
    with pytest.raises(CommandError, match="This cannot make usernames"):
        run(file, "--username-pattern", "{shoe}")
    with pytest.raises(CommandError, match="the file needs a column for email"):
        run(staff("username,First name\n,Ada\n"), "--username-pattern", "{first}")
    file = staff("First name,Last name,E-mail\nZoë,Łukasz,zoe@example.com\n")
    assert run(file, "--username-pattern", "{first}.{last}")[0] == 0
    assert User.objects.get().username == "zoe.lukasz"


def test_a_roster_deactivates_who_is_not_in_the_file_and_many_only_by_their_number(
    staff: Callable[[str], str], make_person: Callable[..., User], superuser: User
) -> None:
    for at in range(25):
        make_person(f"person{at:02}", location="Berlin")
    make_person("elsewhere", location="Paris")
    file = staff("username\n" + "".join(f"person{at:02}\n" for at in range(20)))
    with pytest.raises(CommandError, match=r"^5 people are not in the file and would be deactivated\."):
        run(file, "--roster", "location=Berlin")
    with pytest.raises(CommandError, match=r"^6 people"):
        run(file, "--roster", "everybody", "--deactivates", "5")
    assert not User.objects.filter(is_active=False).exists()
    code, out, _err = run(file, "--roster", "location=Berlin", "--deactivates", "5")
    assert (code, out[:48]) == (0, "Done: 0 new, 0 changed, 5 deactivated, 20 unchan")
    gone = User.objects.filter(is_active=False).values_list("username", flat=True)
    assert sorted(gone) == [f"person{at}" for at in range(20, 25)]
    few = staff("username\n" + "".join(f"person{at:02}\n" for at in range(19)))
    assert run(few, "--roster", "location=Berlin")[0] == 0  # one of twenty is not many
    assert not User.objects.get(username="person19").is_active


@pytest.mark.parametrize(
    ("roster", "reason"),
    [
        ("nobody", "should be everybody, location=PLACE or role=ROLE"),
        ("location", "Say which location"),
        ("location=Atlantis", "Nobody active is at this location"),
        ("role=King", "Select a valid choice"),
    ],
)
def test_a_roster_of_nobody_is_refused(staff: Callable[[str], str], roster: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        run(staff("username\nada\n"), "--roster", roster)
    assert not Import.objects.exists()


def test_an_editor_may_take_no_file_for_a_roster(staff: Callable[[str], str], editor: User, stranger: User) -> None:
    with pytest.raises(CommandError, match="You may not deactivate people who are not in the file"):
        run(staff("username\nedgar\n"), "--roster", "everybody", "--actor", "edgar")
    assert not User.objects.filter(is_active=False).exists()


def test_what_was_changed_since_the_export_is_left_out_unless_told_otherwise(
    staff: Callable[[str], str], make_person: Callable[..., User]
) -> None:
    ada = make_person("ada", location="London")
    edited = exported().replace("London", "Paris")
    ada.profile.location = "Rome"
    ada.save()
    _code, out, _err = run(staff(edited))
    assert "1 left out, changed here since the export; --overtakes takes them." in out
    assert Profile.objects.get(user=ada).location == "Rome"
    run(staff(edited), "--overtakes")
    assert Profile.objects.get(user=ada).location == "Paris"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_and_a_pipe_stays_quiet(staff: Callable[[str], str]) -> None:
    terminal = Terminal()
    call_command("import_users", staff("username\nada\n"), stdout=io.StringIO(), stderr=terminal)
    assert "[##############################] 100%  1 rows" in terminal.getvalue()
    pipe = io.StringIO()
    with Progress(pipe, 1) as progress:
        progress.show(Import(cursor=1))
    assert pipe.getvalue() == ""


@pytest.mark.django_db(transaction=True)
def test_it_waits_its_turn_while_another_import_writes_and_says_so(staff: Callable[[str], str]) -> None:
    other = Import.objects.create(state=Import.State.APPLYING, filename="other.csv", by_operator=True, size=1)
    assert other.take_lease("another worker")

    def finish() -> None:
        Import.objects.filter(pk=other.pk).update(state=Import.State.DONE)
        connections.close_all()

    timer = threading.Timer(1, finish)
    timer.start()
    code, out, err = run(staff("username\nbob\n"))
    timer.join()
    assert code == 0
    assert f"Waiting for import {other.pk} (other.csv) to finish." in err
    assert out.startswith("Done: 1 new")


def test_interrupted_it_says_what_is_stored(staff: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("users_profiles.management.progress.Progress.show", interrupt)
    with pytest.raises(CommandError, match=r"^Stopped\. 1 rows are dealt with") as stopped:
        run(staff("username\nada\n"))
    assert stopped.value.returncode == 130
    assert Import.objects.get().state == "cancelled"


def shell(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "manage.py", *arguments]
    own = environment(Path(settings.MEDIA_ROOT))
    return subprocess.run(command, cwd=settings.BASE_DIR, env=own, input=stdin, capture_output=True)


@pytest.mark.django_db(transaction=True)
def test_in_a_pipe_it_reads_standard_input_and_prints_nothing_but_the_object() -> None:
    done = shell("import_users", "-", "--json", stdin="Benutzername;Vorname\nada;Zoë\nböb\n".encode("cp1252"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert json.loads(done.stdout)["created"] == 2
    assert User.objects.get(username="ada").first_name == "Zoë"
    refused = shell("import_users", "-", "--json", stdin=b"username,email\nada,nonsense\n")
    assert (refused.returncode, json.loads(refused.stdout)["refused"]) == (2, 1)
    nothing = shell("import_users", "-", "--json", stdin=b"username,is_staff\nada,1\n")
    assert nothing.returncode == 1
    assert "has the column is_staff" in json.loads(nothing.stdout)["error"]
    assert b"has the column is_staff" in nothing.stderr
    wrong = shell("import_users", "-", "--mode", "everything")
    assert (wrong.returncode, wrong.stdout) == (1, b"")  # and not 2, which says that the others were taken


@pytest.mark.django_db(transaction=True)
def test_four_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for rows in (50_000, 200_000):
        path = tmp_path / f"{rows}.csv"
        with path.open("w") as file:
            file.write("username,email,first_name,location\n")
            file.writelines(f"u{rows}x{at},u{rows}x{at}@example.com,Person {at},Berlin\n" for at in range(rows))
        done = shell("import_users", str(path), "--json")
        figures = json.loads(done.stdout)
        assert figures["created"] == rows
        peaks.append(figures["peak_memory_mb"])
    assert peaks[1] < peaks[0] * 1.2, peaks
    assert peaks[1] < 200


# Undo and retention -------------------------------------------------------------------------------------------------


def test_an_import_is_undone_after_a_look_at_what_that_would_do(staff: Callable[[str], str]) -> None:
    run(staff("username\nada\nbob\n"))
    job = Import.objects.get()
    out = io.StringIO()
    call_command("undo_import", str(job.pk), "--dry-run", stdout=out)
    assert out.getvalue().startswith("Nothing is written. Would be: 2 removed")
    assert User.objects.count() == 2
    out = io.StringIO()
    call_command("undo_import", str(job.pk), stdout=out)
    assert out.getvalue().startswith("Done: 2 removed")
    assert not User.objects.exists()
    with pytest.raises(CommandError, match="nothing that can be undone"):
        call_command("undo_import", str(job.pk))
    with pytest.raises(CommandError, match="There is no import 4711"):
        call_command("undo_import", "4711")
