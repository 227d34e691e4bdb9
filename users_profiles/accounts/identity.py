"""How long ago somebody proved who they are, and proving it again.

What must not be done by whoever finds a desk unattended asks for it when the sign-in is old.
"""

from __future__ import annotations

import time
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from users_profiles.accounts import limits, single_sign_on
from users_profiles.models import User

SIGNED_IN_AT = "signed_in_at"
CLOCKS_APART = 60  # seconds


@receiver(user_logged_in, dispatch_uid="users_profiles.remember_sign_in")
def remember_sign_in(sender: Any, request: HttpRequest | None, **kwargs: Any) -> None:
    """Keep the moment with the session; ``last_login`` may be that of another browser."""
    if request is not None:  # programs send the signal without one
        request.session[SIGNED_IN_AT] = time.time()


def is_fresh(request: HttpRequest, within: float | None = None) -> bool:
    """Say whether somebody signed in, or proved again who they are, in the last so many seconds.

    Without a number it is ``settings.REAUTHENTICATE_AFTER``. A sign-in that is still to come was stamped by a clock
    that was ahead, and proves nothing; but for a few seconds, by which hosts differ.
    """
    records = get_authentication_records(request, cast(User, request.user))
    again = [one["at"] for one in records if one.get("reauthenticated")]
    proven_at = max([request.session.get(SIGNED_IN_AT, 0), *again])
    within = settings.REAUTHENTICATE_AFTER if within is None else within
    return -CLOCKS_APART < time.time() - proven_at < within


def prove_by_password(request: HttpRequest, password: str) -> None:
    """Take a password as proof that it is still the same person. Raises ``ValidationError`` when it is none."""
    if not ratelimit.consume(request, app=limits.APP, action="reauthenticate", user=request.user):
        wait = limits.seconds_to_wait(request, "reauthenticate")
        raise ValidationError(limits.sentence(wait), code="too_many_attempts")
    if not get_adapter().reauthenticate(cast(User, request.user), password):
        raise ValidationError(_("This is not your password."), code="incorrect_password")
    reauthenticate_by_password(request)


def address_to_prove(request: HttpRequest) -> str:
    """Where somebody without a password proves who they are: by their second factor, or by signing in again."""
    query = urlencode({"next": reverse("identity_proven")})
    methods = get_adapter().get_reauthentication_methods(request.user)
    if methods:
        return f"{methods[0]['url']}?{query}"
    if single_sign_on.is_on():
        return f"{single_sign_on.address()}?{query}&{urlencode({'auth_params': 'prompt=login'})}"
    return reverse("account_login")
