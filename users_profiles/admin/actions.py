"""What can be done to several people at once. Each action asks about every person, and says whom it left alone.

Two steps: a page that says what will be done, to whom, and to whom not and why; then the doing, decided anew, because
somebody may have been promoted in between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from users_profiles import conflicts, criteria, invitations, recorder, roles
from users_profiles.accounts.proving import ProvesIdentity, ProvesIdentityToDelete
from users_profiles.admin.undo_action import UndoActionMixin
from users_profiles.models import Road, User
from users_profiles.roles import Action
from users_profiles.superusers import LastSuperuserError, changing
from users_profiles.transfer import undo_action

# One request, one transaction, one page that a person can read. More than these is work for an import.
MAX_PEOPLE = 10_000
NAMED = 20
NAMED_IN_MESSAGE = 5


@dataclass(frozen=True)
class Plan:
    """To whom an action will be done; and whom it leaves alone, by the reason."""

    people: list[User]
    left_out: dict[str, list[User]]

    @property
    def named(self) -> list[User]:
        """As many as fit a page."""
        return self.people[:NAMED]

    @property
    def unnamed(self) -> int:
        return len(self.people) - len(self.named)

    @property
    def refusals(self) -> list[str]:
        """One sentence for each reason."""
        return [
            _("%(people)s: %(reason)s") % {"people": _names(people), "reason": reason}
            for reason, people in self.left_out.items()
        ]


def _names(people: list[User]) -> str:
    names = [str(person) for person in people[:NAMED_IN_MESSAGE]]
    more = len(people) - len(names)
    if more:
        names.append(ngettext("%(count)s more", "%(count)s more", more) % {"count": more})
    return get_text_list(names, _("and"))


class PeopleAction:
    """Something done to several people, in words and in deed."""

    name: ClassVar[str]
    title: ClassVar[Any]
    button: ClassVar[Any]
    action: ClassVar[Action]
    danger: ClassVar[bool] = False
    # Whether it can be taken back.
    undoable: ClassVar[bool] = False
    # How it asks who one is, when it changes who may do what, or who gets in, or deletes somebody.
    proves: ClassVar[type[ProvesIdentity] | None] = None

    def __init__(self, request: HttpRequest) -> None:
        self.actor = request.user
        self.form: forms.Form | None = None
        sent = request.POST if "confirmed" in request.POST else None
        self.proof = self.proves(sent, request=request, label_suffix="") if self.proves else None
        # What people were like on the page that asked; None where no page of ours did.
        self.shown = conflicts.read_versions(request.POST["shown"]) if "shown" in request.POST else None

    def is_valid(self) -> bool:
        """Whether what the action asks for, if anything, was answered."""
        return all(form is None or form.is_valid() for form in (self.form, self.proof))

    def plan(self, people: Iterable[User]) -> Plan:
        """Decide about every person."""
        chosen: list[User] = []
        left_out: dict[str, list[User]] = {}
        for person in people:
            reason = self.refusal(person)
            if reason:
                left_out.setdefault(reason, []).append(person)
            else:
                chosen.append(person)
        return Plan(chosen, left_out)

    def refusal(self, person: User) -> str:
        """Why this is not done to this person; the empty text when it is."""
        if roles.may(self.actor, self.action, person):
            return self.needless(person) or self.overtaken(person)
        if person.pk == self.actor.pk:
            return _("you cannot do this to yourself")
        return _("above you")

    def needless(self, person: User) -> str:
        """Why there is nothing to do for somebody one could do it to."""
        return ""

    def overtaken(self, person: User) -> str:
        """Why what was confirmed may not be what is meant any more: somebody has changed the person since."""
        if self.shown is None or conflicts.is_as_shown(person, self.shown):
            return ""
        return _("changed since you were asked") if person.pk in self.shown else _("was not on the list you were shown")

    def question(self, count: int) -> str:
        """What will be done, and to how many."""
        raise NotImplementedError

    def perform(self, people: list[User]) -> str:
        """Do it, note it, and return a sentence that says what was done."""
        raise NotImplementedError


class _SetsActive(PeopleAction):
    """What activating and deactivating people have in common."""

    undoable = True
    action = Action.DEACTIVATE
    proves = ProvesIdentity
    becomes: ClassVar[bool]

    def perform(self, people: list[User]) -> str:
        _set_active(people, self.becomes)
        return self.done(len(people)) % {"count": len(people)}

    def done(self, count: int) -> str:
        raise NotImplementedError


class Activate(_SetsActive):
    name = "activate"
    title = gettext_lazy("Activate people")
    button = gettext_lazy("Activate")
    becomes = True

    def needless(self, person: User) -> str:
        return _("active already") if person.is_active else ""

    def question(self, count: int) -> str:
        sentence = ngettext(
            "%(count)s person will be able to sign in.", "%(count)s people will be able to sign in.", count
        )
        return sentence % {"count": count}

    def done(self, count: int) -> str:
        return ngettext("Activated %(count)s person.", "Activated %(count)s people.", count)


class Deactivate(_SetsActive):
    name = "deactivate"
    title = gettext_lazy("Deactivate people")
    button = gettext_lazy("Deactivate")
    danger = True
    becomes = False

    def needless(self, person: User) -> str:
        return "" if person.is_active else _("inactive already")

    def question(self, count: int) -> str:
        return ngettext(
            "%(count)s person will be signed out and will not be able to sign in. Nothing is deleted.",
            "%(count)s people will be signed out and will not be able to sign in. Nothing is deleted.",
            count,
        ) % {"count": count}

    def done(self, count: int) -> str:
        return ngettext("Deactivated %(count)s person.", "Deactivated %(count)s people.", count)


class SetRole(PeopleAction):
    name = "set_role"
    undoable = True
    title = gettext_lazy("Set role")
    button = gettext_lazy("Set role")
    action = Action.GRANT
    proves = ProvesIdentity

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        asked = "confirmed" in request.POST
        self.form = RoleForm(request.POST if asked else None, actor=request.user, label_suffix="")

    def question(self, count: int) -> str:
        sentence = ngettext("%(count)s person will have this role.", "%(count)s people will have this role.", count)
        return sentence % {"count": count}

    def perform(self, people: list[User]) -> str:
        role = self.form.cleaned_data["role"] if self.form else roles.MEMBER
        roles.assign(people, role)
        names = {"count": len(people), "role": roles.LABELS[role]}
        return ngettext("%(count)s person is now %(role)s.", "%(count)s people are now %(role)s.", len(people)) % names


class SendInvitation(PeopleAction):
    name = "send_invitation"
    title = gettext_lazy("Send invitations")
    button = gettext_lazy("Send")
    action = Action.EDIT

    def needless(self, person: User) -> str:
        if not person.is_active:
            return _("inactive")
        return "" if person.email else _("no e-mail")

    def question(self, count: int) -> str:
        return ngettext(
            "%(count)s person will get a mail with a link to set a password.",
            "%(count)s people will get a mail with a link to set a password.",
            count,
        ) % {"count": count}

    def perform(self, people: list[User]) -> str:
        invited = invitations.invite(people)
        count = len(invited.queued)
        return ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", count) % {
            "count": count
        }


class Delete(PeopleAction):
    name = "delete_selected"
    title = gettext_lazy("Delete people")
    button = gettext_lazy("Delete")
    action = Action.DELETE
    proves = ProvesIdentityToDelete
    danger = True

    def question(self, count: int) -> str:
        return ngettext(
            "%(count)s person will be deleted with profile and picture, for good. The history keeps the name.",
            "%(count)s people will be deleted with their profiles and pictures, for good. The history keeps the names.",
            count,
        ) % {"count": count}

    def perform(self, people: list[User]) -> str:
        User.objects.filter(pk__in=[person.pk for person in people]).delete()
        return ngettext("Deleted %(count)s person.", "Deleted %(count)s people.", len(people)) % {"count": len(people)}


class RoleForm(forms.Form):
    """The role to give: one that the person at this form may give."""

    role = forms.TypedChoiceField(
        label=gettext_lazy("Role"),
        # Having no role is a choice too, and must not be what comes of choosing nothing.
        coerce=lambda value: roles.MEMBER if value == criteria.MEMBERS else value,
        error_messages={"required": gettext_lazy("Choose a role.")},
    )

    def __init__(self, *args: Any, actor: User | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a role")),
            *((role or criteria.MEMBERS, roles.LABELS[role]) for role in roles.grantable(actor)),
        ]


def _set_active(people: list[User], active: bool) -> None:
    User.objects.filter(pk__in=[person.pk for person in people]).update(is_active=active)
    recorder.note_same(people, "is_active", recorder.text(not active), recorder.text(active))


class PeopleActionsMixin(UndoActionMixin):
    """The actions of the list of people."""

    actions = ["activate", "deactivate", "set_role", "send_invitation", "export", "delete_selected"]

    def has_deactivate_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.DEACTIVATE)

    def has_grant_permission(self, request: HttpRequest) -> bool:
        return roles.may(request.user, Action.GRANT)

    @admin.action(description=gettext_lazy("Activate"), permissions=["deactivate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._run(request, queryset, Activate(request))

    @admin.action(description=gettext_lazy("Deactivate"), permissions=["deactivate"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._run(request, queryset, Deactivate(request))

    @admin.action(description=gettext_lazy("Set role"), permissions=["grant"])
    def set_role(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._run(request, queryset, SetRole(request))

    @admin.action(description=gettext_lazy("Send invitation"), permissions=["change"])
    def send_invitation(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._run(request, queryset, SendInvitation(request))

    @admin.action(description=gettext_lazy("Delete"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._run(request, queryset, Delete(request))

    def _run(self, request: HttpRequest, queryset: QuerySet[User], action: PeopleAction) -> HttpResponse | None:
        """Ask before, do after: None goes back to the list."""
        if not roles.may(request.user, action.action):
            raise PermissionDenied
        if queryset.count() > MAX_PEOPLE:
            self._tell(request, _("Choose at most %(limit)s people at once.") % {"limit": MAX_PEOPLE}, messages.ERROR)
            return None
        if "confirmed" not in request.POST or not action.is_valid():
            plan = action.plan(queryset)
            if plan.people:
                return self._ask(request, action, plan)
            self._tell_refusals(request, plan)
            return None
        mark = undo_action.new_mark()
        try:
            with changing(queryset), recorder.by(Road.ACTION), recorder.marked(str(mark)), recorder.together():
                conflicts.lock(list(queryset.values_list("pk", flat=True)))
                plan = action.plan(queryset.all())
                said = action.perform(plan.people) if plan.people else ""
        except LastSuperuserError as refusal:
            self._tell(request, refusal, messages.ERROR)
        else:
            if said:
                self._tell(request, self.with_undo(request, said, mark) if action.undoable else said, messages.SUCCESS)
            self._tell_refusals(request, plan)
        return None

    def _ask(self, request: HttpRequest, action: PeopleAction, plan: Plan) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": action.title,
            "opts": self.opts,  # type: ignore[attr-defined]
            "action": action,
            "question": action.question(len(plan.people)),
            "plan": plan,
            "shown": conflicts.versions(plan.people),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/users_profiles/confirm_action.html", context)

    def _tell_refusals(self, request: HttpRequest, plan: Plan) -> None:
        for sentence in plan.refusals:
            self._tell(request, _("Left alone: %(people)s") % {"people": sentence}, messages.WARNING)

    def _tell(self, request: HttpRequest, sentence: object, level: int) -> None:
        self.message_user(request, sentence if isinstance(sentence, SafeString) else str(sentence), level)  # type: ignore[attr-defined]
