"""What everybody has, whatever their role: a way in, their own profile, and the pictures of those they may see."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views as allauth_views
from allauth.mfa.base.views import IndexView as MFAIndexView
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse_lazy
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView, TemplateView, UpdateView, View
from requests import RequestException

from users_profiles import avatars, conflicts, roles, speaking
from users_profiles.accounts import addresses, second_factor, sessions
from users_profiles.figures.showing import field_label
from users_profiles.forms import ProfileForm, SpeakingForm
from users_profiles.models import Profile, User
from users_profiles.privacy import holding

# What the profile page asks for, field by field; whole sentences, because grammar differs between languages.
WISHES = {
    "avatar": _("Add a picture to complete your profile."),
    "first_name": _("Add your first name to complete your profile."),
    "last_name": _("Add your last name to complete your profile."),
    "bio": _("Say something about yourself to complete your profile."),
    "location": _("Add your location to complete your profile."),
    "birth_date": _("Add your birth date to complete your profile."),
    "phone_number": _("Add a phone number to complete your profile."),
}


class HomeView(LoginRequiredMixin, RedirectView):
    """Where signing in leads: staff to the admin, everybody else to their profile."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        staff = self.request.user.is_staff
        return str(reverse_lazy("admin:index" if staff else "profile"))


@method_decorator(never_cache, name="dispatch")
class ProfileView(LoginRequiredMixin, TemplateView):
    """One's own profile."""

    template_name = "profile/index.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = cast(User, self.request.user)
        spec = roles.spec_of(person)
        missing = [name for name in roles.missing_fields(person) if name in spec.own_fields]
        wishes = [{"field": name, "sentence": WISHES[name], "label": capfirst(field_label(name))} for name in missing]
        return super().get_context_data(person=person, spec=spec, wishes=wishes, **kwargs)


@method_decorator(never_cache, name="dispatch")
class ProfileEditView(LoginRequiredMixin, SuccessMessageMixin[ProfileForm], UpdateView[Profile, ProfileForm]):
    """Edit one's own profile; there is no key in the address that could be somebody else's."""

    form_class = ProfileForm
    template_name = "profile/update.html"
    success_url = reverse_lazy("profile")
    success_message = _("Your profile is saved.")

    def get_object(self, queryset: Any = None) -> Profile:
        """Load a copy for the form: what is typed there must not show up in the rest of the page."""
        return get_object_or_404(Profile.objects.select_related("user"), pk=self.request.user.pk)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Let nobody else write to the profile between the comparison with what was shown and the write."""
        with transaction.atomic():
            conflicts.lock([cast(User, request.user).pk])
            return super().post(request, *args, **kwargs)

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        try:
            response = super().form_valid(form)
        except avatars.NotStored as error:
            form.add_error("avatar", str(error))
            return self.form_invalid(form)
        for sentence in form.told():
            messages.info(self.request, sentence)
        return response


@method_decorator(never_cache, name="dispatch")
class SpeakingView(LoginRequiredMixin, UpdateView[User, SpeakingForm]):
    """In which language, and on which clock, one is spoken to."""

    form_class = SpeakingForm
    template_name = "profile/speaking.html"
    context_object_name = "person"  # "user" is who the menu shows, with their picture
    success_url = reverse_lazy("profile")

    def get_object(self, queryset: Any = None) -> User:
        """Load a copy for the form, as for the profile."""
        return get_object_or_404(User, pk=self.request.user.pk)

    def form_valid(self, form: SpeakingForm) -> HttpResponse:
        """Answer in the language just chosen, and have the browser remember it for the sign-in page."""
        response = super().form_valid(form)
        chosen = form.cleaned_data["language"]
        if chosen:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                chosen,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        else:
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
        with speaking.speaking_to(form.instance, chosen or speaking.spoken()):
            messages.success(self.request, gettext("Language and time zone are saved."))
        return response


@method_decorator(never_cache, name="dispatch")
class MyDataView(LoginRequiredMixin, TemplateView):
    """All that is held about oneself: what it is, and on request all of it in one file."""

    template_name = "profile/data.html"

    def post(self, request: HttpRequest) -> HttpResponseBase:
        person = get_object_or_404(User.objects.with_profile(), pk=request.user.pk)
        return holding.answer(person, person)


class AvatarView(LoginRequiredMixin, View):
    """A thumbnail of a person's picture, for themselves and for staff who may see people (security check B9)."""

    def get(self, request: HttpRequest, pk: int, edge: int) -> HttpResponseBase:
        name = self._visible_picture(pk)
        token = avatars.version(name)
        response = get_conditional_response(request, etag=f'"{token}"') or self._picture(name, edge)
        response["ETag"] = f'"{token}"'
        # The address names this very picture: it can be kept for good, by this browser and nobody between.
        for_good = request.GET.get("v") == token
        response["Cache-Control"] = "private, max-age=31536000, immutable" if for_good else "private, no-cache"
        return response

    def _visible_picture(self, pk: int) -> str:
        """The stored name of somebody's picture; strangers learn as little as if there were none."""
        actor = self.request.user
        if actor.pk != pk and second_factor.is_missing(actor):
            raise Http404
        person = actor if actor.pk == pk else User.objects.with_profile().filter(pk=pk).first()
        if not isinstance(person, User) or not (actor.pk == pk or roles.may(actor, roles.Action.VIEW, person)):
            raise Http404
        if not person.profile.avatar:
            raise Http404
        return str(person.profile.avatar.name)

    def _picture(self, name: str, edge: int) -> HttpResponse:
        try:
            data = avatars.thumbnail(Profile._meta.get_field("avatar").storage, name, edge)
        except (FileNotFoundError, ValueError) as error:
            raise Http404 from error
        headers = {
            "Content-Disposition": 'inline; filename="avatar.webp"',
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(data, content_type="image/webp", headers=headers)


class SignupView(allauth_views.SignupView):
    """Registration, where it is open."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().form_valid(form)
        except IntegrityError:
            # Somebody registered with the same name or e-mail between our look and our write: look again. A name that
            # is taken is said in the form; an e-mail that is taken gets the answer that known ones always get.
            form.full_clean()
            response = super().form_valid(form) if form.is_valid() else self.form_invalid(form)
        return response


class EmailView(allauth_views.EmailView):
    """Change one's e-mail. allauth starts from its own notes, which staff edits and imports pass by."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User):
            addresses.settle_address(request.user)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class SecondFactorView(MFAIndexView):
    """One's second factors on one page; allauth has another one for the passkeys."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "is_missing": second_factor.is_missing(self.request.user)}


@method_decorator(never_cache, name="dispatch")
class SessionsView(ListUserSessionsView):
    """Where one is signed in, and the way to be signed out everywhere else."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, "places": sessions.places(self.request, cast(User, self.request.user))}


class IdentityProvenView(LoginRequiredMixin, TemplateView):
    """What a tab says that was opened only to prove who one is."""

    template_name = "account/identity_proven.html"


def begin_single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Lead on to the sign-in service; to allauth one that does not answer is a server error of ours."""
    try:
        response: HttpResponseBase = openid_connect.login(request, provider_id)
    except RequestException as error:
        response = render_authentication_error(request, provider_id, exception=error)
    return response
