"""What is kept for a while, and for how long: uploads, exports, records of changes, the trail, sessions, tasks, mails.

All of it is personal data. One place clears it away, so that nothing is forgotten; README.md has the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from users_profiles.accounts import sessions
from users_profiles.models import Delivery, Export, Import, ImportRow, TrailEntry, Worker
from users_profiles.models.reports import KEEP_DAYS
from users_profiles.transfer import pictures

BATCH = 10_000


@dataclass
class Pruned:
    """How much was deleted, or would be."""

    previews: int = 0
    files: int = 0
    rows: int = 0
    entries: int = 0
    exports: int = 0
    tasks: int = 0
    mails: int = 0
    strays: int = 0

    def to_json(self) -> dict[str, int]:
        return asdict(self)


def prune(dry_run: bool = False) -> Pruned:
    """Delete what has been kept long enough.

    That there was an import or an export (who, when, how many) stays, without names or values.
    """
    previews, files, rows = _previews(), _files(), _rows()
    entries = TrailEntry.objects.before(_before(days=settings.TRAIL_KEEP_YEARS * 365))
    exports, strays = Export.objects.expired(), list(_strays())
    done = DBTaskResult.objects.filter(finished_at__lt=_before(days=settings.TASKS_KEEP_DAYS))
    mails = Delivery.objects.filter(run_at__lt=_before(days=KEEP_DAYS))
    pruned = Pruned(
        previews=previews.count(),
        files=files.count(),
        rows=rows.count(),
        entries=entries.count(),
        exports=exports.count(),
        tasks=done.count(),
        mails=mails.count(),
        strays=len(strays),
    )
    if not dry_run:
        _delete_previews(previews)
        for job in files.only("pk", "file").iterator():
            job.file.delete(save=False)
            Import.objects.filter(pk=job.pk).update(file="")
            pictures.forget(job)  # those that were replaced
        _delete_rows(rows)
        entries.forget()
        _delete_exports(exports)
        Worker.objects.filter(seen_at__lt=_before(days=1)).delete()
        sessions.forget_ended()
        done.delete()
        mails.delete()
        for name in strays:
            default_storage.delete(name)
    return pruned


def _strays() -> Iterator[str]:
    """Files of imports and exports that no row knows of: what stored them was killed before it could say so."""
    for folder, model in (("imports", Import), ("exports", Export)):
        known = set(model._default_manager.exclude(file="").values_list("file", flat=True))
        try:
            names = default_storage.listdir(folder)[1]
        except FileNotFoundError:
            continue
        for name in (f"{folder}/{name}" for name in names):
            if name not in known and default_storage.get_modified_time(name) < _before(days=1):
                yield name


def _delete_exports(expired: models.QuerySet[Export]) -> None:
    """The files go; that there was an export stays. What was ticked and never exported was none."""
    for export in expired.only("pk", "file").iterator():
        export.file.delete(save=False)
        Export.objects.filter(pk=export.pk).update(file="")
    Export.objects.filter(state=Export.State.CHOSEN, asked_at__lt=_before(days=1)).delete()


def _before(**ago: int) -> datetime:
    return timezone.now() - timedelta(**ago)


def _previews() -> models.QuerySet[Import]:
    """Imports that somebody began and never applied; nothing in them happened."""
    begun = Import.objects.filter(applied_at=None).exclude(state__in=Import.UNDER_WAY)
    return begun.filter(uploaded_at__lt=_before(hours=settings.IMPORT_KEEP_PREVIEWS_HOURS))


def _files() -> models.QuerySet[Import]:
    applied = Import.objects.exclude(applied_at=None).exclude(state__in=Import.UNDER_WAY).exclude(file="")
    return applied.filter(applied_at__lt=_before(days=settings.IMPORT_KEEP_FILES_DAYS))


def _rows() -> models.QuerySet[ImportRow]:
    old = Import.objects.exclude(state__in=Import.UNDER_WAY).filter(
        applied_at__lt=_before(days=settings.IMPORT_KEEP_ROWS_DAYS)
    )
    return ImportRow.objects.filter(job__in=old)


def _delete_previews(previews: models.QuerySet[Import]) -> None:
    for job in previews.iterator():
        _delete_rows(ImportRow.objects.filter(job=job))
        job.delete()  # and its file with it


def _delete_rows(rows: models.QuerySet[ImportRow]) -> None:
    """A few at a time, so that nobody waits long for a lock."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        ImportRow.objects.filter(pk__in=keys).delete()
