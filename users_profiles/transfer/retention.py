"""What imports leave behind, and for how long: files and change records are personal data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from users_profiles.models import Export, Import, ImportRow, TrailEntry, Worker
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

    def to_json(self) -> dict[str, int]:
        return asdict(self)


def prune(dry_run: bool = False) -> Pruned:
    """Delete what has been kept long enough: files never applied, files that were, records of what was changed,
    files to download.

    The line in the history (who, when, how many) stays, without names or values.
    """
    previews, files, rows = _previews(), _files(), _rows()
    entries = TrailEntry.objects.before(_before(days=settings.TRAIL_KEEP_YEARS * 365))
    exports = Export.objects.expired()
    pruned = Pruned(previews.count(), files.count(), rows.count(), entries.count(), exports.count())
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
    return pruned


def _delete_exports(expired: models.QuerySet[Export]) -> None:
    """The files go; that there was an export stays. What was ticked and never exported was none.

    Nobody waits for a day for what is being sent: a server was killed over it.
    """
    for export in expired.only("pk", "file").iterator():
        export.file.delete(save=False)
        Export.objects.filter(pk=export.pk).update(file="")
    Export.objects.filter(state=Export.State.CHOSEN, asked_at__lt=_before(days=1)).delete()
    for export in Export.objects.filter(state=Export.State.SENDING, started_at__lt=_before(days=1)).iterator():
        export.break_off(export.cursor, export.size, export.digest)


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
