"""What is held about a person, before admins: given out as one file, and erased after a look at what goes."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from users_profiles import recorder, roles
from users_profiles.models import User
from users_profiles.privacy import erasing, holding
from users_profiles.privacy.forms import EraseForm
from users_profiles.roles import Action


class PrivacyMixin:
    """Adds to the admin of people what somebody may ask of us: everything that is held, and nothing any more."""

    def get_urls(self) -> list[URLPattern]:
        held = self.admin_site.admin_view(require_POST(self.held_view))  # type: ignore[attr-defined]
        erase = self.admin_site.admin_view(self.erase_view)  # type: ignore[attr-defined]
        return [
            path("<int:pk>/held/", held, name="users_profiles_user_held"),
            path("<int:pk>/erase/", erase, name="users_profiles_user_erase"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def about_privacy(self, request: HttpRequest, person: User) -> dict[str, bool]:
        """Which of the two the page of a person offers."""
        return {
            "can_have_held": holding.may_have(request.user, person),
            "can_erase": roles.may(request.user, Action.DELETE, person) and not person.is_superuser,
        }

    def _person(self, request: HttpRequest, pk: int) -> User:
        people = self.get_queryset(request)  # type: ignore[attr-defined]
        person: User = get_object_or_404(people, pk=pk)
        return person

    def held_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send all that is held about a person; the ledger of exports has it from then on."""
        person = self._person(request, pk)
        if not holding.may_have(request.user, person):
            raise PermissionDenied
        recorder.looked_at(person)
        return holding.answer(person, cast(User, request.user))

    def erase_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would go and what would stay, ask, and do it."""
        person = self._person(request, pk)
        if not roles.may(request.user, Action.DELETE):
            raise PermissionDenied
        why_not = erasing.refusal(request.user, person)
        sent = request.method == "POST" and not why_not
        form = EraseForm(request.POST if sent else None, request, person)
        if sent and form.is_valid():
            return self._erase(request, person)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "person": person,
            "why_not": why_not,
            "plan": None if why_not else erasing.plan(person),
            "form": form,
        }
        return TemplateResponse(request, "admin/users_profiles/user/erase.html", context)

    def _erase(self, request: HttpRequest, person: User) -> HttpResponse:
        try:
            done = erasing.erase(person, cast(User, request.user))
        except erasing.NotErased as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        messages.success(request, _("%(label)s: nothing that tells who it was is kept.") % {"label": done.label})
        count = len(done.uploads) + len(done.exports)
        if count:
            sentence = ngettext("%(count)s file was deleted with it.", "%(count)s files were deleted with it.", count)
            messages.info(request, sentence % {"count": count})
        return HttpResponseRedirect(reverse("admin:users_profiles_user_changelist"))
