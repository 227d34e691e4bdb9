"""Who may have what of a report: the columns they may not see are left out and named, the rest is all or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from users_profiles import criteria, roles, selection
from users_profiles.models import Report, User
from users_profiles.roles import Action
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export.wanted import Wanted, exportable

# A word that can be found in a phone number.
_NUMBER = re.compile(r"[+()./-]*\d[\d+()./-]*")


@dataclass(frozen=True)
class Run:
    """One report as one person may have it; ``dropped`` are the labels of the columns they may not see."""

    wanted: Wanted
    dropped: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Days:
    """The days that somebody asks about; without them, since the report last ran."""

    first: date | None = None
    last: date | None = None


def run(report: Report, actor: User | None, days: Days | None = None) -> Run:
    """The report as ``actor`` may have it; None is the operator of the host.

    Raises ``FileRefused`` with a sentence where whom it shows, or in which order, is more than ``actor`` may know:
    other people than the owner sees would be worse than none.
    """
    allowed = exportable(actor)
    kept = [name for name in report.columns if name in allowed]
    labels = columns.labels()
    dropped = [str(labels.get(name, name)) for name in report.columns if name not in allowed]
    if not kept:
        raise FileRefused(_("You may not see any of the columns of this report."))
    wanted = Wanted(actor, report.query, report.order, columns=kept, format=report.format, report=report)
    check(wanted)
    if report.is_about_changes:
        wanted.since, wanted.until = between(report, days or Days())
    return Run(wanted, dropped)


def check(wanted: Wanted) -> None:
    """Raise ``FileRefused`` when these people may not be selected, or not by this actor."""
    wanted.check()
    wanted.people()
    actor = wanted.actor
    searched = selection.search_of(wanted.query)
    if actor is None or roles.may(actor, Action.VIEW_PRIVATE):
        return
    if any(map(_NUMBER.fullmatch, searched.split())):
        raise FileRefused(_("This report searches for a number, and that looks into phone numbers you may not see."))


def offer(report: Report, actor: User) -> Run | str:
    """All of a report, as somebody is mailed it; or why they may not have that."""
    if not actor.is_active or not actor.is_staff:
        return _("is not active, or not staff any more")
    if not actor.email:
        return _("has no e-mail")
    try:
        found = run(report, actor)
    except FileRefused as refused:
        return _("may not have it: %(reason)s") % {"reason": refused}
    if found.dropped:
        return _("may not see %(columns)s") % {"columns": ", ".join(found.dropped)}
    return found


def refusal(report: Report, actor: User) -> str:
    """Why somebody may not have all of a report by mail; the empty text when they may."""
    found = offer(report, actor)
    return found if isinstance(found, str) else ""


# From when, until when ----------------------------------------------------------------------------------------------


def between(report: Report, days: Days) -> tuple[datetime, datetime]:
    """The two moments a report of changes is about, the second of which is not included."""
    now = timezone.now()
    since = criteria.start_of(days.first) if days.first else report.began_at
    until = min(now, criteria.start_of(days.last + timedelta(days=1))) if days.last else now
    if since > until or (days.first and days.last and days.first > days.last):
        raise FileRefused(_("There is no time between these two days."))
    return since, until


def may_change(actor: User, report: Report) -> bool:
    """Whether somebody may edit or delete a report: their own, or any of them who may give roles."""
    return roles.may(actor, Action.EXPORT) and (report.owner_id == actor.pk or roles.may(actor, Action.GRANT))
