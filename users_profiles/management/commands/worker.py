import logging
import os
import secrets
import socket
import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models.functions import Now

from users_profiles import invitations, queueing
from users_profiles.management import workers
from users_profiles.models import Errand, Worker
from users_profiles.operations import health
from users_profiles.reports import mailing
from users_profiles.search import settling
from users_profiles.transfer import invitees, lease, orphans, tasks

logger = logging.getLogger(__name__)

PRUNE_EVERY = 6 * 60 * 60  # seconds
REPORTS_EVERY = 30
SEARCH_EVERY = 2
# A clock that moved by this much beside the time that passed was set, by somebody or by mistake.
CLOCK_SET = 60 * 60


class Command(BaseCommand):
    help = (
        "Run the background worker: imports, exports, mails, reports that are due, and clearing away what is kept long "
        "enough. As many as you like, on as many hosts. One that is killed loses nothing: another goes on with its "
        "work within a minute."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", action="store_true", help="stop when there is nothing left to do")

    def handle(self, *args: Any, batch: bool, **options: Any) -> None:
        # At most what the queue has room for: by this name it is known whose tasks are whose.
        name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        worker = workers.worker(name, batch)
        say_alive(name)
        tasks.sweep()
        # Beside the other heart, which must beat while a million people are made findable.
        settles = lease.Heart(partial(settling.settle_in_background, lease.is_stopping), every=SEARCH_EVERY)
        try:
            beats = (lease.renew, partial(say_alive, name), tasks.sweep, orphans.put_back, Pruning(), Reporting())
            with lease.Heart(*beats, health.count_now_and_then), settles:
                worker.run()
            if batch:
                settling.settle()
        finally:
            Worker.objects.filter(name=name).delete()


def say_alive(name: str) -> None:
    """Let pages know that there is a worker."""
    Worker.objects.update_or_create(name=name, defaults={"seen_at": Now()})


class Pruning:
    """Has what was kept long enough deleted, soon after the start and every few hours from then on.

    A clock that was set is given a round in which to be set right again: what seems old by it may be of today.
    """

    def __init__(self) -> None:
        self._next = time.monotonic()
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> None:
        offset = time.time() - time.monotonic()
        if abs(offset - self._offset) > CLOCK_SET:
            logger.warning("The clock was set by %d s. Nothing is deleted for some hours.", offset - self._offset)
            self._offset, self._next = offset, time.monotonic() + PRUNE_EVERY
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PRUNE_EVERY
            queueing.after_commit(tasks.prune_imports)


class Reporting:
    """Has the reports sent that are due, and mails tried again. Each worker looks for itself; one task is queued."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + REPORTS_EVERY
            if mailing.is_anything_due():
                Errand.order(mailing.send_reports)
            if invitations.is_anything_due():
                Errand.order(invitations.send_invitations)
            if invitees.is_anything_due():
                Errand.order(invitees.invite_wished)
