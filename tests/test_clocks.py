"""Clocks that are wrong or jump: nothing is thrown away, held up or sent twice for that, and no sign-in proves more.

What leases make of it is in test_jobs.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.people import PASSWORD
from tests.reporting import saved
from tests.signing_in import is_signed_in, sign_in
from users_profiles.accounts import identity
from users_profiles.figures import store
from users_profiles.management.commands import worker
from users_profiles.models import Delivery, Report, Snapshot, TrailEntry, User
from users_profiles.models.clock import shared_now
from users_profiles.models.figures import LOST
from users_profiles.reports import mailing, schedule
from users_profiles.transfer import retention, tasks

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


@pytest.fixture
def host_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the clock of this host by so much; the time that passes is not touched."""
    now, seconds = timezone.now, time.time

    def by(much: timedelta) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now() + much)
        monkeypatch.setattr(time, "time", lambda: seconds() + much.total_seconds())

    return by


# What is kept for a while -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("much", [YEAR * 20, -YEAR])
def test_nothing_is_deleted_where_host_and_database_do_not_agree_on_the_time(
    much: timedelta, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = TrailEntry.objects.count()
    assert entries
    right = shared_now()
    monkeypatch.setattr(retention, "shared_now", lambda: right)
    monkeypatch.setattr(timezone, "now", lambda: right + much)
    with pytest.raises(retention.ClocksDiffer):
        retention.prune()
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("prune")
    assert TrailEntry.objects.count() == entries


@pytest.mark.postgres
def test_the_shared_clock_is_that_of_the_database(host_clock: Callable[[timedelta], None]) -> None:
    before = timezone.now()
    host_clock(YEAR)
    assert before - timedelta(minutes=5) < shared_now() < before + timedelta(minutes=5)
    with pytest.raises(retention.ClocksDiffer):
        retention.prune()


@pytest.mark.usefixtures("at_once")
def test_a_worker_whose_clock_was_set_waits_before_it_deletes(
    monkeypatch: pytest.MonkeyPatch, host_clock: Callable[[timedelta], None], caplog: pytest.LogCaptureFixture
) -> None:
    passed = [1_000.0]
    pruned: list[float] = []
    monkeypatch.setattr(worker.time, "monotonic", lambda: passed[0])
    start = time.time()
    monkeypatch.setattr(worker.time, "time", lambda: start + passed[0] + ahead[0])
    monkeypatch.setattr(type(tasks.prune_imports), "enqueue", lambda *args: pruned.append(passed[0]))
    ahead = [0.0]
    pruning = worker.Pruning()
    ahead[0] = YEAR.total_seconds()
    pruning()
    assert pruned == []
    assert "The clock was set" in caplog.text
    ahead[0] = 0.0  # set right again
    pruning()
    passed[0] += worker.PRUNE_EVERY
    pruning()
    assert pruned == [passed[0]]


# Figures ------------------------------------------------------------------------------------------------------------


def test_a_count_that_a_clock_ahead_has_ordered_is_ordered_again_when_it_is_lost(
    host_clock: Callable[[timedelta], None],
) -> None:
    host_clock(YEAR)
    assert Snapshot.order("people")
    host_clock(timedelta(0))
    assert not Snapshot.order("people")
    Snapshot.objects.update(ordered_at=F("ordered_at") - LOST)
    assert Snapshot.order("people")


@pytest.mark.parametrize("much", [YEAR, -YEAR])
def test_figures_that_a_wrong_clock_has_counted_are_counted_again(much: timedelta, ada: User, settings: Any) -> None:
    settings.FIGURES_SYNC_PEOPLE = 0
    Snapshot.keep("people", {}, timezone.now() + much)
    store.known()
    assert not Snapshot.order("people"), "no count was ordered"


# Reports ------------------------------------------------------------------------------------------------------------


def run_at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(mailing, "shared_now", lambda: moment)
    return vars(mailing.send_due())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("every", ["day", "week", "month"])
def test_a_report_that_a_clock_ahead_has_sent_is_sent_again_when_the_schedule_says(
    every: str, admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = saved(admin, "Who joined", to=[editor], every=every, kind=Report.Kind.CHANGES)
    now = shared_now()
    assert run_at(now + YEAR, monkeypatch)["runs"] == 1
    report.refresh_from_db()
    assert report.next_at > now + YEAR
    monkeypatch.setattr(mailing, "shared_now", lambda: now)
    assert mailing.is_anything_due()
    assert run_at(now, monkeypatch)["runs"] == 0
    report.refresh_from_db()
    assert report.next_at == schedule.next_moment(report, now)
    assert not mailing.is_anything_due()
    # What it tells then begins before the jump: something told twice is better than something never told.
    assert report.began_at < now
    assert run_at(report.next_at, monkeypatch)["runs"] == 1


def test_a_clock_that_goes_back_sends_no_report_twice(
    admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = saved(admin, to=[editor])
    now = shared_now()
    assert run_at(now, monkeypatch)["runs"] == 1
    assert run_at(now - timedelta(hours=1), monkeypatch)["runs"] == 0
    assert Delivery.objects.filter(report=report).count() == 1


def test_a_mail_that_a_clock_ahead_put_off_goes_out(admin: User, editor: User) -> None:
    report = saved(admin, "Editors", to=[editor])
    ahead = timezone.now() + YEAR
    delivery = Delivery.objects.create(report=report, recipient=editor, is_news=True, run_at=ahead, try_at=ahead)
    mailing.deliver(delivery)
    delivery.refresh_from_db()
    assert (delivery.state, len(mail.outbox)) == (Delivery.State.SENT, 1)


# Sign-in ------------------------------------------------------------------------------------------------------------


def test_whoever_is_signed_in_stays_so_when_the_clock_goes_back(
    editor: User, host_clock: Callable[[timedelta], None]
) -> None:
    client = Client()
    sign_in("edgar", PASSWORD, client)
    host_clock(timedelta(hours=-2))
    assert client.get(reverse("admin:index")).status_code == 200
    assert is_signed_in(client)


def test_a_sign_in_stamped_by_a_clock_that_was_ahead_is_no_proof(
    editor: User, host_clock: Callable[[timedelta], None], rf: Any
) -> None:
    client = Client()
    sign_in("edgar", PASSWORD, client)
    request = rf.get("/")
    request.session, request.user = client.session, editor
    assert identity.is_fresh(request)
    host_clock(timedelta(seconds=-30))  # two hosts differ by as much
    assert identity.is_fresh(request)
    host_clock(timedelta(hours=-2))
    assert not identity.is_fresh(request)
