"""Importing pictures as staff click through it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.admin_pages import queries_of
from tests.archives import BLUE, RED, give_picture, picture_of, zipped
from tests.data import images
from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.transfer import pictures

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:users_profiles_pictures")


def upload(client: Client, files: Any, name: str = "team.zip") -> Any:
    data = files if isinstance(files, bytes) else zipped(files)
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data)}, follow=True)


def page(name: str, job: Import, *more: Any) -> str:
    return reverse(f"admin:users_profiles_pictures_{name}", args=[job.pk, *more])


def test_an_archive_goes_from_upload_to_people_and_back(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    old = give_picture(editor, BLUE)
    preview = upload(client, {"stan.png": RED, "edgar.png": RED, "nobody.png": RED}).content.decode()
    assert "Nothing has been changed yet" in preview
    assert "Import 2 pictures" in preview
    assert picture_of(editor) == old

    job = Import.objects.get()
    result = client.post(page("apply", job), follow=True).content.decode()
    assert "1 person has a picture now who had none." in result
    assert "1 picture was replaced." in result
    assert picture_of(stranger)

    asks = client.get(page("undo", job)).content.decode()
    assert "Undo: put back 1, remove 1" in asks
    undone = client.post(page("undo", job), follow=True).content.decode()
    assert "Undone: 1 put back, 1 removed, 0 left as they are." in undone
    assert (picture_of(editor), picture_of(stranger)) == (old, "")


def kept(client: Client, job: Import, number: int = 1) -> Any:
    return client.get(page("kept", job, number))


def test_the_preview_shows_the_new_picture_and_the_result_the_old_one(
    browse: Browse, editor: User, stranger: User
) -> None:
    client = browse(editor)
    give_picture(stranger, BLUE)
    preview = upload(client, {"stan.png": RED}).content.decode()
    job = Import.objects.get()
    assert f"{page('kept', job, 1)}?v=" in preview
    new = kept(client, job)
    assert (new.status_code, new["Content-Type"], new["X-Content-Type-Options"]) == (200, "image/webp", "nosniff")
    assert "private" in new["Cache-Control"]
    assert images.near(images.opened(new.content).getpixel((150, 90)), images.RED)

    result = client.post(page("apply", job), follow=True).content.decode()
    assert f"{page('kept', job, 1)}?v=" in result
    assert images.near(images.opened(kept(client, job).content).getpixel((150, 90)), images.BLUE)


def test_every_tab_says_what_becomes_of_its_pictures(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    give_picture(stranger, RED)
    upload(client, {"stan.png": RED, "edgar.png": RED, "ghost.png": RED, "note.txt": b"hello"})
    job = Import.objects.get()
    shown = {
        show: client.get(page("result", job), {"show": show}).content.decode() for show in ("new", "same", "refused")
    }
    assert "edgar.png" in shown["new"]
    assert "stan.png" in shown["same"]
    assert "Nobody has the username or e-mail ghost." in shown["refused"]
    listed = b"".join(client.get(page("refused", job)).streaming_content).decode("utf-8-sig")
    assert listed.splitlines()[0] == "file,error"
    assert "ghost.png,Nobody has the username" in listed


def test_a_picture_can_be_left_out_and_taken_after_all(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    upload(client, {"stan.png": RED, "edgar.png": RED})
    job = Import.objects.get()
    number = job.rows.get(label="stan.png").number
    answer = client.post(page("tick", job, number), {"show": "new", "page": "1"})
    assert answer.url == f"{page('result', job)}?show=new&page=1#row-{number}"
    assert "Import 1 picture<" in client.get(page("result", job)).content.decode()
    client.post(page("tick", job, number), {"show": "new", "page": "1"})
    assert "Import 2 pictures<" in client.get(page("result", job)).content.decode()
    client.post(page("tick", job, number))
    client.post(page("apply", job))
    assert not picture_of(stranger)
    assert picture_of(editor)


def test_an_archive_that_cannot_be_taken_says_why_and_leaves_nothing(browse: Browse, editor: User) -> None:
    for files, sentence in (
        (b"username\nada\n", "This is not a ZIP archive."),
        ({}, "There are no files in this archive."),
    ):
        assert sentence in upload(browse(editor), files).content.decode()
    assert "This field is required." in browse(editor).post(UPLOAD, {}).content.decode()
    assert not Import.objects.exists()


def test_a_large_archive_shows_progress_and_can_be_cancelled(
    browse: Browse, editor: User, settings: Any, stranger: User
) -> None:
    settings.IMPORT_SYNC_PICTURES = 0
    client = browse(editor)
    waiting = upload(client, {"stan.png": RED}).content.decode()
    assert "You can leave this page" in waiting
    job = Import.objects.get()
    assert client.get(reverse("admin:users_profiles_import_progress", args=[job.pk])).json()["under_way"] is True
    client.post(reverse("admin:users_profiles_import_cancel", args=[job.pk]))
    client.post(page("apply", job))
    job.refresh_from_db()
    assert job.state == Import.State.CANCELLED
    assert client.get(page("result", job)).status_code == 200
    assert not picture_of(stranger)


def test_a_failed_check_can_be_tried_again(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    upload(client, {"stan.png": RED})
    job = Import.objects.get()
    Import.objects.update(state=Import.State.FAILED, failure="The disk was full.")
    failed = client.get(page("result", job)).content.decode()
    assert "The disk was full." in failed
    assert "Try again" in failed
    assert "Import 1 picture" in client.post(page("check", job), follow=True).content.decode()


def test_an_import_that_failed_midway_goes_on_where_it_stopped(
    browse: Browse, editor: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "SWAPPED_AT_ONCE", 1)
    client = browse(editor)
    upload(client, {"edgar.png": RED, "stan.png": RED})
    job = Import.objects.get()
    with monkeypatch.context() as patch:
        swap = pictures._Apply._swap

        def swap_one(run: Any, picture: Any) -> None:
            if run.job.cursor:
                raise OSError("No space left on device")
            swap(run, picture)

        patch.setattr(pictures._Apply, "_swap", swap_one)
        failed = client.post(page("apply", job), follow=True).content.decode()
    assert (bool(picture_of(editor)), bool(picture_of(stranger))) == (True, False)
    assert "Go on where it stopped" in failed
    assert ("edgar.png" in failed, "stan.png" in failed) == (True, False)  # who was not given one is not listed as such
    name = job.file.name
    Import.objects.update(file="")  # long ago: what was still to be given is not kept any more
    assert "Go on where it stopped" not in client.post(page("apply", job), follow=True).content.decode()
    Import.objects.update(file=name)
    result = client.post(page("apply", job), follow=True).content.decode()
    assert "2 people have a picture now who had none." in result
    assert "Go on where it stopped" not in result
    assert picture_of(stranger)


def test_an_import_is_in_the_history_and_on_pages_for_people_only_where_it_belongs(
    browse: Browse, editor: User, stranger: User
) -> None:
    client = browse(editor)
    upload(client, {"stan.png": RED})
    job = Import.objects.get()
    client.post(page("apply", job))
    assert "team.zip" in client.get(reverse("admin:users_profiles_import_changelist")).content.decode()
    change = client.get(reverse("admin:users_profiles_import_change", args=[job.pk]))
    assert change.url == page("result", job)
    for name in ("columns", "refused"):
        assert client.get(reverse(f"admin:users_profiles_import_{name}", args=[job.pk])).status_code == 404
    # The picture of somebody is new, but the person is not: nobody is invited for it.
    assert client.post(reverse("admin:users_profiles_import_invite", args=[job.pk])).status_code == 404


def test_a_hostile_name_is_inert(browse: Browse, editor: User) -> None:
    client = browse(editor)
    script = "<script>alert(1)<x>.png"
    answer = upload(client, {script: RED}, name="<script>alert(1)<x>.zip").content.decode()
    assert "<script>alert(1)" not in answer
    assert "&lt;script&gt;alert(1)&lt;x&gt;.png" in answer


def test_a_formula_as_a_name_does_not_run_in_a_spreadsheet(browse: Browse, editor: User) -> None:
    client = browse(editor)
    upload(client, {"=HYPERLINK(1).png": RED})
    listed = b"".join(client.get(page("refused", Import.objects.get())).streaming_content).decode("utf-8-sig")
    assert "\r\n'=HYPERLINK(1).png," in listed


@pytest.mark.parametrize("who", ["reader", "stranger", None])
def test_who_may_not_import_gets_nowhere(
    browse: Browse, editor: User, who: str | None, request: pytest.FixtureRequest
) -> None:
    upload(browse(editor), {"edgar.png": RED})
    job = Import.objects.get()
    client = browse(request.getfixturevalue(who) if who else None)
    refused = {403, 404} if who else {302}
    another = SimpleUploadedFile("a.zip", zipped({"edgar.png": RED}))
    answers = [client.get(UPLOAD), client.post(UPLOAD, {"file": another}), kept(client, job)]
    answers += [client.get(page(name, job)) for name in ("result", "undo", "refused")]
    answers += [client.post(page(name, job)) for name in ("check", "apply", "undo")]
    answers.append(client.post(page("tick", job, 1)))
    assert {answer.status_code for answer in answers} <= refused
    assert Import.objects.count() == 1
    assert not picture_of(editor)


def test_somebody_elses_import_does_not_exist_for_me_but_an_admin_may_look_and_undo(
    browse: Browse, editor: User, admin: User, stranger: User, make_person: Callable[..., User]
) -> None:
    other = make_person("other", role="Editor")
    upload(browse(editor), {"stan.png": RED})
    job = Import.objects.get()
    for client, looks in ((browse(other), 404), (browse(admin), 200)):
        assert client.get(page("result", job)).status_code == looks
        assert kept(client, job).status_code == looks
        assert client.post(page("apply", job)).status_code == 404
        assert client.post(page("tick", job, 1)).status_code == 404
    browse(editor).post(page("apply", job))
    browse(other).post(page("undo", job))
    assert picture_of(stranger)
    browse(admin).post(page("undo", job))
    assert not picture_of(stranger)


def test_what_changes_things_takes_a_post(browse: Browse, editor: User) -> None:
    client = browse(editor)
    upload(client, {"edgar.png": RED})
    job = Import.objects.get()
    for address in (page("apply", job), page("check", job), page("tick", job, 1)):
        assert client.get(address).status_code == 405


def test_an_import_without_anything_kept_offers_no_undo(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    upload(client, {"stan.png": RED})
    job = Import.objects.get()
    assert "Undo…" in client.post(page("apply", job), follow=True).content.decode()
    job.pictures.all().delete()
    assert "Undo…" not in client.get(page("result", job)).content.decode()
    assert "There is nothing to undo any more." in client.get(page("undo", job), follow=True).content.decode()


def test_queries_do_not_grow_with_the_pictures_on_a_page(
    browse: Browse, superuser: User, make_person: Callable[..., User]
) -> None:
    client = browse(superuser)
    counts = []
    for people in (2, 20):
        for at in range(people):
            make_person(f"u{people}x{at}")
        upload(client, {f"u{people}x{at}.png": RED for at in range(people)})
        counts.append(queries_of(client, page("result", Import.objects.latest("pk"))))
    assert counts[0] == counts[1]


def test_the_people_pages_lead_to_it(browse: Browse, editor: User, reader: User) -> None:
    people = reverse("admin:users_profiles_user_changelist")
    assert UPLOAD in browse(editor).get(reverse("admin:users_profiles_user_import")).content.decode()
    assert UPLOAD not in browse(reader).get(people).content.decode()


def test_nobody_is_told_of_pictures_added_before_they_are(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    preview = upload(client, {"stan.png": RED}).content.decode()
    assert "<span>New</span>" in preview
    result = client.post(page("apply", Import.objects.get()), follow=True).content.decode()
    assert "<span>Added</span>" in result


def test_the_menu_marks_imports_and_nothing_else(browse: Browse, editor: User, stranger: User) -> None:
    client = browse(editor)
    upload(client, {"stan.png": RED})
    for address in (UPLOAD, page("result", Import.objects.get())):
        current = re.findall(r'<a class="side-link" href="([^"]*)" aria-current', client.get(address).content.decode())
        assert current == [reverse("admin:users_profiles_import_changelist")]


def test_an_archive_that_is_refused_is_announced(browse: Browse, editor: User) -> None:
    answer = upload(browse(editor), b"no archive at all").content.decode()
    assert re.search(r'<p class="notice notice-bad" role="alert">[^<]*ZIP', answer)
