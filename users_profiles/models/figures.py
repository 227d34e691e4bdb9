"""The figures of the dashboard as they were counted last, where every process finds them and no restart loses them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

# A count that was ordered this long ago and has not come is taken for lost: a worker took the task and died.
LOST = timedelta(minutes=2)


class Snapshot(models.Model):
    """What was counted, and when; one row for each thing that is counted."""

    name = models.CharField(primary_key=True, max_length=30)
    counts = models.JSONField(null=True)
    # When the counting began: whatever changed since then may be missing.
    counted_at = models.DateTimeField(null=True)
    # When a new count was ordered that has not come yet.
    ordered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("snapshot of figures")
        verbose_name_plural = _("snapshots of figures")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def order(cls, name: str) -> bool:
        """Note that a new count is wanted; True for the one caller who is to have it made.

        It is wanted until it has come, and not only until it has begun as an errand is: two counts at once help nobody.
        """
        cls.objects.get_or_create(name=name)
        free = models.Q(ordered_at=None) | ~models.Q(ordered_at__range=(Now() - LOST, Now() + LOST))
        return cls.objects.filter(free, name=name).update(ordered_at=Now()) == 1

    @classmethod
    def keep(cls, name: str, counts: dict[str, Any], began: datetime) -> None:
        """Keep what has come, as of when the counting began."""
        values = {"counts": counts, "counted_at": began, "ordered_at": None}
        cls.objects.update_or_create(name=name, defaults=values)
