"""Forgotten passwords and new ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD, Browse
from tests.signing_in import (
    NEW_PASSWORD,
    is_signed_in,
    link_in,
    set_password_by,
    sign_in,
)
from users_profiles.accounts.passwords import BreachedPasswordValidator
from users_profiles.models import Invitation, User

pytestmark = pytest.mark.usefixtures("base_url")


def test_a_forgotten_password_is_set_anew_by_a_link(stranger: User) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "STAN@example.com"})
    message = mail.outbox[0]
    assert message.to == ["stan@example.com"]
    assert "Your username is stan." in message.body
    response = set_password_by(link_in(message), client)
    assert response.request["PATH_INFO"] == reverse("profile")
    assert sign_in("stan", NEW_PASSWORD).status_code == 302
    assert sign_in("stan").status_code == 200


def test_a_password_link_works_once(stranger: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    path = link_in(mail.outbox[0])
    set_password_by(path, Client())
    page = Client().get(path, follow=True)
    assert "This link does not work any more" in page.content.decode()


def test_a_new_password_ends_all_other_sessions(stranger: User, browse: Browse) -> None:
    elsewhere = browse(stranger)
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    set_password_by(link_in(mail.outbox[0]), Client())
    assert elsewhere.get(reverse("profile")).status_code == 302


def test_people_who_never_had_a_password_can_ask_for_one(stranger: User) -> None:
    stranger.set_unusable_password()
    stranger.save()
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "stan@example.com"})
    set_password_by(link_in(mail.outbox[0]), client)
    assert is_signed_in(client)


def test_asking_for_a_link_does_not_lock_anybody_out(stranger: User) -> None:
    """allauth would note the address as unproven, and from then on ask for a proof."""
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    client = Client()
    sign_in("stan", client=client)
    assert is_signed_in(client)


@pytest.mark.parametrize("email", ["stan@example.com", "nobody@example.com", "gone@example.com"])
def test_whoever_asks_for_a_link_gets_the_same_answer(stranger: User, make_person: Any, email: str) -> None:
    make_person("gone", is_active=False)
    client = Client()
    response = client.post(reverse("account_reset_password"), {"email": email}, follow=True)
    assert response.redirect_chain == [(reverse("account_reset_password_done"), 302)]
    assert "A mail with a link is on its way." in response.content.decode()
    assert len(mail.outbox) == 1
    assert ("/reset/key/" in mail.outbox[0].body) == (email == "stan@example.com")


@pytest.mark.parametrize("typed", ["mike@example.org", "MIKE@EXAMPLE.ORG", "mi\u212ae@example.org"])
def test_the_link_goes_to_the_address_on_file_never_to_the_typed_one(make_person: Any, typed: str) -> None:
    make_person("mike", email="Mike@example.org")
    Client().post(reverse("account_reset_password"), {"email": typed})
    for message in mail.outbox:
        if "/reset/key/" in message.body:
            assert message.to == ["Mike@example.org"]


def test_an_address_that_staff_replaced_gets_no_link_any_more(stranger: User, browse: Browse) -> None:
    browse(stranger).get(reverse("account_email"))  # allauth notes stan@example.com
    User.objects.filter(pk=stranger.pk).update(email="new@example.com")
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert "/reset/key/" not in mail.outbox[0].body
    assert sign_in("stan@example.com").status_code == 200


def test_links_lead_to_the_configured_address_whatever_the_request_says(stranger: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    response = Client().post(
        reverse("account_reset_password"), {"email": "stan@example.com"}, headers={"Host": "evil.com"}
    )
    assert response.status_code == 400
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert "testserver" not in mail.outbox[0].body
    assert link_in(mail.outbox[0])


def test_a_mail_server_that_is_down_does_not_take_the_page_with_it(
    stranger: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
    nobody = Client().post(reverse("account_reset_password"), {"email": "nobody@example.com"}, follow=True)
    assert not Invitation.objects.exists()
    response = Client().post(reverse("account_reset_password"), {"email": "stan@example.com"}, follow=True)
    assert response.status_code == 200
    said = [[str(message) for message in page.context["messages"]] for page in (response, nobody)]
    assert said[0] == said[1]  # which tells nobody who is known
    assert "The mail server does not answer. The mail goes out as soon as it does." in response.content.decode()
    assert "could not be sent" in caplog.text


def test_links_for_passwords_are_limited(stranger: User) -> None:
    client = Client()
    for _ in range(7):
        response = client.post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert response.status_code == 429
    assert f'<a class="btn" href="{reverse("home")}">' in response.content.decode()
    assert len(mail.outbox) == 5


# A new one


def test_people_change_their_password_with_the_old_one(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    form = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = client.post(reverse("account_change_password"), form)
    assert "This is not your current password." in response.content.decode()
    client.post(reverse("account_change_password"), form | {"oldpassword": PASSWORD})
    assert client.get(reverse("profile")).status_code == 200
    assert sign_in("stan", NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize("password", ["short", "1234567890123", "password1234", "stan@example.com"])
def test_weak_passwords_are_refused(stranger: User, browse: Browse, password: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    response = browse(stranger).post(reverse("account_change_password"), form)
    assert "password1" in response.context["form"].errors


# Known from a breach


class Breaches(BaseHTTPRequestHandler):
    """A service that knows one password, and hides among others what it knows."""

    asked: list[str] = []

    def do_GET(self) -> None:
        prefix = self.path.rpartition("/")[2]
        self.asked.append(prefix)
        known = hashlib.sha1(b"correct-horse-battery").hexdigest().upper()
        lines = [f"{'0' * 35}:3", f"{known[5:]}:{42 if prefix == known[:5] else 0}"]
        self.send_response(503 if prefix == "DEAD5" else 200)
        self.end_headers()
        self.wfile.write("\r\n".join(lines).encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def breaches() -> Iterator[str]:
    Breaches.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Breaches)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/range"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def checked_for_breaches(breaches: str, settings: Any) -> None:
    name = "users_profiles.accounts.passwords.BreachedPasswordValidator"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": name, "OPTIONS": {"url": breaches}}]


def test_a_password_known_from_a_breach_is_refused(stranger: User, browse: Browse, checked_for_breaches: None) -> None:
    form = {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD}
    page = browse(stranger).post(reverse("account_change_password"), form)
    assert "This password is known from a breach of another site." in page.content.decode()
    assert [len(prefix) for prefix in Breaches.asked] == [5], "no more of it leaves this machine"


def test_any_other_password_is_taken(stranger: User, browse: Browse, checked_for_breaches: None) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browse(stranger).post(reverse("account_change_password"), form).status_code == 302


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/range", "http://127.0.0.1:9/\x00"])
def test_a_service_that_does_not_answer_keeps_nobody_out(url: str, caplog: Any) -> None:
    BreachedPasswordValidator(url).validate(PASSWORD)
    assert "could not be asked" in caplog.text


def test_a_service_that_answers_nonsense_keeps_nobody_out(breaches: str, caplog: Any) -> None:
    validator = BreachedPasswordValidator(breaches)
    assert validator._known("DEAD5") == set()
    assert "HTTPError" in caplog.text


def test_nobody_is_asked_unless_a_setting_names_a_service() -> None:
    names = [validator["NAME"] for validator in django_settings.AUTH_PASSWORD_VALIDATORS]
    assert len(names) == 4
    assert not [name for name in names if "Breached" in name]
