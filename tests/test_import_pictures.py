"""The command that imports pictures, for pipelines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.archives import RED, picture_of, zipped
from users_profiles.models import Import, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(tmp_path: Path) -> Callable[..., str]:
    """The path of an archive of red pictures of these people."""

    def of(*names: str) -> str:
        path = tmp_path / "team.zip"
        path.write_bytes(zipped({f"{name}.png": RED for name in names}))
        return str(path)

    return of


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_pictures", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_it_gives_people_their_pictures_and_the_history_says_who_did(
    team: Callable[..., str], stranger: User, superuser: User
) -> None:
    assert told(team("stan", "root")) == "2 added, 0 replaced, 0 unchanged, 0 refused.\n"
    assert picture_of(stranger)
    job = Import.objects.get()
    assert (job.by_operator, job.filename, job.state) == (True, "team.zip", "done")


def test_a_dry_run_changes_nothing_and_keeps_nothing(team: Callable[..., str], stranger: User) -> None:
    assert told(team("stan"), "--dry-run") == "1 added, 0 replaced, 0 unchanged, 0 refused.\n"
    assert not picture_of(stranger)
    assert not Import.objects.exists()


def test_json_is_one_object_and_some_refused_is_exit_status_2(team: Callable[..., str], stranger: User) -> None:
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_pictures", team("stan", "ghost"), "--json", stdout=out, stderr=err)
    assert ended.value.code == 2
    key = Import.objects.get().pk
    expected = {"import": key, "added": 1, "replaced": 0, "unchanged": 0, "refused": 1, "pictures": 2}
    assert json.loads(out.getvalue()) == expected
    assert err.getvalue() == ""


def test_json_is_printed_too_when_nothing_was_done(team: Callable[..., str]) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_pictures", team("stan"), "--actor", "nemo", "--json", stdout=out, stderr=io.StringIO())
    assert json.loads(out.getvalue()) == {"error": "There is nobody with the username 'nemo'."}


def test_refused_pictures_are_named_with_the_reason(team: Callable[..., str]) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("import_pictures", team("ghost"), stdout=io.StringIO(), stderr=err)
    assert err.getvalue().startswith("ghost.png: Nobody has the username or e-mail ghost.")


def test_it_acts_with_the_rights_of_the_actor(team: Callable[..., str], editor: User, admin: User) -> None:
    with pytest.raises(SystemExit):
        told(team("alice"), "--actor", "EDGAR")
    assert Import.objects.get().owner == editor
    assert not picture_of(admin)


def test_an_actor_who_may_not_import_gets_the_reason(team: Callable[..., str], stranger: User) -> None:
    with pytest.raises(CommandError, match="You may not import people any more"):
        told(team("stan"), "--actor", "stan")
    assert not picture_of(stranger)


def test_nothing_done_says_why(team: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is nobody with the username 'nemo'"):
        told(team("stan"), "--actor", "nemo")
    with pytest.raises(CommandError, match="No such file"):
        told(str(tmp_path / "absent.zip"))
    (tmp_path / "people.csv").write_text("username\nada\n")
    with pytest.raises(CommandError, match="This is not a ZIP archive"):
        told(str(tmp_path / "people.csv"))
    assert not Import.objects.exists()
