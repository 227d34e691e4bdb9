"""The list of exports, and the page of one: how far it is, what became of it, and the file while it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from users_profiles import recorder, roles, selection, trail
from users_profiles.admin.columns import EMPTY, chip
from users_profiles.admin.import_rows import in_time, number
from users_profiles.admin.transfer_pages import as_attachment, progress
from users_profiles.keys import FoundByKeyMixin, is_key
from users_profiles.models import Export, Report
from users_profiles.models.exports import HELD
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.moments import ago
from users_profiles.roles import Action
from users_profiles.transfer import columns, tasks
from users_profiles.transfer.export import formats
from users_profiles.transfer.export.wanted import exportable

State = Export.State
STATE_TONES = {
    State.SENDING: "chip-accent",
    State.MAKING: "chip-accent",
    State.DONE: "chip-good",
    State.BROKEN_OFF: "chip-warn",
    State.CANCELLED: "chip-warn",
    State.FAILED: "chip-bad",
}


class PrivateFilter(admin.SimpleListFilter):
    """Whether birth dates or phone numbers left with it."""

    title = gettext_lazy("private fields")
    parameter_name = "private"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("With private fields")), ("no", _("Without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Export]) -> QuerySet[Export]:
        # As text, and quoted as names are stored in it: to look into a list is something that SQLite does not have.
        queryset = queryset.alias(columns_text=Cast("columns", TextField()))
        has = Q()
        for name in PRIVATE_FIELDS:
            has |= Q(columns_text__contains=f'"{name}"')
        return {"yes": queryset.filter(has), "no": queryset.exclude(has)}.get(self.value() or "", queryset)


@admin.register(Export)
class ExportAdmin(FoundByKeyMixin, admin.ModelAdmin):
    """The ledger of exports: for who may give roles all of them, for others their own. Nobody changes it."""

    list_display = ["name", "state_chip", "rows", "whom", "person", "when", "took"]
    list_filter = ["state", "format", PrivateFilter, "by_operator"]
    list_select_related = ["owner"]
    search_fields = ["query", "owner__username", "digest"]
    date_hierarchy = "asked_at"
    ordering = ["-asked_at"]
    actions = None
    change_list_template = "admin/transfer/exports.html"

    class Media:
        css = {"all": ["users_profiles/transfer.css"]}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.EXPORT)

    def has_view_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        return roles.may(request.user, Action.EXPORT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Export | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return Export.objects.visible_to(request.user).begun()

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(f"<int:key>/{end}", self.admin_site.admin_view(view), name=f"users_profiles_export_{name}")

        return [
            at("file/", self.file_view, "file"),
            at("progress/", self.progress_view, "progress"),
            at("cancel/", self.cancel_view, "cancel"),
            at("again/", self.again_view, "again"),
            *super().get_urls(),
        ]

    def _export(self, request: HttpRequest, key: Any, own: bool = False) -> Export:
        """The export of this key; 404 for everybody who may not see it, and for all but the owner who may act on it."""
        exports = self.get_queryset(request).select_related("owner")
        found: Export = get_object_or_404(exports.filter(owner=request.user) if own else exports, pk=key)
        return found

    # The list -------------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("File"), ordering="format")
    def name(self, export: Export) -> str:
        return export.filename

    @admin.display(description=gettext_lazy("Exported by"), ordering="owner__username__lower")
    def person(self, export: Export) -> str:
        return trail.owner(export)

    @admin.display(description=gettext_lazy("When"), ordering="asked_at")
    def when(self, export: Export) -> str:
        return ago(export.asked_at)

    @admin.display(description=gettext_lazy("Whom"))
    def whom(self, export: Export) -> str:
        return whom(export)

    @admin.display(description=gettext_lazy("People"), ordering="cursor")
    def rows(self, export: Export) -> str:
        return number(export.cursor)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_chip(self, export: Export) -> str:
        return chip(export.get_state_display(), STATE_TONES.get(State(export.state), ""))

    @admin.display(description=gettext_lazy("Took"))
    def took(self, export: Export) -> str:
        return in_time(export.seconds) if export.started_at else EMPTY

    # One export -----------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an export: its progress while the worker makes the file, then what there is to know of it."""
        if not is_key(object_id):
            raise Http404
        export = self._export(request, int(object_id))
        labels = columns.labels()
        context = {
            **self.admin_site.each_context(request),
            "title": _title(export),
            "opts": self.opts,
            "export": export,
            "own": export.owner_id == request.user.pk,
            "who": trail.owner(export),
            "whom": whom(export),
            "columns": [labels.get(name, name) for name in export.columns],
            "list": _list_of(export),
            "report": Report.objects.visible_to(request.user).filter(exports=export).first(),
            "seconds": in_time(export.seconds) if export.started_at else EMPTY,
            "fetchable": export.can_be_downloaded and _may_have(request, export),
            "keep_days": settings.EXPORT_KEEP_DAYS,
        }
        if export.is_under_way:
            context["progress"] = progress(export)
        return TemplateResponse(request, "admin/transfer/export_result.html", context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """An export never changes, so its page is its history."""
        return redirect("admin:users_profiles_export_change", object_id)

    def progress_view(self, request: HttpRequest, key: Any) -> JsonResponse:
        """What the progress bar asks for every second. Whoever asks also sees to it that lost jobs are found again."""
        tasks.sweep()
        return JsonResponse(progress(self._export(request, key)))

    def file_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """The file, while it is kept, for who may have what is in it."""
        export = self._export(request, key)
        if not export.can_be_downloaded or not export.file.storage.exists(str(export.file.name)):
            messages.error(request, _("This file is not kept any more. Export again."))
            return redirect("admin:users_profiles_export_change", export.pk)
        if not _may_have(request, export):
            raise Http404
        if export.owner_id != request.user.pk and set(export.columns) & set(PRIVATE_FIELDS):
            recorder.looked_at(None, f"Export {export.pk}")
        content = FileResponse(export.file.open("rb"), content_type=formats.CONTENT_TYPES[export.format])
        return as_attachment(content, export.filename)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Stop making the file."""
        export = self._export(request, key, own=True)
        if export.cancel():
            messages.info(request, _("Cancelled. Nothing of it is kept."))
        return redirect("admin:users_profiles_export_change", export.pk)

    @method_decorator(require_POST)
    def again_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Make the file of an export that failed or was cancelled."""
        export = self._export(request, key, own=True)
        if export.start_making():
            tasks.queue(export)
        return redirect("admin:users_profiles_export_change", export.pk)


def whom(export: Export) -> str:
    """Whom it was of, in words."""
    if export.format == HELD:
        return _("all that is held about one person")
    if export.keys is not None:
        count = len(export.keys)
        return ngettext("%(count)s ticked person", "%(count)s ticked people", count) % {"count": count}
    words = selection.in_words(export.query)
    people = words[:1].upper() + words[1:] or _("Everybody")
    return _("What changed: %(people)s") % {"people": people} if export.is_about_changes else people


def _title(export: Export) -> str:
    if export.state == State.MAKING:
        return _("Making %(file)s") % {"file": export.filename}
    return export.filename


def _list_of(export: Export) -> str:
    """The list it was made from, as it is today."""
    address = reverse("admin:users_profiles_user_changelist")
    return "" if export.keys is not None else f"{address}?{export.query}"


def _may_have(request: HttpRequest, export: Export) -> bool:
    """Whether all that is in the file may be seen by whoever asks, by now, and whom it is about be asked by them."""
    if export.format != HELD:
        try:
            selection.conditions(export.query, request.user)
        except selection.SelectionRefused:
            return False
    return set(export.columns) <= set(exportable(request.user))  # type: ignore[arg-type]
