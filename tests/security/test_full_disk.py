"""A disk that is full (check B11): people are told in words, nothing is half written, and no part of a file stays.

The kernel itself refuses: in the middle of a file, as it does when there is no room left for the rest.
"""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.urls import reverse

from tests.admin_pages import filled_in, messages_of, user_page
from tests.data import images
from tests.import_pages import UPLOAD, upload
from tests.importing import take_in
from tests.people import Browse
from users_profiles import room
from users_profiles.avatars import NotStored
from users_profiles.models import Export, Import, Profile, TrailEntry, User
from users_profiles.transfer import importer, lease, tasks
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import making
from users_profiles.transfer.export.wanted import Wanted

pytestmark = pytest.mark.django_db(transaction=True)

FULL = "There is no room left"


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def full_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The storage has room for the first 100 bytes of a file; the database is somewhere else."""
    store = FileSystemStorage._save  # type: ignore[attr-defined]

    def cramped(self: FileSystemStorage, name: str, content: Any) -> str:
        with at_most(100):
            return str(store(self, name, content))

    with monkeypatch.context() as disk:
        disk.setattr(FileSystemStorage, "_save", cramped)
        yield disk


def stored_files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def shows_errors(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def test_b11_the_kernel_leaves_a_part_of_a_file_behind(full_storage: pytest.MonkeyPatch) -> None:
    """Which is what all the others are about."""
    with pytest.raises(OSError, match="File too large") as refused:
        default_storage.save("imports/one", ContentFile(b"x" * 1_000))
    assert room.is_lacking(refused.value)
    assert [path.stat().st_size for path in stored_files()] == [100]


def test_b11_a_picture_is_stored_whole_or_not_at_all(
    full_storage: pytest.MonkeyPatch, browse: Browse, ada: User
) -> None:
    client = browse(ada)
    typed = {"first_name": "Augusta", "avatar": images.upload(images.picture("PNG", (300, 300)))}
    content = client.post(reverse("profile_edit"), typed).content.decode()
    assert str(NotStored()) in content.replace("&#x27;", "'")
    assert stored_files() == []
    person = User.objects.with_profile().get(pk=ada.pk)
    assert (person.first_name, person.profile.avatar.name) == ("Ada", "")


def test_b11_an_upload_that_cannot_be_stored_is_no_import(
    full_storage: pytest.MonkeyPatch, browse: Browse, editor: User
) -> None:
    content = b"username,email\n" + b"".join(b"p%d,p%d@example.com\n" % (at, at) for at in range(100))
    answer = upload(browse(editor), content)
    assert answer.status_code == 200
    assert "could not be stored" in answer.content.decode()
    assert not Import.objects.exists()
    assert stored_files() == []
    with pytest.raises(FileRefused, match="could not be stored"):
        take_in(content.decode(), editor)
    full_storage.undo()
    assert upload(browse(editor), content).status_code == 302


def test_b11_an_upload_too_large_for_the_folder_of_temporary_files_is_answered_in_words(
    browse: Browse, editor: User
) -> None:
    client = shows_errors(browse(editor))
    large = SimpleUploadedFile("staff.csv", b"username\n" + b"ada\n" * 6_000_000)
    with at_most(20_000_000):  # more than the test's own database has
        answer = client.post(UPLOAD, {"file": large})
    assert (answer.status_code, FULL in answer.content.decode()) == (507, True)
    assert not Import.objects.exists()
    assert stored_files() == []


def test_b11_an_export_that_finds_no_room_fails_with_a_reason_and_can_be_made_again(
    full_storage: pytest.MonkeyPatch, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", bio="Long. " * 100)
    export = Wanted(editor, columns=["username", "email", "bio"]).entry(2)
    assert export.start_making()
    making.run(export)
    export.refresh_from_db()
    assert export.state == Export.State.FAILED
    assert FULL in export.failure
    assert stored_files() == []
    full_storage.undo()
    assert export.start_making()
    tasks.make(export)
    export.refresh_from_db()
    assert (export.state, [path.stat().st_size for path in stored_files()]) == (Export.State.DONE, [export.size])


# The database itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def full_database() -> Iterator[Callable[[], None]]:
    """SQLite has room for a few pages more than it has; called, it has room again."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL is another process, on another disk")

    def pragma(text: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(text)
            [value] = cursor.fetchone() or [0]
        return int(value)

    def make_room() -> None:
        pragma("PRAGMA max_page_count = 1000000000")

    pragma("VACUUM")
    pragma(f"PRAGMA max_page_count = {pragma('PRAGMA page_count') + 2}")
    yield make_room
    make_room()


def test_b11_a_save_that_finds_no_room_in_the_database_writes_nothing_of_it(
    browse: Browse, editor: User, ada: User, full_database: Callable[[], None]
) -> None:
    client = shows_errors(browse(editor))
    form = {**filled_in(client, user_page(ada)), "first_name": "Augusta", "profile-0-bio": "😀" * 2_000}
    entries = TrailEntry.objects.count()
    answer = client.post(user_page(ada), form)
    assert (answer.status_code, FULL in answer.content.decode()) == (507, True)
    person = User.objects.with_profile().get(pk=ada.pk)
    assert (person.first_name, person.profile.bio, TrailEntry.objects.count()) == ("Ada", "", entries)
    full_database()
    assert client.post(user_page(ada), form).status_code == 302
    assert messages_of(client.get(user_page(ada))) == ["Augusta Lovelace was saved."]  # once, of the one that was


def test_b11_an_import_that_fills_the_database_fails_with_a_reason_and_goes_on_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch, full_database: Callable[[], None]
) -> None:
    monkeypatch.setattr(lease, "DELAYS", ())
    monkeypatch.setattr(importer, "ATTEMPTS", 1)
    job = take_in("username,location\n" + "".join(f"p{at},Berlin\n" for at in range(3_000)))
    assert job.start_apply(unchecked=True)
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, FULL in job.failure) == (Import.State.FAILED, True)
    assert User.objects.count() == Profile.objects.count() == job.rows.count() == job.created == job.cursor
    full_database()
    assert job.resume_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.created, User.objects.count(), Profile.objects.count()) == ("done", 3_000, 3_000, 3_000)


def test_b11_each_way_of_saying_that_a_disk_is_full_is_understood() -> None:
    def wrapped(driver: Exception) -> Exception:
        try:
            raise OperationalError("of Django's") from driver
        except DatabaseError as error:
            return error

    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert room.is_lacking(wrapped(full))
    assert room.is_lacking(wrapped(psycopg.errors.DiskFull("could not extend file")))
    assert room.is_lacking(OSError(28, "No space left on device"))
    assert not room.is_lacking(wrapped(sqlite3.OperationalError("database is locked")))
    assert not room.is_lacking(OSError(13, "Permission denied"))
    assert not room.is_lacking(None)
