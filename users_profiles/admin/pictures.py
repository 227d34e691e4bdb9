"""Importing pictures from a ZIP archive: its pages, in the order of the steps."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Case, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from users_profiles import avatars, roles, trail
from users_profiles.admin import import_rows
from users_profiles.admin.transfer_pages import as_attachment, open_tab
from users_profiles.keys import is_key
from users_profiles.models import Import, ImportPicture, ImportRow, Profile, User
from users_profiles.roles import Action
from users_profiles.templatetags.people import avatar_html
from users_profiles.transfer import pictures, tasks, undo_import, values
from users_profiles.transfer.forms import ArchiveForm

State = Import.State
Outcome = ImportRow.Outcome
ROWS_PER_PAGE = 50
EDGE = avatars.THUMBNAILS[-1]


class PicturesMixin:
    """Gives a ModelAdmin of people the pages to import pictures by."""

    def get_urls(self) -> list[URLPattern]:
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]

        def at(end: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(f"pictures/{end}", site.admin_view(view), name=f"users_profiles_pictures{name}")

        own = [
            at("", self.pictures_upload_view, ""),
            at("<int:key>/", self.pictures_view, "_result"),
            at("<int:key>/check/", self.pictures_check_view, "_check"),
            at("<int:key>/tick/<int:number>/", self.pictures_tick_view, "_tick"),
            at("<int:key>/apply/", self.pictures_apply_view, "_apply"),
            at("<int:key>/undo/", self.pictures_undo_view, "_undo"),
            at("<int:key>/refused.csv", self.pictures_refused_view, "_refused"),
            at("<int:key>/<int:number>.webp", self.pictures_kept_view, "_kept"),
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def _pictures_job(self, request: HttpRequest, key: int, own: bool = True) -> Import:
        """404 for everybody who may not see this import, and for all but its owner who may act on it."""
        jobs = Import.objects.visible_to(request.user).filter(subject=Import.Subject.PICTURES)
        return get_object_or_404(jobs.filter(owner_id=request.user.pk) if own else jobs, pk=key)

    def _pictures_page(
        self, request: HttpRequest, title: str, job: Import | None = None, **context: Any
    ) -> dict[str, Any]:
        site: admin.AdminSite = self.admin_site  # type: ignore[attr-defined]
        shared = {"title": title, "opts": Import._meta, "job": job, "subject": Import.Subject.PICTURES}
        shared["own"] = job is not None and job.owner_id == request.user.pk
        shared["section"] = reverse("admin:users_profiles_import_changelist")  # what the menu marks as open
        step = 1 if job is None else import_rows.step(job)
        shared["step"] = 3 if step == 2 else step  # there is no step of columns
        return {**site.each_context(request), **shared, **context}

    # File and check -------------------------------------------------------------------------------------------------

    def pictures_upload_view(self, request: HttpRequest) -> HttpResponseBase:
        """Take in an archive and begin to look through it; there are no columns to ask about."""
        if not roles.may(request.user, Action.IMPORT) or not isinstance(request.user, User):
            raise PermissionDenied
        sent = request.method == "POST"
        form = ArchiveForm(request.POST if sent else None, request.FILES if sent else None, owner=request.user)
        if form.is_valid() and form.job is not None:
            return self._begin_check(form.job)
        context = self._pictures_page(request, _("Import pictures"), form=form, max_mb=avatars.MAX_BYTES // 1024**2)
        return TemplateResponse(request, "admin/transfer/pictures_upload.html", context)

    @method_decorator(require_POST)
    def pictures_check_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Look through the archive again, after a failure or because people have changed meanwhile."""
        return self._begin_check(self._pictures_job(request, key))

    def _begin_check(self, job: Import) -> HttpResponse:
        if job.start_check():
            tasks.start(job)
        return redirect("admin:users_profiles_import_change", job.pk)

    # Preview and result ---------------------------------------------------------------------------------------------

    def pictures_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """What would become of each picture, or did; while it runs, the page that all imports share shows progress."""
        job = self._pictures_job(request, key, own=False)
        if job.is_under_way:
            return redirect("admin:users_profiles_import_change", job.pk)
        tabs = _tabs(job)
        shown = open_tab(tabs, request.GET.get("show", ""))
        rows = import_rows.rows_of(job).filter(outcome=shown["outcome"]).select_related("user__profile")
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        context = self._pictures_page(
            request,
            _title(job),
            job,
            tabs=tabs,
            shown=shown,
            page=page,
            rows=_readable(job, page),
            who=trail.owner(job),
            seconds=import_rows.in_time(import_rows.seconds(job)),
            undoable=pictures.can_be_undone(job),
            unticked=job.rows.filter(ticked=False).count() if job.state == State.CHECKED else 0,
        )
        context["to_apply"] = job.created + job.updated - context["unticked"]
        return TemplateResponse(request, "admin/transfer/pictures_result.html", context)

    def pictures_kept_view(self, request: HttpRequest, key: int, number: int) -> HttpResponse:
        """A thumbnail of the picture that is not in use: the new one before an import is applied, then the old one."""
        job = self._pictures_job(request, key, own=False)
        picture = get_object_or_404(job.pictures.exclude(file="").select_related("user"), number=number)
        if not roles.may(request.user, Action.VIEW, picture.user):
            raise Http404
        try:
            data = avatars.thumbnail(picture.file.storage, str(picture.file.name), EDGE)
        except FileNotFoundError as error:
            raise Http404 from error
        # The address has the picture's own token in it, so it always means the same picture.
        headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return HttpResponse(data, content_type="image/webp", headers=headers)

    @method_decorator(require_POST)
    def pictures_tick_view(self, request: HttpRequest, key: int, number: int) -> HttpResponse:
        """Leave a picture out, or take it after all."""
        job = self._pictures_job(request, key)
        rows = job.rows.filter(number=number, outcome__in=[Outcome.CREATED, Outcome.UPDATED])
        if job.state == State.CHECKED:
            rows.update(ticked=Case(When(ticked=True, then=Value(False)), default=Value(True)))
        show, page = request.POST.get("show", ""), request.POST.get("page", "")
        place = f"?show={show}&page={page}" if show in Outcome.values and is_key(page) else ""
        return redirect(reverse("admin:users_profiles_pictures_result", args=[job.pk]) + f"{place}#row-{number}")

    def pictures_refused_view(self, request: HttpRequest, key: int) -> HttpResponseBase:
        """The refused pictures with the reasons, as a list to work through."""
        job = self._pictures_job(request, key, own=False)
        response = StreamingHttpResponse(_refused_lines(job), content_type="text/csv; charset=utf-8")
        return as_attachment(response, "refused-pictures.csv")

    # Apply and undo -------------------------------------------------------------------------------------------------

    @method_decorator(require_POST)
    def pictures_apply_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Give people their pictures, or go on where that was cut short. A second click does nothing."""
        job = self._pictures_job(request, key)
        # With the file go the pictures that were still to be given.
        if job.start_apply() or (job.file and job.resume_apply()):
            tasks.start(job)
        return redirect("admin:users_profiles_import_change", job.pk)

    def pictures_undo_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Say what an undo would do, and do it. Open to whoever sees the import: the owner, and who grants roles."""
        job = self._pictures_job(request, key, own=False)
        if not pictures.can_be_undone(job):
            messages.info(request, _("There is nothing to undo any more."))
            return redirect("admin:users_profiles_import_change", job.pk)
        if request.method == "POST":
            if job.start_undo(request.user, write=True):
                tasks.start(job)
            return redirect("admin:users_profiles_import_change", job.pk)
        context = self._pictures_page(request, _("Undo this import?"), job, plan=pictures.undo_plan(job), step=None)
        return TemplateResponse(request, "admin/transfer/pictures_undo.html", context)


def _title(job: Import) -> str:
    titles = {
        State.UPLOADED: _("Pictures not checked yet"),
        State.CHECKED: _("Which pictures would change"),
        State.DONE: _("Pictures imported"),
        State.CANCELLED: _("Import of pictures cancelled"),
        State.UNDONE: _("Import of pictures undone"),
    }
    return titles.get(State(job.state), _("Import of pictures failed"))


def _tabs(job: Import) -> list[dict[str, Any]]:
    tabs = [
        {"outcome": Outcome.CREATED, "label": _("New") if job.applied_at is None else _("Added"), "count": job.created},
        {"outcome": Outcome.UPDATED, "label": _("Replaced"), "count": job.updated},
        {"outcome": Outcome.UNCHANGED, "label": _("Unchanged"), "count": job.unchanged},
        {"outcome": Outcome.REFUSED, "label": _("Refused"), "count": job.refused},
    ]
    if job.left_out:
        tabs.append({"outcome": Outcome.LEFT_OUT, "label": _("Left out"), "count": job.left_out})
    return tabs


def _readable(job: Import, rows: Any) -> list[dict[str, Any]]:
    """Rows for the page, each with the pictures before and after; one more query for the whole page."""
    kept = {picture.number: picture for picture in job.pictures.filter(number__in=[row.number for row in rows])}
    return [_readable_row(job, row, kept.get(row.number)) for row in rows]


def _readable_row(job: Import, row: ImportRow, picture: ImportPicture | None) -> dict[str, Any]:
    person = row.user
    before = after = SafeString("")
    if person is not None:
        before = after = avatar_html(person, "m")
        if picture is not None and picture.given:
            before = _kept_html(job, picture) if picture.file else avatar_html(_without_picture(person), "m")
        elif picture is not None:
            after = _kept_html(job, picture)
    return {
        "number": row.number,
        "path": row.label,
        "person": person,
        "before": before,
        "after": after,
        "ticked": row.ticked,
        "reason": pictures.reason(row),
        "is_changed_since": _is_changed_since(person, picture),
        "undone": undo_import.explain(row),
    }


def _is_changed_since(person: User | None, picture: ImportPicture | None) -> bool:
    if person is None or picture is None or not picture.given:
        return False
    profile: Profile | None = getattr(person, "profile", None)
    return profile is None or profile.avatar.name != picture.given


def _without_picture(person: User) -> User:
    """A copy that is shown by its initials."""
    return User(username=person.username, first_name=person.first_name, last_name=person.last_name)


def _kept_html(job: Import, picture: ImportPicture) -> SafeString:
    address = reverse("admin:users_profiles_pictures_kept", args=[job.pk, picture.number])
    return format_html(
        '<span class="avatar avatar-m"><img src="{}?v={}" alt="" width="40" height="40" loading="lazy"></span>',
        address,
        avatars.version(str(picture.file.name)),
    )


class _Echo:
    """Hands back what csv writes."""

    def write(self, line: str) -> str:
        return line


def _refused_lines(job: Import) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(["file", "error"])
    for row in job.rows.filter(outcome=Outcome.REFUSED).iterator():
        yield writer.writerow([values.defuse(row.label), pictures.reason(row)])
