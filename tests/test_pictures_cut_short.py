"""Pictures from a ZIP archive that are cut short, taken back, or too many: each is given once, and given back once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage

from tests.archives import (
    BLUE,
    RED,
    apply,
    check,
    files_of,
    give_picture,
    picture_of,
    stored_files,
    take_in,
    undo,
    zipped,
)
from tests.data import images
from users_profiles.models import Import, ImportPicture, User
from users_profiles.transfer import lease, pictures, tasks
from users_profiles.transfer.errors import FileRefused

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
