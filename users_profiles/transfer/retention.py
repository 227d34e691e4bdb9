"""What is kept for a while, and for how long: uploads, exports, records of changes, the trail, sessions, tasks, mails.

All of it is personal data. One place clears it away, so that nothing is forgotten; administrators.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from users_profiles import avatars, storage
from users_profiles.accounts import sessions
from users_profiles.models import (
    Delivery,
    Export,
    Import,
    ImportPicture,
    ImportRow,
    Invitation,
    Profile,
    TrailEntry,
    Worker,
)
from users_profiles.models.clock import shared_now
from users_profiles.models.mails import KEEP_DAYS
from users_profiles.transfer import pictures

BATCH = 10_000
# So far apart may the clocks of a host and of the database be.
CLOCKS_APART = timedelta(minutes=5)


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


class ClocksDiffer(Exception):
    """This host and the database do not agree on what time it is, so nobody can say what is old."""


def prune(dry_run: bool = False) -> Pruned:
    """Delete what has been kept long enough.

    That there was an import or an export (who, when, how many) stays, without names or values. Raises ``ClocksDiffer``,
    and deletes nothing, where a clock is wrong: one that is a year ahead would have all of it thrown away.
    """
    _refuse_wrong_clocks()
    kinds, strays = _kinds(), list(_strays())
    pruned = Pruned(strays=len(strays))
    for name, old, _delete in kinds:
        setattr(pruned, name, getattr(pruned, name) + old.count())
    if not dry_run:
        for _name, old, delete in kinds:
            delete(old)
        for name in strays:
            default_storage.delete(name)
        Worker.objects.filter(seen_at__lt=_before(days=1)).delete()
        sessions.forget_ended()
    return pruned


def _refuse_wrong_clocks() -> None:
    apart = abs(timezone.now() - shared_now())
    if apart > CLOCKS_APART:
        raise ClocksDiffer(f"The clocks of this host and of the database are {apart} apart. Nothing was deleted.")


def _kinds() -> list[tuple[str, Any, Callable[[Any], object]]]:
    """What is old by now: under which name it is counted, and how it is deleted."""
    delete = models.QuerySet.delete
    mails = Delivery.objects.filter(run_at__lt=_before(days=KEEP_DAYS))
    invited = Invitation.objects.filter(asked_at__lt=_before(days=KEEP_DAYS))
    done = DBTaskResult.objects.filter(finished_at__lt=_before(days=settings.TASKS_KEEP_DAYS))
    entries = TrailEntry.objects.before(_before(days=settings.TRAIL_KEEP_YEARS * 365))
    return [
        ("previews", _previews(), _delete_previews),
        ("files", _files(), _delete_files),
        ("rows", _rows(), _delete_rows),
        ("entries", entries, type(entries).forget),
        ("exports", Export.objects.expired(), _delete_exports),
        ("exports", _chosen(), delete),
        ("tasks", done, delete),
        ("mails", mails, delete),
        ("mails", invited, delete),
    ]


# Which columns know the files of a folder. Thumbnails are known by the name of their picture.
_PICTURES = ((Profile, "avatar"), (ImportPicture, "file"))
_KNOWN_BY: dict[str, tuple[tuple[type[models.Model], str], ...]] = {
    "imports": ((Import, "file"),),
    "exports": ((Export, "file"),),
    "avatars": _PICTURES,
    **{f"thumbnails/{edge}": _PICTURES for edge in avatars.THUMBNAILS},
}


def _strays() -> Iterator[str]:
    """Files that no row knows of: what stored them was killed, or the storage failed when they were to be removed."""
    for folder, columns in _KNOWN_BY.items():
        for digit in "0123456789abcdef":  # names are random, so a sixteenth of a million is in memory at a time
            found = [name for name, at in storage.names(default_storage, folder, digit) if at < _before(days=1)]
            known = _known(columns, digit) if found else set()
            yield from (name for name in found if name.rpartition("/")[2] not in known)


def _known(columns: tuple[tuple[type[models.Model], str], ...], digit: str) -> set[str]:
    """The files beginning with ``digit`` that rows know. One query: an import may swap two names between tables."""
    first, *others = (
        model._default_manager.filter(**{f"{field}__contains": f"/{digit}"}).order_by().values_list(field, flat=True)
        for model, field in columns
    )
    return {name.rpartition("/")[2] for name in first.union(*others, all=True).iterator()}


def _chosen() -> models.QuerySet[Export]:
    """What was ticked and never exported, which was no export."""
    return Export.objects.filter(state=Export.State.CHOSEN, asked_at__lt=_before(days=1))


def _delete_exports(expired: models.QuerySet[Export]) -> None:
    """The files go; that there was an export stays."""
    for export in expired.only("pk", "file").iterator():
        # Unless somebody asks for it again at this moment.
        if Export.objects.expired().filter(pk=export.pk).update(file=""):
            export.file.delete(save=False)


def _before(**ago: int) -> datetime:
    return timezone.now() - timedelta(**ago)


def _begun() -> models.QuerySet[Import]:
    """Imports that somebody began and did not apply; nothing in them happened."""
    return Import.objects.filter(applied_at=None).exclude(state__in=Import.UNDER_WAY)


def _previews() -> models.QuerySet[Import]:
    return _begun().filter(uploaded_at__lt=_before(hours=settings.IMPORT_KEEP_PREVIEWS_HOURS))


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
        # Cancelled first: whoever presses Import at this moment is too late, or they have been faster and it stays.
        if _begun().filter(pk=job.pk).update(state=Import.State.CANCELLED):
            _delete_rows(ImportRow.objects.filter(job=job))
            job.delete()  # and its file with it


def _delete_files(applied: models.QuerySet[Import]) -> None:
    """The files of imports go, and the pictures that were replaced with them."""
    for job in applied.only("pk", "file").iterator():
        job.file.delete(save=False)
        Import.objects.filter(pk=job.pk).update(file="")
        pictures.forget(job)


def _delete_rows(rows: models.QuerySet[ImportRow]) -> None:
    """A few at a time, so that nobody waits long for a lock."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        ImportRow.objects.filter(pk__in=keys).delete()
