"""Mails with a link to set a password."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.people import Browse
from tests.signing_in import NEW_PASSWORD, is_signed_in, link_in, set_password_by, sign_in
from users_profiles import invitations, trail
from users_profiles.invitations import invite, send_invitations
from users_profiles.models import Invitation, User

INVITED = {"first_name": "", "last_name": "", "role": "", "send_invitation": "on"}


@pytest.fixture(autouse=True)
def _base_url(settings: Any, at_once: None) -> None:
    settings.BASE_URL = "https://people.example.com"


@pytest.fixture
def newcomer(make_person: Any) -> User:
    person: User = make_person("ada", first_name="Ada", last_name="O'Hara & Co")
    person.set_unusable_password()
    person.save()
    return person


def html_of(message: mail.EmailMessage) -> str:
    assert isinstance(message, EmailMultiAlternatives)
    [alternative] = message.alternatives
    assert alternative.mimetype == "text/html"  # type: ignore[union-attr]
    return str(alternative.content)  # type: ignore[union-attr]


def test_an_invitation_leads_to_a_password_and_in(newcomer: User) -> None:
    assert invite([newcomer]).queued == [newcomer]
    [message] = mail.outbox
    assert message.to == ["ada@example.com"]
    assert message.subject == "Set your password for Backoffice"
    client = Client()
    set_password_by(link_in(message), client)
    assert is_signed_in(client)
    assert sign_in("ada", NEW_PASSWORD).status_code == 302


def test_an_invitation_is_in_the_trail_whichever_way_it_is_sent(browse: Browse, admin: User, ada: User) -> None:
    client = browse(admin)
    client.post(reverse("admin:users_profiles_user_add"), {"username": "new", "email": "n@example.com", **INVITED})
    client.post(reverse("admin:users_profiles_user_send_link", args=[ada.pk]))
    for person in (User.objects.get(username="new"), ada):
        told = [change for entry in trail.of(person, admin).entries for change in entry.changes]
        assert [(change.label, change.new) for change in told if change.field == "link"] == [("Password link", "sent")]


def test_who_sets_a_password_by_the_link_is_no_stranger_in_the_history(newcomer: User, admin: User) -> None:
    invite([newcomer])
    set_password_by(link_in(mail.outbox[0]), Client())
    entry = trail.of(newcomer, admin).entries[0]
    assert (entry.summary, entry.who, entry.changes) == ("Chose a password, by link", str(newcomer), [])


def test_the_mail_says_who_one_is_and_how_long_the_link_works(newcomer: User, settings: Any) -> None:
    settings.PASSWORD_RESET_TIMEOUT = 3 * 86_400
    invite([newcomer])
    for text in (str(mail.outbox[0].body), html_of(mail.outbox[0])):
        assert "Your username is" in text
        assert "3 days" in text
    assert "Hello Ada O'Hara & Co," in mail.outbox[0].body
    assert "Ada O&#x27;Hara &amp; Co" in html_of(mail.outbox[0])


def test_both_forms_of_the_mail_have_the_same_link(newcomer: User) -> None:
    invite([newcomer])
    found = re.search(r'href="https://people\.example\.com(/accounts/[^"]+)"', html_of(mail.outbox[0]))
    assert found
    assert found[1] == link_in(mail.outbox[0])


def test_people_with_a_password_are_offered_a_new_one(stranger: User) -> None:
    invite([stranger])
    assert mail.outbox[0].subject == "Set a new password for Backoffice"
    assert "Until you set a new password, the old one works." in mail.outbox[0].body
    set_password_by(link_in(mail.outbox[0]), Client())
    assert sign_in("stan", NEW_PASSWORD).status_code == 302


def test_who_cannot_be_mailed_is_named(newcomer: User, make_person: Any) -> None:
    without, gone = make_person("nomail", email=""), make_person("gone", is_active=False)
    result = invite([newcomer, without, gone])
    assert (result.queued, result.without_email, result.inactive) == ([newcomer], [without], [gone])
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


def test_nobody_to_invite_is_no_mail_and_no_task(db: None) -> None:
    assert invite([]).queued == []
    assert not mail.outbox


def test_people_are_mailed_as_they_are_when_the_mail_goes_out(newcomer: User, stranger: User, make_person: Any) -> None:
    gone = make_person("gone")
    Invitation.ask_for([newcomer.pk, stranger.pk, gone.pk])
    User.objects.filter(pk=newcomer.pk).update(is_active=False)
    User.objects.filter(pk=stranger.pk).update(email="moved@example.com")
    gone.delete()
    assert send_invitations.call() == {"sent": 1, "delayed": 0, "failed": 1}
    assert [message.to for message in mail.outbox] == [["moved@example.com"]]
    assert Invitation.objects.get(person=newcomer).reason == "The person is inactive or has no e-mail."


def test_many_invitations_are_many_small_tasks(make_person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [make_person(f"person{number}") for number in range(5)]
    monkeypatch.setattr(invitations, "BATCH", 2)
    done: list[dict[str, int]] = []
    deliver = invitations.deliver
    monkeypatch.setattr(invitations, "deliver", lambda waiting: done.append(deliver(waiting)) or done[-1])
    invite(people)
    assert [found["sent"] for found in done] == [2, 2, 1]
    assert len({message.to[0] for message in mail.outbox}) == 5


def test_who_is_asked_for_twice_before_the_first_mail_went_out_gets_one(newcomer: User) -> None:
    for _ in range(2):
        Invitation.ask_for([newcomer.pk])
    send_invitations.call()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "change",
    [{"email": "other@example.com"}, {"password": "md5$x$y"}, {"last_login": timezone.now()}],
    ids=["new e-mail", "new password", "signed in since"],
)
def test_a_link_dies_with_what_it_was_made_for(newcomer: User, change: dict[str, Any]) -> None:
    invite([newcomer])
    User.objects.filter(pk=newcomer.pk).update(**change)
    page = Client().get(link_in(mail.outbox[0]), follow=True)
    assert "This link does not work any more" in page.content.decode()


def test_a_link_is_for_one_person(newcomer: User, stranger: User) -> None:
    link = invitations.password_link(newcomer)
    mine = invitations.password_link(stranger)
    key, other = link.rstrip("/").rpartition("/")[2], mine.rstrip("/").rpartition("/")[2]
    forged = f"{other.partition('-')[0]}-{key.partition('-')[2]}"
    path = reverse(
        "account_reset_password_from_key", kwargs=dict(zip(("uidb36", "key"), forged.split("-", 1), strict=True))
    )
    assert "This link does not work any more" in Client().get(path, follow=True).content.decode()


def test_a_name_with_a_line_break_does_not_break_the_mail(newcomer: User) -> None:
    User.objects.filter(pk=newcomer.pk).update(first_name="Ada\r\nBcc: evil@example.com")
    invite([newcomer])
    assert mail.outbox[0].recipients() == ["ada@example.com"]
    assert "\n" not in mail.outbox[0].subject
