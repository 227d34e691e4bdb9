"""A mail server that is down or slow: nothing is lost, nothing comes twice, no page hangs, and staff can see it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.admin_pages import user_page
from tests.import_pages import page
from tests.importing import apply
from tests.people import Browse
from tests.reporting import saved
from tests.signing_in import change_email, register, sign_in, words
from users_profiles import invitations
from users_profiles.accounts import addresses
from users_profiles.management.commands import worker
from users_profiles.models import Delivery, Invitation, User
from users_profiles.models.mails import DELAYS, MAILING
from users_profiles.reports import mailing
from users_profiles.transfer import invitees

Kind = Invitation.Kind
pytestmark = pytest.mark.usefixtures("at_once", "base_url")


class Server:
    """A real mail server on this machine, which takes mails or says why not."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content))
        return self.answer

    def is_down(self) -> None:
        self.answer = "451 Come back later"

    @property
    def recipients(self) -> list[str]:
        return [str(mail["To"]) for mail in self.taken]


@pytest.fixture
def server(settings: Any) -> Iterator[Server]:
    found = Server()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(found, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield found
    controller.stop()


def beat() -> None:
    """What the worker does every half minute."""
    worker.Reporting()()


def test_an_invitation_is_tried_again_with_growing_delays_until_it_is_taken_once(
    server: Server, clock: Callable[..., None], browse: Browse, editor: User, ada: User
) -> None:
    server.is_down()
    browse(editor).post(reverse("admin:users_profiles_user_send_link", args=[ada.pk]))
    tries = []
    for delay in DELAYS[:3]:
        mail = Invitation.objects.get()
        tries.append(round((mail.try_at - timezone.now()).total_seconds() / 60))
        told = " ".join(browse(editor).get(user_page(ada)).content.decode().split())
        assert "is not sent yet. The mail server did not take it. Next try:" in told
        beat()  # too early
        assert Invitation.objects.get().attempts == mail.attempts
        clock(minutes=delay, seconds=1)
        beat()
    assert tries == list(DELAYS[:3])
    server.answer = "250 OK"
    clock(minutes=DELAYS[3])
    for _ in range(3):
        beat()
    assert server.recipients == ["ada@example.com"]
    assert Invitation.objects.get().state == "sent"
    assert "not sent yet" not in browse(editor).get(user_page(ada)).content.decode()


def test_a_mail_that_is_never_taken_is_given_up_and_staff_see_why(
    server: Server, clock: Callable[..., None], browse: Browse, editor: User, ada: User
) -> None:
    server.is_down()
    invitations.invite([ada])
    for delay in DELAYS:
        clock(minutes=delay, seconds=1)
        beat()
    mail = Invitation.objects.get()
    assert (mail.state, mail.attempts) == ("failed", len(DELAYS) + 1)
    told = " ".join(browse(editor).get(user_page(ada)).content.decode().split())
    assert "could not be sent. The mail server did not take it." in told
    server.answer = "250 OK"
    invitations.invite([ada])
    assert server.recipients == ["ada@example.com"]


def test_who_forgot_their_password_gets_the_link_when_the_server_is_back(
    server: Server, clock: Callable[..., None], ada: User
) -> None:
    server.is_down()
    for email in ("ada@example.com", "nobody@example.com", "ada@example.com"):
        answer = Client().post(reverse("account_reset_password"), {"email": email}, follow=True)
        assert "The mail goes out as soon as it does." in answer.content.decode()
    server.answer = "250 OK"
    clock(minutes=2)
    beat()
    [mail] = server.taken
    assert "/accounts/password/reset/key/" in link_in(mail)
    assert "somebody, probably you, asked for a new password." in body(mail)  # and no member of staff


def body(mail: Any) -> str:
    return str(mail.get_payload()[0].get_payload(decode=True).decode())


def link_in(mail: Any) -> str:
    found = re.search(r"https://people\.example\.com(/accounts/\S+/)\s", body(mail))
    assert found
    return found[1]


def test_who_registers_gets_the_mail_to_confirm_when_the_server_is_back(
    server: Server, clock: Callable[..., None], settings: Any, db: None
) -> None:
    settings.REGISTRATION_OPEN = True
    server.is_down()
    client = Client(headers={"accept-language": "de"})
    answer = client.get(register(client, "grace", "grace@example.com")["Location"])
    assert "Der Mailserver antwortet nicht." in answer.content.decode()
    assert Invitation.objects.get().kind == Kind.CONFIRM
    server.answer = "250 OK"
    clock(minutes=2)
    for _ in range(3):
        beat()
    [mail] = server.taken
    assert mail["To"] == "grace@example.com"
    assert "bestätigen" in body(mail)  # in the language of the page it was asked for on
    assert sign_in("grace").status_code == 302
    client.post(link_in(mail))
    assert not addresses.must_verify(User.objects.get(username="grace"))


def test_registering_with_a_known_address_looks_and_ends_the_same(
    server: Server, clock: Callable[..., None], settings: Any, ada: User
) -> None:
    settings.REGISTRATION_OPEN = True
    server.is_down()
    answers = []
    for email in ("ada@example.com", "grace@example.com"):
        client = Client()
        answers.append(client.get(register(client, "grace", email)["Location"]))
    pages = [words(answer).replace("ada@", "grace@") for answer in answers]
    assert pages[0] == pages[1]
    assert "The mail goes out as soon as it does." in pages[0]
    server.answer = "250 OK"
    clock(minutes=2)
    beat()
    assert sorted(server.recipients) == ["ada@example.com", "grace@example.com"]
    told = {str(mail["To"]): body(mail) for mail in server.taken}
    assert "There is an account with this e-mail already." in told["ada@example.com"]


def test_a_new_email_gets_its_link_when_the_server_is_back_and_none_once_the_change_is_called_off(
    server: Server,
    clock: Callable[..., None],
    browse: Browse,
    ada: User,
    make_person: Callable[..., User],
    editor: User,
) -> None:
    ben = make_person("ben")
    server.is_down()
    for person in (ada, ben):
        answer = change_email(browse(person), f"{person.username}@new.example.com")
        assert "The mail goes out as soon as it does." in answer.content.decode()
    told = " ".join(browse(editor).get(user_page(ada)).content.decode().split())
    assert "The mail to confirm the e-mail is not sent yet. The mail server did not take it. Next try:" in told
    browse(ben).post(reverse("account_email"), {"email": "ben@new.example.com", "action_remove": ""})
    server.answer = "250 OK"
    clock(minutes=2)
    beat()
    assert server.recipients == ["ada@new.example.com"]
    browse(ada).post(link_in(server.taken[0]))
    assert User.objects.get(pk=ada.pk).email == "ada@new.example.com"


def test_a_mail_to_confirm_keeps_no_link_to_a_password_from_being_sent(
    server: Server, browse: Browse, ada: User
) -> None:
    server.is_down()
    change_email(browse(ada), "ada@new.example.com")
    invitations.invite([ada])
    assert set(Invitation.objects.values_list("kind", flat=True)) == {Kind.CONFIRM, Kind.PASSWORD}


def test_the_people_of_an_import_are_invited_once_each_although_the_server_fell_over(
    server: Server, clock: Callable[..., None], browse: Browse, admin: User
) -> None:
    lines = "".join(f"new{n},new{n}@example.com\n" for n in range(8))
    job = apply(f"username,email\n{lines}", admin)
    server.is_down()
    invitees.queue(job, "open")
    assert Invitation.objects.exclude(reason="").count() == invitations.ENOUGH  # the others are not tried in vain
    told = " ".join(browse(admin).get(page("invite", job)).content.decode().split())
    assert "3 invitations are not sent yet: the mail server did not take them. Next try at" in told
    assert not server.taken
    server.answer = "250 OK"
    clock(minutes=DELAYS[0], seconds=1)
    beat()
    assert sorted(server.recipients) == [f"new{n}@example.com" for n in range(8)]
    assert invitees.counts(job) == {"queued": 0, "sent": 8, "failed": 0}
    invitations.send_invitations.call()
    beat()
    assert len(server.taken) == 8


def test_a_mail_of_a_worker_that_died_over_it_is_sent_by_another_under_the_same_name(
    server: Server, clock: Callable[..., None], ada: User
) -> None:
    Invitation.ask_for([ada.pk])
    mail = Invitation.objects.get()
    assert mail.claim(timezone.now())  # and dies
    invitations.invite([ada])
    beat()
    assert not server.taken
    clock(minutes=MAILING.total_seconds() / 60, seconds=1)
    beat()
    assert [sent["Message-ID"] for sent in server.taken] == [f"<invitation-{mail.pk}@people.example.com>"]


def test_a_report_is_mailed_when_the_server_is_back(
    server: Server, clock: Callable[..., None], admin: User, editor: User
) -> None:
    saved(admin, to=[editor])
    server.is_down()
    mailing.send_due()
    assert Delivery.objects.get().is_delayed
    server.answer = "250 OK"
    clock(minutes=DELAYS[0], seconds=1)
    mailing.send_due()
    assert server.recipients == [editor.email]


def test_a_server_that_says_nothing_holds_nobody_up(settings: Any, server: Server, ada: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.getsockname()[1], 0.2
        answer = Client().post(reverse("account_reset_password"), {"email": "ada@example.com"}, follow=True)
    assert "The mail server does not answer." in answer.content.decode()
    assert Invitation.objects.get().is_delayed


def test_where_nothing_listens_the_page_says_so_and_nothing_is_lost(settings: Any, server: Server, ada: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.EMAIL_PORT = closed.getsockname()[1]
    invitations.invite([ada])
    assert Invitation.objects.get().is_delayed
