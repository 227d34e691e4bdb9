"""Invitations to the people an import created: now, later, to some of them, and again to who has not come in.

Whose turn it is stands on the rows of the import, so that a page can say how far it is, and a worker that was killed
leaves behind exactly those who have not been mailed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django_tasks import task

from users_profiles import invitations
from users_profiles.models import Import, ImportRow

logger = logging.getLogger(__name__)

BATCH = 100
# A mail server may be slow; a worker that has sent nothing for so long is not at work.
PATIENCE = timedelta(minutes=2)
Invitation = ImportRow.Invitation
# In words that no index on the last sign-in answers: nearly everybody new has none, and going through all people by it
# takes a hundred times as long as going through the rows from the first.
CAN_COME = Q(user__is_active=True) & ~Q(user__last_login__isnull=False) & ~Q(user__email="")


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


def counts(job: Import) -> dict[str, int]:
    """How many invitations wait, were sent and failed."""
    found = job.rows.exclude(invited="").order_by().values_list("invited").annotate(count=Count("pk"))
    return dict.fromkeys(Invitation.values, 0) | dict(found)


def queue(job: Import, rows: QuerySet[ImportRow]) -> int:
    """Have these people mailed by the worker; returns how many. Asks nobody: who may is for the page to say."""
    count = ImportRow.objects.filter(pk__in=rows.values("pk")).update(
        invited=Invitation.QUEUED, invited_at=timezone.now()
    )
    if count:
        transaction.on_commit(partial(send_queued.enqueue, job.pk))
    return count


@task()
def send_queued(key: int) -> dict[str, int]:
    """Mail everybody whose invitation waits; a second worker at the same time takes others, never the same."""
    sent = failed = 0
    waiting = ImportRow.objects.filter(job_id=key, invited=Invitation.QUEUED).select_related("user").order_by("number")
    while rows := list(waiting[:BATCH]):
        for row in rows:
            if _claim(row):
                if _send(row):
                    sent += 1
                else:
                    failed += 1
    return {"sent": sent, "failed": failed}


def _claim(row: ImportRow) -> bool:
    """Marked as sent before it is: nobody gets two mails because a worker was killed between the two."""
    mine = ImportRow.objects.filter(pk=row.pk, invited=Invitation.QUEUED)
    return mine.update(invited=Invitation.SENT, invited_at=timezone.now()) == 1


def _send(row: ImportRow) -> bool:
    try:
        if row.user is not None and row.user.is_active and row.user.email:
            invitations.message(row.user).send()
            return True
    except Exception:  # every mail engine raises errors of its own
        logger.exception("The invitation to person %s could not be sent", row.user_id)
    ImportRow.objects.filter(pk=row.pk).update(invited=Invitation.FAILED)
    return False
