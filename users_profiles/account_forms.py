"""allauth's forms in our words, with our rules about who may register and whose address is known."""

from __future__ import annotations

import struct
from typing import Any

from allauth.account import forms as theirs
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as MFAReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from users_profiles.accounts import addresses
from users_profiles.models import User

LABELS = {
    "login": gettext_lazy("Username or e-mail"),
    "remember": gettext_lazy("Keep me signed in"),
    "email": gettext_lazy("E-mail"),
    "username": gettext_lazy("Username"),
    "password": gettext_lazy("Password"),
    "oldpassword": gettext_lazy("Current password"),
    "password1": gettext_lazy("New password"),
    "password2": gettext_lazy("New password, once more"),
    "code": gettext_lazy("Code"),
    "name": gettext_lazy("Name"),
}
# Typed as they are, not as a phone thinks they are meant.
VERBATIM = {"autocapitalize": "none", "spellcheck": "false"}


class OurWords(forms.Form):
    """Labels of ours above the inputs instead of placeholders, which are gone as soon as one types."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name in {"login", "username", "email", "code"}:
                field.widget.attrs.update(VERBATIM)
            if name in {"password", "oldpassword"}:
                field.help_text = ""  # the page has the link for who forgot it


class LoginForm(OurWords, theirs.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        # Who has to try again has typed who they are already.
        for name in ("login", "password"):
            self.fields[name].widget.attrs["autofocus"] = (name == "password") == bool(self.data.get("login"))


class SignupForm(OurWords, theirs.SignupForm):  # type: ignore[misc]
    """Registration, where it is open, for addresses of the domains that may."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("Password")
        self.fields["password2"].label = _("Password, once more")
        if settings.REGISTRATION_DOMAINS:
            self.fields["email"].help_text = _domains_sentence()

    def clean_email(self) -> str:
        """Refuse other domains, before anything is looked up: the answer is the same for known addresses."""
        domain = self.cleaned_data["email"].rpartition("@")[2].lower()
        if settings.REGISTRATION_DOMAINS and domain not in settings.REGISTRATION_DOMAINS:
            raise forms.ValidationError(_domains_sentence(), code="domain")
        address: str = super().clean_email()
        return address

    def validate_unique_email(self, value: str) -> str:
        """Take a known address for known however it is written; who registers is told by mail only."""
        address: str = super().validate_unique_email(value)
        self.account_already_exists = self.account_already_exists or addresses.find_by_email(value) is not None
        return address

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])  # as slow as a registration that goes through
        with transaction.atomic():  # a person without the note that they must verify would not have to
            person, response = super().try_save(request)
        return person, response


def _domains_sentence() -> str:
    domains = settings.REGISTRATION_DOMAINS
    sentence = ngettext("Use an address at %(domains)s.", "Use an address at one of these: %(domains)s.", len(domains))
    return sentence % {"domains": ", ".join(domains)}


class AddEmailForm(OurWords, theirs.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("New e-mail")
        self.fields["email"].help_text = _(
            "We send a mail there first. The old one stays until you have opened the link in it."
        )


class ChangePasswordForm(OurWords, theirs.ChangePasswordForm):
    pass


class SetPasswordForm(OurWords, theirs.SetPasswordForm):
    pass


class ReauthenticateForm(OurWords, theirs.ReauthenticateForm):
    pass


class ResetPasswordForm(OurWords, theirs.ResetPasswordForm):
    """Asks for a link by mail; also for people who never had a password."""

    def clean_email(self) -> str:
        address: str = self.cleaned_data["email"]
        person = addresses.find_by_email(address)
        self.users = [person] if person is not None and person.is_active else []
        return address


class ResetPasswordKeyForm(OurWords, theirs.ResetPasswordKeyForm):
    """Sets a password by a link that was mailed, which proves the address it was mailed to."""

    def save(self) -> None:
        with transaction.atomic():
            super().save()
            addresses.record_verified(self.user)


# The second step ----------------------------------------------------------------------------------------------------


class CodeForm(OurWords, AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = True


class CodeAgainForm(OurWords, MFAReauthenticateForm):
    pass


class ActivateAppForm(OurWords, ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code from the app")
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class ReadsPasskey(OurWords):
    """Takes what a browser says of a passkey, or somebody who is none: what cannot be read is refused.

    The libraries below fall over answers of the wrong shape, which would be a server error of ours.
    """

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error):
            self.add_error("credential", get_mfa_adapter().validation_error("incorrect_code"))


class PasskeyForm(ReadsPasskey, AuthenticateWebAuthnForm):
    pass


class PasskeyAloneForm(ReadsPasskey, LoginWebAuthnForm):
    pass


class PasskeyAgainForm(ReadsPasskey, ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(ReadsPasskey, AddWebAuthnForm):
    """A new passkey. Whether it can also sign in alone is for the device to say, and no question to ask people."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["passwordless"]


class RenamePasskeyForm(OurWords, EditWebAuthnForm):
    pass
