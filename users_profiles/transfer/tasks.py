"""What the background worker does for imports."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django_tasks import task

from users_profiles.models import Import
from users_profiles.transfer import importer


@task()
def run_import(key: int) -> None:
    """Go on with the import of this key; a key that is gone or done is no error, it was dealt with."""
    job = Import.objects.under_way().filter(pk=key).first()
    if job is not None:
        importer.run(job)


def start(job: Import) -> None:
    """Run a small job at once, while the person waits; leave a larger one to the worker."""
    if job.total <= settings.IMPORT_SYNC_ROWS:
        importer.run(job)
    else:
        transaction.on_commit(lambda: run_import.enqueue(job.pk))
