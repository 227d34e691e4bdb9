"""What may go wrong around an import: two at once, killed workers, cut connections, many writers (checks F2 to F5)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from tests.threads import all_at_once, meanwhile
from tests.workers import Nursery, let_time_pass
from users_profiles.models import Import, ImportRow, Profile, User
from users_profiles.transfer import importer, intake, lease, undo_import

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 50_000
KILLS = 20
UNDONE_ROWS = 5_000
CHUNK = importer.CHUNK


def staff(prefix: str, rows: int, place: str = "Berlin") -> bytes:
    """A file of people; every hundredth row cannot be taken."""
    lines = ["username,email,first_name,location"]
    for at in range(rows):
        email = "nonsense" if at % 100 == 99 else f"{prefix}{at}@example.com"
        lines.append(f"{prefix}{at},{email},Person {at % 97},{place} {at % 13}")
    return "\n".join(lines).encode()


def begin(content: bytes) -> Import:
    job = intake.receive(ContentFile(content, name="staff.csv"), "staff.csv", None)
    assert job.start_apply(unchecked=True)
    return job


def import_now(content: bytes) -> Import:
    job = begin(content)
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    return job


def traces(job: Import, prefix: str) -> tuple[list[Any], list[Any], list[int]]:
    """All that an import has left behind, without what tells one import from another."""
    fields = ("username", "email", "first_name", "is_active", "is_staff", "profile__location", "profile__version")
    own = User.objects.filter(username__startswith=prefix).order_by("username")
    people = [(*(str(value).replace(prefix, "") for value in row),) for row in own.values_list(*fields)]
    rows = job.rows.order_by("number").values_list("number", "outcome", "label", "changes", "errors")
    records = [(number, *(str(value).replace(prefix, "") for value in rest)) for number, *rest in rows]
    return people, records, [job.cursor, job.total, job.created, job.updated, job.unchanged, job.refused]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.004)


def progress_of(job: Import) -> int:
    return Import.objects.values_list("cursor", flat=True).get(pk=job.pk)


def is_over(job: Import) -> bool:
    return not Import.objects.under_way().filter(pk=job.pk).exists()


# F2: two imports at once --------------------------------------------------------------------------------------------


def test_f2_two_overlapping_imports_at_once_take_turns() -> None:
    rows = 6_000
    forth = staff("p", rows, "Paris")
    header, *lines = staff("p", rows, "Rome").split(b"\n")
    back = b"\n".join([header, *reversed(lines)])
    jobs = [begin(forth), begin(back)]
    with Nursery() as one, Nursery() as other:
        for worker in (one, other):
            worker.start()
        wait_until(lambda: all(map(is_over, jobs)))
        for worker in (one, other):
            assert worker.wait() == 0
    for job in jobs:
        job.refresh_from_db()
        assert job.state == Import.State.DONE, job.failure
    first, second = sorted(jobs, key=lambda job: job.finished_at)
    taken = rows - rows // 100
    assert (first.created, first.updated, first.refused) == (taken, 0, rows // 100)
    assert (second.created, second.updated, second.refused) == (0, taken, rows // 100)
    place = "Paris" if second == jobs[0] else "Rome"
    assert Profile.objects.filter(location__startswith=place, version=2).count() == taken == User.objects.count()


def test_f2_a_small_import_does_not_wait_for_a_long_one_but_queues() -> None:
    long = begin(staff("p", 3))
    assert long.take_lease("another worker")
    small = begin(b"username\nada\n")
    importer.run(small)
    small.refresh_from_db()
    assert (small.state, small.cursor) == (Import.State.APPLYING, 0)
    assert small.ahead() == long
    assert long.finish_apply()
    importer.run(small)
    small.refresh_from_db()
    assert (small.state, small.created) == (Import.State.DONE, 1)


def test_f2_of_two_that_ask_for_the_turn_at_once_one_gets_it() -> None:
    jobs = [begin(staff(f"p{at}", 1)) for at in range(4)]
    got: list[bool] = []
    all_at_once(*(lambda job=job: got.append(job.take_lease(f"worker {job.pk}")) for job in jobs))
    assert sorted(got) == [False, False, False, True]


# F3: killed workers -------------------------------------------------------------------------------------------------


def test_f3_an_import_whose_worker_is_killed_20_times_ends_as_if_nothing_had_happened() -> None:
    chance = random.Random(3)
    for prefix in ("calm", "wild"):
        import_now(staff(prefix, ROWS // 10, "Paris"))  # these will be changed, the others added
    undisturbed = import_now(staff("calm", ROWS))

    job = begin(staff("wild", ROWS))
    cursors = []
    with Nursery() as nursery:
        for kill in range(KILLS):
            nursery.start()
            if kill % 5:  # else at any moment, also before the first chunk
                goal = progress_of(job) + chance.randint(1, CHUNK)
                wait_until(lambda goal=goal: progress_of(job) >= goal)
            time.sleep(chance.uniform(0, 0.05))
            assert nursery.kill() == -9
            assert not is_over(job)
            cursors.append(progress_of(job))
            let_time_pass()
        nursery.start()
        assert nursery.wait() == 0
    job.refresh_from_db()
    assert len(set(cursors)) > KILLS // 2
    assert job.state == Import.State.DONE, job.failure
    assert traces(job, "wild") == traces(undisturbed, "calm")


def undone(prefix: str, kills: int) -> Import:
    """Import people over others, let some of them live on, and take the import back while its worker is killed."""
    import_now(staff(prefix, UNDONE_ROWS // 2, "Paris"))
    job = import_now(staff(prefix, UNDONE_ROWS))
    own = User.objects.filter(username__startswith=prefix)
    own.filter(username__endswith="7").update(last_login=timezone.now())
    own.filter(username__endswith="11").delete()
    edited = Profile.objects.filter(user__in=own.filter(username__endswith="3"))
    edited.update(location="Oslo", version=F("version") + 1)
    assert job.start_undo(None, write=True)
    chance = random.Random(kills)
    with Nursery() as nursery:
        for _kill in range(kills):
            nursery.start()
            goal = progress_of(job) + chance.randint(1, 2 * undo_import.CHUNK)
            wait_until(lambda goal=goal: progress_of(job) >= goal)
            time.sleep(chance.uniform(0, 0.1))
            assert nursery.kill() == -9
            assert not is_over(job)
            let_time_pass()
        nursery.start()
        assert nursery.wait() == 0
    job.refresh_from_db()
    assert job.state == Import.State.UNDONE, job.failure
    return job


def test_f3_an_undo_whose_worker_is_killed_ends_as_if_nothing_had_happened() -> None:
    calm, wild = undone("calm", kills=0), undone("wild", kills=4)
    assert traces(wild, "wild") == traces(calm, "calm")
    fates = [[*job.rows.order_by("number").values_list("number", "undone")] for job in (calm, wild)]
    assert fates[0] == fates[1]
    counts = [undo_import.counts(job) for job in (calm, wild)]
    assert counts[0] == counts[1]
    assert all(count > 50 for count in counts[0].values())
    assert sum(counts[0].values()) == UNDONE_ROWS - UNDONE_ROWS // 100
    assert User.objects.count() == Profile.objects.count()


def test_f3_a_living_worker_keeps_its_job_and_a_dead_ones_is_taken_over() -> None:
    job = begin(staff("p", 2))
    assert job.take_lease("one")
    assert not Import.objects.get(pk=job.pk).take_lease("other")
    let_time_pass()
    assert Import.objects.get(pk=job.pk).take_lease("other")
    assert not job.advance("one", 2, created=2)
    assert progress_of(job) == 0


# F4: cut connections ------------------------------------------------------------------------------------------------


@pytest.fixture
def cut_connections() -> Iterator[Callable[[], int]]:
    """Cuts every connection to the test database but its own; returns how many."""
    psycopg = pytest.importorskip("psycopg")
    own = connection.settings_dict
    address = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as admin:

        def cut() -> int:
            statement = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
            [count] = admin.execute(statement, [own["NAME"]]).fetchone()
            return int(count)

        yield cut


@pytest.mark.postgres
def test_f4_a_connection_cut_again_and_again_costs_no_row_and_doubles_none(
    cut_connections: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(4)
    undisturbed = import_now(staff("calm", 20_000))
    job = begin(staff("wild", 20_000))
    over = threading.Event()
    cuts: list[int] = []

    def cut_now_and_then() -> None:
        while len(cuts) < 10 and not over.wait(chance.uniform(0.05, 0.15)):
            cuts.append(cut_connections())

    enemy = threading.Thread(target=cut_now_and_then)
    enemy.start()
    importer.run(job)
    over.set()
    enemy.join()
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    assert sum(cuts) >= 3
    assert traces(job, "wild") == traces(undisturbed, "calm")


@pytest.mark.postgres
def test_f4_a_worker_survives_the_restart_of_the_database(cut_connections: Callable[[], int]) -> None:
    job = begin(staff("p", 10_000))
    with Nursery() as nursery:
        nursery.start()
        for goal in (1, 3_000, 6_000):
            wait_until(lambda goal=goal: progress_of(job) >= goal)
            connection.close()
            assert cut_connections() >= 1
        assert nursery.wait() == 0
    job.refresh_from_db()
    assert (job.state, job.created, job.refused) == (Import.State.DONE, 9_900, 100)
    assert User.objects.count() == Profile.objects.count() == 9_900


def test_f4_a_chunk_whose_commit_was_not_heard_of_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after the database has committed, before it could say so."""
    monkeypatch.setattr(importer, "CHUNK", 2)
    leave = importer.transaction.Atomic.__exit__
    broken: list[bool] = []

    def break_once(self: Any, *details: Any) -> None:
        leave(self, *details)
        if not broken and not connection.in_atomic_block and User.objects.count() == 2:
            broken.append(True)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(importer.transaction.Atomic, "__exit__", break_once)
    job = import_now(b"username\na\nb\nc\nd\ne\n")
    assert broken
    assert (job.created, job.refused, User.objects.count()) == (5, 0, 5)
    assert list(job.rows.values_list("number", "outcome")) == [(number, "new") for number in range(2, 7)]


def test_f4_a_database_that_stays_away_ends_the_import_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "DELAYS", (0, 0))
    monkeypatch.setattr(lease.time, "sleep", lambda seconds: None)

    def broken(*args: Any) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(importer._Run, "_decide", broken)
    job = begin(b"username\na\n")
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.FAILED
    assert "try again" in job.failure
    monkeypatch.undo()
    assert job.resume_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.created) == (Import.State.DONE, 1)


# F5: many writers ---------------------------------------------------------------------------------------------------


def test_f5_six_writers_at_once_are_never_told_that_the_database_is_locked() -> None:
    writers, each = 6, 50

    def write(writer: int) -> None:
        for at in range(each):
            person = User.objects.create_user(f"w{writer}x{at}", password=None)
            person.profile.location = "Berlin"
            person.save()

    all_at_once(*(partial(write, writer) for writer in range(writers)))
    assert Profile.objects.filter(location="Berlin", version=2).count() == writers * each


def test_f5_people_edit_while_an_import_runs_and_both_succeed() -> None:
    import_now(staff("p", 2_000, "Paris"))
    job = begin(staff("p", 2_000, "Rome"))
    keys = list(User.objects.order_by("-pk").values_list("pk", flat=True)[:200])

    def edit() -> None:
        for key in keys:
            User.objects.filter(pk=key).update(last_name="Edited")

    with meanwhile(edit):
        importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.updated) == (Import.State.DONE, 1_980)
    assert ImportRow.objects.filter(job=job, outcome="changed").count() == 1_980
