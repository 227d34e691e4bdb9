"""Sends what is due: takes the run on, has a file made for each recipient, mails where it lies, and tries again.

Any number of workers and cron jobs may do so at once. A run is taken on by one UPDATE, together with what is to be
done for it, and each mail by another; nobody who comes second does it again. A run that was missed, because nothing
was running, is made up for once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django_tasks import task

from users_profiles.models import Delivery, Errand, Export, Report, User
from users_profiles.models.clock import shared_now
from users_profiles.models.mails import not_taken
from users_profiles.reports import running, schedule
from users_profiles.speaking import speaking_to
from users_profiles.transfer import tasks
from users_profiles.transfer.export.wanted import Wanted

logger = logging.getLogger(__name__)

# At most so many mails in one go, so that the imports behind them in the queue get their turn.
BATCH = 100


@dataclass
class Sent:
    """What was done."""

    runs: int = 0
    mails: int = 0
    skipped: int = 0
    failed: int = 0


@task()
def send_reports(turn: int | None = None) -> dict[str, int]:
    """Send what is due, in the worker."""
    if not Errand.begin(send_reports, turn):
        return {}
    return vars(send_due())


def is_anything_due() -> bool:
    """Whether there is something to take on or to try again; cheap enough to be asked all the time."""
    now = shared_now()
    waits = Report.objects.due(now) | Report.objects.too_far(now)
    return waits.exists() or Delivery.objects.ready(now).exists()


def send_due() -> Sent:
    """Take on the reports that are due, and see to the mails that wait."""
    now, sent = shared_now(), Sent()
    for report in Report.objects.too_far(now):
        logger.warning("Report %s was sent by a clock that was ahead", report.pk)
        report.bring_back(now, schedule.next_moment(report, now))
    for report in Report.objects.due(now).select_related("owner"):
        try:
            with speaking_to(report.owner):  # who reads why somebody got no mail
                sent.runs += take_on(report, now)
        except Exception:  # one that cannot be sent is no reason for the others not to be
            logger.exception("Report %s could not be taken on", report.pk)
    waiting = Delivery.objects.ready(now).select_related("report__owner", "recipient", "export")
    for delivery in waiting.order_by("try_at", "pk")[:BATCH]:
        with speaking_to(delivery.report.owner):
            deliver(delivery)
        sent.mails += delivery.state == Delivery.State.SENT
        sent.failed += delivery.state == Delivery.State.FAILED
    sent.skipped = Delivery.objects.filter(run_at=now, state=Delivery.State.SKIPPED).count()
    return sent


def take_on(report: Report, now: datetime) -> bool:
    """Begin a run: one mail, with a file to be made, for each recipient who may have it; False when another was first.

    All of it is written at once. Whoever goes on from here, and when, does not matter any more.
    """
    with transaction.atomic():
        since = report.began_at
        if not report.claim(now, schedule.next_moment(report, now)):
            return False
        _begin(report, since, now)
    return True


def send_now(report: Report) -> bool:
    """Begin a run out of turn and have the worker see to its mails; False when one has only just begun."""
    now = shared_now()
    with transaction.atomic():
        since = report.began_at
        if not report.claim_now(now):
            return False
        _begin(report, since, now)
        Errand.order(send_reports)
    return True


def _begin(report: Report, since: datetime, now: datetime) -> None:
    left_out = []
    for person in report.recipients.order_by("pk"):
        offered = running.offer(report, person)
        delivery = Delivery(report=report, recipient=person, run_at=now, try_at=now)
        if isinstance(offered, str):
            delivery.state, delivery.reason = Delivery.State.SKIPPED, offered
            left_out.append(delivery)
        else:
            delivery.export = _export(offered.wanted, person, since, now)
        delivery.save()
    owner = report.owner
    if left_out and owner is not None and owner.is_active and owner.is_staff and owner.email:
        Delivery.objects.create(report=report, recipient=owner, run_at=now, try_at=now, is_news=True)


def _export(wanted: Wanted, person: User, since: datetime, until: datetime) -> Export:
    """The file to be made for one person, with what they may see."""
    with speaking_to(person):
        if wanted.is_about_changes:
            wanted.since, wanted.until = since, until
        export = wanted.entry(wanted.count())
    export.start_making()
    return export


# One mail -----------------------------------------------------------------------------------------------------------


def deliver(delivery: Delivery) -> None:
    """Mail it once its file is there; what fails is tried again later, and said on the report's page."""
    if not delivery.claim(shared_now()):
        return
    if not delivery.is_news and not _is_ready(delivery):
        return
    try:
        message(delivery).send()
    except Exception as error:  # every mail engine raises errors of its own
        logger.warning("The mail of report %s to person %s: %r", delivery.report_id, delivery.recipient_id, error)
        delivery.put_off(not_taken())
        delivery.refresh_from_db()
    else:
        delivery.sent()


def _is_ready(delivery: Delivery) -> bool:
    """Whether the file lies there for somebody who may have it; if it never will, the mail is over, and said why."""
    reason = running.refusal(delivery.report, delivery.recipient)
    if reason:
        delivery.skip(reason)
        return False
    export = delivery.export
    if export is not None and export.is_under_way:
        tasks.make(export)
        export.refresh_from_db()
    if export is not None and export.can_be_downloaded:
        return True
    if export is not None and export.is_under_way:
        delivery.wait()  # a worker is at it, or was told to stop
    else:
        delivery.fail(_("There is no file: %(reason)s") % {"reason": _why_none(export)})
    return False


def _why_none(export: Export | None) -> str:
    if export is not None and export.failure:
        return export.failure
    if export is not None and export.state == Export.State.CANCELLED:
        return _("it was cancelled.")
    return _("it is not kept any more.")


def message(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail, as text and HTML, in the language of who gets it. It never carries the file: that waits behind the
    sign-in.
    """
    with speaking_to(delivery.recipient):
        return _message(delivery)


def _message(delivery: Delivery) -> EmailMultiAlternatives:
    kind = "skipped" if delivery.is_news else "report"
    context = _context(delivery)
    subject = " ".join(render_to_string(f"reports/email/{kind}_subject.txt", context).split())
    mail = EmailMultiAlternatives(subject, render_to_string(f"reports/email/{kind}_message.txt", context).strip())
    mail.to = [delivery.recipient.email]
    mail.attach_alternative(render_to_string(f"reports/email/{kind}_message.html", context), "text/html")
    return mail


def _context(delivery: Delivery) -> dict[str, object]:
    report, export = delivery.report, delivery.export
    link = reverse("admin:users_profiles_report_change", args=[report.pk])
    context: dict[str, object] = {
        "person": delivery.recipient,
        "report": report,
        "export": export,
        "schedule": schedule.in_words(report),
        "base_url": settings.BASE_URL,
        "report_link": settings.BASE_URL + link,
    }
    if export is not None:
        context["link"] = settings.BASE_URL + reverse("admin:users_profiles_export_change", args=[export.pk])
        context["last"] = export.until
    if delivery.is_news:
        context["left_out"] = report.deliveries.filter(
            run_at=delivery.run_at, state=Delivery.State.SKIPPED
        ).select_related("recipient")
    return context


def dry_run() -> list[tuple[Report, User, str]]:
    """Who would be mailed what: report, recipient, and why not; the empty text where nothing is in the way."""
    found = []
    for report in Report.objects.due(shared_now()):
        found += [(report, person, running.refusal(report, person)) for person in report.recipients.order_by("pk")]
    return found
