"""Import and export on the list of people: the library's buttons and permission hooks, our pages behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.admin import ExportMixin, ImportExportMixin

from users_profiles import recorder, replica, roles, selection
from users_profiles.admin.transfer_pages import as_attachment
from users_profiles.keys import is_key
from users_profiles.models import Export, User
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.models.user import UserQuerySet
from users_profiles.roles import Action
from users_profiles.transfer import guide, tasks
from users_profiles.transfer.columns import PersonResource
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import formats, source
from users_profiles.transfer.export.cells import cell, text_of
from users_profiles.transfer.export.forms import ExportForm
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import Wanted, last_choice, last_export, to_begin_with
from users_profiles.transfer.forms import UploadForm

# How many people the export page shows of those that would be in the file.
SHOWN = 5
# What of the page's address is about the page and not about the list.
_TICKED, _WHOM, _WITH = "ticked", "whom", "with"


@dataclass(frozen=True)
class Scope:
    """One answer to the question whom to export, with its address and how many that are."""

    name: str
    label: str
    address: str
    count: int
    chosen: bool


class _Page:
    """What every page of ours needs of an admin class."""

    def _page(self, request: HttpRequest, title: str, **context: Any) -> dict[str, Any]:
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]
        return {**site.each_context(request), "title": title, "opts": self.opts, **context}  # type: ignore[attr-defined]


class _ExportMixin(_Page, ExportMixin):
    """The Export page, for what the list shows or for the ticked.

    The library's view holds the whole file in memory, so it is replaced whole.
    """

    resource_classes = [PersonResource]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.EXPORT)

    @admin.action(description=gettext_lazy("Export"), permissions=["export"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Go on to the export page with the ticked rows, or with the list's filter when all of them are ticked."""
        query = request.GET.copy()
        if request.POST.get("select_across") != "1":
            keys = list(queryset.order_by().values_list("pk", flat=True))
            kept = Export.objects.create(owner_id=request.user.pk, keys=keys)
            query[_TICKED] = str(kept.pk)
        return redirect(f"{reverse('admin:users_profiles_user_export')}?{query.urlencode()}")

    def export_action(self, request: HttpRequest) -> HttpResponseBase:
        """Offer columns and formats for what the list shows, for the ticked, or for everybody, and send the file."""
        if not self.has_export_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        again = last_export(request.user) is not None
        try:
            wanted, scopes = self._wanted(request, request.user, again)
            people = wanted.people()
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:users_profiles_user_changelist")
        count = next(scope.count for scope in scopes if scope.chosen)
        form = ExportForm(request.POST if request.method == "POST" else None, wanted=wanted, count=count)
        if "move" in request.POST:
            form.move(request.POST["move"])
        elif form.is_valid():
            replica.writes_no_people(request)
            return redirect(_report_of(wanted)) if "report" in request.POST else begin(wanted, count)
        if count and any(name in PRIVATE_FIELDS for name, _label, _ticked in form.listed):
            recorder.looked_at(None, "Export")
        context = self._page(
            request,
            _("Export people"),
            form=form,
            scopes=scopes,
            beginnings=self._beginnings(request, again),
            count=count,
            sample=_sample(people, form),
            large=count > settings.EXPORT_SYNC_ROWS,
            keep_days=settings.EXPORT_KEEP_DAYS,
            can_be_saved=wanted.keys is None,
            back=reverse("admin:users_profiles_user_changelist"),
        )
        return TemplateResponse(request, "admin/transfer/export.html", context)

    def _wanted(self, request: HttpRequest, actor: User, again: bool) -> tuple[Wanted, list[Scope]]:
        """What the address asks for: whom, in the list's order, and as what was chosen the last time."""
        given = request.GET.copy()
        ticked, whom, _with = ((given.pop(name, None) or [""])[-1] for name in (_TICKED, _WHOM, _WITH))
        wanted = last_choice(actor)
        if self._as_on_the_list(request, again):
            wanted.columns = to_begin_with(self.list_columns(request), actor)  # type: ignore[attr-defined]
        query = selection.address(given)
        keys = _keys(ticked, actor) if ticked else None
        wanted.query = query
        wanted.people()  # refuses what the list would refuse, before the list does so without a sentence
        wanted.order = ",".join(self.order_words(request))  # type: ignore[attr-defined]
        chosen = whom if whom in {"all", "list"} else _TICKED if keys is not None else "list"
        scopes = self._scopes(wanted, keys, given, ticked, chosen)
        if chosen == "all":
            wanted.query = ""
        elif chosen == _TICKED:
            wanted.keys, wanted.query = keys, ""
        return wanted, scopes

    def _as_on_the_list(self, request: HttpRequest, again: bool) -> bool:
        """Whether the file starts from the columns of the list: when asked, for who has chosen those, and at first."""
        asked = request.GET.get(_WITH, "")
        own = asked != "last" and self.has_own_columns(request)  # type: ignore[attr-defined]
        return asked == "list" or own or not again

    def _beginnings(self, request: HttpRequest, again: bool) -> list[dict[str, Any]]:
        """The columns to begin with: those of the list, or those of the last time, where there was one."""
        if not again:
            return []
        listed = self._as_on_the_list(request, again)
        choices = (("list", _("As on the list"), listed), ("last", _("As the last time"), not listed))
        found = []
        for value, label, chosen in choices:
            query = request.GET.copy()
            query[_WITH] = value
            found.append({"label": label, "address": f"?{query.urlencode()}", "chosen": chosen})
        return found

    def _scopes(
        self, wanted: Wanted, keys: list[int] | None, given: QueryDict, ticked: str, chosen: str
    ) -> list[Scope]:
        """The answers there are to choose from, the narrowest first."""

        def scope(name: str, label: str, count: int) -> Scope:
            query = given.copy()
            query.update({**({_TICKED: ticked} if ticked else {}), _WHOM: name})
            return Scope(name, label, f"?{query.urlencode()}", count, name == chosen)

        found = []
        if keys is not None:
            found.append(scope(_TICKED, _("Ticked"), User.objects.filter(pk__in=keys).count()))
        if wanted.query or chosen == "list":
            label = _("What the list shows") if wanted.query else _("Everybody")
            found.append(scope("list", label, wanted.people().count()))
        if wanted.query or chosen != "list":
            found.append(scope("all", _("Everybody"), User.objects.count()))
        return found


def _keys(ticked: str, actor: User) -> list[int]:
    """The ticked rows that are kept under this key; nobody gets at those of somebody else."""
    if not is_key(ticked):
        raise Http404
    kept = get_object_or_404(Export, pk=ticked, owner=actor, state=Export.State.CHOSEN)
    return list(kept.keys or [])


def _report_of(wanted: Wanted) -> str:
    """The page on which what was chosen here is saved as a report."""
    chosen = {
        "query": wanted.query,
        "order": wanted.order,
        "columns": ",".join(wanted.columns),
        "format": wanted.format,
    }
    return f"{reverse('admin:users_profiles_report_add')}?{urlencode(chosen)}"


def begin(wanted: Wanted, count: int) -> HttpResponseBase:
    """Send the file at once, or have the worker make it, where that takes longer than anybody waits."""
    export = wanted.entry(count)
    if count > settings.EXPORT_SYNC_ROWS:
        export.start_making()
        tasks.queue(export)
        return redirect("admin:users_profiles_export_change", export.pk)
    response = StreamingHttpResponse(Sending(export), content_type=formats.CONTENT_TYPES[export.format])
    return as_attachment(response, export.filename)


def _sample(people: UserQuerySet, form: ExportForm) -> list[list[tuple[str, str, bool]]]:
    """The first people as the file will have them: of each cell its column, its text, and whether it is ticked."""
    names = [name for name, _label, _ticked in form.listed]
    cells = [cell(name, Export.Format.XLSX) for name in names]
    return [
        [(name, text_of(name, value), ticked) for (name, _label, ticked), value in zip(form.listed, row, strict=True)]
        for rows in source.chunks(people[:SHOWN], cells)
        for row in rows
    ]


class TransferMixin(_ExportMixin, ImportExportMixin):
    """Gives the list of people the Import page beside the Export page.

    The library's views hold the whole file in memory and render every row, so both are replaced whole.
    """

    def has_import_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.IMPORT)

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Take in a file and go on to its columns; nothing is read further or written here."""
        if not self.has_import_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        sent = request.method == "POST"
        form = UploadForm(request.POST if sent else None, request.FILES if sent else None, owner=request.user)
        if form.is_valid() and form.job is not None:
            return redirect("admin:users_profiles_import_columns", form.job.pk)
        names = [column.label for column in guide.explained(request.user)]
        context = self._page(request, _("Import people"), form=form, step=1, columns=names)
        return TemplateResponse(request, "admin/transfer/upload.html", context)

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The library's second step, which takes the name of a file from the form, does not exist here."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        raise Http404
