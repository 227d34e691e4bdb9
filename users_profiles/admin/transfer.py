"""Import and export on the list of people: the library's buttons and permission hooks, our pages behind them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export.admin import ImportExportMixin

from users_profiles import roles
from users_profiles.admin.access import is_key
from users_profiles.models import User
from users_profiles.roles import Action
from users_profiles.transfer import exporter
from users_profiles.transfer.columns import PersonResource
from users_profiles.transfer.forms import ExportForm, UploadForm

# More ticked rows than this do not fit an address; the list's filter says the same in less.
MAX_TICKED = 500


class TransferMixin(ImportExportMixin):
    """Gives a ModelAdmin of people the Import and Export pages.

    The library's views hold the whole file in memory and render every row, so both are replaced whole.
    """

    resource_classes = [PersonResource]

    def has_import_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.IMPORT)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.EXPORT)

    # Import ---------------------------------------------------------------------------------------------------------

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Take in a file and go on to its columns; nothing is read further or written here."""
        if not self.has_import_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        sent = request.method == "POST"
        form = UploadForm(request.POST if sent else None, request.FILES if sent else None, owner=request.user)
        if form.is_valid() and form.job is not None:
            return redirect("admin:users_profiles_import_columns", form.job.pk)
        context = self._page(request, _("Import people"), form=form, step=1)
        return TemplateResponse(request, "admin/transfer/upload.html", context)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The library's second step, which takes the name of a file from the form, does not exist here."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        raise Http404

    # Export ---------------------------------------------------------------------------------------------------------

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """Offer columns and formats for what the list shows, or for the ticked rows, and send the file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        people, narrowed = self._people_to_export(request)
        private = roles.may(request.user, Action.VIEW_PRIVATE)
        form = ExportForm(request.POST if request.method == "POST" else None, private=private)
        if form.is_valid():
            return self._file(people, form)
        context = self._page(
            request,
            _("Export people"),
            form=form,
            count=people.count(),
            narrowed=narrowed,
            everyone=User.objects.count(),
        )
        return TemplateResponse(request, "admin/transfer/export.html", context)

    def export_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Go on to the export page with the ticked rows, or with the list's filter when all of them are ticked."""
        query = request.GET.copy()
        if request.POST.get("select_across") != "1":
            query["ids"] = ",".join(str(key) for key in queryset.values_list("pk", flat=True)[:MAX_TICKED])
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")  # type: ignore[attr-defined]
        return redirect(f"{address}?{query.urlencode()}")

    def _people_to_export(self, request: HttpRequest) -> tuple[QuerySet[User], bool]:
        """What the list shows for the same address, in the same order; and whether that is less than everybody."""
        narrowed = bool(request.GET)
        keys = self._take_ids(request)
        people = self.get_export_queryset(request)
        return (people if keys is None else people.filter(pk__in=keys)), narrowed

    def _take_ids(self, request: HttpRequest) -> list[int] | None:
        """Take ``ids`` out of the address, which the list itself would not understand."""
        query: QueryDict = request.GET.copy()
        raw = query.pop("ids", [""])[-1]
        request.GET = query  # type: ignore[assignment]
        if not raw:
            return None
        return [int(part) for part in str(raw).split(",")[:MAX_TICKED] if is_key(part)]

    def _file(self, people: QuerySet[User], form: ExportForm) -> StreamingHttpResponse:
        file_format = form.cleaned_data["format"]
        content = exporter.export(people, form.cleaned_data["columns"], file_format)
        response = StreamingHttpResponse(content, content_type=form.content_type)
        name = f"people-{timezone.localdate().isoformat()}.{file_format}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    def _page(self, request: HttpRequest, title: str, **context: Any) -> dict[str, Any]:
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]
        return {**site.each_context(request), "title": title, "opts": self.opts, **context}  # type: ignore[attr-defined]
