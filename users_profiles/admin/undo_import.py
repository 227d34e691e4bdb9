"""The pages on which an import is taken back: what that would do, then what it did."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from users_profiles import trail
from users_profiles.admin import import_rows, proof, row_search
from users_profiles.admin.transfer_pages import open_tab
from users_profiles.models import Import, ImportRow
from users_profiles.transfer import columns, tasks, undo_import

CHANGE = "admin:users_profiles_import_change"


class UndoImportMixin:
    """Undo, for the owner of an import and for whoever may see all of them; each row asks again who may be touched."""

    @method_decorator(require_POST)
    def plan_undo_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Find out what an undo would do; a large import is left to the worker, with its progress page."""
        job = self._job(request, key, own=False)  # type: ignore[attr-defined]
        if job.subject == Import.Subject.PEOPLE and job.start_undo(request.user, write=False):
            tasks.start(job)
        job.refresh_from_db()
        planned = job.can_be_undone and job.is_planned
        return redirect("admin:users_profiles_import_undo" if planned else CHANGE, job.pk)

    def undo_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Show what an undo would do and do it when told so, or show what it did."""
        job = self._job(request, key, own=False)  # type: ignore[attr-defined]
        over = job.state == Import.State.UNDONE
        if not over and not (job.can_be_undone and job.is_planned):
            return redirect(CHANGE, job.pk)
        if request.method == "POST":
            objection = proof.objection(request, job)
            if objection:
                messages.error(request, objection)
                return redirect("admin:users_profiles_import_undo", job.pk)
            if job.start_undo(request.user, write=True):
                tasks.start(job)
            return redirect(CHANGE, job.pk)
        title = _("What was undone") if over else _("Undo this import?")
        plan = {} if over else {"proof": proof.asked_of(request, job), "holding": undo_import.invited(job)}
        context = {"over": over, "who": trail.undoer(job), **plan, **_undone(request, job)}
        context = self._page(request, job, title, **context)  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/transfer/undo.html", context)


def _undone(request: HttpRequest, job: Import) -> dict[str, Any]:
    counts = undo_import.counts(job)
    tabs: list[dict[str, Any]] = [
        {"outcome": fate.value, "label": fate.label, "count": counts[fate]} for fate in ImportRow.Fate
    ]
    tab = open_tab(tabs, request.GET.get("show", ""))
    numbers = row_search.numbers_of(undo_import.rows_with(job, str(tab["outcome"])))
    page = row_search.RowPages(job, numbers, tab["count"]).get_page(request.GET.get("page"))
    labels = columns.labels()
    return {
        "tabs": tabs,
        "shown": tab,
        "page": page,
        "rows": [import_rows.readable(row, labels, []) for row in page],
        "counts": counts,
        "does": sum(counts[fate] for fate in ImportRow.TAKEN_BACK),
    }
