"""Every export there ever was, by whatever road: who, when, whom, which columns, how many, and what was sent."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from users_profiles.models.leases import LeasedJob, LeasedQuerySet, fresh_start

# At most so long is something sent: it is little, or a worker would have made a file of it.
SENDING_TAKES = timedelta(hours=1)
# The format of all that is held about one person, see ``privacy``; nobody chooses it in a form.
HELD = "zip"
HELD_TITLE = "All we hold"  # in the ledger, and in the name of the file


def given_name(export: Export, filename: str) -> str:
    """The name that was chosen, and committed, before there was a file of that name."""
    return filename


class ExportQuerySet(LeasedQuerySet["Export"]):
    def visible_to(self, actor: Any) -> Self:
        """Keep the exports somebody may look at: their own, or all of them for who may grant roles."""
        if not actor.has_perm("users_profiles.export_user"):
            return self.none()
        return self if actor.has_perm("users_profiles.grant_role") else self.filter(owner=actor)

    def begun(self) -> Self:
        """Leave out what somebody has ticked and not exported yet."""
        return self.exclude(state=Export.State.CHOSEN)

    def forsaken(self) -> Self:
        """Keep what is said to be on its way for so long that the server must have been killed over it."""
        return self.filter(state=Export.State.SENDING, started_at__lt=timezone.now() - SENDING_TAKES)

    def expired(self) -> Self:
        """Keep those whose file has been there long enough, or was left there when they ended before it was said."""
        now = timezone.now()
        left = models.Q(state__in=Export.GIVEN_UP, expires_at=None, finished_at__lt=now - timedelta(days=1))
        kept = self.exclude(file="").exclude(state__in=Export.UNDER_WAY)
        return kept.filter(models.Q(expires_at__lt=now) | left)


class Export(LeasedJob):
    """One file on its way out: the entry in the ledger and, where a worker writes the file, the job."""

    class State(models.TextChoices):
        CHOSEN = "chosen", _("Ticked, not exported yet")
        SENDING = "sending", _("Being sent")
        MAKING = "making", _("Being made")
        DONE = "done", _("Done")
        BROKEN_OFF = "broken", _("Broken off")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    # What is sent while somebody waits is nobody else's to take up: there is nobody to send it to any more.
    UNDER_WAY = frozenset({State.MAKING})
    GIVEN_UP = frozenset({State.CANCELLED, State.FAILED})
    GOES_ON = False  # nothing of a half-made file is kept

    class Format(models.TextChoices):
        XLSX = "xlsx", _("Excel (.xlsx)")
        CSV = "csv", _("CSV")
        JSON = "json", _("JSON")
        JSONL = "jsonl", _("JSON lines")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="exports",
        verbose_name=_("exported by"),
    )
    # Whom: an address of the list as selection.py reads it and, of those, only the ticked where there are keys.
    query = models.TextField(_("filter"), blank=True)
    keys = models.JSONField(_("ticked"), null=True)
    order = models.CharField(_("order"), max_length=300, blank=True)
    columns = models.JSONField(_("columns"), default=list)
    format = models.CharField(_("format"), max_length=5, choices=Format, default=Format.XLSX)
    # Of a saved report: which, and its name then. Of changes and not of people: from when, and until when.
    report = models.ForeignKey(
        "users_profiles.Report", on_delete=models.SET_NULL, null=True, related_name="exports", verbose_name=_("report")
    )
    title = models.CharField(_("name of the report"), max_length=80, blank=True)
    since = models.DateTimeField(_("changes since"), null=True)
    until = models.DateTimeField(_("changes until"), null=True)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CHOSEN)
    # Of what was sent, or of the file; of an export that was broken off, of the part that was sent.
    digest = models.CharField(_("SHA-256"), max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    file = models.FileField(_("file"), upload_to=given_name, blank=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)
    asked_at = models.DateTimeField(_("exported"), default=timezone.now)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-asked_at"]
        indexes = [
            models.Index(fields=["-asked_at"], name="export_asked"),
            models.Index(fields=["owner", "-asked_at"], name="export_asked_by"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        """What the file is called where it arrives."""
        name = slugify(self.title) or "people"
        return f"{name}-{timezone.localdate(self.asked_at).isoformat()}.{self.format}"

    @property
    def is_about_changes(self) -> bool:
        """Whether it has what changed, and not the people as they are."""
        return self.since is not None

    @property
    def can_be_downloaded(self) -> bool:
        """Whether the file lies there to be fetched."""
        kept = self.expires_at is not None and self.expires_at > timezone.now()
        return self.state == self.State.DONE and bool(self.file) and kept

    def start_sending(self) -> bool:
        """Begin to send it to somebody who waits."""
        return self._move({self.State.CHOSEN}, self.State.SENDING, **fresh_start())

    def start_making(self) -> bool:
        """Begin to make a file of it, for a worker to take up; also what has failed or was cancelled."""
        return self._move(
            {self.State.CHOSEN, *self.GIVEN_UP},
            self.State.MAKING,
            failure="",
            cursor=0,
            file=str(self.file or _new_name()),
            **fresh_start(),
        )

    def finish(self, rows: int, size: int, digest: str, expires_at: datetime | None = None) -> bool:
        """All of it is sent, or written to the file that lies there until ``expires_at``."""
        under_way: set[str] = {self.State.SENDING, self.State.MAKING}
        written = {"cursor": rows, "total": rows, "size": size, "digest": digest}
        moved = self._move(
            under_way, self.State.DONE, expires_at=expires_at, finished_at=timezone.now(), lease_until=None, **written
        )
        if moved and self.report is not None and self.since and self.until:
            self.report.note_run(self.since, self.until)
        return moved

    def break_off(self, rows: int, size: int, digest: str) -> bool:
        """Whoever waited for it has gone; so much had been sent."""
        sent = {"cursor": rows, "size": size, "digest": digest, "finished_at": timezone.now()}
        return self._move({self.State.SENDING}, self.State.BROKEN_OFF, **sent)

    def cancel(self) -> bool:
        """Stop making the file."""
        return self._move({self.State.MAKING}, self.State.CANCELLED, finished_at=timezone.now(), lease_until=None)

    def fail(self, reason: str) -> bool:
        under_way: set[str] = {self.State.CHOSEN, self.State.SENDING, self.State.MAKING}
        return self._move(under_way, self.State.FAILED, failure=reason, finished_at=timezone.now(), lease_until=None)


def _new_name() -> str:
    """A name nobody can guess."""
    return f"exports/{secrets.token_hex(16)}"
