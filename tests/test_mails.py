"""Every mail comes as text and as HTML: both say the same, in one look, and fetch nothing from anywhere."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse

from tests.people import Make
from tests.reporting import saved
from users_profiles import invitations
from users_profiles.models import User
from users_profiles.reports import mailing

pytestmark = pytest.mark.usefixtures("at_once")

APP = Path(invitations.__file__).parent


def invitation(make_person: Make, admin: User) -> None:
    newcomer = make_person("ada", first_name="Ada", last_name="O'Hara <& Co>")
    newcomer.set_unusable_password()
    newcomer.save()
    invitations.invite([newcomer])


def password_link(make_person: Make, admin: User) -> None:
    invitations.invite([make_person("ada", first_name="Ada", last_name="O'Hara <& Co>")])


def password_reset_key(make_person: Make, admin: User) -> None:
    make_person("ada", first_name="Ada", last_name="O'Hara <& Co>")
    Client().post(reverse("account_reset_password"), {"email": "ada@example.com"})


def unknown_account(make_person: Make, admin: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": "o'hara&co@example.com"})


def _register(email: str) -> None:
    password = "a-fine-battery-staple"
    answers = {"email": email, "username": "grace", "password1": password, "password2": password}
    Client().post(reverse("account_signup"), answers)


def email_confirmation_signup(make_person: Make, admin: User) -> None:
    _register("grace@example.com")


def account_already_exists(make_person: Make, admin: User) -> None:
    make_person("ada")
    _register("ada@example.com")


def email_confirmation(make_person: Make, admin: User) -> None:
    ada = make_person("ada", first_name="Ada", last_name="O'Hara <& Co>")
    client = Client()
    client.force_login(ada)
    client.post(reverse("account_email"), {"action_add": "", "email": "ada@new.example.com"})


def report(make_person: Make, admin: User) -> None:
    saved(admin, "Fire <wardens> & 'co'", to=[make_person("rita", role="Reader")])
    mailing.send_due()


def skipped(make_person: Make, admin: User) -> None:
    saved(admin, "Fire <wardens> & 'co'", to=[make_person("stan", first_name="Stan", last_name="O'Hara")])
    mailing.send_due()


MAILS = [
    invitation,
    password_link,
    password_reset_key,
    unknown_account,
    email_confirmation_signup,
    account_already_exists,
    email_confirmation,
    report,
    skipped,
]


def test_every_mail_there_is_is_looked_at_here() -> None:
    written = {path.name.removesuffix("_subject.txt") for path in APP.glob("templates/*/email/*_subject.txt")}
    assert written | {"email_confirmation_signup"} == {send.__name__ for send in MAILS}


@pytest.mark.django_db(transaction=True)  # the files of reports are read on a connection of their own
@pytest.mark.parametrize("send", MAILS, ids=lambda send: str(send.__name__))
def test_text_and_html_say_the_same(send: Callable[..., None], make_person: Make, admin: User, settings: Any) -> None:
    settings.BASE_URL, settings.REGISTRATION_OPEN = "https://people.example.com", True
    send(make_person, admin)
    [message] = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    [alternative] = message.alternatives
    page = str(alternative[0])
    title = html.unescape(re.findall(r"<title>(.*)</title>", page)[0])
    assert title == message.subject
    assert paragraphs_of_html(page) == paragraphs_of_text(str(message.body))
    assert not re.search(r"<(img|link|script|iframe)|url\(|@import", page)
    assert page.count('class="button"') == 1  # one thing to do a mail
    links = re.findall(r'href="([^"]+)"', page)
    assert links
    assert all(link.startswith("https://people.example.com") for link in links)
    assert all(html.unescape(link) in str(message.body) for link in links)


def paragraphs_of_text(body: str) -> list[str]:
    """What the text says, without the marks that HTML has no need of."""
    said, _line, foot = body.rpartition("\n--\n")
    blocks = [*said.split("\n\n"), foot.replace("\n", " · ")]
    lines = [line for block in blocks for line in block.strip().splitlines()]
    return [line.removeprefix("- ") for line in lines if line.strip()]


def paragraphs_of_html(page: str) -> list[str]:
    """What the HTML says, paragraph by paragraph; a button has a colon behind it in the text."""
    body = re.split(r"<body>", page)[1].replace('</a></p>\n<p class="address">', ':</a></p>\n<p class="address">')
    body = re.sub(r'<p class="brand">.*?</p>', "", body)
    blocks = re.split(r"</?(?:p|li|ul|div|br)\b[^>]*>", body)
    plain = [html.unescape(re.sub(r"<[^>]+>", "", block)).strip() for block in blocks]
    return [block for block in plain if block]
