"""Reports from the command line: send_reports for cron, and export_users --report."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from tests.reporting import saved
from users_profiles.models import Delivery, Export, User
from users_profiles.models.mails import DELAYS

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """Call a command; what it printed to standard output and to standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_what_is_due_is_sent_and_counted(admin: User, editor: User, reader: User) -> None:
    saved(admin, to=[editor, reader], columns=["username", "phone_number"])
    said, _err = run("send_reports")
    # The other mail is to the owner: somebody was left out.
    assert said == "1 reports were due: 2 mails sent, 1 people left out, 0 mails given up.\n"
    assert run("send_reports")[0].startswith("0 reports were due: 0 mails sent")


def test_a_dry_run_says_who_would_get_what_and_sends_nothing(admin: User, editor: User, reader: User) -> None:
    assert run("send_reports", "--dry-run")[0] == "Nothing is due.\n"
    saved(admin, "Phones", to=[editor, reader], columns=["username", "phone_number"])
    said = run("send_reports", "--dry-run")[0].splitlines()
    assert said == ["Phones to edgar", "Phones to rita: left out, may not see Phone number"]
    assert not mail.outbox
    assert not Export.objects.exists()
    assert not Delivery.objects.exists()


def test_it_ends_with_one_when_a_mail_was_given_up(admin: User, editor: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.test_report_mails.DownBackend"
    saved(admin, to=[editor])
    run("send_reports")
    Delivery.objects.update(attempts=len(DELAYS), try_at=Delivery.objects.get().run_at)
    with pytest.raises(SystemExit) as ended:
        run("send_reports")
    assert ended.value.code == 1


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_a_report_is_run_by_its_name_or_its_number(tmp_path: Path, editor: User, reader: User, ada: User) -> None:
    report = saved(editor, "Fire wardens", query="role=Editor", columns=["email", "username"])
    path = tmp_path / "people.csv"
    for name in ("fire WARDENS", str(report.pk)):
        run("export_users", "--report", name, "-o", str(path))
        assert rows(path) == [{"email": "edgar@example.com", "username": "edgar"}]
    assert set(Export.objects.values_list("report", "title", "by_operator")) == {(report.pk, "Fire wardens", True)}


def test_without_a_file_it_is_called_as_the_report_is(
    tmp_path: Path, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(editor, "Fire wardens", format="jsonl")
    run("export_users", "--report", "Fire wardens")
    assert [path.name for path in tmp_path.iterdir()] == [Export.objects.get().filename]
    assert Export.objects.get().filename.endswith(".jsonl")


def test_what_changed_is_a_file_too(tmp_path: Path, editor: User, ada: User) -> None:
    saved(editor, "Changes", kind="changes")
    path = tmp_path / "changes.csv"
    said, _err = run("export_users", "--report", "Changes", "-o", str(path))
    assert said.split()[1] == "changes"
    assert {row["what"] for row in rows(path)} == {"Joined"}


def test_an_actor_gets_what_they_may_see_of_reports_they_may_use(
    tmp_path: Path, editor: User, reader: User, ada: User
) -> None:
    saved(editor, "Shared", sharing="staff", columns=["username", "phone_number"])
    saved(editor, "Mine")
    saved(editor, "Private", sharing="staff", query="birthday=12")
    path = tmp_path / "people.csv"
    _said, err = run("export_users", "--report", "Shared", "--actor", "rita", "-o", str(path))
    assert "Phone number" in err
    assert list(rows(path)[0]) == ["username"]
    for name in ("Mine", "Private", "Nothing", "99999999999999999999"):
        with pytest.raises(CommandError):
            run("export_users", "--report", name, "--actor", "rita", "-o", str(path))


def test_two_reports_of_one_name_are_told_apart_by_number(tmp_path: Path, editor: User, admin: User) -> None:
    first, second = saved(editor, "List"), saved(admin, "list")
    with pytest.raises(CommandError, match=f"{first.pk}, {second.pk}"):
        run("export_users", "--report", "List", "-o", str(tmp_path / "x.csv"))
    with pytest.raises(CommandError, match="brings its own"):
        run("export_users", "--report", str(first.pk), "--query", "q=a")


def test_what_changed_is_exported_between_days(admin: User, tmp_path: Path) -> None:
    saved(admin, "Changes", kind="changes", columns=["location"])
    saved(admin, "People")
    path = tmp_path / "changes.csv"
    for days, joined in (([], True), (["--until", "2020-12-31", "--since", "2020-01-01"], False)):
        run("export_users", "--report", "Changes", "-o", str(path), *days)
        assert ("Joined" in path.read_text(encoding="utf-8-sig")) == joined
    for arguments, said in (
        (["--report", "People", "--since", "2020-01-01"], "it has no days"),
        (["--since", "2020-01-01"], "are for a --report of what changed"),
        (["--report", "Changes", "--since", "soon"], "is no day"),
        (["--report", "Changes", "--since", "2020-02-01", "--until", "2020-01-01"], "no time between"),
    ):
        with pytest.raises(CommandError, match=said):
            run("export_users", *arguments)
