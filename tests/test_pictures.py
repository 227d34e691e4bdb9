"""Pictures from a ZIP archive: who they are of, what is drawn, given and taken back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.data import images
from users_profiles import avatars
from users_profiles.models import Import, ImportPicture, Profile, User
from users_profiles.transfer import lease, pictures, retention, tasks
from users_profiles.transfer.errors import FileRefused

RED = images.picture("PNG")
BLUE = images.encoded(images.two_halves(), "PNG")


def zipped(files: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """An archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return out.getvalue()


def take_in(data: bytes, owner: User | None = None) -> Import:
    return pictures.receive(ContentFile(data, name="team.zip"), "team.zip", owner)


def check(files: Any, owner: User | None = None) -> Import:
    job = take_in(files if isinstance(files, bytes) else zipped(files), owner)
    assert job.start_check()
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED, job.failure
    return job


def apply(files: Any, owner: User | None = None) -> Import:
    job = check(files, owner)
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    return job


def undo(job: Import, actor: User | None = None) -> Import:
    assert job.start_undo(actor, write=True)
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.UNDONE, job.failure
    return job


def outcomes(job: Import) -> dict[str, str]:
    return dict(job.rows.values_list("label", "outcome"))


def reasons(job: Import) -> dict[str, str]:
    return {row.label: row.errors[0]["reason"] for row in job.rows.filter(outcome="refused")}


def stored_files() -> set[str]:
    """Every file in the storage that belongs to a picture."""
    found: set[str] = set()
    for folder in ("avatars", "thumbnails/64", "thumbnails/192"):
        if default_storage.exists(folder):
            found.update(f"{folder}/{name}" for name in default_storage.listdir(folder)[1])
    return found


def files_of(*names: str) -> set[str]:
    return {
        file for name in names for file in (name, *(avatars.thumbnail_name(name, edge) for edge in avatars.THUMBNAILS))
    }


def give_picture(person: User, data: bytes = BLUE) -> str:
    person.profile.avatar = images.upload(data)
    person.save()
    return str(person.profile.avatar.name)


def picture_of(person: User) -> str:
    return str(Profile.objects.get(pk=person.pk).avatar.name)


@pytest.mark.django_db
def test_pictures_find_their_people_by_username_or_email_in_any_case_and_folder(
    make_person: Callable[..., User],
) -> None:
    people = [make_person(name) for name in ("ada.lovelace", "bob", "carl", "dora", "Émile")]
    job = apply(
        {
            "ada.lovelace.jpg": RED,
            "Team/Berlin/BOB.PNG": RED,
            "team\\carl@Example.com.jpeg": RED,
            "dora": RED,
            "E\u0301mile.webp": RED,  # as macOS writes an É
        }
    )
    assert set(outcomes(job).values()) == {"new"}
    assert (job.created, job.updated, job.unchanged, job.refused) == (5, 0, 0, 0)
    for person in people:
        assert images.near(images.opened(default_storage.open(picture_of(person)).read()).getpixel((5, 5)), images.RED)


@pytest.mark.django_db
def test_a_username_wins_over_somebody_elses_email(make_person: Callable[..., User]) -> None:
    named = make_person("ada@example.com", email="other@example.com")
    make_person("ada", email="ada@example.com")
    apply({"ada@example.com.png": RED})
    assert picture_of(named)


@pytest.mark.django_db
def test_a_dot_in_a_name_is_no_extension(make_person: Callable[..., User]) -> None:
    make_person("ada")
    right = make_person("ada.lovelace")
    apply({"ada.lovelace": RED})
    assert picture_of(right)
    assert not picture_of(User.objects.get(username="ada"))


@pytest.mark.django_db
def test_added_replaced_unchanged_and_refused_are_told_apart(make_person: Callable[..., User]) -> None:
    give_picture(make_person("has_another"), BLUE)
    give_picture(make_person("has_it"), RED)
    make_person("has_none")
    job = check({"has_another.png": RED, "has_it.png": RED, "has_none.png": RED, "nobody.png": RED})
    assert outcomes(job) == {
        "has_another.png": "changed",
        "has_it.png": "same",
        "has_none.png": "new",
        "nobody.png": "refused",
    }
    assert (job.created, job.updated, job.unchanged, job.refused) == (1, 1, 1, 1)


@pytest.mark.django_db
def test_every_refusal_says_what_is_wrong(make_person: Callable[..., User]) -> None:
    for name in ("ada", "bob", "carl", "dora"):
        make_person(name)
    job = check(
        {
            "ada.jpg": RED,
            "old/ada.png": RED,
            "bob.heic": b"no picture that we read",
            "carl.png": b"\0" * (avatars.MAX_BYTES + 1),
            "dora.png": images.bomb(6000, 6000),
            "somebody.png": RED,
        }
    )
    assert outcomes(job)["ada.jpg"] == "new"
    found = reasons(job)
    assert found.pop("bob.heic").startswith("This file is not a picture we can read.")
    assert found == {
        "old/ada.png": "ada.jpg is for the same person. Keep one of the two.",
        "carl.png": "This file is larger than 10 MB.",
        "dora.png": "This picture is too large. Choose one of at most 20 megapixels.",
        "somebody.png": "Nobody has the username or e-mail somebody. Name the file after the person.",
    }


@pytest.mark.django_db
def test_a_picture_that_cannot_be_read_does_not_stand_in_the_way_of_one_that_can(
    make_person: Callable[..., User],
) -> None:
    make_person("ada")
    assert outcomes(check({"ada.heic": b"nothing", "ada.jpg": RED})) == {"ada.heic": "refused", "ada.jpg": "new"}


@pytest.mark.django_db
def test_two_pictures_of_one_person_are_noticed_across_chunks(
    make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "DRAWN_AT_ONCE", 1)
    make_person("ada")
    make_person("bob")
    job = check({"a/ada.png": RED, "b/bob.png": RED, "c/ADA@example.com.png": RED})
    assert list(reasons(job)) == ["c/ADA@example.com.png"]


@pytest.mark.django_db
def test_a_check_changes_nobody_and_leaves_nothing_behind_when_it_is_forgotten(
    make_person: Callable[..., User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    old = give_picture(ada, BLUE)
    job = check({"ada.png": RED})
    assert picture_of(ada) == old
    assert len(stored_files()) == 6  # two pictures with two thumbnails each
    with django_capture_on_commit_callbacks(execute=True):
        job.delete()
    assert stored_files() == files_of(old)


@pytest.mark.django_db
def test_what_is_given_is_drawn_anew(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    apply({"ada.jpg": images.from_a_camera(6) + b"<script>alert(1)</script>"})
    data = default_storage.open(picture_of(ada)).read()
    assert b"SECRET CAMERA" not in data
    assert b"script" not in data
    assert images.opened(data).size == (40, 80)  # upright
    assert picture_of(ada).endswith(".webp")


@pytest.mark.django_db
def test_the_old_picture_stays_until_it_can_no_longer_be_wanted_back(
    make_person: Callable[..., User], settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    old = give_picture(ada, BLUE)
    with django_capture_on_commit_callbacks(execute=True):
        job = apply({"ada.png": RED})
    assert stored_files() == files_of(old, picture_of(ada))

    Import.objects.update(applied_at="2000-01-01T00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        retention.prune()
    assert stored_files() == files_of(picture_of(ada))
    assert not pictures.can_be_undone(Import.objects.get(pk=job.pk))


@pytest.mark.django_db
def test_a_deleted_person_leaves_no_picture_behind(
    make_person: Callable[..., User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    give_picture(ada, BLUE)
    job = apply({"ada.png": RED})
    with django_capture_on_commit_callbacks(execute=True):
        ada.delete()
    assert stored_files() == set()
    assert job.rows.get().user_id is None


@pytest.mark.django_db
def test_a_given_picture_is_a_new_version_of_the_profile(make_person: Callable[..., User]) -> None:
    ada = make_person("ada", bio="Counts.")
    before = Profile.objects.get(pk=ada.pk)
    apply({"ada.png": RED})
    after = Profile.objects.get(pk=ada.pk)
    assert (after.version, after.bio) == (before.version + 1, "Counts.")
    assert after.updated_at > before.updated_at


@pytest.mark.django_db
def test_a_person_without_a_profile_gets_one(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    Profile.objects.all().delete()
    apply({"ada.png": RED})
    assert picture_of(ada)


@pytest.mark.django_db
def test_a_second_import_of_the_same_archive_changes_nothing(make_person: Callable[..., User]) -> None:
    make_person("ada")
    archive = zipped({"ada.png": RED})
    apply(archive)
    before = list(Profile.objects.values())
    assert apply(archive).unchanged == 1
    assert list(Profile.objects.values()) == before


# Who may


@pytest.mark.django_db
def test_an_editor_gives_no_pictures_to_people_above(
    editor: User, admin: User, superuser: User, stranger: User
) -> None:
    job = apply({f"{name}.png": RED for name in ("alice", "root", "stan", "edgar")}, editor)
    assert outcomes(job) == {"alice.png": "refused", "edgar.png": "new", "root.png": "refused", "stan.png": "new"}
    assert set(reasons(job).values()) == {"You may not change this person, whose role is above yours."}
    assert not picture_of(admin)
    assert not picture_of(superuser)


@pytest.mark.django_db
def test_permission_is_asked_again_when_pictures_are_given(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    stranger.is_superuser = True
    stranger.save()
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.created, job.refused, picture_of(stranger)) == (0, 1, "")


@pytest.mark.django_db
def test_who_may_not_import_any_more_gives_nobody_a_picture(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    editor.groups.clear()
    assert job.start_apply()
    pictures.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.state, job.failure) == ("failed", "You may not import people any more.")
    assert not picture_of(stranger)


@pytest.mark.django_db
def test_an_import_whose_owner_is_gone_does_not_get_the_operators_rights(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    editor.delete()
    job = Import.objects.get(pk=job.pk)
    assert job.start_apply()
    pictures.run(job)
    assert not picture_of(stranger)


@pytest.mark.django_db
def test_a_role_without_pictures_gets_none(stranger: User, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"": {"profile_fields": ["bio"], "required": []}}
    assert list(reasons(check({"stan.png": RED})).values()) == ["People in the role of this person have no picture."]


@pytest.mark.django_db
def test_a_person_who_was_deleted_after_the_check_is_refused(stranger: User) -> None:
    job = check({"stan.png": RED})
    stranger.delete()
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.refused) == ("done", 1)
    assert list(reasons(job).values()) == ["This person has been deleted since."]


@pytest.mark.django_db
def test_a_stored_archive_that_was_changed_is_not_read(stranger: User) -> None:
    job = take_in(zipped({"stan.png": RED}))
    Path(job.file.path).write_bytes(zipped({"stan.png": BLUE}))
    assert job.start_check()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.rows.count()) == ("failed", 0)


@pytest.mark.django_db
def test_pictures_that_staff_left_out_are_not_given(stranger: User, editor: User) -> None:
    job = check({"stan.png": RED, "edgar.png": RED})
    job.rows.filter(label="stan.png").update(ticked=False)
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.created, job.left_out, picture_of(stranger)) == (1, 1, "")


# Cut short


def _die_at(monkeypatch: pytest.MonkeyPatch, what: str, call: int) -> None:
    """Let the process die at the n-th call of a method of the engine."""
    owner: Any = pictures
    *path, name = what.split(".")
    for part in path:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), []

    def dying(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        result = real(*args, **kwargs)
        if len(calls) == call:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, name, dying)


def _die_and_go_on(monkeypatch: pytest.MonkeyPatch, job: Import, what: str, call: int) -> Import:
    with monkeypatch.context() as patch:
        _die_at(patch, what, call)
        with pytest.raises(KeyboardInterrupt):
            pictures.run(job)
    Import.objects.filter(pk=job.pk).update(lease_until=None)
    job = Import.objects.get(pk=job.pk)
    pictures.run(job)
    job.refresh_from_db()
    return job


@pytest.fixture
def team(make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> list[User]:
    """Five people, every second of whom has a picture, dealt with two at a time."""
    monkeypatch.setattr(pictures, "DRAWN_AT_ONCE", 2)
    monkeypatch.setattr(pictures, "SWAPPED_AT_ONCE", 2)
    people = [make_person(f"p{at}") for at in range(5)]
    for person in people[::2]:
        give_picture(person, BLUE)
    return people


TEAM = {f"p{at}.png": RED for at in range(5)}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", [1, 3, 5])
@pytest.mark.parametrize("what", ["_Check._keep", "_Check._advance"])
def test_a_check_that_was_cut_short_goes_on_and_leaves_no_stray_files(
    team: list[User], monkeypatch: pytest.MonkeyPatch, what: str, call: int
) -> None:
    job = take_in(zipped(TEAM))
    assert job.start_check()
    job = _die_and_go_on(monkeypatch, job, what, min(call, 3) if what.endswith("advance") else call)
    assert (job.state, job.created, job.updated) == ("checked", 2, 3)
    in_use = [picture_of(person) for person in team[::2]]
    waiting = [str(name) for name in ImportPicture.objects.values_list("file", flat=True)]
    assert len(waiting) == 5
    assert stored_files() == files_of(*in_use, *waiting)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("what", ["_Apply._store", "_Apply._advance"])
def test_an_import_that_was_cut_short_gives_every_picture_once(
    team: list[User], monkeypatch: pytest.MonkeyPatch, what: str, call: int
) -> None:
    old = [picture_of(person) for person in team]
    job = check(TEAM)
    drawn = [str(name) for name in job.pictures.order_by("number").values_list("file", flat=True)]
    assert job.start_apply()
    job = _die_and_go_on(monkeypatch, job, what, call)
    assert (job.state, job.created, job.updated, job.cursor) == ("done", 2, 3, 5)
    assert [picture_of(person) for person in team] == drawn
    assert list(job.pictures.order_by("number").values_list("file", flat=True)) == old
    assert stored_files() == files_of(*drawn, *(name for name in old if name))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_undo_that_was_cut_short_gives_everything_back_once(
    team: list[User], monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    old = [picture_of(person) for person in team]
    job = apply(TEAM)
    assert job.start_undo(None, write=True)
    job = _die_and_go_on(monkeypatch, job, "_Undo._advance", call)
    assert (job.state, job.undo["restored"], job.undo["removed"], job.undo["kept"]) == ("undone", 3, 2, 0)
    assert [picture_of(person) for person in team] == old
    assert stored_files() == files_of(*(name for name in old if name))


@pytest.mark.django_db
def test_a_job_that_another_worker_holds_is_left_alone(stranger: User) -> None:
    job = take_in(zipped({"stan.png": RED}))
    assert job.start_check()
    assert job.take_lease("another")
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.cursor) == ("checking", 0)


@pytest.mark.django_db
def test_a_cancelled_import_keeps_what_is_given_and_can_be_undone(
    team: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = check(TEAM)
    old = [picture_of(person) for person in team]
    assert job.start_apply()
    pictures.run(job, after_chunk=lambda job: job.cancel())
    job.refresh_from_db()
    assert (job.state, job.created, job.updated, job.applied_through) == ("cancelled", 1, 1, 2)
    assert [picture_of(person) for person in team[2:]] == old[2:]
    undo(job)
    assert [picture_of(person) for person in team] == old


@pytest.mark.django_db
def test_a_storage_without_room_fails_the_check_with_a_sentence(
    stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")

    job = take_in(zipped({"stan.png": RED}))
    assert job.start_check()
    monkeypatch.setattr(type(default_storage._wrapped), "_save", full)  # type: ignore[attr-defined]
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.failure) == ("failed", "The pictures could not be stored. Try again later.")
    assert stored_files() == set()


@pytest.mark.django_db
def test_a_large_archive_is_left_to_the_worker_and_a_small_one_is_not(stranger: User, settings: Any) -> None:
    settings.IMPORT_SYNC_PICTURES = 1
    job = take_in(zipped({"stan.png": RED, "edgar.png": RED}))
    assert job.start_check()
    assert not tasks.is_small(job)
    settings.IMPORT_SYNC_PICTURES = 2
    assert tasks.is_small(job)


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_pictures_that_are_given(
    make_person: Callable[..., User], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for at in range(30):
        make_person(f"u{at}")
    job = check({f"u{at}.png": RED for at in range(30)})
    assert job.start_apply()
    with django_assert_max_num_queries(25):
        pictures.run(job)


# Undo


@pytest.mark.django_db
def test_an_undo_gives_back_what_was_there_and_removes_what_was_brought(
    team: list[User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    old = [picture_of(person) for person in team]
    job = apply(TEAM)
    assert pictures.undo_plan(job) == {"restored": 3, "removed": 2, "kept": 0}
    with django_capture_on_commit_callbacks(execute=True):
        job = undo(job)
    assert [picture_of(person) for person in team] == old
    assert stored_files() == files_of(*(name for name in old if name))
    assert sorted(job.rows.values_list("undone", flat=True)) == ["removed"] * 2 + ["restored"] * 3
    assert not pictures.can_be_undone(job)


@pytest.mark.django_db
def test_an_undo_leaves_alone_what_was_changed_again_since(team: list[User]) -> None:
    job = apply(TEAM)
    newer = give_picture(User.objects.get(pk=team[0].pk), images.picture("GIF"))
    assert pictures.undo_plan(job) == {"restored": 2, "removed": 2, "kept": 1}
    job = undo(job)
    assert picture_of(team[0]) == newer
    assert job.rows.get(label="p0.png").undone == "kept:changed"
    assert job.undo["kept"] == 1


@pytest.mark.django_db
def test_an_undo_touches_nobody_above_whoever_undoes(editor: User, stranger: User) -> None:
    job = apply({"stan.png": RED}, editor)
    stranger.is_superuser = True
    stranger.save()
    job = undo(job, editor)
    assert picture_of(stranger)
    assert job.rows.get().undone == "kept:forbidden"


@pytest.mark.django_db
def test_a_planned_undo_counts_and_changes_nothing(team: list[User]) -> None:
    job = apply(TEAM)
    given = [picture_of(person) for person in team]
    assert job.start_undo(None, write=False)
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.undo["plan"]) == ("done", {"restored": 3, "removed": 2, "kept": 0})
    assert [picture_of(person) for person in team] == given
    assert set(job.rows.values_list("undone", flat=True)) == {""}
    undo(job)


@pytest.mark.django_db
def test_an_undo_of_what_is_not_kept_any_more_says_so(stranger: User) -> None:
    job = apply({"stan.png": RED})
    pictures.forget(job)
    assert job.start_undo(None, write=True)
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.failure) == (
        "done",
        "The pictures from before this import are not kept any more, so it stays.",
    )
    assert picture_of(stranger)


# Limits


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("IMPORT_MAX_BYTES", 10, "This file is larger than"),
        ("IMPORT_MAX_PICTURES", 1, "This archive has more than 1 files."),
        ("IMPORT_MAX_UNPACKED_BYTES", 10, "This archive unpacks to more than"),
    ],
)
@pytest.mark.django_db
def test_every_limit_says_what_to_do(settings: Any, limit: str, value: int, sentence: str) -> None:
    setattr(settings, limit, value)
    with pytest.raises(FileRefused, match=sentence):
        take_in(zipped({"ada.png": RED, "bob.png": RED}))
    assert not Import.objects.exists()


@pytest.mark.django_db
def test_a_worker_that_is_asked_to_stop_leaves_the_rest_to_the_next(
    team: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = take_in(zipped(TEAM))
    assert job.start_check()
    with monkeypatch.context() as patch:
        patch.setattr(lease, "is_stopping", lambda: True)
        pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.cursor) == ("checking", 2)
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.cursor) == ("checked", 5)
