"""Invitations to the people an import created: now, later, to some of them, and again to who has not come in.

Whose turn it is stands on the rows of the import, so that a page can say how far it is, and a worker that was killed
leaves behind exactly those who have not been mailed.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.utils import timezone
from django_tasks import task

from users_profiles import invitations, queueing
from users_profiles.models import Import, ImportRow
from users_profiles.models import Invitation as Mailed
from users_profiles.models.clock import shared_now

BATCH = 100
# How many mails are written down in one go.
AT_ONCE = 1_000
# A mail server may be slow; a worker that has sent nothing for so long is not at work.
PATIENCE = timedelta(minutes=2)
Invitation = ImportRow.Invitation
# In words that no index on the last sign-in answers: nearly everybody new has none, and a database that does not yet
# know how many have just come would go through all of them for each row. It did: seconds, with a few thousand people.
_NEVER_IN = Q(IsNull(Cast("user__last_login", TextField()), True))
CAN_COME = Q(user__is_active=True) & _NEVER_IN & ~Q(user__email="")
# Where the people stand whom an import created.
GROUPS = {
    "open": CAN_COME & Q(invited__in=["", Invitation.FAILED]),
    "sent": CAN_COME & Q(invited__in=[Invitation.QUEUED, Invitation.SENT]),
    "in": Q(user__last_login__isnull=False),
    "never": _NEVER_IN & ~CAN_COME,
    "again": CAN_COME & Q(invited=Invitation.SENT),
}
# More of them than this are not counted while somebody waits, but now and then by the worker.
MANY = 10_000
# Seconds for which such counts are good: whoever signs in meanwhile is counted a little later.
COUNTED_FOR = 60
KEPT_FOR = 24 * 60 * 60


def created(job: Import) -> QuerySet[ImportRow]:
    """The rows that made somebody who is still there."""
    rows = job.rows.filter(outcome=ImportRow.Outcome.CREATED, number__lte=job.applied_through)
    return rows.filter(user__isnull=False)


def invitable(job: Import) -> QuerySet[ImportRow]:
    """The rows of new people who can be mailed and have not been in since."""
    return created(job).filter(CAN_COME)


def open_rows(job: Import) -> QuerySet[ImportRow]:
    """Those who have had no invitation yet, or none that could be sent."""
    return invitable(job).filter(invited__in=["", Invitation.FAILED])


def sent_rows(job: Import) -> QuerySet[ImportRow]:
    """Those who have been invited and have not come in, to be asked again."""
    return invitable(job).filter(invited=Invitation.SENT)


def waiting_rows(job: Import) -> QuerySet[ImportRow]:
    """Those whose mail waits for the worker."""
    return created(job).filter(invited=Invitation.QUEUED)


def is_stalled(job: Import) -> bool:
    """Whether mails wait although nothing has happened for a while: the worker was stopped, or there is none."""
    last = job.rows.exclude(invited="").aggregate(last=Max("invited_at"))["last"]
    return last is not None and last < timezone.now() - PATIENCE


def delayed(job: Import) -> tuple[int, datetime | None]:
    """How many mails the server did not take so far, and when the first of them is tried again."""
    mails = Mailed.objects.on_the_way().filter(row__job=job).exclude(reason="")
    found = mails.aggregate(count=Count("pk"), next=Min("try_at"))
    return found["count"], found["next"]


def counts(job: Import) -> dict[str, int]:
    """How many invitations wait, were sent and failed."""
    found = job.rows.exclude(invited="").order_by().values_list("invited").annotate(count=Count("pk"))
    return dict.fromkeys(Invitation.values, 0) | dict(found)


def tally(job: Import) -> dict[str, int]:
    """How many people there are in each of ``GROUPS``; of many people, when they were last counted."""
    if job.created <= MANY:
        return _count(job)
    known = cache.get(_kept_as(job.pk))
    if known is None:
        return keep_tally(job)
    counts, counted_at = known
    if not 0 <= time.time() - counted_at < COUNTED_FOR and cache.add(f"{_kept_as(job.pk)}-ordered", 1, COUNTED_FOR):
        count_anew.enqueue(job.pk)
    return dict(counts)


def keep_tally(job: Import) -> dict[str, int]:
    """Count, and keep what was counted for who looks next."""
    began, counts = time.time(), _count(job)
    cache.set(_kept_as(job.pk), (counts, began), KEPT_FOR)
    return counts


def _count(job: Import) -> dict[str, int]:
    found = created(job).aggregate(**{f"in_{name}": Count("pk", filter=who) for name, who in GROUPS.items()})
    return {name: found[f"in_{name}"] for name in GROUPS}


def _kept_as(key: int) -> str:
    return f"import-invited-{key}"


@task()
def count_anew(key: int) -> None:
    """Count those of many people again, in the worker."""
    job = Import.objects.filter(pk=key).first()
    if job is not None:
        keep_tally(job)


def queue(job: Import, rows: QuerySet[ImportRow]) -> int:
    """Have these people mailed by the worker; returns how many. Asks nobody: who may is for the page to say.

    A mail that waits to be tried again is hurried; one that somebody is sending at this moment is left alone.
    """
    keys = rows.values("pk")
    Mailed.objects.filter(row__in=keys).hurry()
    Mailed.objects.filter(row__in=keys, state__in=Mailed.OVER).update(row=None)
    count = ImportRow.objects.filter(pk__in=keys).update(invited=Invitation.QUEUED, invited_at=timezone.now())
    if count:
        cache.delete(_kept_as(job.pk))
        queueing.after_commit(send_queued, job.pk)
    return count


@task()
def send_queued(key: int) -> dict[str, int]:
    """Mail everybody whose invitation waits; a second worker at the same time takes others, never the same."""
    _make_mails(key)
    done = Counter(sent=0, delayed=0, failed=0)
    mails = Mailed.objects.filter(row__in=ImportRow.objects.filter(job_id=key, invited=Invitation.QUEUED).values("pk"))
    ready = mails.ready(shared_now()).select_related("person").order_by("pk")
    while waiting := list(ready[:BATCH]):
        found = Counter(invitations.deliver(waiting))
        done.update(found)
        if not found["sent"]:
            break  # the mail server is down, or another worker is at these; the next beat of the worker goes on
    return dict(done)


def _make_mails(key: int) -> None:
    """A mail for each row that waits and has none."""
    waiting = ImportRow.objects.filter(job_id=key, invited=Invitation.QUEUED, mail=None)
    waiting.filter(user=None).update(invited=Invitation.FAILED)  # deleted meanwhile
    while rows := list(waiting.order_by("number").values_list("pk", "user_id")[:AT_ONCE]):
        mails = [Mailed(row_id=row, person_id=person) for row, person in rows]
        Mailed.objects.bulk_create(mails, ignore_conflicts=True)
