"""An import of people from a file, and what became of each of its rows."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A worker that has not said anything for this long is taken for dead, and its job may be taken over.
LEASE = timedelta(seconds=60)


def upload_name(job: Import, filename: str) -> str:
    """A name nobody can guess and no client chose."""
    return f"imports/{secrets.token_hex(16)}"


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, actor: Any) -> Self:
        """Keep the imports somebody may look at: their own, or all of them for who may grant roles."""
        if not actor.has_perm("users_profiles.import_user"):
            return self.none()
        return self if actor.has_perm("users_profiles.grant_role") else self.filter(owner=actor)

    def under_way(self) -> Self:
        return self.filter(state__in=[Import.State.CHECKING, Import.State.APPLYING])


class Import(models.Model):
    """One file on its way in. States change through the named methods only, each a conditional UPDATE."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked, not applied")
        APPLYING = "applying", _("Being applied")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    class Subject(models.TextChoices):
        PEOPLE = "people", _("People")
        PICTURES = "pictures", _("Pictures")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="imports",
        verbose_name=_("imported by"),
    )
    # Started from the command line of the host, with full rights. Told apart from an owner who has been deleted since.
    by_operator = models.BooleanField(_("from the command line"), default=False)
    subject = models.CharField(_("what it brings"), max_length=8, choices=Subject, default=Subject.PEOPLE)
    file = models.FileField(_("file"), upload_to=upload_name)
    filename = models.CharField(_("file name"), max_length=255)
    digest = models.CharField(_("SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    # How the file is read and what is done with it: transfer.options.Options as a dict.
    options = models.JSONField(_("options"), default=dict)
    # Of the column names, so that the next file with the same ones is mapped as this one was.
    headers_digest = models.CharField(max_length=64, blank=True, db_index=True)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    failure = models.TextField(_("reason"), blank=True)
    total = models.PositiveIntegerField(_("rows"), default=0)
    # How many rows of the file the present state has dealt with: where a killed worker's successor goes on.
    cursor = models.PositiveIntegerField(_("rows dealt with"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)

    # How many people an undo has removed, deactivated, restored and kept.
    undo = models.JSONField(_("undone"), default=dict)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("undone by")
    )

    lease_holder = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-uploaded_at"]
        indexes = [models.Index(fields=["-uploaded_at"], name="import_uploaded")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.filename

    @property
    def is_under_way(self) -> bool:
        return self.state in {self.State.CHECKING, self.State.APPLYING}

    @property
    def percent(self) -> int:
        return min(100, self.cursor * 100 // self.total) if self.total else 0

    @property
    def seconds(self) -> float:
        """How long the present or last state took, in seconds."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    def _move(self, sources: set[str], target: str, **values: Any) -> bool:
        """Go from one of ``sources`` to ``target`` in one UPDATE; True when this call was the one that did it."""
        values["state"] = target
        moved = Import.objects.filter(pk=self.pk, state__in=sources).update(**values) == 1
        if moved:
            for name, value in values.items():
                setattr(self, name, value)
        return moved

    def _begin(self, sources: set[str], target: str) -> bool:
        fresh = {"cursor": 0, "created": 0, "updated": 0, "unchanged": 0, "refused": 0, "left_out": 0, "failure": ""}
        return self._move(sources, target, started_at=timezone.now(), finished_at=None, lease_until=None, **fresh)

    def start_check(self) -> bool:
        """Begin, or begin again, to compare the file with what we know; nothing is written to people."""
        return self._begin({self.State.UPLOADED, self.State.CHECKED, self.State.FAILED}, self.State.CHECKING)

    def finish_check(self) -> bool:
        return self._move({self.State.CHECKING}, self.State.CHECKED, finished_at=timezone.now())

    def start_apply(self) -> bool:
        """Begin to write; only ever once, and only what was checked."""
        return self._begin({self.State.CHECKED}, self.State.APPLYING)

    def finish_apply(self) -> bool:
        return self._move({self.State.APPLYING}, self.State.DONE, finished_at=timezone.now())

    def cancel(self) -> bool:
        """Stop where it stands; rows already written stay written."""
        return self._move({self.State.CHECKING, self.State.APPLYING}, self.State.CANCELLED, finished_at=timezone.now())

    def fail(self, reason: str) -> bool:
        """Give up, with a sentence for the person who started it."""
        under_way: set[str] = {self.State.UPLOADED, self.State.CHECKING, self.State.APPLYING}
        return self._move(under_way, self.State.FAILED, failure=reason, finished_at=timezone.now())

    def take_lease(self, holder: str) -> bool:
        """Become the only one who works on this job; False while somebody else's lease is good."""
        now = timezone.now()
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=now) | models.Q(lease_holder=holder)
        rows = Import.objects.under_way().filter(free, pk=self.pk)
        return rows.update(lease_holder=holder, lease_until=now + LEASE) == 1

    def advance(self, holder: str, cursor: int, **counts: int) -> bool:
        """Move the cursor and renew the lease; False when the job was cancelled or taken over meanwhile.

        Called inside the transaction of the chunk it accounts for: a chunk and its cursor commit together or not.
        """
        mine = Import.objects.under_way().filter(pk=self.pk, lease_holder=holder)
        if mine.update(cursor=cursor, lease_until=timezone.now() + LEASE, **counts) != 1:
            return False
        self.cursor = cursor
        for name, value in counts.items():
            setattr(self, name, value)
        return True


class ImportRow(models.Model):
    """What one row of a file would do (once checked) or did (once applied)."""

    class Outcome(models.TextChoices):
        CREATED = "new", _("New")
        UPDATED = "changed", _("Changed")
        UNCHANGED = "same", _("Unchanged")
        REFUSED = "refused", _("Refused")
        LEFT_OUT = "left", _("Left out")
        MISSING = "missing", _("Not in the file")

    job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows", verbose_name=_("import"))
    # As a spreadsheet numbers it: the header is row 1.
    number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="import_rows",
        verbose_name=_("person"),
    )
    label = models.CharField(_("who"), max_length=320, blank=True)
    # Staff untick rows that are not to be applied.
    ticked = models.BooleanField(_("apply"), default=True)
    # {field: [old, new]} as text; old is null for somebody new.
    changes = models.JSONField(_("changes"), default=dict)
    # One entry for each mistake: its column (the header), value (the text) and reason (a sentence).
    errors = models.JSONField(_("errors"), default=list)
    # What an undo did to this row (removed, deactivated, restored), or the reason why it kept it.
    undone = models.CharField(_("undone"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="import_row_once")]
        indexes = [models.Index(fields=["job", "outcome", "number"], name="import_row_outcome")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number}: {self.label}"
