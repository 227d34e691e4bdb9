"""Tasks on Redis (``TASKS_URL``). Imported only where the settings ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage
from django_tasks.backends.base import BaseTaskBackend
from django_tasks_rq import RQBackend


class RedisQueue(RQBackend):
    """The library's queue without the app django_rq, whose admin pages are open to all staff, whatever their role."""

    def check(self, **kwargs: Any) -> Iterable[CheckMessage]:
        yield from BaseTaskBackend.check(self, **kwargs)
