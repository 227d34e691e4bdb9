"""Who works on imports and exports and when: the request that waits for a small one, or the background worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks import task

from users_profiles import logs, queueing
from users_profiles.figures import store as figures
from users_profiles.models import Export, Import, Worker
from users_profiles.models.leases import LeasedJob
from users_profiles.search import settling
from users_profiles.transfer import importer, invitees, pictures, retention, undo_import
from users_profiles.transfer.export import making

logger = logging.getLogger(__name__)

# A task that was queued this long ago and has not begun is taken for lost: a worker took it and died.
TASK_LOST = timedelta(seconds=60)
# A job just begun is given this long to be taken up, before a page says that nobody is there to do so.
PATIENCE = timedelta(seconds=5)


@task()
def run_import(key: int) -> None:
    """Go on with the import of this key; a key that is gone or done is no error, it was dealt with."""
    job = Import.objects.under_way().filter(pk=key).first()
    if job is not None:
        run(job)


@task()
def run_export(key: int) -> None:
    """Make the file of the export of this key; a key that is gone or done is no error."""
    export = Export.objects.under_way().filter(pk=key).first()
    if export is not None:
        make(export)


@task()
def prune_imports() -> dict[str, int]:
    """Delete what has been kept long enough."""
    return retention.prune().to_json()


def start(job: Import) -> None:
    """Run a small job at once, while the person waits; leave a larger one to the worker.

    A small one that another import has got in the way of is left to the worker too: nobody waits for somebody else's.
    """
    if is_small(job) and job.ahead() is None:
        run(job)
    else:
        queue(job)


def run(job: Import, after_chunk: Callable[[Import], object] | None = None) -> None:
    """Work on a job here and now, then see to it that those who had to wait for it get their turn."""
    _engine(job)(job, after_chunk)
    _used_up(job)
    if job.applied_at is not None:
        figures.people_changed()
        if is_small(job):
            settling.settle(most=job.total)  # of many more, the worker makes them findable in the background
    if job.created > invitees.MANY and job.owner_id is not None:
        invitees.keep_tally(job)  # before somebody waits for it
    sweep()


def _used_up(job: LeasedJob) -> None:
    """The task that led here is used up; where the job still needs somebody, it needs a new one."""
    job.all_jobs().adrift().filter(pk=job.pk).update(queued_at=None)


def make(export: Export) -> None:
    """Make the file of an export here and now, unless somebody else is at it."""
    making.run(export)
    _used_up(export)


def is_small(job: Import) -> bool:
    """Whether a person can wait for a job. Drawing pictures takes long; to swap them in is a row like any other."""
    drawing = job.subject == Import.Subject.PICTURES and job.state == Import.State.CHECKING
    return job.total <= (settings.IMPORT_SYNC_PICTURES if drawing else settings.IMPORT_SYNC_ROWS)


def _engine(job: Import) -> Callable[..., None]:
    """What works on a job in its present state."""
    if job.subject == Import.Subject.PICTURES:
        return pictures.run
    return undo_import.run if job.state == Import.State.UNDOING else importer.run


def queue(job: LeasedJob) -> bool:
    """Put a task for a job in the queue; False when there is one already, or somebody works on the job."""
    lost = models.Q(queued_at=None) | ~models.Q(queued_at__range=(Now() - TASK_LOST, Now() + TASK_LOST))
    if job.all_jobs().adrift().filter(lost, pk=job.pk).update(queued_at=Now()) != 1:
        return False
    with logs.about_job(job):
        logger.info("queued")
    task: Any = run_export if isinstance(job, Export) else run_import
    queueing.after_commit(task, job.pk)
    return True


def sweep() -> int:
    """Queue every job that is under way without anybody working on it; return how many.

    Called by the worker as it beats and by pages that show progress, as often as they like. What waits for another
    import to finish is left alone until that one has. Downloads whose server was killed are said to be broken off.
    """
    for export in Export.objects.forsaken():
        export.break_off(export.cursor, export.size, export.digest)
    jobs: list[LeasedJob] = [*Import.objects.adrift().order_by("started_at", "pk"), *Export.objects.adrift()]
    return sum(queue(job) for job in jobs if job.ahead() is None)


def waits_for_turn(job: LeasedJob) -> bool:
    """Whether a job stands still because another import writes."""
    return not job.is_held and job.ahead() is not None


def needs_worker(job: LeasedJob) -> bool:
    """Whether a job stands still because no background worker is running."""
    if not job.is_under_way or job.is_held or waits_for_turn(job) or Worker.objects.alive().exists():
        return False
    return job.began_at is None or job.began_at < timezone.now() - PATIENCE
