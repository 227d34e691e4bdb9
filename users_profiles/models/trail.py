"""The trail: who did what to whom, when, and from where. Written once; only age takes an entry away again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

BATCH = 10_000


class Road(models.TextChoices):
    """By which way a change came. Those of imports are never stored here: the rows of an import are its entries."""

    ADMIN = "admin", _("By hand")
    ACTION = "action", _("List action")
    SELF = "self", _("Own profile")
    ACCOUNT = "account", _("Sign-in pages")
    COMMAND = "command", _("Command line")
    IMPORT = "import", _("Import")
    ROSTER = "roster", _("Roster")
    PICTURES = "pictures", _("Pictures")
    UNDO = "undo", _("Undo")


class AppendOnlyError(TypeError):
    """Somebody tried to change the trail."""

    def __init__(self) -> None:
        super().__init__("The trail is only ever added to.")


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    """Adds and reads; refuses everything else."""

    def update(self, **values: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    def before(self, moment: datetime) -> TrailQuerySet:
        """Keep what is older than this."""
        return self.filter(timestamp__lt=moment)

    def forget(self) -> int:
        """Take entries away for good, a few at a time; for retention alone. Returns how many went."""
        gone = 0
        while keys := list(self.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            gone += self.model._base_manager.filter(pk__in=keys)._raw_delete(self.db)
        return gone

    def blank(self, **values: Any) -> int:
        """Write over what would tell who it was; for the erasure of a person alone. Returns how many it were."""
        return self.model._base_manager.filter(pk__in=self.values("pk")).update(**values)


class TrailManager(LogEntryManager.from_queryset(TrailQuerySet)):  # type: ignore[misc]
    """What auditlog's own receivers write with, and our words."""


class TrailEntry(AbstractLogEntry):
    """One thing that somebody did to a person, with the old and the new value of every field: ``{field: [old, new]}``.

    A person is named by key and by the name they had then, and so is the actor: neither is a tie that holds somebody
    back from being deleted, or that forgets who it was when they are.
    """

    # Without the indexes that auditlog gives each of them: nobody looks for an entry by these alone.
    content_type = models.ForeignKey(
        "contenttypes.ContentType", on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    object_pk = models.CharField(max_length=255, blank=True)
    object_id = models.BigIntegerField(null=True)
    action = models.PositiveSmallIntegerField(choices=AbstractLogEntry.Action.choices)
    cid = models.CharField(max_length=255, null=True)  # noqa: DJ001 (auditlog writes null)
    timestamp = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(max_length=320, blank=True)
    road = models.CharField(_("road"), max_length=8, choices=Road)
    changes_text = None  # type: ignore[assignment]
    remote_port = None
    actor_email = None

    objects = TrailManager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("entry of the trail")
        verbose_name_plural = _("trail")
        ordering = ["-timestamp", "-pk"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="trail_when"),
            models.Index(fields=["object_id", "-timestamp", "-id"], name="trail_person"),
            models.Index(fields=["actor", "-timestamp", "-id"], name="trail_actor"),
            models.Index(fields=["road", "-timestamp", "-id"], name="trail_road"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.object_repr}, {self.timestamp:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError
