"""Puts tasks into the queue, whichever that is: once what they are about is committed, and at no risk to the page."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django_tasks.base import Task

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
