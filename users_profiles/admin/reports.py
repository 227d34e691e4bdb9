"""Reports: the list of them, the page of one with what it shows now, and the form behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from users_profiles import recorder, replica, roles, selection
from users_profiles.admin import listing
from users_profiles.admin.columns import EMPTY
from users_profiles.admin.directory import directory_page
from users_profiles.admin.trail import DayField
from users_profiles.admin.transfer import begin
from users_profiles.keys import FoundByKeyMixin, is_key
from users_profiles.models import Export, Report, User
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.moments import ago
from users_profiles.reports import looking, mailing, running, schedule
from users_profiles.reports.forms import ReportForm, staff_like
from users_profiles.reports.running import Days
from users_profiles.roles import Action
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export.changed import What
from users_profiles.transfer.export.wanted import Wanted, exportable, last_choice

# How many of the latest mails the page of a report shows.
MAILS = 20
_WHO = ("username", "email", "first_name", "last_name")


class DaysForm(forms.Form):
    """Two days between which something changed; left empty, it is since the last run."""

    since = DayField(label=gettext_lazy("From"))
    until = DayField(label=gettext_lazy("Until"))

    def __init__(self, asked: Any) -> None:
        super().__init__(asked, label_suffix="")

    def days(self) -> Days:
        """The days; one that makes no sense is none."""
        self.is_valid()
        return Days(self.cleaned_data.get("since"), self.cleaned_data.get("until"))


@admin.register(Report)
class ReportAdmin(FoundByKeyMixin, admin.ModelAdmin):
    """Saved reports, for who may export: their own, and those that others share with them."""

    list_display = ["name", "whom", "sharing_column", "by_mail", "last_run", "owner_column"]
    list_filter = ["kind", "sharing", "every"]
    list_select_related = ["owner"]
    search_fields = ["name"]
    ordering = ["name", "pk"]
    actions = None
    change_list_template = "admin/reports/list.html"
    delete_confirmation_template = "admin/reports/delete.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.EXPORT)

    def has_view_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return roles.may(request.user, Action.EXPORT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.EXPORT)

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        if obj is None or not isinstance(request.user, User):
            return roles.may(request.user, Action.EXPORT)
        return running.may_change(request.user, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        return Report.objects.visible_to(request.user).select_related("owner")

    def get_urls(self) -> list[URLPattern]:
        def at(end: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(end, self.admin_site.admin_view(view), name=f"users_profiles_{name}")

        return [
            at("directory/", self.list_directory_view, "directory"),
            at("<int:key>/edit/", self.edit_view, "report_edit"),
            at("<int:key>/file/", self.file_view, "report_file"),
            at("<int:key>/send/", self.send_view, "report_send"),
            at("staff/", self.staff_view, "report_staff"),
            at("<int:key>/directory/", self.directory_view, "report_directory"),
            *super().get_urls(),
        ]

    def _report(self, request: HttpRequest, key: Any, to_change: bool = False) -> tuple[Report, User]:
        """The report of this key, and who asks; 404 for who may not use it, 403 for who may use but not change it."""
        if not self.has_view_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        if not is_key(str(key)):
            raise Http404
        report: Report = get_object_or_404(self.get_queryset(request), pk=key)
        if to_change and not self.has_change_permission(request, report):
            raise PermissionDenied
        return report, request.user

    def _context(self, request: HttpRequest, title: str, **context: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}

    # The list -------------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("Whom"))
    def whom(self, report: Report) -> str:
        return whom(report)

    @admin.display(description=gettext_lazy("Who may use it"), ordering="sharing")
    def sharing_column(self, report: Report) -> str:
        return shared_with(report)

    @admin.display(description=gettext_lazy("Sent by mail"), ordering="every")
    def by_mail(self, report: Report) -> str:
        return schedule.in_words(report) or EMPTY

    @admin.display(description=gettext_lazy("Last run"), ordering="ran_at")
    def last_run(self, report: Report) -> str:
        return ago(report.ran_at)

    @admin.display(description=gettext_lazy("Owner"), ordering="owner__last_name_folded")
    def owner_column(self, report: Report) -> str:
        return str(report.owner or EMPTY)

    # One report -----------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the report shows now, a page at a time, and what there is to know of it."""
        report, actor = self._report(request, object_id)
        days = DaysForm(request.GET)
        context = self._context(
            request,
            report.name,
            report=report,
            may_change=running.may_change(actor, report),
            list=listing.of_report(report),
            days=days,
            **_about(report),
        )
        try:
            run = running.run(report, actor, days.days())
            context |= _shown(request, run, report)
        except FileRefused as refusal:
            context["refusal"] = str(refusal)
        if context["may_change"] and report.every:
            context["mails"] = report.deliveries.select_related("recipient", "export")[:MAILS]
        return TemplateResponse(request, "admin/reports/report.html", context)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What was changed of a report is in the trail."""
        report, _actor = self._report(request, object_id)
        return redirect("admin:users_profiles_report_change", report.pk)

    @method_decorator(require_POST)
    def file_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Send the report as a file, with what whoever asks may see."""
        report, actor = self._report(request, key)
        try:
            wanted = running.run(report, actor, DaysForm(request.POST).days()).wanted
            count = wanted.count()
            wanted.check(count)
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:users_profiles_report_change", report.pk)
        replica.writes_no_people(request)
        return begin(wanted, count)

    @method_decorator(require_POST)
    def send_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Mail a report to its recipients now, out of turn."""
        report, _actor = self._report(request, key, to_change=True)
        people = report.recipients.count() if report.every else 0
        if not people:
            messages.error(request, _("Nobody is mailed this report. Edit it to say who."))
        elif mailing.send_now(report):
            sentence = ngettext("It is on its way to %d person.", "It is on its way to %d people.", people)
            messages.success(request, sentence % people)
        else:
            messages.info(request, _("It was sent only a moment ago."))
        return redirect("admin:users_profiles_report_change", report.pk)

    # On paper -------------------------------------------------------------------------------------------------------

    def directory_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """The people of a report to print."""
        report, actor = self._report(request, key)
        back = reverse("admin:users_profiles_report_change", args=[report.pk])
        try:
            people = running.run(report, actor).wanted.people()
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            return redirect(back)
        context = self._context(request, report.name, report=report, back=back, whom=whom(report))
        return directory_page(request, people, report.query, context)

    def list_directory_view(self, request: HttpRequest) -> HttpResponse:
        """The people that a list shows to print."""
        if not self.has_view_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        query = selection.address(request.GET)
        back = f"{reverse('admin:users_profiles_user_changelist')}?{query}"
        wanted = Wanted(request.user, query)
        try:
            people = wanted.people()
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:users_profiles_user_changelist")
        context = self._context(request, _("Directory"), back=back, whom=in_words(query))
        return directory_page(request, people, query, context)

    # To save one ----------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Save what a list shows, or what was chosen for an export; the address has it."""
        if not self.has_add_permission(request) or not isinstance(request.user, User):
            raise PermissionDenied
        report = _new(request.user, request.GET.dict())
        return self._form(request, report, request.user, _("Save a report"))

    def edit_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Change a report: its owner, or an admin. The address may propose how often it is mailed."""
        report, actor = self._report(request, key, to_change=True)
        proposed = request.GET.get("every", "")
        if request.method == "GET" and not report.every and proposed in Report.Every.values:
            report.every = proposed
        return self._form(request, report, actor, _("Edit %(report)s") % {"report": report.name})

    def staff_view(self, request: HttpRequest) -> JsonResponse:
        """Staff whose name, username or e-mail has what was typed, for who may save reports."""
        if not self.has_add_permission(request) or not roles.may(request.user, Action.VIEW):
            raise PermissionDenied
        return JsonResponse({"staff": staff_like(request.GET.get("q", ""))})

    def _form(self, request: HttpRequest, report: Report, actor: User, title: str) -> HttpResponse:
        hidden = [name for name in report.columns if name not in exportable(actor)]
        form = ReportForm(request.POST if request.method == "POST" else None, actor=actor, report=report)
        if "move" in request.POST:
            form.move(request.POST["move"])
        elif form.is_valid() and form.keep():
            messages.success(request, _("%(report)s was saved.") % {"report": report.name})
            return redirect("admin:users_profiles_report_change", report.pk)
        labels = columns.labels()
        context = self._context(
            request,
            title,
            form=form,
            is_new=report.pk is None,
            keep_days=settings.EXPORT_KEEP_DAYS,
            report=report,
            hidden=[labels.get(name, name) for name in hidden],
            whom=in_words(str(form["query"].value() or "")),
            list=listing.of_report(report) if report.pk else _list_of(str(form["query"].value() or "")),
            back=reverse("admin:users_profiles_report_change", args=[report.pk])
            if report.pk
            else reverse("admin:users_profiles_report_changelist"),
        )
        return TemplateResponse(request, "admin/reports/edit.html", context)

    # To delete one --------------------------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Nothing that goes along is worth a question of its own; the page says what ends with the report."""
        return [], {}, set(), []

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        report, _actor = self._report(request, object_id, to_change=True)
        return super().delete_view(request, object_id, _about(report))

    def delete_model(self, request: HttpRequest, obj: Report) -> None:
        with transaction.atomic():
            recorder.note_report(obj, {}, is_gone=True)
            super().delete_model(request, obj)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The trail has it."""


def _new(owner: User, given: dict[str, str]) -> Report:
    """A report as the address suggests it; what it leaves out is as in the owner's last export."""
    usual = last_choice(owner)
    chosen = [name for name in given.get("columns", "").split(",") if name in exportable(owner)]
    form = given.get("format", "")
    query = given.get("query", "")[:2_000].replace("\x00", "")
    return Report(
        owner=owner,
        query=query,
        order=given.get("order", "")[:300],
        columns=list(dict.fromkeys(chosen)) or _with_its_subject(usual.columns, query, owner),
        format=form if form in Export.Format.values else usual.format,
    )


def _with_its_subject(usual: Sequence[str], query: str, owner: User) -> list[str]:
    """The usual columns, with what the filter asks about right after who somebody is: birthdays have their dates."""
    subject = [name for name in selection.fields_of(query) if name in exportable(owner)]
    who = [name for name in usual if name in _WHO and name not in subject]
    return [*who, *subject, *(name for name in usual if name not in {*who, *subject})]


def _list_of(query: str) -> str:
    return f"{reverse('admin:users_profiles_user_changelist')}?{query}".rstrip("?")


def _about(report: Report) -> dict[str, Any]:
    """What there is to know of a report."""
    return {
        "whom": whom(report),
        "shared_with": shared_with(report),
        "schedule": schedule.in_words(report),
        "recipients": list(report.recipients.by_name()),
    }


def _shown(request: HttpRequest, run: running.Run, report: Report) -> dict[str, Any]:
    """A page of the report, for who may see it."""
    wanted = run.wanted
    if set(wanted.columns) & set(PRIVATE_FIELDS):
        recorder.looked_at(None, f"Report {report.pk}")
    given = request.GET.get("page", "")
    number = int(given) if is_key(given) else 1
    only = request.GET.get("what", "")
    shown = {"run": run, "dropped": ", ".join(run.dropped), "only": only}
    if not wanted.is_about_changes:
        return {**shown, "page": looking.people(wanted, number), "people_name": User._meta.verbose_name_plural}
    page = looking.changes(wanted, number, only)
    tabs = [{"name": what.value, "label": what.label, "count": page.sums[what]} for what in What]
    return {**shown, "page": page, "tabs": tabs}


def in_words(query: str) -> str:
    """Whom an address is about."""
    words = selection.in_words(query)
    return words[:1].upper() + words[1:] or _("Everybody")


def whom(report: Report) -> str:
    """Whom a report is about, in words."""
    return in_words(report.query)


def shared_with(report: Report) -> str:
    """Who may use a report, in words."""
    if report.sharing == Report.Sharing.ROLE:
        return _("Everybody with the role %(role)s") % {"role": report.get_role_display()}
    if report.sharing == Report.Sharing.STAFF:
        return str(Report.Sharing.STAFF.label)
    return _("Only its owner")
