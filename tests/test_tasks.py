"""Who works on imports and when: the request, the worker, and what is done about jobs that were left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from tests.workers import environment
from users_profiles.management.commands import worker
from users_profiles.models import Delivery, Export, Import, ImportRow, Report, User, Worker
from users_profiles.models.mails import KEEP_DAYS
from users_profiles.transfer import importer, intake, lease, retention, tasks

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


@pytest.fixture
def queue(settings: Any) -> Iterator[Callable[[], int]]:
    """Tasks go into the database's queue, as they really do; returns how many are in it."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    listeners = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)}
    yield lambda: DBTaskResult.objects.ready().count()
    for name, listener in listeners.items():  # a worker run in this process has put its own in their place
        signal.signal(name, listener)


def begin(content: bytes = b"username\nada\nbob\n", owner: User | None = None) -> Import:
    job = intake.receive(ContentFile(content, name="staff.csv"), "staff.csv", owner)
    assert job.start_apply(unchecked=True)
    return job


def held(job: Import) -> Import:
    assert job.take_lease("another worker")
    return job


@pytest.mark.django_db(transaction=True)
def test_a_small_import_runs_at_once_and_a_large_one_is_queued(queue: Callable[[], int], settings: Any) -> None:
    small = begin()
    tasks.start(small)
    assert (small.state, queue()) == (Import.State.DONE, 0)
    settings.IMPORT_SYNC_ROWS = 1
    large = begin()
    tasks.start(large)
    large.refresh_from_db()
    assert (large.state, large.cursor, queue()) == (Import.State.APPLYING, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_a_small_import_behind_another_is_queued_and_gets_its_turn(queue: Callable[[], int]) -> None:
    first = held(begin(b"username\ncarl\n"))
    small = begin()
    tasks.start(small)
    assert queue() == 1
    call_command("worker", "--batch")  # looks at it and finds that it has to wait
    small.refresh_from_db()
    assert (small.state, small.cursor, queue()) == (Import.State.APPLYING, 0, 0)
    assert tasks.sweep() == 0
    first.release_lease("another worker")
    tasks.run(first)
    assert queue() == 1
    call_command("worker", "--batch")
    small.refresh_from_db()
    assert (small.state, small.created) == (Import.State.DONE, 2)


@pytest.mark.django_db(transaction=True)
def test_a_job_left_behind_is_queued_once_however_often_somebody_looks(queue: Callable[[], int]) -> None:
    job = begin()
    assert tasks.queue(job)
    DBTaskResult.objects.all().delete()  # a worker takes it, begins to work, and dies
    held(job)
    assert tasks.sweep() == 0
    Import.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert [tasks.sweep() for _look in range(3)] == [1, 0, 0]
    assert queue() == 1
    Import.objects.update(queued_at=timezone.now() - tasks.TASK_LOST * 2)  # its task was lost too
    assert tasks.sweep() == 1
    call_command("worker", "--batch")
    job.refresh_from_db()
    assert (job.state, job.created, queue()) == (Import.State.DONE, 2, 0)


@pytest.mark.django_db(transaction=True)
def test_looking_at_the_progress_finds_a_lost_job_again(
    queue: Callable[[], int], browse: Callable[[User], Client], editor: User
) -> None:
    job = held(begin(owner=editor))
    Import.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    browse(editor).get(reverse("admin:users_profiles_import_progress", args=[job.pk]))
    assert queue() == 1


def test_a_task_for_what_is_done_or_gone_does_nothing() -> None:
    job = begin()
    importer.run(job)
    tasks.run_import.call(job.pk)
    tasks.run_import.call(4711)
    assert User.objects.count() == 2


def test_the_page_says_whether_it_waits_for_its_turn_or_for_a_worker(
    browse: Callable[[User], Client], editor: User
) -> None:
    job = begin(owner=editor)
    address = reverse("admin:users_profiles_import_change", args=[job.pk])

    def shown() -> tuple[bool, bool]:
        page = browse(editor).get(address).content.decode()
        return 'data-figure="no_worker">' in page, 'data-figure="queues">' in page

    assert shown() == (False, False)
    Import.objects.update(started_at=timezone.now() - timedelta(seconds=20))
    assert shown() == (True, False)
    Worker.objects.create(name="one")
    assert shown() == (False, False)
    held(begin(b"username\ncarl\n"))
    assert shown() == (False, True)


def test_a_worker_is_missed_from_the_moment_an_undo_begins_and_no_earlier(editor: User) -> None:
    job = begin(owner=editor)
    long_ago = timezone.now() - timedelta(days=1)
    Import.objects.update(state=Import.State.DONE, applied_at=long_ago, started_at=long_ago)
    job.refresh_from_db()
    assert job.start_undo(editor, write=True)
    assert not tasks.needs_worker(job)
    job.undo["started"] = long_ago.isoformat()
    assert tasks.needs_worker(job)


def test_an_import_that_failed_half_way_is_gone_on_with_by_a_click(
    browse: Callable[[User], Client], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = intake.receive(ContentFile(b"username\nada\nbob\ncarl\n"), "staff.csv", admin)
    assert job.start_check()
    importer.run(job)
    assert job.start_apply()
    monkeypatch.setattr(importer, "CHUNK", 1)
    with monkeypatch.context() as disk:
        disk.setattr(importer._Run, "_record_total", lambda run: 1 / 0)
        importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.created) == (Import.State.FAILED, 3)
    page = reverse("admin:users_profiles_import_change", args=[job.pk])
    assert "Go on where it stopped" in browse(admin).get(page).content.decode()
    browse(admin).post(reverse("admin:users_profiles_import_apply", args=[job.pk]))
    job.refresh_from_db()
    assert (job.state, job.created, User.objects.count()) == (Import.State.DONE, 3, 4)


def test_refused_rows_cannot_be_had_once_the_file_is_gone(browse: Callable[[User], Client], admin: User) -> None:
    job = intake.receive(ContentFile(b"username,email\nada,x\n"), "staff.csv", admin)
    assert job.start_apply(unchecked=True)
    importer.run(job)
    refused, page = (reverse(f"admin:users_profiles_import_{name}", args=[job.pk]) for name in ("refused", "change"))
    assert browse(admin).get(refused).status_code == 200
    aged(job, days=99)
    retention.prune()
    assert "not kept any more" in browse(admin).get(refused, follow=True).content.decode()
    assert refused not in browse(admin).get(page).content.decode()


def test_beside_the_work_a_heart_beats_and_a_failing_beat_is_made_up_for() -> None:
    beats: list[int] = []

    def beat() -> None:
        beats.append(1)
        if len(beats) == 1:
            raise RuntimeError("once")

    with lease.Heart(partial(beat), every=0.01):
        end = time.monotonic() + 10
        while len(beats) < 3 and time.monotonic() < end:
            time.sleep(0.01)
    assert len(beats) >= 3


# A real worker ------------------------------------------------------------------------------------------------------


def wait_until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_a_worker_says_that_it_is_there_and_told_to_stop_hands_its_import_on() -> None:
    rows = 100_000
    job = begin(b"username\n" + b"\n".join(b"u%d" % at for at in range(rows)))
    own = environment(Path(django_settings.MEDIA_ROOT))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=django_settings.BASE_DIR, env=own, stderr=subprocess.PIPE
    )
    try:
        wait_until(lambda: Import.objects.get().cursor > 0)
        assert Worker.objects.alive().count() == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
    assert not Worker.objects.exists()
    assert list(Import.objects.adrift()) == [job]
    job.refresh_from_db()
    assert 0 < job.cursor < rows
    assert User.objects.count() == job.created == job.cursor


# Retention ----------------------------------------------------------------------------------------------------------


def aged(job: Import, **ago: int) -> Import:
    when = timezone.now() - timedelta(**ago)
    applied = None if job.applied_at is None else when
    Import.objects.filter(pk=job.pk).update(uploaded_at=when, applied_at=applied)
    job.refresh_from_db()
    return job


@pytest.mark.django_db(transaction=True)
def test_c13_a_file_that_was_never_imported_is_gone_after_the_retention_time(settings: Any) -> None:
    settings.IMPORT_KEEP_PREVIEWS_HOURS = 48
    job = intake.receive(ContentFile(b"username\nada\n"), "staff.csv", None)
    assert job.start_check()
    importer.run(job)
    path = Path(job.file.path)
    aged(job, hours=47)
    assert retention.prune() == retention.Pruned()
    aged(job, hours=49)
    assert retention.prune(dry_run=True) == retention.Pruned(previews=1)
    assert path.exists()
    assert retention.prune() == retention.Pruned(previews=1)
    assert not path.exists()
    assert not Import.objects.exists()
    assert not ImportRow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_preview_that_is_imported_while_old_ones_are_deleted_keeps_its_rows(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [intake.receive(ContentFile(b"username\nada\n"), f"{number}.csv", None) for number in range(2)]
    for job in jobs:
        assert job.start_check()
        importer.run(job)
        aged(job, hours=settings.IMPORT_KEEP_PREVIEWS_HOURS + 1)
    pressed = Import.objects.get(pk=jobs[0].pk)
    delete = retention._delete_rows

    def press_import(rows: Any) -> None:
        pressed.start_apply()
        delete(rows)

    monkeypatch.setattr(retention, "_delete_rows", press_import)
    retention.prune()
    kept = Import.objects.get()
    assert (kept, kept.state, kept.rows.count()) == (pressed, Import.State.APPLYING, 1)


@pytest.mark.django_db(transaction=True)
def test_of_an_applied_import_the_file_goes_first_then_its_rows_and_the_history_stays(settings: Any) -> None:
    job = begin()
    importer.run(job)
    path = Path(job.file.path)
    aged(job, days=settings.IMPORT_KEEP_FILES_DAYS + 1)
    assert retention.prune() == retention.Pruned(files=1)
    assert not path.exists()
    assert job.rows.count() == 2
    aged(job, days=settings.IMPORT_KEEP_ROWS_DAYS + 1)
    assert retention.prune() == retention.Pruned(rows=2)
    job.refresh_from_db()
    assert (job.state, job.created, job.file.name) == (Import.State.DONE, 2, "")
    assert User.objects.count() == 2
    assert retention.prune() == retention.Pruned()


def test_what_is_under_way_is_never_cleared_away() -> None:
    aged(begin(), days=999)
    assert retention.prune() == retention.Pruned()


def test_the_command_clears_away_and_can_be_asked_first(capsys: pytest.CaptureFixture[str]) -> None:
    aged(intake.receive(ContentFile(b"username\nada\n"), "staff.csv", None), days=9)
    call_command("prune", "--dry-run")
    assert Import.objects.count() == 1
    call_command("prune")
    assert not Import.objects.exists()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == (
        "Would delete: 1 imports that were never applied, 0 files, 0 records of rows, 0 entries of the trail, "
        "0 exports, 0 results of tasks, 0 mails of reports and invitations, 0 files that nothing refers to."
    )
    assert said[1].startswith("Deleted: 1 imports")


def test_what_was_ticked_and_never_exported_is_counted_before_it_is_cleared_away() -> None:
    Export.objects.create(state=Export.State.CHOSEN, asked_at=timezone.now() - timedelta(days=2))
    assert retention.prune(dry_run=True) == retention.Pruned(exports=1)
    assert retention.prune() == retention.Pruned(exports=1)
    assert not Export.objects.exists()


def test_the_worker_clears_away_soon_after_its_start_and_then_now_and_then(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    def prune() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            pruning()

    aged(intake.receive(ContentFile(b"username\nada\n"), "staff.csv", None), days=9)
    Worker.objects.create(name="dead", seen_at=timezone.now() - LONG_AGO)
    pruning = worker.Pruning()
    prune()
    assert not Import.objects.exists()
    assert not Worker.objects.exists()
    aged(intake.receive(ContentFile(b"username\nada\n"), "staff.csv", None), days=9)
    prune()
    assert Import.objects.exists()
    monkeypatch.setattr(worker, "PRUNE_EVERY", 0)
    monkeypatch.setattr(pruning, "_next", 0)
    prune()
    assert not Import.objects.exists()


def test_results_of_tasks_and_mails_of_reports_go_when_they_are_old(admin: User, settings: Any) -> None:
    report = Report.objects.create(name="Everybody", owner=admin)
    for days in (settings.TASKS_KEEP_DAYS - 1, settings.TASKS_KEEP_DAYS + 1, KEEP_DAYS + 1):
        then = timezone.now() - timedelta(days=days)
        DBTaskResult.objects.create(args_kwargs={}, task_path="x", run_after=then, finished_at=then, backend_name="x")
        Delivery.objects.create(report=report, recipient=admin, run_at=then)
    DBTaskResult.objects.create(args_kwargs={}, task_path="x", run_after=timezone.now(), backend_name="x")
    assert retention.prune() == retention.Pruned(tasks=2, mails=1)
    assert (DBTaskResult.objects.count(), Delivery.objects.count()) == (2, 2)


def test_a_file_that_nothing_refers_to_goes_once_it_is_a_day_old() -> None:
    job = intake.receive(ContentFile(b"username\nada\n"), "staff.csv", None)
    strays = [f"{folder}/{'a' * 32}" for folder in ("imports", "exports", "avatars", "thumbnails/64")]
    for name in ("imports/bb", *strays):
        default_storage.save(name, ContentFile(b"username\nada\n"))
    yesterday = time.time() - 2 * 86_400
    for name in (*strays, str(job.file.name)):
        os.utime(default_storage.path(name), (yesterday, yesterday))
    assert retention.prune(dry_run=True) == retention.Pruned(strays=4)
    assert retention.prune() == retention.Pruned(strays=4)
    assert all(default_storage.exists(name) for name in ("imports/bb", str(job.file.name)))
    assert not any(default_storage.exists(name) for name in strays)
