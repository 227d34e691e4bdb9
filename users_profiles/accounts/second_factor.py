"""The second step at sign-in: a code from an app, a passkey, or a recovery code. Whoever wants it has it; a setting
demands it of staff.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import recorder
from users_profiles.models import User

Type = Authenticator.Type
# Recovery codes alone are none: they stand in for one of these when it is lost.
FACTORS = (Type.TOTP, Type.WEBAUTHN)


def has_one(person: User) -> bool:
    return Authenticator.objects.filter(user_id=person.pk, type__in=FACTORS).exists()


def is_missing(person: User | AnonymousUser) -> bool:
    """Say whether somebody must set up a second factor before anything of other people opens to them."""
    return bool(settings.MFA_REQUIRED) and isinstance(person, User) and person.is_staff and not has_one(person)


def remove(person: User) -> int:
    """Take every second factor of this person away, as when the telephone is lost. Returns how many there were."""
    found = Authenticator.objects.filter(user_id=person.pk)
    factors = found.filter(type__in=FACTORS).count()
    found.delete()
    return factors


@receiver(authenticator_added, dispatch_uid="users_profiles.note_new_factor")
def note_new_factor(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type in FACTORS:
        recorder.note_same([user], "second_factor", "", authenticator.type)


@receiver(authenticator_removed, dispatch_uid="users_profiles.note_lost_factor")
def note_lost_factor(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type in FACTORS:
        recorder.note_same([user], "second_factor", authenticator.type, "")


@receiver(authenticator_added, dispatch_uid="users_profiles.end_sessions_without")
def end_sessions_without(
    sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Sign somebody's other browsers out when they get their first factor: those came in without one."""
    is_factor = authenticator.type in FACTORS
    if is_factor and Authenticator.objects.filter(user_id=user.pk, type__in=FACTORS).count() == 1:
        end_other_sessions(request, user)


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's second factors in our words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This did not work. Try once more."),
        "cannot_generate_recovery_codes": gettext_lazy("Set up an app or a passkey first."),
    }

    def get_totp_issuer(self) -> str:
        """What the app lists the code under."""
        return _("Backoffice")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": _("Backoffice")}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 (allauth's name)
        """What a passkey is called unless its owner calls it something."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)s") % {"number": number}
