"""The page on which what was done to several people is taken back: who gets what back, and who is left alone, why."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from users_profiles.accounts.proving import ProvesIdentity
from users_profiles.models import User
from users_profiles.superusers import LastSuperuserError
from users_profiles.transfer import undo_action
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.undo_action import ActionUndo

# So many people are named on the page, and so many of those left alone in the answer.
NAMED, NAMED_IN_MESSAGE = 100, 5


class UndoActionMixin:
    """Undo, for who did it and for who sees what everybody does; about each person it is asked again who may."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.undo_action_view)  # type: ignore[attr-defined]
        return [path("undo/<uuid:mark>/", view, name="users_profiles_user_undo"), *super().get_urls()]  # type: ignore[misc]

    def with_undo(self, request: HttpRequest, sentence: str, mark: UUID) -> SafeString:
        """What was done, and the way to take it back, which keeps the list one is on."""
        address = reverse("admin:users_profiles_user_undo", args=[mark])
        kept = urlencode({"_changelist_filters": request.GET.urlencode()}) if request.GET else ""
        return format_html('{} <a href="{}">{}</a>', sentence, f"{address}?{kept}" if kept else address, _("Undo"))

    def undo_action_view(self, request: HttpRequest, mark: UUID) -> HttpResponse:
        """Say what an undo would do, and do it when told so."""
        if not self.has_view_permission(request) or not isinstance(request.user, User):  # type: ignore[attr-defined]
            raise PermissionDenied
        undo = ActionUndo(mark, request.user)
        if not undo.is_ours:
            raise Http404
        proof = ProvesIdentity(request.POST if request.method == "POST" else None, request=request, label_suffix="")
        if request.method == "POST" and undo.undone is None and proof.is_valid():
            return self._undo(request, undo)
        decisions = [] if undo.undone else undo.plan()
        back = [undo_action.told(one) for one in decisions if one.restore is not None]
        kept = [undo_action.told(one) for one in decisions if one.reason]
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": _("Undo this?"),
            "opts": self.opts,  # type: ignore[attr-defined]
            "undone": undo.undone,
            "proof": proof,
            "count": len(back),
            "parts": [
                {"title": _("Gets back what was"), "people": back[:NAMED], "more": max(0, len(back) - NAMED)},
                {"title": _("Left alone"), "people": kept[:NAMED], "more": max(0, len(kept) - NAMED)},
            ],
            "list": self.list_one_was_on(request),  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/users_profiles/undo_action.html", context)

    def _undo(self, request: HttpRequest, undo: ActionUndo) -> HttpResponse:
        try:
            decisions = undo.go()
        except (FileRefused, LastSuperuserError) as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self.list_one_was_on(request))  # type: ignore[attr-defined]
        count = sum(one.restore is not None for one in decisions)
        sentence = ngettext("%(count)s person is as before.", "%(count)s people are as before.", count)
        messages.success(request, sentence % {"count": count})
        kept = [undo_action.told(one) for one in decisions if one.reason]
        for one in kept[:NAMED_IN_MESSAGE]:
            messages.warning(request, _("Left alone: %(people)s") % {"people": f"{one.label}: {one.why}"})
        more = len(kept) - NAMED_IN_MESSAGE
        if more > 0:
            told = ngettext("%(count)s more was left alone.", "%(count)s more were left alone.", more)
            messages.warning(request, told % {"count": more})
        return HttpResponseRedirect(self.list_one_was_on(request))  # type: ignore[attr-defined]
