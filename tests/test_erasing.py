"""Erasing a person: who may, what is asked first, what goes, what stays. Security check E4 looks at the whole store."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.admin_pages import USERS, messages_of, save, user_page
from tests.importing import apply, check
from tests.people import PASSWORD, Browse
from users_profiles.models import Export, Import, ImportRow, Report, Role, TrailEntry, User
from users_profiles.privacy import erasing, uploads
from users_profiles.privacy.names import Names, names_of
from users_profiles.transfer import intake, retention, undo_import


def page(person: User) -> str:
    return reverse("admin:users_profiles_user_erase", args=[person.pk])


def exists(person: User) -> bool:
    return User.objects.filter(pk=person.pk).exists()


def upload(content: bytes, name: str = "staff.csv") -> Import:
    return intake.receive(ContentFile(content, name=name), name, None)


# Who may, and what is asked


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("admin", "ada", 302),
        ("admin", "editor", 302),
        ("admin", "admin", 200),
        ("admin", "superuser", 200),
        ("superuser", "admin", 302),
        ("superuser", "superuser", 200),
        ("editor", "ada", 403),
        ("reader", "ada", 403),
        ("stranger", "ada", 403),
    ],
)
def test_admins_erase_whom_they_may_delete_but_nobody_themselves_or_a_superuser(
    request: pytest.FixtureRequest, browse: Browse, who: str, whose: str, status: int
) -> None:
    actor, person = request.getfixturevalue(who), request.getfixturevalue(whose)
    client = browse(actor)
    assert client.get(page(person)).status_code == (403 if status == 403 else 200)
    assert client.post(page(person), {"username": person.username}).status_code == status
    assert exists(person) == (status != 302)


def test_the_page_offers_it_to_who_may(browse: Browse, admin: User, editor: User, superuser: User, ada: User) -> None:
    assert page(ada) in browse(admin).get(user_page(ada)).content.decode()
    assert page(admin) not in browse(admin).get(user_page(admin)).content.decode()
    assert page(superuser) not in browse(admin).get(user_page(superuser)).content.decode()
    assert page(ada) not in browse(editor).get(user_page(ada)).content.decode()


def test_a_superuser_is_no_superuser_any_more_before_they_are_erased(browse: Browse, superuser: User) -> None:
    second = User.objects.create_superuser("second", "second@example.com")
    html = browse(superuser).get(page(second)).content.decode()
    assert "Superusers cannot be erased." in html
    assert '<form method="post" class="card"' not in html


@pytest.mark.parametrize("typed", ["", "Ada", "adaa", "ada lovelace"])
def test_the_username_is_typed_exactly(browse: Browse, admin: User, ada: User, typed: str) -> None:
    response = browse(admin).post(page(ada), {"username": typed})
    assert response.status_code == 200
    assert exists(ada)


def test_files_of_one_name_are_told_apart_by_their_time(browse: Browse, admin: User, ada: User) -> None:
    for hour in (8, 15):
        job = upload(b"username\nada\n")
        Import.objects.filter(pk=job.pk).update(uploaded_at=datetime(2026, 3, 1, hour, 30, tzinfo=UTC))
    html = browse(admin).get(page(ada)).content.decode()
    for clock in ("08:30", "15:30"):
        assert f"staff.csv, imported 1 Mar 2026, {clock}: none of its rows can be taken back any more" in html


def test_an_old_sign_in_proves_itself_again(browse: Browse, admin: User, ada: User, settings: Any) -> None:
    settings.REAUTHENTICATE_AFTER = 0
    client = browse(admin)
    assert 'name="own_password"' in client.get(page(ada)).content.decode()
    assert "Type your own password: you delete people." in client.post(page(ada), {"username": "ada"}).content.decode()
    assert (
        "This is not your password."
        in client.post(page(ada), {"username": "ada", "own_password": "wrong"}).content.decode()
    )
    assert exists(ada)
    assert client.post(page(ada), {"username": "ada", "own_password": PASSWORD}).status_code == 302
    assert not exists(ada)


def test_who_has_no_password_proves_it_in_another_tab(browse: Browse, admin: User, ada: User, settings: Any) -> None:
    settings.REAUTHENTICATE_AFTER = 0
    client = browse(admin)
    admin.set_unusable_password()
    admin.save(update_fields=["password"])
    client.force_login(admin)
    assert 'name="own_password"' not in client.get(page(ada)).content.decode()
    html = client.post(page(ada), {"username": "ada"}).content.decode()
    assert "Show that it is you, then send this again:" in html
    assert 'target="_blank"' in html
    assert exists(ada)


def test_while_an_import_is_under_way_nobody_is_erased(browse: Browse, admin: User, ada: User) -> None:
    job = upload(b"username\nada\n")
    assert job.start_apply(unchecked=True)
    response = browse(admin).post(page(ada), {"username": "ada"})
    assert "An import is under way" in response.content.decode()
    assert exists(ada)
    with pytest.raises(erasing.NotErased):
        erasing.erase(ada, None)


def test_somebody_who_was_deleted_meanwhile_is_told_apart(ada: User) -> None:
    person = User.objects.with_profile().get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).delete()
    with pytest.raises(erasing.NotErased, match="Somebody has deleted this person meanwhile"):
        erasing.erase(person, None)


def test_somebody_who_became_a_superuser_meanwhile_stays(ada: User) -> None:
    person = User.objects.with_profile().get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).update(is_superuser=True)
    with pytest.raises(erasing.NotErased, match="Superusers"):
        erasing.erase(person, None)
    assert exists(ada)


# What is shown before


def test_it_says_before_what_goes_and_what_stays(browse: Browse, admin: User, editor: User, ada: User) -> None:
    job = apply("username,first_name\nada,Augusta\n", admin)
    html = browse(admin).get(page(ada)).content.decode()
    for text in ("Account and profile", "Rows of imports", "Entries of the history about them", job.filename):
        assert text in html
    assert exists(ada)
    assert ImportRow.objects.get(job=job).label == "Ada Lovelace"


# What goes, what stays


def test_afterwards_the_list_says_what_was_done(
    browse: Browse, admin: User, ada: User, django_capture_on_commit_callbacks: Any
) -> None:
    job = apply("username,first_name\nada,Augusta\n", admin)
    with django_capture_on_commit_callbacks(execute=True):
        response = browse(admin).post(page(ada), {"username": "ada"}, follow=True)
    assert messages_of(response) == [
        f"Erased person {ada.pk}: nothing that tells who it was is kept.",
        "1 file was deleted with it.",
    ]
    assert response.redirect_chain[0][0] == USERS
    storage, name = job.file.storage, job.file.name
    assert not storage.exists(name)


def test_the_trail_keeps_the_number_the_moment_and_the_field(browse: Browse, admin: User, ada: User) -> None:
    save(browse(admin), user_page(ada), last_name="King")
    whens = list(TrailEntry.objects.filter(object_id=ada.pk).order_by("pk").values_list("timestamp", flat=True))
    erasing.erase(User.objects.with_profile().get(pk=ada.pk), admin)
    entries = list(TrailEntry.objects.filter(object_id=ada.pk).order_by("pk"))
    assert [entry.timestamp for entry in entries[:-1]] == whens
    assert {entry.object_repr for entry in entries} == {f"Erased person {ada.pk}"}
    changed = next(entry for entry in entries[1:] if "last_name" in entry.changes)
    assert (changed.changes["last_name"], changed.actor_name) == ([None, None], "Alice Admin")
    assert entries[-1].action == TrailEntry.Action.DELETE


def test_of_who_acted_the_number_stays_and_neither_name_nor_address(
    browse: Browse, admin: User, editor: User, ada: User
) -> None:
    save(browse(editor), user_page(ada), last_name="King")
    erasing.erase(User.objects.with_profile().get(pk=editor.pk), admin)
    entry = TrailEntry.objects.get(actor_id=editor.pk, object_id=ada.pk, action=TrailEntry.Action.UPDATE)
    assert (entry.actor_name, entry.remote_addr) == (f"Erased person {editor.pk}", None)
    assert entry.changes["last_name"] == ["Lovelace", "King"]


def test_sessions_end_also_those_that_nobody_noted(browse: Browse, admin: User, ada: User) -> None:
    client, other = browse(ada), browse(admin)
    for one in (client, other):
        one.get(reverse("profile"))
    assert Session.objects.count() == 2
    erasing.erase(User.objects.with_profile().get(pk=ada.pk), None)
    assert [one.get_decoded()["_auth_user_id"] for one in Session.objects.all()] == [str(admin.pk)]


def test_own_reports_go_and_shared_ones_stay_without_an_owner(editor: User, admin: User) -> None:
    Report.objects.create(name="Mine", owner=editor)
    Report.objects.create(name="Ours, by Edgar Editor", owner=editor, sharing=Report.Sharing.STAFF, query="q=edgar")
    erasing.erase(User.objects.with_profile().get(pk=editor.pk), admin)
    [report] = Report.objects.all()
    assert (report.owner, report.name) == (None, f"Ours, by Erased person {editor.pk}")
    assert "edgar" not in report.query


def test_exports_lose_the_files_that_may_have_them(admin: User, ada: User, stranger: User) -> None:
    def made(keys: list[int] | None) -> Export:
        export = Export.objects.create(owner=admin, keys=keys)
        assert export.start_making()
        export.file.storage.save(str(export.file.name), ContentFile(b"x"))
        export.finish(1, 1, "")
        return export

    everybody, hers, others = made(None), made([ada.pk]), made([stranger.pk])
    done = erasing.erase(User.objects.with_profile().get(pk=ada.pk), admin)
    assert done.exports == [everybody, hers]
    assert [bool(Export.objects.get(pk=one.pk).file) for one in (everybody, hers, others)] == [False, False, True]


def test_an_export_that_is_being_made_is_stopped(admin: User, ada: User) -> None:
    export = Export.objects.create(owner=admin)
    assert export.start_making()
    erasing.erase(User.objects.with_profile().get(pk=ada.pk), admin)
    assert Export.objects.get(pk=export.pk).state == Export.State.CANCELLED


def test_an_import_can_still_be_undone_for_everybody_else(admin: User, ada: User, stranger: User) -> None:
    job = apply("username,location\nada,Paris\nstan,Rome\n", admin)
    erasing.erase(User.objects.with_profile().get(pk=ada.pk), admin)
    job.refresh_from_db()
    assert job.start_undo(admin, write=True)
    undo_import.run(job)
    stranger.profile.refresh_from_db()
    assert stranger.profile.location == ""
    assert not exists(ada)


def test_retention_comes_by_afterwards_without_a_word(admin: User, ada: User) -> None:
    check("username\nada\n", admin)
    erasing.erase(User.objects.with_profile().get(pk=ada.pk), admin)
    assert retention.prune().files == 0


# Who is meant


def test_former_names_and_addresses_mean_them_too(browse: Browse, admin: User, ada: User) -> None:
    save(browse(admin), user_page(ada), email="new@example.com", last_name="King", username="augusta")
    names = names_of(User.objects.with_profile().get(pk=ada.pk))
    assert {"ada", "augusta", "ada@example.com", "new@example.com", "Ada King", "Ada Lovelace"} <= set(names.texts)
    assert "+44 20 7946 0000" in names.texts


def test_a_number_that_two_share_means_neither_however_it_is_written(
    ada: User, make_person: Callable[..., User], settings: Any
) -> None:
    settings.PHONE_DEFAULT_REGION = "GB"
    spelled = {"+442079460000", "+44 20 7946 0000", "020 7946 0000"}
    assert spelled <= set(names_of(User.objects.with_profile().get(pk=ada.pk)).texts)
    make_person("desk", phone_number="+442079460000")
    assert not spelled & set(names_of(User.objects.with_profile().get(pk=ada.pk)).texts)


def test_what_means_somebody_else_today_does_not_mean_them(
    browse: Browse, admin: User, ada: User, make_person: Callable[..., User]
) -> None:
    save(browse(admin), user_page(ada), email="new@example.com", username="augusta")
    make_person("ada2", email="ada@example.com", first_name="Ada", last_name="Lovelace")
    make_person("ada", email="third@example.com")
    names = names_of(User.objects.with_profile().get(pk=ada.pk))
    assert not {"ada", "ada@example.com", "Ada Lovelace"} & set(names.texts)
    assert "augusta" in names.texts


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("ada", True),
        ("It was ADA.", True),
        ("ada.png", True),
        ("q=ada&role=Editor", True),
        ("canada", False),
        ("ada.byron@example.com", False),
        ("ada-marie", False),
        ("armada", False),
        ("ada@example.com", True),
        ("xada@example.com", False),
        ("", False),
    ],
)
def test_only_whole_words_mean_somebody(text: str, is_meant: bool) -> None:
    assert Names(("ada", "ada@example.com")).mentioned_in(text) == is_meant


def test_nobody_is_meant_by_nothing() -> None:
    assert not Names(()).mentioned_in("anything")
    assert Names(()).without({"a": ["b"]}, "x") == {"a": ["b"]}


def test_a_name_is_taken_out_of_anything_made_of_texts() -> None:
    value = {"ada": ["by ada", {"n": 1, "x": None}], "note": "ada, ada"}
    assert Names(("ada",)).without(value, "#1") == {"#1": ["by #1", {"n": 1, "x": None}], "note": "#1, #1"}


# Which files mention them


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "mentions"),
    [
        (b"username,notes\nbob,asked by Ada Lovelace\n", True),
        (b"username,notes\nbob,asked by ada@example.com\n", True),
        ("username;notes\nbob;Zoë asked ada\n".encode("utf-16"), True),
        (b"username,notes\n" + b"bob,far before\n" * 150_000 + b"ada,\n", True),
        (b"username,location\nbob,Canada\n", False),
    ],
)
def test_a_file_is_read_as_it_is_written(ada: User, content: bytes, mentions: bool) -> None:
    job = upload(content)
    found = uploads.mentioning(ada, names_of(User.objects.with_profile().get(pk=ada.pk)))
    assert found == ([job] if mentions else [])


@pytest.mark.django_db
@pytest.mark.parametrize(("cell", "mentions"), [("ada", True), ("canada", False)])
def test_an_excel_file_is_looked_into(ada: User, cell: str, mentions: bool) -> None:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    book.active.append(["username", "notes"])
    book.active.append(["bob", cell])
    book.save(out)
    job = upload(out.getvalue(), "staff.xlsx")
    names = names_of(User.objects.with_profile().get(pk=ada.pk))
    assert uploads.mentioning(ada, names) == ([job] if mentions else [])


def test_a_file_that_is_gone_or_cannot_be_opened(ada: User) -> None:
    gone, broken = upload(b"username\nada\n"), upload(b"username\nbob\n")
    gone.file.storage.delete(gone.file.name)
    broken.file.storage.delete(broken.file.name)
    broken.file.storage.save(broken.file.name, ContentFile(b"PK\x03\x04" + b"\0" * 50 + b"PK\x05\x06" + b"\xff" * 18))
    names = names_of(User.objects.with_profile().get(pk=ada.pk))
    assert uploads.mentioning(ada, names) == [broken]


# The command


def test_the_command_shows_first_and_then_does(ada: User, admin: User) -> None:
    job = apply("username,first_name\nada,Augusta\n", admin)
    out = io.StringIO()
    call_command("erase_person", "ADA", dry_run=True, stdout=out)
    assert "Nothing is erased yet." in out.getvalue()
    assert f"Deleted as a whole: {job.filename}, import {job.pk}" in out.getvalue()
    assert exists(ada)
    call_command("erase_person", "ada", stdout=out)
    assert f"Erased person {ada.pk}: erased." in out.getvalue()
    assert not exists(ada)


def test_the_command_says_why_it_does_nothing(superuser: User) -> None:
    for username, why in (("nobody", "nobody with the username"), ("root", "Superusers cannot be erased")):
        with pytest.raises(CommandError, match=why):
            call_command("erase_person", username)
    assert exists(superuser)
    assert superuser.role != Role.ADMIN
