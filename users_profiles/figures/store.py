"""Keeps the figures where counting takes long: with few people they are counted for the page, else by the worker.

A request never counts a million people. It shows what was counted last and how old that is, and orders a new count
when it is time; before the first there is nothing to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_tasks import task

from users_profiles import criteria, queueing, replica
from users_profiles.figures.counting import Counts, count
from users_profiles.models import Snapshot, User, Worker

NAME = "people"
# Figures this many times older than they should be are late; with no worker alive, none will come.
LATE = 5


@dataclass(frozen=True)
class Known:
    """What there is to show: no ``counts`` before the first count, no ``counted_at`` when they are of this moment."""

    counts: Counts | None
    counted_at: datetime | None = None
    needs_worker: bool = False


def known() -> Known:
    """The figures as far as they can be had at once; orders newer ones when these are too old."""
    if are_few():
        return Known(count(criteria.today()))
    snapshot = Snapshot.objects.filter(name=NAME).first() or Snapshot(name=NAME)
    # Either way: what a clock that was ahead has counted is not good until then.
    age = abs(timezone.now() - snapshot.counted_at) if snapshot.counted_at else timedelta.max
    most = timedelta(seconds=settings.FIGURES_SECONDS)
    if age > most:
        order()
    is_late = snapshot.counts is None or age > most * LATE
    return Known(snapshot.counts, snapshot.counted_at, is_late and not Worker.objects.alive().exists())


def are_few() -> bool:
    """Whether there are so few people that somebody can wait for them to be counted."""
    return not User.objects.order_by("pk")[settings.FIGURES_SYNC_PEOPLE :][:1].exists()


def order() -> None:
    """Have the worker count, unless it has been asked to already."""
    if Snapshot.order(NAME):
        queueing.after_commit(refresh)


def people_changed() -> None:
    """Have figures that are kept counted anew: many people have changed at once."""
    replica.note_write(replica.EVERYBODY)
    if not are_few():
        order()


@task()
def refresh() -> None:
    """Count, and keep what was counted."""
    began = timezone.now()
    with replica.reading():
        counts = count(criteria.today())
    Snapshot.keep(NAME, counts, began)
