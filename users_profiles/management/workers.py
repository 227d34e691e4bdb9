"""What takes tasks out of the queue: one kind of worker for each kind of queue, alike in all that people notice."""

from __future__ import annotations

import logging
import time
from types import FrameType
from typing import Protocol

from django.conf import settings
from django.db import connection
from django_tasks_db.management.commands import db_worker

from users_profiles.transfer import lease

logger = logging.getLogger(__name__)


class QueueWorker(Protocol):
    """Works until it is told to stop; with ``batch``, until there is nothing left to do."""

    def run(self) -> None: ...


def worker(name: str, batch: bool) -> QueueWorker:
    """The worker for the queue that the settings name."""
    if settings.TASKS_URL:
        from users_profiles.management.redis_worker import RedisWorker

        return RedisWorker.named(name, batch)
    found = DatabaseWorker(
        queue_names=["*"],
        excluded_queue_names=[],
        interval=1,
        batch=batch,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=name,
    )
    found.configure_signals()
    return found


class DatabaseWorker(db_worker.Worker):
    """The library's worker, which ends an import cleanly when told to stop, and outlives the database's restart."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        lease.stop()
        super().shutdown(signum, frame)

    def run(self) -> None:
        while self.running:
            try:
                super().run()
            except lease.TRANSIENT:
                logger.warning("The database does not answer; trying again.", exc_info=True)
                connection.close()
                time.sleep(1)
            else:
                return
