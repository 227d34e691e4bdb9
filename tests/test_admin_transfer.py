"""Import and export as staff click through them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.import_pages import UPLOAD, choose, page, upload
from tests.importing import SAMPLE
from tests.people import Browse
from users_profiles.models import Import, User

pytestmark = pytest.mark.django_db

EXPORT = reverse("admin:users_profiles_user_export")


def test_the_sample_goes_from_upload_to_people(browse: Browse, editor: User) -> None:
    client = browse(editor)
    columns = client.get(upload(client, SAMPLE.read_bytes()).url)
    assert "Employee Number" in columns.content.decode()

    job = Import.objects.get()
    preview = choose(client, job).content.decode()
    assert "Nothing has been changed yet" in preview
    assert "Import: add 100, change 0" in preview
    assert "Ignored columns: Address, City" in preview
    assert User.objects.count() == 1

    result = client.post(page("apply", job), follow=True).content.decode()
    assert "100 people added, 0 changed." in result
    assert "Choose whom to invite" in result
    assert User.objects.count() == 101


def test_a_check_says_which_country_was_meant_where_a_number_names_none(browse: Browse, editor: User) -> None:
    client = browse(editor)
    for number, is_guessed in (("+49 30 123456", False), ("0049 30 123456", False), ("(415) 555-2671", True)):
        upload(client, f"username,phone\nada,{number}\n".encode())
        checked = choose(client, Import.objects.latest("pk"), region="US").content.decode()
        assert (
            "Phone numbers without a country code are taken to be from United States (+1)." in checked
        ) == is_guessed


def test_the_preview_shows_old_and_new_and_what_is_refused(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", location="Berlin")
    client = browse(editor)
    upload(client, b"username,Ort,E-mail\nada,Paris,\nbob,Rome,nonsense\n")
    job = Import.objects.get()
    # What must be mended comes first.
    refused = choose(client, job).content.decode()
    assert "1 row is refused and would not be imported." in refused
    changed = client.get(page("change", job), {"show": "changed"}).content.decode()
    assert "<del>Berlin</del> → <ins>Paris</ins>" in changed
    for part in (">E-mail</label>", 'value="nonsense"', ">This is not an e-mail address."):
        assert part in refused


def test_pasted_cells_are_a_file_too(browse: Browse, editor: User) -> None:
    client = browse(editor)
    client.post(UPLOAD, {"pasted": "Username\tE-mail\nada\tada@example.com\n"})
    job = Import.objects.get()
    assert job.options["delimiter"] == "\t"
    choose(client, job)
    client.post(page("apply", job))
    assert User.objects.get(username="ada").email == "ada@example.com"


def test_a_column_nobody_may_set_is_refused_by_name_and_nothing_is_kept(browse: Browse, superuser: User) -> None:
    for header in (b"is_superuser", b"is_staff", b"password", b"user_permissions"):
        answer = upload(browse(superuser), b"username," + header + b"\nada,1\n")
        assert answer.status_code == 200
        assert f"This file has the column {header.decode()}, which cannot be imported." in answer.content.decode()
    assert not Import.objects.exists()
    assert User.objects.count() == 1


def test_an_upload_without_a_file_says_what_to_do(browse: Browse, editor: User) -> None:
    assert "Choose a file, or paste some cells." in browse(editor).post(UPLOAD, {}).content.decode()


def test_a_hostile_name_and_hostile_cells_are_inert(browse: Browse, editor: User) -> None:
    client = browse(editor)
    script = "<script>alert(1)</script>"
    upload(client, f'username,location,"{script}"\nada,{script},x\n{script},x,x\n'.encode(), name=f"{script}.csv")
    job = Import.objects.get()
    pages = [client.get(page("columns", job)), choose(client, job)]
    pages += [client.get(page("change", job), {"show": show}) for show in ("new", "refused")]
    pages.append(client.get(reverse("admin:users_profiles_import_changelist")))
    for answer in pages:
        assert script not in answer.content.decode()
        assert answer.status_code == 200


def test_two_columns_for_one_field_are_named_and_can_be_mended(browse: Browse, editor: User) -> None:
    client = browse(editor)
    upload(client, b"username,Phone,Mobile\nada,502-710-6094,502-710-6095\n")
    job = Import.objects.get()
    assert "Phone / Mobile are both taken for Phone number" in choose(client, job).content.decode()
    assert "Import: add 1" in choose(client, job, column_1="").content.decode()


def test_the_refused_rows_come_back_as_a_file_that_can_be_mended(browse: Browse, editor: User) -> None:
    client = browse(editor)
    upload(client, "Username;E-mail;Notiz\nada;nonsense;Größe\nbob;bob@example.com;x\n".encode("cp1252"))
    job = Import.objects.get()
    choose(client, job)
    answer = client.get(page("refused", job))
    text = b"".join(answer.streaming_content).decode("cp1252")  # type: ignore[attr-defined]
    header, row = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert header == ["Username", "E-mail", "Notiz", "error"]
    assert row[:3] == ["ada", "nonsense", "Größe"]
    assert row[3].startswith("Row 2. E-mail: This is not an e-mail address.")
    upload(client, text.replace("nonsense", "ada@example.com").encode("cp1252"))
    mended = Import.objects.exclude(pk=job.pk).get()
    assert "Import: add 1" in choose(client, mended).content.decode()


def test_a_large_file_is_left_to_the_worker_and_shows_progress(
    browse: Browse, editor: User, settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.IMPORT_SYNC_ROWS = 1
    client = browse(editor)
    upload(client, b"username\nada\nbob\n")
    job = Import.objects.get()
    with django_capture_on_commit_callbacks() as queued:
        waiting = choose(client, job)
    assert "You can leave this page" in waiting.content.decode()
    assert client.get(page("progress", job)).json()["under_way"] is True
    for callback in queued:
        callback()
    assert client.get(page("progress", job)).json()["under_way"] is False
    assert "Import: add 2" in client.get(page("change", job)).content.decode()


def test_a_cancelled_check_can_no_longer_be_applied(browse: Browse, editor: User, settings: Any) -> None:
    settings.IMPORT_SYNC_ROWS = 0
    client = browse(editor)
    upload(client, b"username\nada\n")
    job = Import.objects.get()
    choose(client, job)
    client.post(page("cancel", job))
    client.post(page("apply", job))
    job.refresh_from_db()
    assert job.state == Import.State.CANCELLED
    assert User.objects.count() == 1


def test_an_import_is_applied_once_however_often_the_button_is_pressed(browse: Browse, editor: User) -> None:
    client = browse(editor)
    upload(client, b"username\nada\n")
    job = Import.objects.get()
    choose(client, job)
    for _click in range(2):
        assert client.post(page("apply", job), follow=True).status_code == 200
    job.refresh_from_db()
    assert (job.state, job.created, User.objects.count()) == ("done", 1, 2)


@pytest.mark.parametrize("name", ["columns", "apply", "cancel", "invite", "progress", "refused", "change"])
def test_somebody_elses_import_does_not_exist_for_me(
    browse: Browse, editor: User, make_person: Callable[..., User], name: str
) -> None:
    upload(browse(make_person("other", role="Editor")), b"username\nada\n")
    job = Import.objects.get()
    client = browse(editor)
    method = client.post if name in {"apply", "cancel", "invite"} else client.get
    assert method(page(name, job)).status_code == 404


def test_an_admin_sees_everybodys_imports_but_acts_on_none_but_his_own(
    browse: Browse, editor: User, admin: User
) -> None:
    upload(browse(editor), b"username\nada\n")
    job = Import.objects.get()
    choose(browse(editor), job)
    assert browse(admin).get(page("change", job)).status_code == 200
    assert browse(admin).post(page("apply", job)).status_code == 404
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.parametrize(
    ("state", "title"),
    [("uploaded", "Import not checked yet"), ("failed", "Import failed"), ("done", "Import finished")],
)
def test_an_import_is_called_what_it_is_to_whoever_else_looks(
    browse: Browse, admin: User, editor: User, state: str, title: str
) -> None:
    upload(browse(editor), b"username\nada\n")
    Import.objects.update(state=state)
    seen = browse(admin).get(reverse("admin:users_profiles_import_change", args=[Import.objects.get().pk]))
    assert f"<h1>{title}</h1>" in seen.content.decode()


@pytest.mark.parametrize("who", ["reader", "stranger"])
def test_who_may_not_import_gets_nowhere(browse: Browse, who: str, request: pytest.FixtureRequest) -> None:
    client = browse(request.getfixturevalue(who))
    history = reverse("admin:users_profiles_import_changelist")
    confirm = reverse("admin:users_profiles_user_process_import")
    assert client.get(UPLOAD, follow=True).status_code == 403
    assert client.get(history, follow=True).status_code == 403
    assert upload(client, b"username\nada\n").status_code == 403
    assert client.post(confirm, {"import_file_name": "/etc/passwd"}).status_code == 403
    for name in ("columns", "apply", "cancel", "invite", "progress", "refused"):
        address = reverse(f"admin:users_profiles_import_{name}", args=[4711])
        method = client.post if name in {"apply", "cancel", "invite"} else client.get
        assert method(address).status_code in {403, 404}
    assert not Import.objects.exists()


@pytest.mark.parametrize("key", ["abc", "1.5", "9" * 40, "9" * 5000, "-1", "²"])
def test_an_address_that_is_no_import_is_not_found(browse: Browse, editor: User, key: str) -> None:
    assert browse(editor).get(f"/admin/users_profiles/import/{key}/change/").status_code == 404


def test_the_librarys_confirm_page_takes_no_file_names(browse: Browse, superuser: User) -> None:
    confirm = reverse("admin:users_profiles_user_process_import")
    data = {"import_file_name": "x", "original_file_name": "x.csv", "format": "0", "resource": "0"}
    assert browse(superuser).post(confirm, data).status_code == 404


def test_nobody_is_sent_to_sign_in(browse: Browse) -> None:
    for address in (UPLOAD, EXPORT, reverse("admin:users_profiles_import_changelist")):
        answer = browse(None).get(address)
        assert answer.status_code == 302
        assert "login" in answer.url
