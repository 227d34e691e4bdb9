"""The page on which the people an import created are invited: all of them, some, or again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from users_profiles.admin import row_search
from users_profiles.admin.row_search import PER_PAGE
from users_profiles.admin.transfer_pages import open_tab
from users_profiles.keys import read_number
from users_profiles.models import Import, ImportRow, Invitation
from users_profiles.moments import ago
from users_profiles.transfer import invitees

Invited = ImportRow.Invited


class InvitationsMixin:
    """Invitations of one import, for its owner."""

    def invite_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Show who was invited and has come in; a POST mails a link to set a password to those it names."""
        job = self._job(request, key)  # type: ignore[attr-defined]
        if job.applied_at is None:
            raise Http404
        if request.method == "POST":
            _invite(request, job)
            return redirect("admin:users_profiles_import_invite", job.pk)
        title = _("Invitations")
        context = self._page(request, job, title, **_invited(request, job))  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/transfer/invite.html", context)

    def invite_progress_view(self, request: HttpRequest, key: Any) -> JsonResponse:
        """What the page asks for while mails are being sent."""
        return JsonResponse(_progress(self._job(request, key)))  # type: ignore[attr-defined]


def _invite(request: HttpRequest, job: Import) -> None:
    """Mail a whole group, or the ticked; without a word about whom, nobody."""
    whom = request.POST.get("who", "")
    if whom in invitees.WISHES:
        count = invitees.queue(job, whom)
    else:
        texts = request.POST.getlist("row")[:PER_PAGE]
        count = invitees.queue_some(job, [number for text in texts if (number := read_number(text)) is not None])
    if count:
        sentence = ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", count)
        messages.success(request, sentence % {"count": count})
    else:
        messages.warning(request, _("Nobody was invited: tick at least one person who can be mailed."))


# What the tabs show, each some of the people an import created.
_TABS = {
    "open": gettext_lazy("Not invited"),
    "sent": gettext_lazy("Invited, not in yet"),
    "in": gettext_lazy("Have signed in"),
    "never": gettext_lazy("Cannot be mailed"),
}


def _invited(request: HttpRequest, job: Import) -> dict[str, Any]:
    made = invitees.created(job)
    counts = invitees.tally(job)
    tabs: list[dict[str, Any]] = [
        {"outcome": name, "label": label, "count": counts[name]} for name, label in _TABS.items()
    ]
    tab = open_tab(tabs, request.GET.get("show", ""))
    group = invitees.GROUPS[tab["outcome"]]
    looked = row_search.look(job, made, tab["count"], request.GET, ImportRow.Outcome.CREATED, group)
    found = looked.context(request.GET.get("page"))
    text = row_search.asked(request.GET)
    return {
        "tabs": tabs,
        "shown": tab,
        "text": text,
        **found,
        "rows": _readable_rows(list(found["page"])),
        "progress": _progress(job),
        "again": counts["again"],
        "searchable": tab["count"] > PER_PAGE or bool(text),
    }


def _readable_rows(rows: list[ImportRow]) -> list[dict[str, Any]]:
    mails = {mail.row_id: mail for mail in Invitation.objects.filter(row__in=rows)}
    return [{**_readable(row), "mail": mails.get(row.pk)} for row in rows]


def _readable(row: ImportRow) -> dict[str, Any]:
    assert row.user is not None  # noqa: S101
    return {
        "number": row.number,
        "label": row.label,
        "person": reverse("admin:users_profiles_user_change", args=[row.user_id]),
        "email": row.user.email,
        "active": row.user.is_active,
        "invited": row.invited,
        "state": row.get_invited_display(),
        "ago": ago(row.invited_at) if row.invited_at else "",
        "signed_in": ago(row.user.last_login) if row.user.last_login else "",
    }


def _progress(job: Import) -> dict[str, Any]:
    """How far the mails are; while some wait, the page asks again."""
    counts = invitees.counts(job)
    not_yet = invitees.left(job, "open")
    total = sum(counts.values()) + not_yet
    delayed, next_try = invitees.delayed(job) if counts[Invited.QUEUED] else (0, None)
    waiting = counts[Invited.QUEUED] - delayed + not_yet + invitees.left(job, "again")
    done = max(0, total - waiting - delayed)
    return {
        "under_way": waiting > 0 or bool(job.inviting),
        "cursor": done,
        "total": total,
        "percent": done * 100 // total if total else 0,
        "sent": counts[Invited.SENT],
        "failed": counts[Invited.FAILED],
        "stalled": (waiting > 0 or bool(job.inviting)) and invitees.is_stalled(job),
        "delayed": delayed,
        "next_try": next_try,
    }
