"""Tasks whose worker was killed over them: the queue would say for ever that they are running."""

from __future__ import annotations

import logging

from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from users_profiles.models import Worker
from users_profiles.models.leases import MOST_ATTEMPTS

logger = logging.getLogger(__name__)


def put_back() -> int:
    """Have the tasks of dead workers done by the living; return how many.

    All of them go on from where they were cut short. What has killed one worker after the other ends as failed.
    """
    running = DBTaskResult.objects.running()
    taken = list(running.values_list("pk", "task_path", "worker_ids", "started_at"))
    alive = set(Worker.objects.alive().values_list("name", flat=True)) if taken else set()
    put = 0
    for key, path, workers, started_at in taken:
        if workers and workers[-1] in alive:
            continue
        orphan = running.filter(pk=key, started_at=started_at)
        if len(workers) >= MOST_ATTEMPTS:
            logger.error("The worker died over task %s (%s), which is not done again", key, path)
            orphan.update(
                status=TaskResultStatus.FAILED, finished_at=timezone.now(), traceback="The worker died over this."
            )
        else:
            put += orphan.update(status=TaskResultStatus.READY, started_at=None)
    return put
