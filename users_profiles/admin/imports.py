"""The pages of one import, from its columns to its result, and the history of all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from users_profiles import invitations, roles
from users_profiles.models import Import, ImportRow, User
from users_profiles.roles import Action
from users_profiles.transfer import columns, reader, tasks, values
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.forms import ColumnsForm
from users_profiles.transfer.options import Options

State = Import.State
Outcome = ImportRow.Outcome
ROWS_PER_PAGE = 50
# A job that nobody has taken for this many seconds is waiting for a worker that may not be there.
PATIENCE = 10
# What people call the encodings that we tell apart.
ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "latin-1": "Latin-1"} | dict.fromkeys(
    ("utf-16", "utf-16-le", "utf-16-be"), "UTF-16"
)
STEPS = {State.UPLOADED: 2, State.CHECKING: 3, State.CHECKED: 3, State.APPLYING: 4}


@admin.register(Import)
class ImportAdmin(admin.ModelAdmin):
    """The history of imports; an entry leads to the page of that import, in whatever state it is."""

    list_display = ["filename", "owner", "uploaded_at", "state", "created", "updated", "unchanged", "refused"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    search_fields = ["filename", "owner__username"]
    ordering = ["-uploaded_at"]
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.IMPORT)

    def has_view_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return roles.may(request.user, Action.IMPORT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Import | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return Import.objects.visible_to(request.user)

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(f"<int:key>/{end}", self.admin_site.admin_view(view), name=f"users_profiles_import_{name}")

        return [
            at("columns/", self.columns_view, "columns"),
            at("apply/", self.apply_view, "apply"),
            at("cancel/", self.cancel_view, "cancel"),
            at("invite/", self.invite_view, "invite"),
            at("progress/", self.progress_view, "progress"),
            at("refused.csv", self.refused_view, "refused"),
            *super().get_urls(),
        ]

    def _job(self, request: HttpRequest, key: Any, own: bool = True) -> Import:
        """The import of this key; 404 for everybody who may not see it, and for all but the owner who may act on it."""
        jobs = Import.objects.visible_to(request.user)
        return get_object_or_404(jobs.filter(owner_id=request.user.pk) if own else jobs, pk=key)

    def _page(self, request: HttpRequest, job: Import, title: str, **context: Any) -> dict[str, Any]:
        own = job.owner_id == request.user.pk
        shared = {"title": title, "opts": self.opts, "job": job, "own": own, "options": Options.from_json(job.options)}
        return {**self.admin_site.each_context(request), **shared, "step": STEPS.get(State(job.state), 5), **context}

    # Columns --------------------------------------------------------------------------------------------------------

    def columns_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Show what each column was taken for, let it be corrected, and begin the check."""
        job = self._job(request, key)
        if job.state not in {State.UPLOADED, State.CHECKED, State.FAILED}:
            return redirect("admin:users_profiles_import_change", job.pk)
        names = list(roles.visible_fields(request.user, columns.NAMES))
        form = ColumnsForm(request.POST if request.method == "POST" else None, job=job, names=names)
        if form.is_valid():
            form.save()
            if job.start_check():
                tasks.start(job)
            return redirect("admin:users_profiles_import_change", job.pk)
        try:
            with job.file.open("rb") as file:
                sample = reader.sample(file, form.options)
        except FileRefused as refusal:
            sample = []
            messages.error(request, str(refusal))
        context = self._page(
            request,
            job,
            _("What is in the columns?"),
            form=form,
            step=2,
            columns=form.columns(sample),
            encoding=ENCODINGS.get(form.options.encoding, form.options.encoding),
        )
        return TemplateResponse(request, "admin/transfer/columns.html", context)

    # Check, apply, result -------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an import: its progress while it runs, then what its rows would do, or did."""
        if not object_id.isdecimal():
            raise Http404
        job = self._job(request, int(object_id), own=False)
        if job.state == State.UPLOADED and job.owner_id == request.user.pk:
            return redirect("admin:users_profiles_import_columns", job.pk)
        if job.is_under_way:
            title = _("Checking %(file)s") if job.state == State.CHECKING else _("Importing %(file)s")
            context = self._page(request, job, title % {"file": job.filename}, progress=_progress(job))
            return TemplateResponse(request, "admin/transfer/progress.html", context)
        return TemplateResponse(request, "admin/transfer/result.html", self._result(request, job))

    def _result(self, request: HttpRequest, job: Import) -> dict[str, Any]:
        tabs = _tabs(job)
        wanted = request.GET.get("show", "")
        shown = next((tab for tab in tabs if tab["outcome"] == wanted), None) or next(
            (tab for tab in tabs if tab["count"]), tabs[0]
        )
        rows = job.rows.filter(outcome=shown["outcome"]).select_related("user")
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        titles = {
            State.CHECKED: _("What would change"),
            State.DONE: _("Import finished"),
            State.CANCELLED: _("Import cancelled"),
        }
        labels = columns.labels()
        mapping = Options.from_json(job.options).mapping
        fields = [name for name in columns.NAMES if name in mapping]
        return self._page(
            request,
            job,
            titles.get(State(job.state), _("Import failed")),
            tabs=tabs,
            shown=shown,
            page=page,
            rows=[_readable(row, labels, fields) for row in page],
            fields=[labels[name] for name in fields],
            ignored=_ignored(job),
            invitable=_invitable(job).count() if job.state == State.DONE else 0,
        )

    @method_decorator(require_POST)
    def apply_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Write what the check has shown. A second click finds the import already under way and does nothing."""
        job = self._job(request, key)
        if job.start_apply():
            tasks.start(job)
        return redirect("admin:users_profiles_import_change", job.pk)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        job = self._job(request, key)
        if job.cancel():
            messages.info(request, _("Cancelled. What is counted below is stored; nothing more will be."))
        return redirect("admin:users_profiles_import_change", job.pk)

    @method_decorator(require_POST)
    def invite_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Mail a set-password link to the people this import has created."""
        job = self._job(request, key)
        invited = invitations.invite(_invitable(job)) if job.state == State.DONE else None
        count = len(invited.queued) if invited else 0
        sentence = ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", count)
        messages.success(request, sentence % {"count": count})
        return redirect("admin:users_profiles_import_change", job.pk)

    def progress_view(self, request: HttpRequest, key: Any) -> JsonResponse:
        """What the progress bar asks for every second."""
        return JsonResponse(_progress(self._job(request, key, own=False)))

    def refused_view(self, request: HttpRequest, key: Any) -> StreamingHttpResponse:
        """The refused rows as a file of the same shape with one more column that says why: mend it, upload it, done."""
        job = self._job(request, key, own=False)
        response = StreamingHttpResponse(_refused_lines(job), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="refused-rows.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


def _progress(job: Import) -> dict[str, Any]:
    """Figures of a running import; ``left`` is in seconds, or None while nobody can tell."""
    seconds = job.seconds
    per_second = job.cursor / seconds if seconds > 0 else 0.0
    left = (job.total - job.cursor) / per_second if per_second and job.total > job.cursor else None
    waiting = job.is_under_way and job.lease_until is None and seconds > PATIENCE
    stalled = job.is_under_way and job.lease_until is not None and job.lease_until < timezone.now()
    return {
        "under_way": job.is_under_way,
        "percent": job.percent,
        "cursor": job.cursor,
        "total": job.total,
        "per_second": round(per_second),
        "left": None if left is None else round(left),
        "no_worker": waiting or stalled,
    }


def _tabs(job: Import) -> list[dict[str, Any]]:
    applied = job.state in {State.DONE, State.CANCELLED}
    return [
        {"outcome": Outcome.CREATED, "label": _("Added") if applied else _("New"), "count": job.created},
        {"outcome": Outcome.UPDATED, "label": _("Changed"), "count": job.updated},
        {"outcome": Outcome.UNCHANGED, "label": _("Unchanged"), "count": job.unchanged},
        {"outcome": Outcome.REFUSED, "label": _("Refused"), "count": job.refused},
    ]


def _readable(row: ImportRow, labels: dict[str, str], fields: list[str]) -> dict[str, Any]:
    """A row for the page, with our fields by the names people know; ``values`` has one for each of ``fields``."""
    changes = [{"label": labels.get(name, name), "old": old, "new": new} for name, (old, new) in row.changes.items()]
    person = reverse("admin:users_profiles_user_change", args=[row.user_id]) if row.user_id else ""
    return {
        "number": row.number,
        "label": row.label,
        "person": person,
        "changes": changes,
        "errors": row.errors,
        "values": [row.changes.get(name, (None, ""))[1] for name in fields],
    }


def _ignored(job: Import) -> list[str]:
    options = Options.from_json(job.options)
    return [header for header, name in zip(options.headers, options.mapping, strict=True) if not name]


def _invitable(job: Import) -> Any:
    """The people this import created who can be mailed and have not been in since."""
    created = job.rows.filter(outcome=Outcome.CREATED).values("user_id")
    return User.objects.filter(pk__in=created, is_active=True, last_login=None).exclude(email="")


def _refused_lines(job: Import) -> Iterator[str]:
    options = Options.from_json(job.options)
    reasons = dict(job.rows.filter(outcome=Outcome.REFUSED).values_list("number", "errors"))
    yield "\ufeff" + _line([*options.headers, "error"], options.delimiter)
    with job.file.open("rb") as file:
        for number, row in reader.rows(file, options):
            if number in reasons:
                why = " ".join(f"{problem['column']}: {problem['reason']}".lstrip(": ") for problem in reasons[number])
                padded = [*row, *[""] * (len(options.headers) - len(row))]
                yield _line([*(values.defuse(values.restore(cell)) for cell in padded), why], options.delimiter)


def _line(cells: list[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow(cells)
    return out.getvalue()
