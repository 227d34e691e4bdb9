"""The queue of background tasks, whichever that is: tasks are put into it at no risk to the page, and counted."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django_tasks.base import Task, TaskResultStatus

logger = logging.getLogger(__name__)


def after_commit(task: Task[..., Any], *args: Any) -> None:
    """Queue a task when the present transaction is committed: a queue outside the database would be too quick.

    What is to be done stands in the database by then. So where the queue cannot be reached, nothing is lost: the
    heartbeat of the next worker finds it, and asks again.
    """

    def put() -> None:
        try:
            task.enqueue(*args)
        except Exception:  # every queue raises errors of its own
            logger.exception("%s could not be queued; the worker will find what is to be done", task.name)

    transaction.on_commit(put)


def count() -> dict[str, int]:
    """How many tasks are ready, are running, and failed lately; nothing where the queue cannot be reached."""
    if settings.TASKS_URL:
        return _count_on_redis()
    from django_tasks_db.models import DBTaskResult  # this module is imported before there are models

    counted = dict(DBTaskResult.objects.order_by().values_list("status").annotate(count=Count("pk")))
    statuses = {"ready": TaskResultStatus.READY, "running": TaskResultStatus.RUNNING, "failed": TaskResultStatus.FAILED}
    return {name: counted.get(status, 0) for name, status in statuses.items()}


def _count_on_redis() -> dict[str, int]:
    from django_rq.queues import get_queue  # installed only where tasks are on Redis
    from redis.exceptions import RedisError

    try:
        queue = get_queue("default")
        # Clearing the lists up is for the workers: it ends tasks, and what is asked here is only how many there are.
        running, failed = (
            jobs.get_job_count(cleanup=False) for jobs in (queue.started_job_registry, queue.failed_job_registry)
        )
        return {"ready": queue.count, "running": running, "failed": failed}
    except RedisError:
        logger.warning("tasks cannot be counted", exc_info=True)
        return {}
