"""Changing one's own e-mail."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from tests.people import Browse
from tests.signing_in import (
    change_email,
    link_in,
    sign_in,
)
from users_profiles.accounts import addresses
from users_profiles.models import User

pytestmark = pytest.mark.usefixtures("base_url")


def test_changing_ones_email_asks_for_the_password_again(stranger: User, browse: Browse, let_time_pass: Any) -> None:
    client = browse(stranger)
    let_time_pass(301)
    response = client.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not mail.outbox


def test_a_new_email_counts_once_it_is_proven(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    page = change_email(client, "new@example.com")
    assert "A mail is on its way to new@example.com." in page.content.decode()
    assert User.objects.get(pk=stranger.pk).email == "stan@example.com"
    assert mail.outbox[0].to == ["new@example.com"]

    client.post(link_in(mail.outbox[0]))
    assert User.objects.get(pk=stranger.pk).email == "new@example.com"
    assert sign_in("new@example.com").status_code == 302
    assert sign_in("stan@example.com").status_code == 200


def test_a_change_of_email_can_be_called_off(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    change_email(client, "new@example.com")
    client.post(reverse("account_email"), {"email": "new@example.com", "action_remove": ""})
    client.post(link_in(mail.outbox[0]))
    assert User.objects.get(pk=stranger.pk).email == "stan@example.com"


def test_people_without_an_email_can_add_one(make_person: Any, browse: Browse) -> None:
    person = make_person("nomail", email="")
    client = browse(person)
    change_email(client, "here@example.com")
    client.post(link_in(mail.outbox[0]))
    assert User.objects.get(pk=person.pk).email == "here@example.com"


def test_nobody_takes_an_address_that_somebody_got_meanwhile(stranger: User, make_person: Any, browse: Browse) -> None:
    client = browse(stranger)
    change_email(client, "wanted@example.com")
    make_person("ada", email="Wanted@example.com")
    response = client.post(link_in(mail.outbox[0]), follow=True)
    assert "belongs to another account" in response.content.decode()
    assert User.objects.get(pk=stranger.pk).email == "stan@example.com"


def test_the_email_page_follows_what_staff_changed(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    client.get(reverse("account_email"))
    User.objects.filter(pk=stranger.pk).update(email="Moved@example.com")
    page = client.get(reverse("account_email")).content.decode()
    assert "Moved@example.com" in page
    assert "stan@example.com" not in page
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("moved@example.com", True, True)]


def test_opening_the_email_page_keeps_a_change_under_way(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    change_email(client, "new@example.com")
    for _ in range(2):
        assert "A mail is on its way to new@example.com." in client.get(reverse("account_email")).content.decode()


def test_of_two_who_prove_one_address_at_once_the_second_is_told(
    stranger: User, make_person: Any, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(stranger)
    change_email(client, "wanted@example.com")
    make_person("ada", email="wanted@example.com")
    monkeypatch.setattr(addresses, "find_by_email", lambda address: None)  # the look that came too early
    response = client.post(link_in(mail.outbox[0]), follow=True)
    assert "belongs to another account" in response.content.decode()
    assert User.objects.get(pk=stranger.pk).email == "stan@example.com"
