"""What everybody has, whatever their role: a way in, their own profile, and the pictures of those they may see."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views as allauth_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse_lazy
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView, TemplateView, UpdateView, View

from users_profiles import accounts, avatars, roles
from users_profiles.forms import ProfileForm
from users_profiles.models import Profile, User

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
        wish = {"field": missing[0], "sentence": WISHES[missing[0]]} if missing else None
        return super().get_context_data(person=person, spec=spec, wish=wish, **kwargs)


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

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        try:
            return super().form_valid(form)
        except avatars.NotStored as error:
            form.add_error("avatar", str(error))
            return self.form_invalid(form)


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
            accounts.settle_address(request.user)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response
