"""Files in the hands of staff: who may send them in, whose they are, and what is written down about them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.importing import check
from users_profiles.models import Export, Import, TrailEntry, User

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
IMPORT, PROCESS, EXPORT = (
    reverse(f"admin:users_profiles_user_{name}") for name in ("import", "process_import", "export")
)
OF_ONE_IMPORT = ("columns", "change", "apply", "tick", "cancel", "undo", "refused")


def sheet(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("staff.csv", text.encode())


@pytest.fixture
def viewer(make_person: Callable[..., User]) -> User:
    """Staff with ``view_user`` and nothing else."""
    person = make_person("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_user", content_type__app_label="users_profiles"))
    return User.objects.get(pk=person.pk)


@pytest.mark.parametrize("who", ["viewer", "reader", "stranger"])
def test_a1_who_may_only_look_gets_no_import_page_and_writes_nothing(
    browse: Browse, request: pytest.FixtureRequest, who: str
) -> None:
    client, before = browse(request.getfixturevalue(who)), User.objects.count()
    for address in (IMPORT, PROCESS):
        assert client.get(address).status_code == 403
        assert client.post(address, {"file": sheet("username,is_superuser\nevil,1\n")}).status_code == 403
    assert (User.objects.count(), Import.objects.count()) == (before, 0)


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_a1_who_may_only_look_gets_no_export(browse: Browse, request: pytest.FixtureRequest, who: str) -> None:
    client = browse(request.getfixturevalue(who))
    assert client.get(EXPORT).status_code == 403
    assert client.post(EXPORT, {"format": "csv", "columns": ["username"]}).status_code == 403
    assert not Export.objects.exists()


@pytest.mark.parametrize("column", ["is_superuser", "is_staff", "password", "user_permissions"])
@pytest.mark.parametrize("who", ["superuser", "admin", "editor"])
def test_a2_a_column_that_gives_the_house_away_is_refused_by_name(
    browse: Browse, request: pytest.FixtureRequest, who: str, column: str
) -> None:
    client = browse(request.getfixturevalue(who))
    answer = client.post(IMPORT, {"file": sheet(f"username,{column}\nevil,1\n")})
    assert f"This file has the column {column}, which cannot be imported." in answer.content.decode()
    assert not User.objects.filter(username="evil").exists()
    assert not Import.objects.exists()


@pytest.mark.parametrize("name", OF_ONE_IMPORT)
def test_a9_somebody_elses_upload_is_not_there(browse: Browse, admin: User, editor: User, name: str) -> None:
    job = check("username\nnew\n", admin)
    address = reverse(f"admin:users_profiles_import_{name}", args=[job.pk])
    assert {browse(editor).get(address).status_code, browse(editor).post(address).status_code} <= {404, 405}
    assert browse(editor).post(address).status_code == 404
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED
    assert not User.objects.filter(username="new").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "imports/of-somebody", "/etc/passwd"])
def test_a9_no_name_of_a_file_is_taken_from_a_form(browse: Browse, superuser: User, name: str) -> None:
    sent = {"import_file_name": name, "original_file_name": "x.csv", "format": "0", "resource": ""}
    assert browse(superuser).post(PROCESS, sent).status_code == 404


def test_e1_an_import_and_an_export_are_written_down_with_who_what_and_fingerprint(
    browse: Browse, editor: User
) -> None:
    job: Any = check("username,location\nnew,Berlin\n", editor)
    assert (job.owner, job.total, job.options["mapping"]) == (editor, 1, ["username", "location"])
    assert job.digest == hashlib.sha256(b"username,location\nnew,Berlin\n").hexdigest()

    columns = ["username", "phone_number"]
    answer = browse(editor).post(f"{EXPORT}?q=edgar", {"format": "csv", "columns": columns})
    data = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    export = Export.objects.get()
    assert (export.owner, export.query, export.columns, export.cursor) == (editor, "q=edgar", columns, 1)
    assert export.digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("who", ["admin", "editor"])
def test_e1_who_is_shown_private_fields_is_noted(
    browse: Browse, stranger: User, request: pytest.FixtureRequest, who: str
) -> None:
    actor = request.getfixturevalue(who)
    for address in (reverse("admin:users_profiles_user_change", args=[stranger.pk]), EXPORT):
        browse(actor).get(address)
        assert TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS, actor=actor).exists(), address
        TrailEntry.objects.all()._raw_delete("default")


def test_e1_a_reader_is_shown_none_and_so_not_noted(browse: Browse, reader: User, stranger: User) -> None:
    for address in (reverse("admin:users_profiles_user_change", args=[stranger.pk]), EXPORT):
        assert browse(reader).get(address).status_code == 200
    assert not TrailEntry.objects.filter(action=TrailEntry.Action.ACCESS).exists()
