"""Saved views of the list of people: kept under a name, opened, changed in the list, and updated where they are shown.

A saved view is a saved report that is looked at as a list: one thing, by whichever name one comes to it. The address of
an opened view says which it is, so that the list knows it again when its filter, order or columns are others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from users_profiles import roles, selection
from users_profiles.admin import listing
from users_profiles.keys import is_key
from users_profiles.models import Report, User
from users_profiles.reports import running
from users_profiles.reports.forms import TOLD, ReportForm
from users_profiles.roles import Action
from users_profiles.transfer.export.wanted import last_choice

# So many saved views are in the menu; all of them are on the page of reports.
VIEWS = 20


class SavesViewsMixin:
    """Keeps what the list shows as a view, or as what a view shows from now on; the form of reports has the rules."""

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(end, self.admin_site.admin_view(require_POST(view)), name=f"users_profiles_user_{name}")  # type: ignore[attr-defined]

        return [
            at("views/", self.save_view, "views"),
            at("views/<int:key>/", self.update_view, "view"),
            at("views/<int:key>/name/", self.rename_view, "view_name"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep what the list shows under a name; go on to who is mailed it, or back to the list."""
        actor = self._actor(request)
        report = Report(owner=actor, format=last_choice(actor).format)
        asked = {"name": request.POST.get("name", ""), "sharing": request.POST.get("sharing", Report.Sharing.MINE)}
        if self._keep(request, report, {**asked, **self._shown(request, report)}):
            messages.success(request, _("“%(view)s” is saved. You find it under Saved views.") % {"view": report.name})
            mails = f"{reverse('admin:users_profiles_report_edit', args=[report.pk])}?every={Report.Every.WEEK}"
            return HttpResponseRedirect(mails if "mail" in request.POST else listing.of_report(report))
        return self._back(request)

    def update_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Have a view show from now on what the list shows, in its order and with its columns."""
        report = self._own(request, key)
        if self._keep(request, report, self._shown(request, report)):
            messages.success(request, _("“%(view)s” is updated.") % {"view": report.name})
            return HttpResponseRedirect(listing.of_report(report))
        return self._back(request)

    def rename_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Call a view by another name; what it shows stays as it is."""
        report = self._own(request, key)
        before = report.name
        if self._keep(request, report, {"name": request.POST.get("name", "")}) and report.name != before:
            messages.success(
                request, _("“%(before)s” is called “%(view)s” now.") % {"before": before, "view": report.name}
            )
        return self._back(request)

    def _actor(self, request: HttpRequest) -> User:
        if not roles.may(request.user, Action.EXPORT) or not isinstance(request.user, User):
            raise PermissionDenied
        return request.user

    def _own(self, request: HttpRequest, key: int) -> Report:
        """The view of this key: 404 for who may not use it, 403 for who may use but not change it."""
        actor = self._actor(request)
        if not is_key(str(key)):
            raise Http404
        report: Report = get_object_or_404(Report.objects.visible_to(actor), pk=key)
        if not running.may_change(actor, report):
            raise PermissionDenied
        return report

    def _shown(self, request: HttpRequest, report: Report) -> dict[str, Any]:
        """What the list shows, as answers to the form of a report."""
        address = _address(request)
        # An order by numbers, or by what the list did not show, is no order of a report.
        order = self.known_order(request, address)  # type: ignore[attr-defined]
        person = [name for name in report.columns if name in listing.PERSON] or listing.PERSON
        rest = [name for name in report.columns if name == "version"]  # is for files alone
        names = list(dict.fromkeys([*person, *request.POST.getlist("columns"), *rest]))
        return {"query": selection.address(address), "order": ",".join(order), "columns": names}

    def _keep(self, request: HttpRequest, report: Report, changes: dict[str, Any]) -> bool:
        """Store a view with these changes, or say why not."""
        form = ReportForm(_answers(report, changes), actor=self._actor(request), report=report)
        form.offer_order(str(changes.get("order", "")))
        if form.is_valid() and form.keep():
            return True
        for name, errors in form.errors.items():
            for error in errors:
                messages.error(request, _not_saved(form, name, str(error)))
        return False

    def _back(self, request: HttpRequest) -> HttpResponseRedirect:
        return HttpResponseRedirect(listing.ADDRESS + listing.as_address(_address(request)))


def _address(request: HttpRequest) -> QueryDict:
    """The address of the list that the form was sent from."""
    return QueryDict(request.POST.get("address", "")[: selection.MAX_QUERY_BYTES])


def _answers(report: Report, changes: dict[str, Any]) -> QueryDict:
    """What the form of a report would be sent to have it as it is, but for the changes."""
    answers = {name: getattr(report, name) for name in TOLD} | changes
    answers["listed"] = answers["columns"]
    answers["recipients"] = list(report.recipients.values_list("pk", flat=True)) if report.pk else []
    return QueryDict(urlencode(answers, doseq=True))


def _not_saved(form: ReportForm, name: str, error: str) -> str:
    label = form.fields[name].label if name in form.fields else ""
    return f"{label}: {error}" if label else error


# The menu above the list --------------------------------------------------------------------------------------------


def views_menu(request: HttpRequest, order: list[str]) -> dict[str, Any] | None:
    """The saved views, which of them is shown or was opened, and what it takes to keep what the list shows."""
    actor = request.user
    if not isinstance(actor, User) or not roles.may(actor, Action.EXPORT):
        return None
    now = listing.parts_of_list(request, order)
    usable = Report.objects.visible_to(actor).select_related("owner")
    reports = list(usable.filter(kind=Report.Kind.PEOPLE)[:VIEWS])
    opened = _opened(request, reports, usable)
    current = opened or next((report for report in reports if listing.parts_of_report(report, actor) == now), None)
    entries: list[dict[str, Any]] = [
        {"report": report, "address": listing.of_report(report), "is_current": report == current} for report in reports
    ]
    query = selection.address(request.GET)
    return {
        "mine": [entry for entry in entries if entry["report"].owner_id == actor.pk],
        "shared": [entry for entry in entries if entry["report"].owner_id != actor.pk],
        "opened": opened,
        "current": current,
        "is_changed": opened is not None and listing.parts_of_report(opened, actor) != now,
        "may_change": current is not None and running.may_change(actor, current),
        "columns": listing.shown(request),
        "sharings": _sharings(actor),
        "directory": f"{reverse('admin:users_profiles_directory')}?{query}".rstrip("?"),
    }


def _opened(request: HttpRequest, reports: list[Report], usable: Any) -> Report | None:
    """The view that the address names, of those whoever looks may use."""
    key = request.GET.get(listing.VIEW, "")
    if not is_key(key):
        return None
    return next((report for report in reports if report.pk == int(key)), None) or usable.filter(pk=key).first()


def _sharings(actor: User) -> list[tuple[str, Any]]:
    """With whom somebody can share a view: who has no role has nobody to share it with by role."""
    choices: list[tuple[str, Any]] = list(Report.Sharing.choices)
    return choices if actor.role else [choice for choice in choices if choice[0] != Report.Sharing.ROLE]
