"""What this product does differently from allauth: how people sign in, and where mails lead."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles.accounts import addresses, identity, limits
from users_profiles.accounts.addresses import VerificationStage
from users_profiles.models import Invitation, User
from users_profiles.models.user import has_email, has_username
from users_profiles.speaking import speaking_to, spoken

logger = logging.getLogger(__name__)


class SignInBackend(AuthenticationBackend):
    """Signs in by username or e-mail.

    One password check a person that the text could mean, and one when there is nobody: a second one would tell by
    the time it takes who has an account (security check D6).
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        login = credentials.get("username") or credentials.get("email") or ""
        meant = has_username(login) | has_email(login)
        for person in User.objects.filter(meant) if login else ():
            if self._check_password(person, credentials["password"]):
                return person
        return None

    def get_user(self, user_id: int) -> User | None:
        """Load the profile along: nearly every page shows who is signed in, by picture."""
        person = User.objects.with_profile().filter(pk=user_id).first()
        return person if person is not None and self.user_can_authenticate(person) else None


_no_match = gettext_lazy("This username or e-mail and this password do not go together.")


# By allauth's names for them.
PROOFS = {
    "reauthenticate": gettext_lazy("Use your password"),
    "mfa_reauthenticate": gettext_lazy("Use a code"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey"),
}


# What the worker sends again when the mail server does not take it. The mail to somebody we do not know is not, though
# the page says the same: it must not tell who is known (security check D6).
KINDS = {
    "account/email/password_reset_key": Invitation.Kind.RESET,
    "account/email/email_confirmation": Invitation.Kind.CONFIRM,
    "account/email/email_confirmation_signup": Invitation.Kind.CONFIRM,
    "account/email/account_already_exists": Invitation.Kind.KNOWN,
}


class AccountAdapter(DefaultAccountAdapter):
    """What this product does differently from allauth's defaults."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # The same words for both, and nothing about which half was wrong.
        "username_password_mismatch": _no_match,
        "email_password_mismatch": _no_match,
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
        "enter_current_password": gettext_lazy("This is not your current password."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "duplicate_email": gettext_lazy("This is your e-mail already."),
        "username_taken": gettext_lazy("Somebody already has this username."),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Say to who tried too often when to try again (security check D1)."""
        try:
            super().pre_authenticate(request, **credentials)
        except forms.ValidationError as error:
            key = self._get_login_attempts_cache_key(request, **credentials)
            wait = limits.seconds_to_wait(request, "login_failed", key)
            raise forms.ValidationError(limits.sentence(wait), code=error.code) from error

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Take a sign-in of a moment ago for the proof that it is; allauth would ask for the password at once again."""
        is_fresh = identity.is_fresh(self.request, within=app_settings.REAUTHENTICATION_TIMEOUT)
        return not is_fresh and bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The ways to prove again who one is, in our words."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**method, "description": PROOFS.get(method["id"], method["description"])} for method in methods]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.REGISTRATION_OPEN)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Refuse ``@`` in chosen names: one could be somebody else's address, and people sign in by either."""
        username = User.normalize_username(username)
        if "@" in username:
            raise forms.ValidationError(_("A username cannot contain @."), code="at")
        cleaned: str = super().clean_username(username, shallow)
        return cleaned

    def get_login_stages(self) -> list[str]:
        ours = f"{VerificationStage.__module__}.{VerificationStage.__qualname__}"
        theirs = f"{EmailVerificationStage.__module__}.{EmailVerificationStage.__qualname__}"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Make a proven address the person's own, unless somebody got it while the mail was on its way."""
        holder = addresses.find_by_email(email_address.email)
        if holder is None or holder.pk == email_address.user_id:
            try:
                with transaction.atomic():
                    EmailAddress.objects.filter(email=email_address.email).exclude(pk=email_address.pk).delete()
                    return bool(super().confirm_email(request, email_address))
            except IntegrityError:
                pass  # somebody got it between our look and our write
        failed = "account/messages/email_confirmation_failed.txt"
        self.add_message(request, messages.ERROR, failed, {"email": email_address.email})
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.BASE_URL + path.replace("UID-KEY", key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return settings.BASE_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def send_password_reset_mail(self, user: Any, email: str, context: dict[str, Any]) -> None:
        """Mail the address we have on file, never the one that was typed (security check D5)."""
        super().send_password_reset_mail(user, user.email, context)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail, in the language of who gets it; without a choice of theirs, of the browser that asked for it.

        One that cannot be sent is logged and said, does not take the page with it, and is tried again.
        """
        person = context.get("user")
        asked_in = spoken()
        context = {**context, "base_url": settings.BASE_URL, "registration_open": settings.REGISTRATION_OPEN}
        try:
            with speaking_to(person, getattr(person, "language", "") or asked_in):
                super().send_mail(template_prefix, email, context)
        except (SMTPException, OSError):
            logger.exception("A mail (%s) could not be sent", template_prefix)
            person = person or addresses.find_by_email(email)
            if person is not None and template_prefix in KINDS:
                Invitation.ask_after_failure(person, KINDS[template_prefix], asked_in)
            messages.warning(self.request, _("The mail server does not answer. The mail goes out as soon as it does."))
