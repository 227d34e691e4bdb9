"""Registering: who may, what it makes of them, and what it tells of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.signing_in import (
    is_signed_in,
    link_in,
    register,
    set_password_by,
    sign_in,
    words,
)
from users_profiles.account_forms import SignupForm
from users_profiles.accounts import addresses
from users_profiles.models import Profile, User

pytestmark = pytest.mark.usefixtures("base_url")


def test_registration_is_closed_unless_a_setting_opens_it(db: None) -> None:
    client = Client()
    page = client.get(reverse("account_signup"))
    assert "Registration is closed" in page.content.decode()
    register(client)
    assert not User.objects.exists()
    assert reverse("account_signup") not in client.get(reverse("account_login")).content.decode()


def test_who_registers_proves_their_address_and_lands_on_their_profile(db: None, registration: None) -> None:
    client = Client()
    assert register(client)["Location"] == reverse("account_email_verification_sent")
    assert not is_signed_in(client)
    person = User.objects.get(username="newby")
    assert Profile.objects.filter(pk=person.pk).exists()
    assert (person.role, person.is_staff, person.is_superuser) == ("", False, False)

    page = client.get(link_in(mail.outbox[0]))
    assert "newby@example.com" in page.content.decode()
    response = client.post(page.request["PATH_INFO"])
    assert response["Location"] == reverse("profile")
    assert is_signed_in(client)


def test_who_registered_stays_out_until_the_address_is_proven(db: None, registration: None) -> None:
    register(Client())
    client = Client()
    for login in ("newby", "newby@example.com"):
        assert sign_in(login, client=client)["Location"] == reverse("account_email_verification_sent")
        assert not is_signed_in(client)
    elsewhere = Client()
    elsewhere.post(link_in(mail.outbox[0]))
    assert not is_signed_in(elsewhere), "the link alone must not sign anybody in"
    sign_in("newby", client=client)
    assert is_signed_in(client)


def test_a_password_link_proves_the_address_as_well(db: None, registration: None) -> None:
    register(Client())
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "newby@example.com"})
    set_password_by(link_in(mail.outbox[-1]), client)
    assert is_signed_in(client)
    assert not addresses.must_verify(User.objects.get(username="newby"))


def test_staff_vouch_for_an_address_they_entered_for_who_registered(db: None, registration: None) -> None:
    register(Client())
    User.objects.filter(username="newby").update(email="known@example.com")
    client = Client()
    sign_in("newby", client=client)
    assert is_signed_in(client)


@pytest.mark.parametrize("email", ["stan@example.com", "STAN@example.com"])
def test_a_known_address_gets_the_same_answer_as_a_new_one(stranger: User, registration: None, email: str) -> None:
    User.objects.filter(pk=stranger.pk).update(email="Stan@Example.com")
    known, new = Client(), Client()
    first, second = register(known, "other", email), register(new, "another", "another@example.com")
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    pages = [words(client.get(first["Location"])) for client in (known, new)]
    assert pages[0] == pages[1]
    assert not User.objects.filter(username="other").exists()
    assert "account with this e-mail already" in mail.outbox[0].body
    assert mail.outbox[0].to == ["stan@example.com"]


@pytest.fixture
def overtaken(monkeypatch: pytest.MonkeyPatch, make_person: Any) -> Callable[..., None]:
    """Somebody else takes a name, or an address, between the look at the form and the write."""

    def by(username: str, email: str) -> None:
        go_on = SignupForm.try_save

        def try_save(self: SignupForm, request: Any) -> Any:
            monkeypatch.undo()
            make_person(username, email=email)
            return go_on(self, request)

        monkeypatch.setattr(SignupForm, "try_save", try_save)

    return by


def test_of_two_who_register_one_name_at_once_the_second_is_told_so(
    db: None, registration: None, overtaken: Callable[..., None]
) -> None:
    overtaken("newby", "first@example.com")
    response = register(Client(), "newby", "second@example.com")
    assert list(response.context["form"].errors) == ["username"]
    assert User.objects.get().email == "first@example.com"
    assert not EmailAddress.objects.filter(email="second@example.com").exists()


def test_of_two_who_register_one_address_at_once_the_second_gets_the_usual_answer(
    db: None, registration: None, overtaken: Callable[..., None]
) -> None:
    overtaken("first", "newby@example.com")
    response = register(Client(), "second", "newby@example.com")
    assert response["Location"] == reverse("account_email_verification_sent")
    assert "account with this e-mail already" in mail.outbox[0].body
    assert User.objects.get().username == "first"


@pytest.mark.parametrize("email", ["ada@example.com", "ada@EXAMPLE.org"])
def test_named_domains_may_register(db: None, registration: None, settings: Any, email: str) -> None:
    settings.REGISTRATION_DOMAINS = ["example.com", "example.org"]
    register(Client(), email=email)
    assert User.objects.count() == 1


@pytest.mark.parametrize("email", ["ada@evil.com", "ada@example.com.evil.com", "ada@sub.example.com", "known@evil.com"])
def test_other_domains_may_not_and_the_answer_tells_nothing_else(
    make_person: Any, registration: None, settings: Any, email: str
) -> None:
    make_person("known", email="known@evil.com")
    settings.REGISTRATION_DOMAINS = ["example.com"]
    response = register(Client(), email=email)
    assert response.context["form"].errors == {"email": ["Use an address at example.com."]}
    assert User.objects.count() == 1
    assert not mail.outbox


def test_the_domains_are_no_obstacle_to_a_password_reset(make_person: Any, registration: None, settings: Any) -> None:
    settings.REGISTRATION_DOMAINS = ["example.com"]
    make_person("ada", email="ada@elsewhere.org")
    Client().post(reverse("account_reset_password"), {"email": "ada@elsewhere.org"})
    assert mail.outbox[0].to == ["ada@elsewhere.org"]


@pytest.mark.parametrize("username", ["stan@example.com", "a@b", "STAN", "\ufb01nd me", "ﬆan"])
def test_usernames_that_pass_for_somebody_else_are_refused(stranger: User, registration: None, username: str) -> None:
    assert "username" in register(Client(), username).context["form"].errors


def test_a_username_is_stored_in_one_form_of_unicode(db: None, registration: None) -> None:
    register(Client(), "\ufb01nn")
    assert User.objects.get().username == "finn"


def test_nobody_registers_as_staff(db: None, registration: None) -> None:
    register(Client(), is_staff="on", is_superuser="on", role="Admin", groups="1")
    person = User.objects.get()
    assert (person.is_staff, person.is_superuser, person.role) == (False, False, "")
