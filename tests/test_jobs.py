"""An import as a job: who may work on it, whose turn it is, and how it goes from one state to the next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from users_profiles.management.commands import worker
from users_profiles.models import Export, Import, ImportRow, User, Worker
from users_profiles.models.leases import LEASE, MOST_ATTEMPTS, Pace
from users_profiles.transfer import lease, tasks

pytestmark = pytest.mark.django_db

State = Import.State


def make(state: str = State.UPLOADED, **values: object) -> Import:
    return Import.objects.create(state=state, filename="staff.csv", by_operator=True, size=1, **values)


def test_an_import_goes_from_upload_to_done_one_step_at_a_time() -> None:
    job = make()
    assert not job.start_apply()
    assert not job.finish_check()
    assert job.start_check()
    assert not job.start_check()
    assert job.finish_check()
    assert job.start_apply()
    assert job.applied_at is not None
    assert not job.start_apply()
    assert job.finish_apply()
    assert not job.cancel()
    assert not job.fail("why")
    assert Import.objects.get().state == State.DONE


def test_a_second_click_on_a_stale_page_does_nothing() -> None:
    job = make(State.CHECKED)
    stale = Import.objects.get()
    assert job.start_apply()
    assert not stale.start_apply()
    assert not stale.start_check()


def test_what_was_read_through_by_a_program_may_be_applied_unchecked() -> None:
    assert make().start_apply(unchecked=True)
    assert not make(State.DONE).start_apply(unchecked=True)


def test_after_a_part_was_written_it_is_gone_on_with_and_never_begun_again() -> None:
    job = make(State.CHECKED)
    assert job.start_apply()
    assert job.take_lease("me")
    assert job.advance("me", 2, created=2)
    assert job.fail("The disk is full.")
    assert not job.start_check()
    assert job.resume_apply()
    job.refresh_from_db()
    assert (job.state, job.cursor, job.created, job.failure) == (State.APPLYING, 2, 2, "")
    assert not make(State.FAILED).resume_apply()


def test_a_lease_is_for_one_and_runs_out() -> None:
    job = make(State.CHECKING)
    assert job.take_lease("one")
    assert job.take_lease("one")
    assert not job.take_lease("other")
    Import.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert job.take_lease("other")
    assert not job.advance("one", 1)
    assert job.advance("other", 10, created=10)
    assert (Import.objects.get().cursor, Import.objects.get().created) == (10, 10)


def test_what_was_cancelled_advances_no_further() -> None:
    job = make(State.CHECKING)
    assert job.take_lease("me")
    assert Import.objects.get().cancel()
    assert not job.advance("me", 1)


def test_a_row_of_a_file_is_recorded_once() -> None:
    job = make()
    ImportRow.objects.create(job=job, number=2, outcome=ImportRow.Outcome.CREATED)
    with pytest.raises(IntegrityError):
        ImportRow.objects.create(job=job, number=2, outcome=ImportRow.Outcome.REFUSED)


def test_a_lease_can_be_given_back_by_nobody_but_its_holder() -> None:
    job = make(State.CHECKING)
    assert job.take_lease("one")
    job.release_lease("other")
    assert not job.take_lease("other")
    job.release_lease("one")
    assert job.take_lease("other")


@pytest.mark.parametrize("state", [State.APPLYING, State.UNDOING])
def test_only_one_import_writes_at_a_time(state: str) -> None:
    writing, waiting, checking = make(state), make(State.APPLYING), make(State.CHECKING)
    assert writing.take_lease("one")
    assert not waiting.take_lease("other")
    assert waiting.ahead() == writing
    assert checking.take_lease("other")
    assert checking.ahead() is None
    assert writing.ahead() is None
    Import.objects.filter(pk=writing.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert waiting.take_lease("other")


def test_the_heartbeat_renews_what_this_process_works_on_and_nothing_else() -> None:
    mine, others = make(State.CHECKING), make(State.CHECKING)
    assert others.take_lease("another process")
    almost_over = timezone.now() + timedelta(seconds=1)

    def work(holder: str) -> None:
        Import.objects.update(lease_until=almost_over)
        lease.renew()

    lease.work(mine, work)
    mine.refresh_from_db()
    others.refresh_from_db()
    assert mine.lease_until > timezone.now() + LEASE - timedelta(seconds=10)
    assert others.lease_until == almost_over
    lease.renew()  # and no longer, once the work is over
    Import.objects.update(lease_until=almost_over)
    lease.renew()
    mine.refresh_from_db()
    assert mine.lease_until == almost_over


def test_what_kills_its_workers_again_and_again_is_given_up() -> None:
    job = make(State.CHECKING)
    for attempt in range(MOST_ATTEMPTS):
        assert job.take_lease(f"worker {attempt}")
        Import.objects.update(lease_until=None)
    lease.work(job, lambda holder: pytest.fail("tried once more"))
    assert job.state == State.FAILED
    assert f"{MOST_ATTEMPTS} times" in job.failure


def test_a_chunk_in_between_shows_that_it_is_not_deadly() -> None:
    job = make(State.CHECKING)
    for attempt in range(MOST_ATTEMPTS * 2):
        assert job.take_lease(f"worker {attempt}")
        assert job.advance(f"worker {attempt}", attempt)
        Import.objects.update(lease_until=None)
    assert Import.objects.get().attempts == 0


def test_a_worker_told_to_stop_lets_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make(State.CHECKING)
    monkeypatch.setattr(lease, "is_stopping", lambda: True)
    lease.work(job, lambda holder: None)
    assert list(Import.objects.adrift()) == [job]


def test_people_see_their_own_imports_and_who_grants_roles_sees_all(editor: User, admin: User, reader: User) -> None:
    own, others = make(owner=editor), make(owner=admin)
    assert set(Import.objects.visible_to(editor)) == {own}
    assert set(Import.objects.visible_to(admin)) == {own, others}
    assert not Import.objects.visible_to(reader)


def test_progress_is_told_in_per_cent_and_seconds() -> None:
    now = timezone.now()
    job = Import(total=200, cursor=50, started_at=now - timedelta(seconds=8), finished_at=now)
    assert (job.percent, round(job.seconds)) == (25, 8)
    assert (Import().percent, Import().seconds) == (0, 0)
    assert Import(total=10, cursor=99).percent == 100


def test_its_pace_counts_from_when_somebody_took_it_up_and_not_from_the_click() -> None:
    job = make(State.APPLYING, total=1_000, cursor=400, started_at=timezone.now() - timedelta(hours=1))
    assert (job.pace.per_second, job.pace.left) == (0, None)
    assert job.take_lease("one")
    Import.objects.update(taken_at=timezone.now() - timedelta(seconds=10))
    assert job.advance("one", 500)
    job.refresh_from_db()
    assert job.pace.per_second == pytest.approx(10, abs=0.1)
    assert job.pace.left == pytest.approx(50, abs=1)
    assert job.take_lease("other") is False
    job.release_lease("one")
    assert job.pace == Pace(0.0, None)  # nobody works on it
    assert job.take_lease("other")  # and whoever goes on is not thought to have done in no time what is done already
    job.refresh_from_db()
    assert (job.taken_cursor, job.pace.per_second, job.pace.left) == (500, 0, None)


def test_what_is_begun_anew_by_whoever_takes_it_over_counts_from_nothing() -> None:
    export = Export.objects.create(state=Export.State.MAKING, cursor=400, total=1_000)
    assert export.take_lease("one")
    export.refresh_from_db()
    assert (export.cursor, export.taken_cursor) == (0, 0)


# Clocks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(days=1)])
def test_a_host_whose_clock_is_wrong_neither_takes_work_away_nor_keeps_it(
    off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make(State.CHECKING)
    assert job.take_lease("one")
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + off)
    assert not job.take_lease("other")
    assert job.is_held
    assert job.advance("one", 1)
    worker.say_alive("here")
    assert Worker.objects.alive().exists()
    other = make(State.CHECKING)
    assert other.take_lease("here")
    monkeypatch.undo()
    assert not other.take_lease("there")
    assert Worker.objects.alive().exists()
    assert job.pace.per_second >= 0
    assert job.seconds >= 0


def test_a_clock_of_the_database_that_was_set_back_holds_nothing_up() -> None:
    """Leases and tasks then lie a day ahead: nobody would touch them before tomorrow."""
    ahead = timezone.now() + timedelta(days=1)
    job = make(State.CHECKING, lease_holder="dead", lease_until=ahead, queued_at=ahead, total=5_000)
    Worker.objects.create(name="dead", seen_at=ahead)
    assert not Worker.objects.alive().exists()
    assert not job.is_held
    assert list(Import.objects.adrift()) == [job]
    assert tasks.sweep() == 1
    assert job.take_lease("living")
    assert not job.advance("dead", 1)


def test_a_worker_is_alive_while_it_says_so() -> None:
    Worker.objects.create(name="one")
    Worker.objects.create(name="dead", seen_at=timezone.now() - LEASE * 2)
    assert [str(worker) for worker in Worker.objects.alive()] == ["one"]


@pytest.mark.parametrize("state", [State.DONE, State.CANCELLED, State.FAILED])
@pytest.mark.parametrize("write", [True, False])
def test_an_undo_that_stops_leaves_the_import_what_it_was(state: str, write: bool) -> None:
    now = timezone.now()
    before = {"failure": "The disk is full.", "cursor": 3, "started_at": now, "finished_at": now}

    def stands() -> tuple[str, dict[str, object]]:
        stored = Import.objects.get(pk=job.pk)
        return stored.state, {name: getattr(stored, name) for name in before}

    job = make(state, applied_at=now, total=5, **before)
    assert job.start_undo(None, write=write)
    assert job.cancel()
    assert stands() == (state, before)
    assert job.start_undo(None, write=write)
    assert job.fail("The disk is still full.")
    assert stands() == (state, before | {"failure": "The disk is still full."})


def test_a_failed_import_goes_on_after_a_look_at_its_undo_but_not_once_that_has_begun() -> None:
    job = make(State.FAILED, applied_at=timezone.now(), total=5, cursor=3)
    assert job.start_undo(None, write=False)
    assert job.finish_undo()
    assert (job.state, job.cursor, job.is_planned, job.can_be_resumed) == (State.FAILED, 3, True, True)
    assert job.start_undo(None, write=True)
    assert job.cancel()
    assert job.start_undo(None, write=False)
    assert job.finish_undo()
    assert not job.resume_apply()
