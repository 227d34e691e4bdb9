"""Signing in by another service that speaks OpenID Connect, where the settings name one.

Somebody is found by the service's own key for them; the first time by an e-mail that the service says it has proven.
Nobody is ever found by an unproven one: whoever can call themselves what they like there would be whom they like here.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn, cast

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from users_profiles import recorder, roles
from users_profiles.accounts import addresses
from users_profiles.models import User

logger = logging.getLogger(__name__)

PROVIDER = "openid_connect"
PROVIDER_ID = "sso"  # part of the address that the service sends people back to
Claims = dict[str, Any]


def is_on() -> bool:
    return bool(settings.OIDC["client_id"])


def address() -> str:
    """Where signing in by the service begins."""
    return reverse("openid_connect_login", args=[PROVIDER_ID])


class NotLetIn(Exception):
    """Somebody does not get in by the service; the sentence says why."""


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Who gets in by the service, and as whom."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one service of the settings: a row in a table must not become a way in."""
        known = {None, PROVIDER, PROVIDER_ID}
        if not is_on() or provider not in known or client_id not in {None, settings.OIDC["client_id"]}:
            return []
        return [
            SocialApp(
                provider=PROVIDER,
                provider_id=PROVIDER_ID,
                name=settings.OIDC["name"],
                client_id=settings.OIDC["client_id"],
                secret=settings.OIDC["client_secret"],
                settings={"server_url": settings.OIDC["server_url"], "oauth_pkce_enabled": True},
            )
        ]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never by a form of allauth's: ``pre_social_login`` has made a person, or refused."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find out who it is before allauth signs them in."""
        try:
            claims = _claims(sociallogin)
            if sociallogin.state.get("process") != "login":
                raise NotLetIn(_("This is not a way to sign in."))
            with transaction.atomic():
                if not sociallogin.is_existing:
                    self._connect(sociallogin, _person_for(claims))
                _take_role(cast(User, sociallogin.user), claims)
        except NotLetIn as refusal:
            _send_back(request, str(refusal))
        except IntegrityError:
            _send_back(request, _("That did not work. Try again."))  # twice at once; the second finds what is there

    def _connect(self, sociallogin: SocialLogin, person: User) -> None:
        account = sociallogin.account
        account.user, account.extra_data = person, {}  # what else the service told is not ours to keep
        account.save()
        sociallogin.user = person
        recorder.note_same([person], "sign_in_service", "", settings.OIDC["name"])

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        logger.warning("Signing in by the service failed: %s (%s)", error, exception)


def _claims(sociallogin: SocialLogin) -> Claims:
    """What the service says about somebody: in the token, and when asked with it."""
    data = sociallogin.account.extra_data
    token, info = data.get("id_token") or {}, data.get("userinfo") or {}
    if token and info and token.get("sub") != info.get("sub"):
        raise NotLetIn(_("The sign-in service told of two different people. Ask an admin."))
    if sociallogin.account.pk:
        SocialAccount.objects.filter(pk=sociallogin.account.pk).update(extra_data={})
    return {**token, **info}


def _send_back(request: HttpRequest, sentence: str) -> NoReturn:
    messages.error(request, sentence)
    raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))


# Who it is ----------------------------------------------------------------------------------------------------------


def _person_for(claims: Claims) -> User:
    """Somebody who comes by the service for the first time: whom staff have added already, or a new member."""
    email = _text(claims, "email", 254)
    if not email or claims.get("email_verified") not in {True, "true", "True"}:
        raise NotLetIn(_("The sign-in service has not confirmed your e-mail, so we cannot tell who you are."))
    person = addresses.find_by_email(email)
    if person is None:
        return _newcomer(claims, email)
    if addresses.must_verify(person):
        # Somebody registered with this address and never proved it: whoever that was must not stay in beside the owner.
        person.set_unusable_password()
        person.save(update_fields=["password"])
        addresses.record_verified(person)
    return person


def _newcomer(claims: Claims, email: str) -> User:
    if not settings.OIDC_CREATE_PEOPLE:
        raise NotLetIn(_("There is no account for %(email)s. Ask an admin to add you.") % {"email": email})
    wanted: list[str | None] = [_text(claims, "preferred_username", 150), email, "member"]
    person = User(
        username=get_account_adapter().generate_unique_username(wanted),
        email=email,
        first_name=_text(claims, "given_name", 150),
        last_name=_text(claims, "family_name", 150),
    )
    person.set_unusable_password()
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        raise NotLetIn(_("The sign-in service told us something about you that we cannot keep.")) from error
    person.save()
    addresses.record_verified(person)
    return person


def _text(claims: Claims, name: str, length: int) -> str:
    """A claim as one line of text: a service may send anything, and not every character can be stored."""
    value = claims.get(name)
    return "".join(filter(str.isprintable, value)).strip()[:length] if isinstance(value, str) else ""


# What they may ------------------------------------------------------------------------------------------------------


def _take_role(person: User, claims: Claims) -> None:
    """Give somebody the highest role that the claim names, or none when it names none of ours.

    The settings cannot name anything above Admin. Superusers are left alone, and so is who cannot sign in anyway.
    """
    if not settings.OIDC_ROLE_CLAIM or person.is_superuser or not person.is_active:
        return
    said = claims.get(settings.OIDC_ROLE_CLAIM, [])
    words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    named = [settings.OIDC_ROLES[word] for word in words if isinstance(word, str) and word in settings.OIDC_ROLES]
    role = max(named, key=roles.RANKS.__getitem__, default=roles.MEMBER)
    if role != person.role:
        roles.assign([person], role)
