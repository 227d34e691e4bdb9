"""Mails with a link that lets people in: to whom staff have just added, to who needs a new password, to who registers.

Each is a row first (``models.Invitation``) and a mail then, so none is lost: what a mail server that is down does not
take is tried again, and a worker that was killed leaves behind exactly those who have not been mailed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.models import EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_noop
from django_tasks import task

from users_profiles import recorder
from users_profiles.accounts import addresses
from users_profiles.models import Errand, ImportRow, Invitation, Mail, User
from users_profiles.models.clock import shared_now
from users_profiles.models.mails import not_taken
from users_profiles.speaking import speaking_to

logger = logging.getLogger(__name__)
Kind = Invitation.Kind

# At most so many mails in one go, so that the imports behind them in the queue get their turn.
BATCH = 100
# So many in a row that the server did not take, and the others wait: it is down, and each of them takes a time-out.
ENOUGH = 3


@dataclass
class Invited:
    """What became of the people to invite."""

    queued: list[User] = field(default_factory=list)
    without_email: list[User] = field(default_factory=list)
    inactive: list[User] = field(default_factory=list)


def invite(people: Iterable[User]) -> Invited:
    """Queue a mail to each of these people who can get one, and note it; who has a password is offered a new one.

    Asks nobody: who may do that is for ``roles.may`` to say. The people are locked, so that a second click finds the
    mail of the first.
    """
    result = Invited()
    for person in people:
        if not person.is_active:
            result.inactive.append(person)
        elif not person.email:
            result.without_email.append(person)
        else:
            result.queued.append(person)
    if result.queued:
        keys = [person.pk for person in result.queued]
        with transaction.atomic():
            list(User.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
            Invitation.ask_for(keys)
            recorder.note_same(result.queued, "link", "", "yes")
            Errand.order(send_invitations)
    return result


@task()
def send_invitations(turn: int | None = None) -> dict[str, int]:
    """Mail those who wait, as they are now; some of them, when they are many, and the rest in a task of its own."""
    if not Errand.begin(send_invitations, turn):
        return {}
    waiting = Invitation.objects.ready(shared_now()).order_by("try_at", "pk")
    sent = deliver(waiting.select_related("person")[:BATCH])
    if sent["sent"] and waiting.exists():
        Errand.order(send_invitations)
    return sent


def is_anything_due() -> bool:
    """Whether there is a mail to try again; cheap enough to be asked all the time."""
    return Invitation.objects.ready(shared_now()).exists()


def deliver(waiting: Iterable[Invitation]) -> dict[str, int]:
    """Mail these, one after the other; what the server does not take is tried again later (see ``Mail.put_off``)."""
    done = Counter(sent=0, delayed=0, failed=0)
    refused_in_a_row = 0
    for mail in waiting:
        if not mail.claim(shared_now()):
            continue
        _deliver(mail)
        done[{Mail.State.SENT: "sent", Mail.State.WAITING: "delayed"}.get(Mail.State(mail.state), "failed")] += 1
        refused_in_a_row = 0 if mail.state == Mail.State.SENT else refused_in_a_row + mail.is_delayed
        if refused_in_a_row == ENOUGH:
            break
    return dict(done)


def _deliver(mail: Invitation) -> None:
    try:
        written = _written(mail)
        if written is None:
            mail.fail(gettext_noop("The person is inactive or has no e-mail."))
        else:
            written.send()
            mail.sent()
    except Exception as error:  # every mail engine raises errors of its own
        logger.warning("The mail to person %s (%s) could not be sent: %r", mail.person_id, mail.kind, error)
        mail.put_off(not_taken())
    tell_import(mail)


def _written(mail: Invitation) -> EmailMultiAlternatives | None:
    """The mail, with a name of its own: should it be sent twice after all, mail programs show it once.

    None where nobody is to be mailed, as things are now; also where an address to confirm has been confirmed meanwhile.
    """
    person, language = mail.person, mail.language
    found: EmailMultiAlternatives | None
    if mail.kind == Kind.CONFIRM:
        found = _confirmation(person, language)
    elif mail.kind == Kind.RESET:
        more = {"username": person.username, "password_reset_url": password_link(person)}
        found = _message("password_reset_key", person, person.email, language, **more)
    elif mail.kind == Kind.KNOWN:
        found = _message("account_already_exists", person, person.email, language)
    else:
        found = message(person, language)
    if found is None or not found.to[0] or not person.is_active:
        return None
    found.extra_headers["Message-ID"] = f"<invitation-{mail.pk}@{urlsplit(settings.BASE_URL).hostname}>"
    return found


def tell_import(mail: Invitation) -> None:
    """Note on the row of the import what has become of its mail."""
    fates = {Mail.State.SENT: ImportRow.Invited.SENT, Mail.State.FAILED: ImportRow.Invited.FAILED}
    fate = fates.get(Mail.State(mail.state))
    if fate is not None and mail.row_id is not None:
        ImportRow.objects.filter(pk=mail.row_id).update(invited=fate, invited_at=timezone.now())


def message(person: User, language: str = "") -> EmailMultiAlternatives:
    """The mail with a link to set a password, to one person; see ``_message``."""
    kind = "password_link" if person.has_usable_password() else "invitation"
    days = settings.PASSWORD_RESET_TIMEOUT // 86_400
    return _message(kind, person, person.email, language, link=password_link(person), days=days)


def _confirmation(person: User, language: str) -> EmailMultiAlternatives | None:
    """The mail with a link by which somebody proves an address; None where there is none to be proven."""
    unproven = addresses.to_be_proven(person)
    if unproven is None:
        return None
    link = settings.BASE_URL + reverse("account_confirm_email", args=[EmailConfirmationHMAC(unproven).key])
    return _message("email_confirmation", person, unproven.email, language, activate_url=link)


def _message(kind: str, person: User, address: str, language: str, **more: Any) -> EmailMultiAlternatives:
    """A mail as text and HTML, in the language the person has chosen, else in ``language``, else in our own."""
    context = {"person": person, "user": person, "email": address, "base_url": settings.BASE_URL, **more}
    with speaking_to(person, "" if person.language else language):
        subject = " ".join(render_to_string(f"account/email/{kind}_subject.txt", context).split())
        mail = EmailMultiAlternatives(subject, render_to_string(f"account/email/{kind}_message.txt", context).strip())
        mail.attach_alternative(render_to_string(f"account/email/{kind}_message.html", context), "text/html")
    mail.to = [address]
    return mail


def password_link(person: User) -> str:
    """The absolute address of the page on which this person, and nobody else, can set their password."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    arguments = {"uidb36": user_pk_to_url_str(person), "key": token}
    return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs=arguments)
