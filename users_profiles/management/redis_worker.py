"""The worker for tasks on Redis. Imported only where the settings name a Redis server for them."""

from __future__ import annotations

from types import FrameType
from typing import Any, Self

from django.conf import settings
from django.db import close_old_connections
from django_rq.queues import get_queues
from django_tasks_rq import Job
from rq.worker import SimpleWorker

from users_profiles.transfer import lease


class RedisWorker(SimpleWorker):
    """rq's worker without a process for each task: the heart that renews leases beats beside the work in this one."""

    batch = False

    @classmethod
    def named(cls, name: str, batch: bool) -> Self:
        queues = get_queues("default", job_class=Job)
        found = cls(queues, name=name, job_class=Job, connection=queues[0].connection)
        found.batch = batch
        return found

    def run(self) -> None:
        """Work until told to stop, or until there is nothing left to do."""
        self.work(burst=self.batch, logging_level=settings.LOG_LEVEL)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """End an import after the present chunk, too."""
        lease.stop()
        self._stop_requested = True  # the exception that rq raises here is lost in some of its own clearing up
        super().request_stop(signum, frame)

    def perform_job(self, *args: Any, **kwargs: Any) -> bool:
        """Let no task find a connection that the database has closed since the last one."""
        close_old_connections()
        done: bool = super().perform_job(*args, **kwargs)
        close_old_connections()
        return done

    def handle_job_failure(self, job: Any, *args: Any, **kwargs: Any) -> None:
        """Keep what went wrong, which may name people, no longer than the settings say."""
        job.failure_ttl = settings.TASKS_KEEP_DAYS * 86_400
        super().handle_job_failure(job, *args, **kwargs)
