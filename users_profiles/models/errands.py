"""Errands: what the worker has to do now and then, for which one task in the queue is enough however many ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now
from django_tasks.base import Task

from users_profiles import queueing

# A task that was queued this long ago and has not begun may be lost: a worker took it and died, or the queue was away.
LOST = timedelta(minutes=2)


class Errand(models.Model):
    """The turns of one kind of task. Two tasks for the same turn, when one seemed to be lost, are one: the first."""

    name = models.CharField(primary_key=True, max_length=100)
    # Of the turn that comes next.
    turn = models.PositiveBigIntegerField(default=0, db_default=0)
    # When a task for it was last put in the queue.
    ordered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def order(cls, task: Task[..., Any]) -> None:
        """Have the worker run this task, unless it has been asked to already and has not begun.

        Asked after the commit: one that has begun by then may not have seen what is to be done, and another is wanted.
        """
        transaction.on_commit(lambda: cls._put(task), robust=True)

    @classmethod
    def _put(cls, task: Task[..., Any]) -> None:
        name = task.module_path
        cls.objects.get_or_create(name=name)
        free = models.Q(ordered_at=None) | ~models.Q(ordered_at__range=(Now() - LOST, Now() + LOST))
        if cls.objects.filter(free, name=name).update(ordered_at=Now()) == 1:
            queueing.after_commit(task, cls.objects.values_list("turn", flat=True).get(name=name))

    @classmethod
    def begin(cls, task: Task[..., Any], turn: int | None) -> bool:
        """Take a turn; False when another task had it already. One that was not ordered but called may always."""
        if turn is None:
            return True
        mine = cls.objects.filter(name=task.module_path, turn=turn)
        return mine.update(turn=F("turn") + 1, ordered_at=None) == 1
