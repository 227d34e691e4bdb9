"""Files on disk and in a bucket: the same journeys on both, and what people are told when the bucket fails."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import archives
from tests.buckets import BUCKET, Service
from tests.data import images
from tests.importing import apply, check, take_in
from tests.people import Browse
from users_profiles import avatars, storage
from users_profiles.models import Export, Import, Profile, User
from users_profiles.privacy import erasing
from users_profiles.storage import StorageDown
from users_profiles.storage.bucket import IN_MEMORY, TRIES
from users_profiles.transfer import importer, intake, retention, tasks
from users_profiles.transfer.errors import FileRefused

pytestmark = pytest.mark.django_db(transaction=True)

DOWN = "The file storage does not answer. Try again in a few minutes."
FOLDERS = ("avatars", "thumbnails/64", "thumbnails/192", "imports", "exports")
RED, BLUE = images.picture("PNG"), images.encoded(images.two_halves(), "PNG")


def stored() -> set[str]:
    return {name for folder in FOLDERS for name, _at in storage.names(default_storage, folder)}


def choose(client: Client, data: bytes) -> Any:
    """Choose a picture on one's own profile."""
    fields = {"first_name": "Ada", "last_name": "L", "location": "", "bio": "", "phone_number": "", "birth_date": ""}
    return client.post(reverse("profile_edit"), {**fields, "avatar": images.upload(data)})


def picture_of(person: User) -> str:
    return str(Profile.objects.get(pk=person.pk).avatar.name)


# On both


def test_a_picture_is_shown_to_who_may_see_it_replaced_and_erased(
    anywhere: str, browse: Browse, ada: User, reader: User, stranger: User
) -> None:
    assert choose(browse(ada), RED).status_code == 302
    first = picture_of(ada)
    assert stored() == set(avatars.with_thumbnails(first))
    address = reverse("avatar", args=[ada.pk, 64])
    seen = browse(reader).get(address)
    assert images.opened(seen.content).size == (64, 64)
    assert (seen["X-Content-Type-Options"], seen["Cache-Control"]) == ("nosniff", "private, no-cache")
    assert browse(None).get(address).status_code == 302
    assert browse(stranger).get(address).status_code == 404
    assert choose(browse(ada), BLUE).status_code == 302
    assert stored() == set(avatars.with_thumbnails(picture_of(ada)))
    erasing.erase(ada, None)
    assert stored() == set()


def test_a_file_is_imported_exported_by_the_worker_and_fetched(
    anywhere: str, browse: Browse, admin: User, settings: Any
) -> None:
    job = apply("username,email\n" + "".join(f"new{n},new{n}@example.com\n" for n in range(50)), admin)
    assert job.created == 50
    for file_format in ("xlsx", "csv"):
        export = Export.objects.create(owner=admin, columns=["username", "email"], format=file_format, total=51)
        export.start_making()
        tasks.make(export)
        export.refresh_from_db()
        assert export.state == Export.State.DONE, export.failure
        fetched = browse(admin).get(reverse("admin:users_profiles_export_file", args=[export.pk]))
        data = b"".join(fetched.streaming_content)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (export.size, export.digest)
        back = apply(data, admin)  # zip and text alike are sought in
        assert (back.unchanged, back.created, back.refused) == (51, 0, 0)


def test_pictures_of_an_archive_are_given_and_taken_back(anywhere: str, ada: User, stranger: User) -> None:
    before = archives.give_picture(ada)
    job = archives.apply({"ada.png": RED, "stan.png": RED})
    assert job.refused == 0
    assert len(stored()) == 9 + 1  # three pictures with their thumbnails, and the archive
    archives.undo(job)
    assert (picture_of(ada), picture_of(stranger)) == (before, "")
    assert stored() == {*avatars.with_thumbnails(before), str(job.file.name)}


def test_what_is_old_goes_and_what_no_row_knows_of(
    anywhere: str, clock: Callable[..., None], admin: User, ada: User
) -> None:
    archives.give_picture(ada)
    kept = stored()
    take_in("username\nbob\n")
    apply("username\nbob\n")
    expired = Export.objects.create(owner=admin, state="done", file="exports/" + "e" * 32, expires_at=timezone.now())
    for name in (str(expired.file.name), "imports/" + "a" * 32, "avatars/" + "a" * 32, "thumbnails/64/" + "a" * 32):
        default_storage.save(name, ContentFile(b"x"))
    clock(days=40)
    pruned = retention.prune()
    assert (pruned.previews, pruned.files, pruned.exports, pruned.strays) == (1, 1, 1, 3)
    assert stored() == kept


# In a bucket


def test_nothing_in_the_bucket_is_public_and_nothing_has_an_address(bucket: Service, ada: User) -> None:
    name = archives.give_picture(ada)
    grants = bucket.client().get_object_acl(Bucket=BUCKET, Key=f"media/{name}")["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]
    with pytest.raises(ValueError, match="no address"):
        default_storage.url(name)


def test_a_large_file_is_not_kept_in_memory(bucket: Service) -> None:
    name = default_storage.save("imports/large", ContentFile(b"x" * (IN_MEMORY + 1)))
    with default_storage.open(name) as file:
        assert file.read(1) == b"x"
        assert file.file._rolled  # on disk


def test_a_file_that_is_not_there_is_not_taken_for_a_storage_that_is_down(bucket: Service) -> None:
    job = take_in("username\nbob\n")
    default_storage.delete(str(job.file.name))
    assert not intake.is_kept(job)
    with pytest.raises(FileRefused, match="not kept any more"), intake.opened(job):
        pass


# Failing


@pytest.mark.parametrize("fault", ["fails", "hangs"])
@pytest.mark.parametrize("where", ["avatars/", "thumbnails/192/"])
def test_a_picture_that_cannot_be_stored_leaves_the_old_one(
    bucket: Service, settings: Any, browse: Browse, ada: User, fault: str, where: str
) -> None:
    choose(browse(ada), RED)
    before, files = picture_of(ada), bucket.files()
    short = {**settings.STORAGES["default"], "OPTIONS": bucket.options(timeout=0.3)}
    settings.STORAGES = {**settings.STORAGES, "default": short}
    bucket.calls.clear()
    setattr(bucket, fault, lambda method, path: method == "PUT" and where in path)
    answer = choose(browse(ada), BLUE)
    assert "The picture could not be stored, so nothing was changed. Try again later." in answer.content.decode()
    assert [method for method, path in bucket.calls if where in path].count("PUT") == TRIES
    assert picture_of(ada) == before
    assert bucket.files() == files


def test_a_storage_that_is_down_is_said_and_logged_and_nobody_keeps_that_answer(
    bucket: Service, browse: Browse, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    choose(browse(ada), RED)
    bucket.is_down()
    answer = browse(ada).get(reverse("avatar", args=[ada.pk, 64]))
    assert answer.status_code == 503
    assert "The file storage does not answer" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "The file storage does not answer: An error occurred (500)" in caplog.text
    assert "could not be stored" in choose(browse(ada), BLUE).content.decode()
    bucket.works()
    assert browse(ada).get(reverse("avatar", args=[ada.pk, 64])).status_code == 200


def test_a_file_that_cannot_be_stored_is_no_import(bucket: Service, browse: Browse, admin: User) -> None:
    bucket.is_down()
    file = ContentFile(b"username\nbob\n", name="staff.csv")
    answer = browse(admin).post(reverse("admin:users_profiles_user_import"), {"file": file})
    assert "The file could not be stored, so nothing was imported. Try again later." in answer.content.decode()
    with pytest.raises(FileRefused, match="could not be stored"):
        archives.take_in(archives.zipped({"ada.png": RED}))
    bucket.works()
    assert not Import.objects.exists()
    assert bucket.files() == set()


def test_an_import_fails_with_the_reason_and_goes_on_from_there(bucket: Service, admin: User) -> None:
    job = check("username\nbob\n", admin)
    assert job.start_apply()
    bucket.is_down()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.failure) == (Import.State.FAILED, DOWN)
    assert intake.is_kept(job)  # for all that anybody knows
    bucket.works()
    assert job.resume_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.created) == (Import.State.DONE, 1)


def test_an_export_fails_with_the_reason_and_is_made_when_asked_again(
    bucket: Service, browse: Browse, admin: User
) -> None:
    export = Export.objects.create(owner=admin, columns=["username"], format="csv", total=1)
    export.start_making()
    bucket.fails = lambda method, path: method == "PUT"
    tasks.make(export)
    export.refresh_from_db()
    assert (export.state, export.failure) == (Export.State.FAILED, DOWN)
    assert bucket.files() == set()
    bucket.works()
    browse(admin).post(reverse("admin:users_profiles_export_again", args=[export.pk]))
    export.refresh_from_db()
    assert export.state == Export.State.DONE
    bucket.is_down()
    answer = browse(admin).get(reverse("admin:users_profiles_export_file", args=[export.pk]))
    assert answer.status_code == 503


def test_nobody_is_erased_while_it_cannot_be_seen_which_files_mention_them(
    bucket: Service, browse: Browse, admin: User, ada: User
) -> None:
    take_in("username\nada\n")
    bucket.is_down()
    erase = reverse("admin:users_profiles_user_erase", args=[ada.pk])
    assert browse(admin).post(erase, {"username": "ada"}).status_code == 503
    assert User.objects.filter(pk=ada.pk).exists()
    with pytest.raises(StorageDown):
        erasing.erase(ada, None)


def test_what_could_not_be_removed_after_the_commit_is_removed_later(
    bucket: Service, clock: Callable[..., None], ada: User
) -> None:
    picture = archives.give_picture(ada)
    take_in("username\nada\n")
    bucket.fails = lambda method, path: method == "DELETE"
    erasing.erase(ada, None)
    bucket.works()
    assert len(stored()) == 4
    assert picture in stored()
    clock(days=2)
    retention.prune()
    assert stored() == set()


def test_a_file_that_is_removed_while_a_folder_is_listed_hides_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    for number in range(3):
        (folder / str(number)).touch()
    first, second, third = (f"imports/{name}" for name in os.listdir(folder))
    found = storage.names(FileSystemStorage(tmp_path), "imports")
    assert next(found)[0] == first
    (tmp_path / second).unlink()
    assert [name for name, _at in found] == [third]
