"""Work that outlives whoever does it: a job is held by a lease that runs out, and somebody else goes on.

What imports and exports have in common. States change through named methods only, each a conditional UPDATE: exactly
one row changed means that this call was the one that did it.

Leases are written and read by the clock of the database, which all hosts share: one whose own clock is wrong would else
take everybody's work away, or never let go. That clock, too, may be set back, and then a lease seems to run for longer
than any does; such a one counts for nothing until its holder, if there is one, renews it with the next beat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users_profiles import speaking
from users_profiles.sentences import SentenceField, sentence

# A worker that has not said anything for this long is taken for dead, and its job may be taken over.
LEASE = timedelta(seconds=30)
# How often a living one says so: often enough that two lost beats do not cost it its job.
BEAT = timedelta(seconds=5)
# A job that is taken over this many times without a single chunk in between is what kills its workers.
MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class Pace:
    """Rows a second and, where anybody can tell, how many seconds are left."""

    per_second: float
    left: float | None


AnyJob = TypeVar("AnyJob", bound="LeasedJob")


class LeasedQuerySet(models.QuerySet[AnyJob]):
    """What we ask of jobs, in words."""

    def under_way(self) -> Self:
        return self.filter(state__in=self.model.UNDER_WAY)

    def held(self) -> Self:
        """Keep those that somebody works on."""
        return self.filter(lease_until__range=(Now(), Now() + 2 * LEASE))

    def adrift(self) -> Self:
        """Keep those under way that nobody works on: not begun yet, or left behind by a worker that died."""
        return self.under_way().filter(_is_free())


def _is_free() -> models.Q:
    """The condition that nobody holds a job."""
    return models.Q(lease_until=None) | models.Q(lease_until__lt=Now()) | models.Q(lease_until__gt=Now() + 2 * LEASE)


class LeasedJob(models.Model):
    """A job that a worker holds for a while. A subclass has a ``state``, and says in which of them it is under way."""

    UNDER_WAY: ClassVar[frozenset[Any]]
    # Whether whoever takes it over goes on at the cursor, or begins anew.
    GOES_ON: ClassVar[bool] = True

    # Started from the command line of the host, with full rights. Told apart from an owner who has been deleted since.
    by_operator = models.BooleanField(_("from the command line"), default=False)
    # Of whoever started it: a worker that goes on with it has no browser to ask.
    language = models.CharField(max_length=10, default=speaking.spoken, db_default="", editable=False)
    state: models.CharField[str, str]
    owner: Any
    failure = SentenceField(_("reason"), blank=True)
    total = models.PositiveIntegerField(_("rows"), default=0)
    # How many rows the present state has dealt with.
    cursor = models.PositiveIntegerField(_("rows dealt with"), default=0)

    lease_holder = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    # How often somebody began to work on it since it last got on.
    attempts = models.PositiveSmallIntegerField(default=0)
    # When a task for it was last put in the queue, so that looking after lost jobs does not fill the queue.
    queued_at = models.DateTimeField(null=True)
    # When its present holder took it up, and where that was: what is said of its pace counts from there.
    taken_at = models.DateTimeField(null=True)
    taken_cursor = models.PositiveIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        abstract = True

    @classmethod
    def all_jobs(cls) -> LeasedQuerySet[Any]:
        """All rows of this kind, with our words."""
        return cls._default_manager.all()  # type: ignore[return-value]

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def is_held(self) -> bool:
        """Whether somebody works on it at this moment."""
        return self.all_jobs().held().filter(pk=self.pk).exists()

    def ahead(self) -> LeasedJob | None:
        """The job that this one has to wait for; most wait for none."""
        return None

    @property
    def percent(self) -> int:
        return min(100, self.cursor * 100 // self.total) if self.total else 0

    @property
    def seconds(self) -> float:
        """How long the present or last state took, in seconds."""
        if self.started_at is None:
            return 0.0
        return max(0.0, ((self.finished_at or timezone.now()) - self.started_at).total_seconds())

    @property
    def pace(self) -> Pace:
        """How fast its present holder gets on; nobody can tell while nobody works on it."""
        if self.taken_at is None or not self.is_held:
            return Pace(0.0, None)
        seconds = (timezone.now() - self.taken_at).total_seconds()
        done = self.cursor - self.taken_cursor
        per_second = done / seconds if done > 0 and seconds > 0 else 0.0
        open_rows = self.total - self.cursor
        return Pace(per_second, open_rows / per_second if per_second and open_rows > 0 else None)

    @property
    def began_at(self) -> datetime | None:
        """When the present state was begun."""
        return self.started_at

    def sorry(self) -> str:
        """What to tell people when it failed for a reason that is no business of theirs."""
        return sentence("Something went wrong on our side. Try again.")

    def fail(self, reason: str) -> bool:
        """Give up, with a sentence for the person who started it."""
        raise NotImplementedError

    def _move(self, sources: Iterable[str], target: str, **values: Any) -> bool:
        """Go from one of ``sources`` to ``target`` in one UPDATE; True when this call was the one that did it."""
        values["state"] = target
        moved = self.all_jobs().filter(pk=self.pk, state__in=sources).update(**values) == 1
        if moved:
            self._take_over(values)
        return moved

    def _take_over(self, values: dict[str, Any]) -> None:
        """Be as the database is by now."""
        for name, value in values.items():
            setattr(self, name, value)

    def take_lease(self, holder: str) -> bool:
        """Become the only one who works on this job; False while somebody else does, or it has to wait its turn."""
        mine = self.all_jobs().under_way().filter(_is_free() | models.Q(lease_holder=holder))
        mine = mine.filter(pk=self.pk, state=self.state)
        attempts = models.Case(models.When(lease_holder=holder, then="attempts"), default=models.F("attempts") + 1)
        with transaction.atomic():
            if not self._has_turn():
                return False
            # The task that led here is used up: if this holder dies, the job needs a new one, and at once.
            taken: dict[str, Any] = {"lease_holder": holder, "lease_until": Now() + LEASE, "queued_at": None}
            taken |= {"taken_at": timezone.now(), "taken_cursor": models.F("cursor")}
            taken |= {} if self.GOES_ON else {"cursor": 0, "taken_cursor": 0}
            return mine.update(attempts=attempts, **taken) == 1

    def _has_turn(self) -> bool:
        """Whether nothing stands in the way of working on it; holds until the end of the transaction."""
        return True

    def release_lease(self, holder: str) -> None:
        """Let somebody else go on at once, without waiting for the lease to run out."""
        self.all_jobs().filter(pk=self.pk, lease_holder=holder).update(
            lease_holder="", lease_until=None, attempts=0, queued_at=None
        )

    def advance(self, holder: str, cursor: int, **values: Any) -> bool:
        """Move the cursor and renew the lease; False when the job was cancelled or taken over meanwhile."""
        values["cursor"] = cursor
        mine = self.all_jobs().under_way().filter(pk=self.pk, lease_holder=holder)
        if mine.update(lease_until=Now() + LEASE, **values) != 1:
            return False
        self._take_over(values)
        return True


def fresh_start() -> dict[str, Any]:
    """The bookkeeping of a state in which somebody is to work on the job."""
    return {
        "started_at": timezone.now(),
        "finished_at": None,
        "lease_holder": "",
        "lease_until": None,
        "attempts": 0,
        "queued_at": None,
        "taken_at": None,
    }
