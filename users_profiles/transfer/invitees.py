"""Whom of the people an import created to invite: now, later, some of them, and again who has not come in.

The mails themselves are sent by ``invitations``; this decides who gets one. Whose turn it is stands on the rows of the
import, so that a page can say how far it is, and a worker that was killed leaves behind exactly those who have not been
mailed. The trail has no entry for each of them, as it has none for what the rows say of everybody else: they are kept
with the import, say who was mailed and when, and may be a million.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.utils import timezone
from django_tasks import task

from users_profiles import invitations
from users_profiles.models import Errand, Import, ImportRow, Invitation
from users_profiles.transfer import lease

# How many mails are written down in one go; while a person waits, no more than that.
AT_ONCE = 1_000
# So many times in one task, so that the imports behind it in the queue get their turn.
STEPS = 20
# A mail server may be slow; a worker that has sent nothing for so long is not at work.
PATIENCE = timedelta(minutes=2)
Invited = ImportRow.Invited
# In words that no index on the last sign-in answers: nearly everybody new has none, and a database that does not yet
# know how many have just come would go through all of them for each row. It did: seconds, with a few thousand people.
_NEVER_IN = Q(IsNull(Cast("user__last_login", TextField()), True))
CAN_COME = Q(user__is_active=True) & _NEVER_IN & ~Q(user__email="")
# Where the people stand whom an import created: not invited, or by no mail that could be sent; invited and not in yet,
# and of these who can be asked again, because the mail is out; in; and those who cannot be mailed.
GROUPS = {
    "open": CAN_COME & Q(invited__in=["", Invited.FAILED]),
    "sent": CAN_COME & Q(invited__in=[Invited.QUEUED, Invited.SENT]),
    "again": CAN_COME & Q(invited=Invited.SENT),
    "in": Q(user__last_login__isnull=False),
    "never": _NEVER_IN & ~CAN_COME,
}
# More of them than this are not counted while somebody waits, but now and then by the worker.
MANY = 10_000
# Seconds for which such counts are good: whoever signs in meanwhile is counted a little later.
COUNTED_FOR = 60


def created(job: Import) -> QuerySet[ImportRow]:
    """The rows that made somebody who is still there."""
    rows = job.rows.filter(outcome=ImportRow.Outcome.CREATED, number__lte=job.applied_through)
    return rows.filter(user__isnull=False)


def invitable(job: Import) -> QuerySet[ImportRow]:
    """The rows of new people who can be mailed and have not been in since."""
    return created(job).filter(CAN_COME)


def standing(job: Import, group: str) -> QuerySet[ImportRow]:
    """The rows of the people who stand in one of ``GROUPS``."""
    return created(job).filter(GROUPS[group])


def waiting_rows(job: Import) -> QuerySet[ImportRow]:
    """Those whose mail waits for the worker."""
    return created(job).filter(invited=Invited.QUEUED)


def is_stalled(job: Import) -> bool:
    """Whether mails wait although nothing has happened for a while: the worker was stopped, or there is none."""
    last = job.rows.exclude(invited="").aggregate(last=Max("invited_at"))["last"]
    return last is not None and last < timezone.now() - PATIENCE


def delayed(job: Import) -> tuple[int, datetime | None]:
    """How many mails the server did not take so far, and when the first of them is tried again."""
    mails = Invitation.objects.on_the_way().filter(row__job=job).exclude(reason="")
    found = mails.aggregate(count=Count("pk"), next=Min("try_at"))
    return found["count"], found["next"]


def counts(job: Import) -> dict[str, int]:
    """How many invitations wait, were sent and failed."""
    found = job.rows.exclude(invited="").order_by().values_list("invited").annotate(count=Count("pk"))
    return dict.fromkeys(Invited.values, 0) | dict(found)


def tally(job: Import) -> dict[str, int]:
    """How many people there are in each of ``GROUPS``; of many people, when they were last counted."""
    if job.created <= MANY:
        return _count(job)
    if job.tally is None:  # once, of an import of before the worker counted
        return keep_tally(job)
    if not 0 <= time.time() - job.tally["at"] < COUNTED_FOR:
        _want_tally(job)
    return dict(job.tally["counts"])


def keep_tally(job: Import) -> dict[str, int]:
    """Count, and keep what was counted for who looks next."""
    began, counts = time.time(), _count(job)
    job.tally = {"counts": counts, "at": began}
    Import.objects.filter(pk=job.pk).update(tally=job.tally)
    return counts


def _count(job: Import) -> dict[str, int]:
    found = created(job).aggregate(**{f"in_{name}": Count("pk", filter=who) for name, who in GROUPS.items()})
    return {name: found[f"in_{name}"] for name in GROUPS}


def _want_tally(job: Import) -> None:
    """Have the worker count anew; until it has, what it counted last is shown."""
    if job.created > MANY:
        Import.objects.filter(pk=job.pk, tally_wanted=False).update(tally_wanted=True)
        Errand.order(count_anew)


@task()
def count_anew(turn: int | None = None) -> None:
    """Count those of many people again, in the worker."""
    if not Errand.begin(count_anew, turn):
        return
    for job in Import.objects.filter(tally_wanted=True):
        Import.objects.filter(pk=job.pk).update(tally_wanted=False)
        keep_tally(job)


# Whom to invite -----------------------------------------------------------------------------------------------------

# Whole groups that can be asked for, with what the page says of their number.
WISHES: dict[str, tuple[Callable[[Import], QuerySet[ImportRow]], Callable[[Import], int]]] = {
    "open": (partial(standing, group="open"), lambda job: tally(job)["open"]),
    "again": (partial(standing, group="again"), lambda job: tally(job)["again"]),
    "waiting": (waiting_rows, lambda job: counts(job)[Invited.QUEUED]),
}


def queue(job: Import, whom: str) -> int:
    """Have a group of ``WISHES`` mailed; returns how many they are, of many people as far as that is known.

    Asks nobody: who may is for the page to say. The first of them are seen to at once, more of them by the worker.
    """
    about = WISHES[whom][1](job)
    with transaction.atomic():
        wishes = _wishes(job.pk)
        if whom not in wishes:
            _note(job, wishes | {whom: {"through": 0, "left": about}})
    done = _step(job.pk, whom)
    job.refresh_from_db(fields=["inviting"])
    _go_on(job)
    return max(done, about) if done and whom in job.inviting else done


def queue_some(job: Import, numbers: list[int]) -> int:
    """Have those of these few rows mailed who can be; returns how many."""
    with transaction.atomic():
        done = _mark(invitable(job).filter(number__in=numbers))
    _go_on(job)
    return len(done)


def _go_on(job: Import) -> None:
    if job.inviting:
        Errand.order(invite_wished)
    Errand.order(invitations.send_invitations)
    _want_tally(job)


def left(job: Import, whom: str) -> int:
    """How many of a group that was asked for are not on the way yet, as far as that is known."""
    return int(job.inviting.get(whom, {}).get("left", 0))


def is_anything_due() -> bool:
    """Whether somebody is to be invited who is not on the way yet; cheap enough to be asked all the time."""
    return Import.objects.exclude(inviting={}).exists()


@task()
def invite_wished(turn: int | None = None) -> None:
    """Put mails on their way for whole groups of people, step by step, and leave the rest to a task of its own."""
    if not Errand.begin(invite_wished, turn):
        return
    for _number in range(STEPS):
        job = Import.objects.exclude(inviting={}).order_by("pk").first()
        if job is None or lease.is_stopping():
            break
        _step(job.pk, next(iter(job.inviting)))
        Errand.order(invitations.send_invitations)
        job.refresh_from_db(fields=["inviting"])
        if not job.inviting:
            _want_tally(job)
    if is_anything_due():
        Errand.order(invite_wished)


def _wishes(key: int) -> dict[str, dict[str, int]]:
    """Whom else to invite of an import; nobody else changes that before the end of the transaction."""
    return Import.objects.select_for_update().values_list("inviting", flat=True).get(pk=key)


def _note(job: Import, wishes: dict[str, dict[str, int]]) -> None:
    Import.objects.filter(pk=job.pk).update(inviting=wishes)


def _step(key: int, whom: str) -> int:
    """See to the next people of a group, together with the note how far that is; returns how many they were."""
    with transaction.atomic():
        job = Import.objects.select_for_update().get(pk=key)
        wishes = job.inviting
        if whom not in wishes:
            return 0  # another worker was first
        wish = wishes.pop(whom)
        rows = WISHES[whom][0](job).filter(number__gt=wish["through"])
        done = _hurry(rows) if whom == "waiting" else _mark(rows)
        if len(done) == AT_ONCE:
            wishes[whom] = {"through": done[-1], "left": max(0, wish["left"] - len(done))}
        else:
            job.rows.filter(invited=Invited.QUEUED, user=None).update(invited=Invited.FAILED)  # deleted meanwhile
        _note(job, wishes)
    return len(done)


def _mark(rows: QuerySet[ImportRow]) -> list[int]:
    """Put a mail on its way for each of the first rows; returns their numbers."""
    found = _first(rows)
    keys = [key for key, _number, _person in found]
    Invitation.objects.filter(row__in=keys).hurry()
    Invitation.objects.filter(row__in=keys, state__in=Invitation.OVER).update(row=None)
    ImportRow.objects.filter(pk__in=keys).update(invited=Invited.QUEUED, invited_at=timezone.now())
    mails = [Invitation(row_id=key, person_id=person) for key, _number, person in found]
    Invitation.objects.bulk_create(mails, ignore_conflicts=True)
    return [number for _key, number, _person in found]


def _hurry(rows: QuerySet[ImportRow]) -> list[int]:
    """Have the mails of the first rows tried now; returns their numbers. One that is being sent is left alone."""
    found = _first(rows)
    keys = [key for key, _number, _person in found]
    Invitation.objects.filter(row__in=keys).hurry()
    for mail in Invitation.objects.filter(row__in=keys, state__in=Invitation.OVER):
        invitations.tell_import(mail)  # whoever mailed it died before it could say so
    ImportRow.objects.filter(pk__in=keys, invited=Invited.QUEUED).update(invited_at=timezone.now())
    mails = [Invitation(row_id=key, person_id=person) for key, _number, person in found]
    Invitation.objects.bulk_create(mails, ignore_conflicts=True)
    return [number for _key, number, _person in found]


def _first(rows: QuerySet[ImportRow]) -> list[tuple[int, int, int]]:
    return list(rows.order_by("number").values_list("pk", "number", "user_id")[:AT_ONCE])
