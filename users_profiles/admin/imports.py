"""The pages of one import, from its columns to its result, and the history of all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from users_profiles import recorder, roles, trail
from users_profiles.admin import import_rows, proof
from users_profiles.admin.columns import EMPTY, chip
from users_profiles.admin.import_invitations import InvitationsMixin
from users_profiles.admin.import_mending import MendingMixin
from users_profiles.admin.import_rows import in_time, number
from users_profiles.admin.transfer_pages import as_attachment, progress
from users_profiles.admin.undo_import import UndoImportMixin
from users_profiles.keys import FoundByKeyMixin, is_key
from users_profiles.models import Import
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.moments import ago
from users_profiles.roles import Action
from users_profiles.transfer import columns, hints, intake, invitees, mending, reader, refused, tasks, undo_import
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.forms import ColumnsForm, ReadingForm
from users_profiles.transfer.options import Options, Row

State = Import.State
RUNNING = {
    State.CHECKING: gettext_lazy("Checking %(file)s"),
    State.APPLYING: gettext_lazy("Importing %(file)s"),
    State.UNDOING: gettext_lazy("Undoing %(file)s"),
}
TITLES = {
    State.UPLOADED: gettext_lazy("Import not checked yet"),
    State.CHECKED: gettext_lazy("What would change"),
    State.DONE: gettext_lazy("Import finished"),
    State.CANCELLED: gettext_lazy("Import cancelled"),
    State.FAILED: gettext_lazy("Import failed"),
    State.UNDONE: gettext_lazy("Import undone"),
}
STATE_TONES = {
    State.CHECKED: "chip-accent",
    State.CHECKING: "chip-accent",
    State.APPLYING: "chip-accent",
    State.UNDOING: "chip-accent",
    State.DONE: "chip-good",
    State.CANCELLED: "chip-warn",
    State.FAILED: "chip-bad",
}


@admin.register(Import)
class ImportAdmin(UndoImportMixin, InvitationsMixin, MendingMixin, FoundByKeyMixin, admin.ModelAdmin):
    """The history of imports; an entry leads to the page of that import, in whatever state it is."""

    list_display = ["filename", "state_chip", "added", "changed", "same", "refused_rows", "person", "when", "took"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    search_fields = ["filename", "owner__username"]
    ordering = ["-uploaded_at"]
    actions = None
    change_list_template = "admin/transfer/imports.html"

    class Media:
        css = {"all": ["users_profiles/transfer.css"]}

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
            at("mend/", self.mend_view, "mend"),
            at("invite/", self.invite_view, "invite"),
            at("invite/progress/", self.invite_progress_view, "invite_progress"),
            at("tick/", self.tick_view, "tick"),
            at("undo/", self.undo_view, "undo"),
            at("undo/plan/", self.plan_undo_view, "plan_undo"),
            at("progress/", self.progress_view, "progress"),
            at("refused/", self.refused_view, "refused"),
            *super().get_urls(),
        ]

    def _job(self, request: HttpRequest, key: Any, own: bool = True, pictures: bool = False) -> Import:
        """The import of this key; 404 for everybody who may not see it, and for all but the owner who may act on it.

        An import of pictures has pages of its own; without ``pictures`` it is not found here.
        """
        jobs = Import.objects.visible_to(request.user)
        jobs = jobs if pictures else jobs.exclude(subject=Import.Subject.PICTURES)
        return get_object_or_404(jobs.filter(owner_id=request.user.pk) if own else jobs, pk=key)

    def _page(self, request: HttpRequest, job: Import, title: str, **context: Any) -> dict[str, Any]:
        own = job.owner_id == request.user.pk
        shared = {"title": title, "opts": self.opts, "job": job, "own": own, "options": Options.from_json(job.options)}
        return {**self.admin_site.each_context(request), **shared, "step": import_rows.step(job), **context}

    # History --------------------------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("Imported by"), ordering="owner__username__lower")
    def person(self, job: Import) -> str:
        return trail.owner(job)

    @admin.display(description=gettext_lazy("Uploaded"), ordering="uploaded_at")
    def when(self, job: Import) -> str:
        return ago(job.uploaded_at)

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_chip(self, job: Import) -> str:
        return chip(job.get_state_display(), STATE_TONES.get(State(job.state), ""))

    @admin.display(description=gettext_lazy("New"), ordering="created")
    def added(self, job: Import) -> str:
        return number(job.created)

    @admin.display(description=gettext_lazy("Changed"), ordering="updated")
    def changed(self, job: Import) -> str:
        return number(job.updated + job.missing)

    @admin.display(description=gettext_lazy("Unchanged"), ordering="unchanged")
    def same(self, job: Import) -> str:
        return number(job.unchanged)

    @admin.display(description=gettext_lazy("Refused"), ordering="refused")
    def refused_rows(self, job: Import) -> str:
        return number(job.refused)

    @admin.display(description=gettext_lazy("Took"))
    def took(self, job: Import) -> str:
        return in_time(import_rows.seconds(job)) if job.started_at else EMPTY

    # Columns --------------------------------------------------------------------------------------------------------

    def columns_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Show how the file was read and what its columns mean, let both be corrected, and begin the check."""
        job = self._job(request, key)
        if job.applied_at is not None or job.state not in {State.UPLOADED, State.CHECKED, State.FAILED}:
            return redirect("admin:users_profiles_import_change", job.pk)
        if not intake.is_kept(job):
            return _without_file(request, job)
        rereads = request.method == "POST" and "reread" in request.POST
        reading = ReadingForm(request.POST if rereads else None, job=job, owner=request.user)
        if reading.is_valid():
            _read_anew(job, reading)
            return redirect("admin:users_profiles_import_columns", job.pk)
        names = roles.visible_fields(request.user, columns.NAMES)
        form = ColumnsForm(request.POST if request.method == "POST" and not rereads else None, job=job, names=names)
        if form.is_valid():
            _begin_check(job, form)
            return redirect("admin:users_profiles_import_change", job.pk)
        context = self._page(request, job, _("What is in the columns?"), form=form, reading=reading, step=2)
        context["columns"] = form.columns(_sample(request, job))
        return TemplateResponse(request, "admin/transfer/columns.html", context)

    # Check, apply, result -------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of an import: its progress while it runs, then what its rows would do, or did."""
        if not is_key(object_id):
            raise Http404
        job = self._job(request, int(object_id), own=False, pictures=True)
        if job.subject == Import.Subject.PICTURES and not job.is_under_way:
            return redirect("admin:users_profiles_pictures_result", job.pk)
        if job.state == State.UPLOADED and job.owner_id == request.user.pk:
            return redirect("admin:users_profiles_import_columns", job.pk)
        if job.is_under_way:
            title = RUNNING[State(job.state)] % {"file": job.filename}
            context = self._page(request, job, title, progress=progress(job))
            context["may_cancel"] = request.user.pk in _answerable(job)
            return TemplateResponse(request, "admin/transfer/progress.html", context)
        return TemplateResponse(request, "admin/transfer/result.html", self._result(request, job))

    def _result(self, request: HttpRequest, job: Import) -> dict[str, Any]:
        _note_look(job)
        context = {
            **import_rows.shown(request, job),
            "ignored": _ignored(job),
            "mapping": _mapping(job),
            "seconds": in_time(import_rows.seconds(job)),
            "undoable": job.can_be_undone and job.subject == Import.Subject.PEOPLE,
            "undone": undo_import.counts(job) if job.state == State.UNDONE else {},
            "who": trail.owner(job),
            "mends": mending.first_of(job),
        }
        if job.state == State.CHECKED:
            noticed = hints.said(Options.from_json(job.options))
            context |= {"weight": import_rows.weigh(job), "proof": proof.asked_of(request, job), "hints": noticed}
        if job.applied_at is not None and job.state != State.UNDONE:
            context |= {"invitable": invitees.tally(job)["open"], "made": invitees.created(job).exists()}
        return self._page(request, job, str(TITLES[State(job.state)]), **context)

    @method_decorator(require_POST)
    def tick_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """Tick or untick rows; the page's script asks only for what follows from it, so nobody loses their place."""
        job = self._job(request, key)
        import_rows.tick(job, request)
        if request.headers.get("X-Requested-With") == "fetch" and job.state == State.CHECKED:
            weight, tabs = import_rows.weigh(job), import_rows.tabs(job)
            show = next((tab for tab in tabs if tab["outcome"] == request.POST.get("show")), tabs[0])
            asked = proof.asked_of(request, job)
            context = self._page(request, job, "", weight=weight, tabs=tabs, shown=show, proof=asked)
            return TemplateResponse(request, "admin/transfer/check.html", context)
        place = {name: request.POST[name] for name in ("show", "q", "page") if request.POST.get(name)}
        return redirect(f"{reverse('admin:users_profiles_import_change', args=[job.pk])}?{urlencode(place)}")

    @method_decorator(require_POST)
    def apply_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Write what the check has shown, or go on where that was cut short. A second click does nothing."""
        job = self._job(request, key)
        objection = import_rows.weigh(job).objection(request) if job.state == State.CHECKED else ""
        objection = objection or proof.objection(request, job)
        if objection:
            messages.error(request, objection)
        elif job.start_apply() or job.resume_apply():
            tasks.start(job)
        return redirect("admin:users_profiles_import_change", job.pk)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Stop an import, for its owner; or an undo, for whoever began it."""
        job = self._job(request, key, own=False, pictures=True)
        if request.user.pk not in _answerable(job):
            raise Http404
        undoing = job.state == State.UNDOING
        if job.cancel() and undoing:  # of a cancelled import its page says what became of it
            messages.info(request, _("Stopped. What has been undone so far stays undone; nothing more will be."))
        return redirect("admin:users_profiles_import_change", job.pk)

    def progress_view(self, request: HttpRequest, key: Any) -> JsonResponse:
        """What the progress bar asks for every second. Whoever asks also sees to it that lost jobs are found again."""
        tasks.sweep()
        return JsonResponse(progress(self._job(request, key, own=False, pictures=True)))

    def refused_view(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        """The refused rows as a file of the same shape with one more column that says why: mend it, upload it, done."""
        job = self._job(request, key, own=False)
        if not intake.is_kept(job):
            return _without_file(request, job)
        _note_look(job)
        ending = refused.suffix(job)
        response = StreamingHttpResponse(refused.blocks(job, ending), content_type=refused.CONTENT_TYPES[ending])
        return as_attachment(response, f"refused-rows.{ending}")


def _note_look(job: Import) -> None:
    """Note who is shown private fields by the rows of an import; its owner as well, who sees what people had before."""
    if Options.from_json(job.options).fields & set(PRIVATE_FIELDS):
        recorder.looked_at(None, f"Import {job.pk}")


def _without_file(request: HttpRequest, job: Import) -> HttpResponse:
    """Say that the file is gone on the page of the import. One that never got any further has failed by that."""
    if job.state != State.UPLOADED or not job.fail(intake.not_kept()):
        messages.error(request, intake.not_kept())
    return redirect("admin:users_profiles_import_change", job.pk)


def _read_anew(job: Import, reading: ReadingForm) -> None:
    """Take up the new way of reading; what was checked before is then checked no more."""
    with transaction.atomic():
        if job.reopen():
            reading.save()


def _begin_check(job: Import, form: ColumnsForm) -> None:
    """Keep the choices and begin, both or neither: nobody may apply what was checked with other choices."""
    with transaction.atomic():
        if not job.start_check():
            return
        form.save()
    tasks.start(job)


def _sample(request: HttpRequest, job: Import) -> list[Row]:
    """The first rows as the file is read at present; none, and a message, when it turns out to be broken there."""
    try:
        with intake.opened(job) as file:
            return reader.sample(file, Options.from_json(job.options))
    except FileRefused as refusal:
        messages.error(request, str(refusal))
        return []


def _answerable(job: Import) -> set[int | None]:
    """The keys of those who may stop a running import: its owner; of an undo, also whoever began that."""
    return {job.owner_id, job.undone_by_id} if job.state == State.UNDOING else {job.owner_id}


def _mapping(job: Import) -> list[tuple[str, str]]:
    """Each column of the file that was taken, with what it was taken for."""
    options = Options.from_json(job.options)
    labels = columns.labels()
    pairs = zip(options.headers, options.mapping, strict=True)
    return [(header, labels[name]) for header, name in pairs if name]


def _ignored(job: Import) -> list[str]:
    options = Options.from_json(job.options)
    pairs = zip(options.headers, options.mapping, strict=True)
    return [header for header, name in pairs if not name and not columns.is_read_only(header)]
