"""Mails with a link to set a password: to people whom staff have just added, and to those who need a new one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django_tasks import task

from users_profiles.models import User
from users_profiles.speaking import speaking_to

logger = logging.getLogger(__name__)

# How many mails one task sends: what is lost when a worker is killed in the middle.
BATCH = 50


@dataclass
class Invited:
    """What became of the people to invite."""

    queued: list[User] = field(default_factory=list)
    without_email: list[User] = field(default_factory=list)
    inactive: list[User] = field(default_factory=list)


def invite(people: Iterable[User]) -> Invited:
    """Queue a mail to each of these people who can get one; those who have a password are offered a new one.

    Asks nobody: who may do that is for ``roles.may`` to say.
    """
    result = Invited()
    for person in people:
        if not person.is_active:
            result.inactive.append(person)
        elif not person.email:
            result.without_email.append(person)
        else:
            result.queued.append(person)
    keys = [person.pk for person in result.queued]
    for start in range(0, len(keys), BATCH):
        send_invitations.enqueue(keys[start : start + BATCH])
    return result


@task()
def send_invitations(keys: list[int]) -> dict[str, list[int]]:
    """Mail the people with these keys, as they are now; one mail that fails does not stop the others."""
    sent: list[int] = []
    failed: list[int] = []
    for person in User.objects.filter(pk__in=keys, is_active=True).exclude(email="").order_by("pk"):
        try:
            message(person).send()
        except Exception:  # every mail engine raises errors of its own
            logger.exception("The invitation to person %s could not be sent", person.pk)
            failed.append(person.pk)
        else:
            sent.append(person.pk)
    return {"sent": sent, "failed": failed}


def message(person: User) -> EmailMultiAlternatives:
    """The mail to one person, as text and HTML, in their language."""
    with speaking_to(person):
        return _message(person)


def _message(person: User) -> EmailMultiAlternatives:
    kind = "password_link" if person.has_usable_password() else "invitation"
    context = {
        "person": person,
        "link": password_link(person),
        "base_url": settings.BASE_URL,
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    subject = " ".join(render_to_string(f"account/email/{kind}_subject.txt", context).split())
    mail = EmailMultiAlternatives(subject, render_to_string(f"account/email/{kind}_message.txt", context).strip())
    mail.to = [person.email]
    mail.attach_alternative(render_to_string(f"account/email/{kind}_message.html", context), "text/html")
    return mail


def password_link(person: User) -> str:
    """The absolute address of the page on which this person, and nobody else, can set their password."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    arguments = {"uidb36": user_pk_to_url_str(person), "key": token}
    return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs=arguments)
