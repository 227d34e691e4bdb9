"""What each person chooses about the list of people: its columns, and what they keep of it as a saved view.

A saved view is a saved report that is looked at as a list: one thing, by whichever name one comes to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from users_profiles import recorder, roles, selection
from users_profiles.admin import listing
from users_profiles.models import Report, User
from users_profiles.reports import running
from users_profiles.reports.forms import ReportForm
from users_profiles.roles import Action
from users_profiles.transfer import columns
from users_profiles.transfer.export.wanted import last_choice

# What an address can hold; a longer one is no list of ours.
MOST = selection.MAX_QUERY_BYTES
# So many saved views are in the menu; all of them are on the page of reports.
VIEWS = 20


class ChoosesColumnsMixin:
    """The list shows the columns that whoever looks has chosen, and its address may name others."""

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return ["person", *(listing.display(name, request.user) for name in listing.shown(request))]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Whatever has an order; asked for the list again, Django would not know its columns from the ones it has."""
        return None

    def list_columns(self, request: HttpRequest) -> list[str]:
        """What a file needs to hold what the list shows."""
        return [*listing.PERSON, *(name for name in listing.shown(request) if name not in listing.PERSON)]

    def has_own_columns(self, request: HttpRequest) -> bool:
        return listing.is_own_choice(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Note who looks through birth dates and phone numbers."""
        if listing.has_private(listing.shown(request)):
            recorder.looked_at(None, gettext_noop("List of people"))
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponse]) -> URLPattern:
            wrapped = self.admin_site.admin_view(require_POST(view))  # type: ignore[attr-defined]
            return path(f"{end}/", wrapped, name=f"users_profiles_user_{end}")

        return [at("columns", self.columns_view), at("views", self.save_view), *super().get_urls()]  # type: ignore[misc]

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Remember the columns; one that is moved without script is moved at once, and the menu opens again."""
        actor = self._looks(request)
        names = [name for name in request.POST.getlist("listed") if name in request.POST.getlist("columns")]
        names = names or request.POST.getlist("columns")
        if "reset" in request.POST:
            names = []
        moved = request.POST.get("move", "")
        listing.choose(actor, _moved(names, moved) if moved else names)
        address = QueryDict(request.POST.get("address", "")[:MOST], mutable=True)
        address.pop(listing.COLUMNS, None)
        return HttpResponseRedirect(_list() + listing.as_address(address) + ("#columns" if moved else ""))

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep what the list shows under a name; the form of the reports has the rules."""
        actor = self._looks(request)
        if not roles.may(actor, Action.EXPORT):
            raise PermissionDenied
        address = QueryDict(request.POST.get("address", "")[:MOST])
        try:
            query = selection.address(address)
        except selection.SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(_list())
        # An order by numbers, or by what the list did not show, is no order of a report.
        order = self.known_order(request, address)  # type: ignore[attr-defined]
        report = Report(owner=actor, query=query, order=",".join(order))
        form = ReportForm(_answers(request, report, actor), actor=actor, report=report)
        if form.is_valid() and _saved(form):
            messages.success(request, _("“%(view)s” is saved. You find it under Saved views.") % {"view": report.name})
            return HttpResponseRedirect(listing.of_report(report))
        for name, errors in form.errors.items():
            for error in errors:
                messages.error(request, _not_saved(form, name, str(error)))
        return HttpResponseRedirect(_list() + listing.as_address(address))

    def _looks(self, request: HttpRequest) -> User:
        if not self.has_view_permission(request) or not isinstance(request.user, User):  # type: ignore[attr-defined]
            raise PermissionDenied
        return request.user


def _list() -> str:
    return reverse("admin:users_profiles_user_changelist")


def _moved(names: list[str], what: str) -> list[str]:
    """The names with one of them a place further up or down: ``up:email``."""
    way, _sign, name = what.partition(":")
    if name in names:
        at = names.index(name)
        to = max(0, min(len(names) - 1, at + (1 if way == "down" else -1)))
        names.insert(to, names.pop(at))
    return names


def _answers(request: HttpRequest, report: Report, actor: User) -> QueryDict:
    """What the form of a report would be sent for the list as it is shown."""
    names = [*listing.PERSON, *request.POST.getlist("columns")]
    return QueryDict(
        urlencode(
            {
                "name": request.POST.get("name", ""),
                "sharing": request.POST.get("sharing", Report.Sharing.MINE),
                "kind": Report.Kind.PEOPLE,
                "query": report.query,
                "order": report.order,
                "format": last_choice(actor).format,
                "columns": list(dict.fromkeys(names)),
                "listed": list(dict.fromkeys(names)),
                "every": "",
            },
            doseq=True,
        )
    )


def _saved(form: ReportForm) -> bool:
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:  # the same name was saved between our look and our write
        form.add_error("name", _("You already have a report of this name."))
        return False
    return True


def _not_saved(form: ReportForm, name: str, error: str) -> str:
    label = form.fields[name].label if name in form.fields else ""
    return f"{label}: {error}" if label else error


# The menus above the list -------------------------------------------------------------------------------------------


def columns_menu(request: HttpRequest) -> dict[str, Any]:
    """The columns to tick and to put in order, those that are shown first."""
    ticked, labels = listing.shown(request), columns.labels()
    rest = [name for name in listing.offered(request.user) if name not in ticked]
    return {
        "listed": [(name, labels[name], name in ticked) for name in [*ticked, *rest]],
        "usual": listing.picked(request) == list(listing.USUAL),
    }


def views_menu(request: HttpRequest, order: list[str]) -> dict[str, Any] | None:
    """The saved views, which of them is shown, and what it takes to save what the list shows as another."""
    actor = request.user
    if not isinstance(actor, User) or not roles.may(actor, Action.EXPORT):
        return None
    now = listing.parts_of_list(request, order)
    reports = Report.objects.visible_to(actor).filter(kind=Report.Kind.PEOPLE).select_related("owner")[:VIEWS]
    views: list[dict[str, Any]] = [
        {
            "report": report,
            "address": listing.of_report(report),
            "current": listing.parts_of_report(report, actor) == now,
        }
        for report in reports
    ]
    current = next((view["report"] for view in views if view["current"]), None)
    query, names = selection.address(request.GET), listing.shown(request)
    told = [*listing.PERSON, *(name for name in names if name not in listing.PERSON)]
    more = urlencode({"query": query, "order": ",".join(order), "columns": ",".join(told)})
    key = request.session.get(listing.FILTERED)
    return {
        "filtered": Report.objects.visible_to(actor).filter(pk=key).first() if key else None,
        "changed": urlencode({"query": query, "order": ",".join(order)}),
        "mine": [view for view in views if view["report"].owner_id == actor.pk],
        "shared": [view for view in views if view["report"].owner_id != actor.pk],
        "current": current,
        "may_change": current is not None and running.may_change(actor, current),
        "columns": names,
        "sharings": _sharings(actor),
        "more": f"{reverse('admin:users_profiles_report_add')}?{more}",
        "directory": f"{reverse('admin:users_profiles_directory')}?{query}".rstrip("?"),
    }


def _sharings(actor: User) -> list[tuple[str, Any]]:
    """With whom somebody can share a view: who has no role has nobody to share it with by role."""
    choices: list[tuple[str, Any]] = list(Report.Sharing.choices)
    return choices if actor.role else [choice for choice in choices if choice[0] != Report.Sharing.ROLE]
