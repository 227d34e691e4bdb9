"""Who works on a job, and what happens when they stop: by themselves, by a lost connection, or by dying.

A job is held by a lease that runs out. Chunks renew it as they commit; what takes longer (a large Excel file being
opened, a million rows being passed over) is covered by a heartbeat beside the work.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.db import connection, connections
from django.db.models.functions import Now

from users_profiles import logs, recorder, room
from users_profiles.models import Export, Import
from users_profiles.models.leases import BEAT, LEASE, MOST_ATTEMPTS, LeasedJob
from users_profiles.sentences import sentence as _
from users_profiles.speaking import speaking_to
from users_profiles.storage import StorageDown
from users_profiles.transfer.errors import FileRefused

logger = logging.getLogger(__name__)

TRANSIENT = room.DATABASE_AWAY
# Seconds to wait before each next try. Together long enough for a database to be restarted.
DELAYS = (0.1, 0.5, 1, 2, 4, 8, 15)

_held: set[str] = set()
_stopping = threading.Event()


def stop() -> None:
    """Ask whoever works in this process to stop after the present chunk; somebody else goes on from there."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def work(job: LeasedJob, go: Callable[[str], None]) -> None:
    """Hold a job while ``go`` works on it from where it stands; does nothing while somebody else holds it.

    ``go`` is given the holder's name for ``advance``. After a transient error of the database it is called again,
    with the job as the database now has it; any other error ends the job with a sentence for its owner, in whose
    language and time zone the whole of it is done.
    """
    speaking = speaking_to(job.owner, job.language)
    with _holding() as holder, recorder.quietly(), logs.about_job(job), speaking:
        try:
            _persist(job, holder, go)
        except FileRefused as refusal:
            logger.warning("refused after row %s", job.cursor)  # the reason may repeat what is in the file
            job.fail(refusal.sentence)
        except StorageDown as down:
            logger.error("%s %s: no answer from the storage: %r", job._meta.verbose_name, job.pk, down.__cause__)
            job.fail(down.sentence)
        except Exception as error:
            logger.exception("failed after row %s", job.cursor)
            recover()
            job.fail(room.sorry() if room.is_lacking(error) else job.sorry())
        else:
            if is_stopping():
                job.release_lease(holder)


@contextmanager
def _holding() -> Iterator[str]:
    holder = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
    _held.add(holder)
    try:
        yield holder
    finally:
        _held.discard(holder)


def _persist(job: LeasedJob, holder: str, go: Callable[[str], None]) -> None:
    """Go on through transient errors, as long as the job gets on in between them."""
    delays = iter(DELAYS)
    cursor = job.cursor
    while True:
        try:
            if job.take_lease(holder):
                job.refresh_from_db()
                logger.info("begun in state %s after row %s", job.state, job.cursor)
                _refuse_deadly(job)
                go(holder)
                logger.info("left in state %s after row %s", job.state, job.cursor)
        except TRANSIENT as error:
            if job.cursor > cursor:
                cursor, delays = job.cursor, iter(DELAYS)
            delay = next(delays, None)
            if delay is None:
                raise
            logger.warning("goes on after row %s in %s s: %s", job.cursor, delay, error)
            recover(delay)
        else:
            return


def _refuse_deadly(job: LeasedJob) -> None:
    if job.attempts > MOST_ATTEMPTS:
        raise FileRefused(
            _("This was cut short %(times)s times at the same row, which may be too much for the server.")
            % {"times": job.attempts - 1}
        )


def recover(delay: float = 0) -> None:
    """Wait, and let go of a connection that no longer works, so that the next query opens a new one."""
    time.sleep(delay)
    if not connection.in_atomic_block:
        connection.close()


def renew() -> None:
    """Say that whatever this process is at work on is being worked on."""
    if _held:
        for jobs in (Import.objects, Export.objects):
            mine = jobs.under_way().filter(lease_holder__in=list(_held))
            mine.update(lease_until=Now() + LEASE)


class Heart(threading.Thread):
    """Beats beside the work, in a thread of its own with a connection of its own, for as long as the context lasts."""

    def __init__(self, *beats: Callable[[], Any], every: float = BEAT.total_seconds()) -> None:
        super().__init__(name="heart", daemon=True)
        self._beats = beats
        self._every = every
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(self._every):
            self._beat()
        connections.close_all()

    def _beat(self) -> None:
        """A beat that fails is made up for by the next one."""
        for beat in self._beats:
            try:
                beat()
            except Exception:
                logger.warning("A heartbeat failed: %r", beat, exc_info=True)
                connections.close_all()
