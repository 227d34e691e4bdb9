"""Tasks whose worker was killed over them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from users_profiles.models import Worker
from users_profiles.models.leases import LEASE, MOST_ATTEMPTS
from users_profiles.transfer import orphans, tasks

pytestmark = pytest.mark.django_db

Status = TaskResultStatus


def taken(task: Any, by: str, *arguments: Any, settings: Any) -> DBTaskResult:
    """A task in the database's queue that a worker has taken."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    result = DBTaskResult.objects.get(pk=task.enqueue(*arguments).id)
    result.claim(by)
    return result


def status_of(task: DBTaskResult) -> str:
    task.refresh_from_db()
    return str(task.status)


def test_the_task_of_a_dead_worker_is_done_by_the_living_and_that_of_a_living_one_left_alone(settings: Any) -> None:
    Worker.objects.create(name="living")
    Worker.objects.create(name="dead", seen_at=timezone.now() - LEASE * 2)
    lost, kept = (taken(tasks.run_import, name, 1, settings=settings) for name in ("dead", "living"))
    gone = taken(tasks.run_import, "never heard of", 1, settings=settings)
    assert orphans.put_back() == 2
    assert (status_of(lost), status_of(gone), status_of(kept)) == (Status.READY, Status.READY, Status.RUNNING)
    lost.claim("living")
    assert orphans.put_back() == 0
    assert status_of(lost) == Status.RUNNING


def test_what_kills_one_worker_after_the_other_is_not_done_for_ever(settings: Any) -> None:
    task = taken(tasks.run_import, "dead", 1, settings=settings)
    for _death in range(MOST_ATTEMPTS - 1):
        assert orphans.put_back() == 1
        task.refresh_from_db()
        task.claim("dead, too")
    assert orphans.put_back() == 0
    assert status_of(task) == Status.FAILED
    assert task.finished_at > timezone.now() - timedelta(minutes=1)
    assert "died" in task.traceback
