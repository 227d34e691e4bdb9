"""Forms that ask for one's own password once more, before what must not be done by whoever finds a desk unattended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles.accounts import identity
from users_profiles.models import User


class OwnPasswordField(forms.CharField):
    """Typed as proof, and never part of what is changed."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ProvesIdentity(forms.Form):
    """A form for something that asks who one is when the sign-in is old: one more field, and nothing typed is lost.

    ``request`` is set on the class, or given. Who has no password proves it in another tab and sends the form again.
    """

    request: HttpRequest | None = None
    # Why it is asked: beside the field, when it is left empty, and to who has no password.
    asks = gettext_lazy("You signed in a while ago. Changing who may do what asks for it again.")
    insists = gettext_lazy("Type your own password: you change who may do what.")
    leads_on = gettext_lazy(
        "You signed in a while ago, and you change who may do what. Show that it is you, then send this again:"
    )
    own_password = OwnPasswordField(
        label=gettext_lazy("Your own password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request or self.request
        self.fields["own_password"].help_text = self.asks
        if not asks_for_password(self.request):
            del self.fields["own_password"]

    def needs_proof(self) -> bool:
        """Say whether what the form is about to do is worth asking."""
        return True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.request is not None and not identity.is_fresh(self.request) and self.needs_proof():
            self._prove(self.request, cleaned.get("own_password", ""))
        return cleaned

    def _prove(self, request: HttpRequest, password: str) -> None:
        if "own_password" not in self.fields:
            self.add_error(None, self._somewhere_else(request))
        elif not password:
            self.add_error("own_password", self.insists)
        else:
            try:
                identity.prove_by_password(request, password)
            except forms.ValidationError as error:
                self.add_error("own_password", error)

    def _somewhere_else(self, request: HttpRequest) -> SafeString:
        return format_html(
            '{} <a href="{}" target="_blank">{}</a>',
            self.leads_on,
            identity.address_to_prove(request),
            _("show it in a new tab"),
        )


class ProvesIdentityForPeople(ProvesIdentity):
    """The same where people are edited: a new e-mail decides who gets the link to a new password."""

    asks = gettext_lazy(
        "You signed in a while ago. Changing who may do what, or the e-mail of staff, asks for it again."
    )
    insists = gettext_lazy("Type your own password: you change who may do what, or the e-mail of staff.")
    leads_on = gettext_lazy(
        "You signed in a while ago, and you change who may do what, or the e-mail of staff. "
        "Show that it is you, then send this again:"
    )


class ProvesIdentityToDelete(ProvesIdentity):
    """The same before people are deleted."""

    asks = gettext_lazy("You signed in a while ago. Deleting people asks for it again.")
    insists = gettext_lazy("Type your own password: you delete people.")
    leads_on = gettext_lazy(
        "You signed in a while ago, and you delete people. Show that it is you, then send this again:"
    )


def asks_for_password(request: HttpRequest | None) -> bool:
    """Say whether a form that changes who may do what has a field for one's own password."""
    if request is None or not isinstance(request.user, User):
        return False
    return request.user.has_usable_password() and not identity.is_fresh(request)
