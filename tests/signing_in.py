"""What tests about signing in do again and again, as a browser without scripts would."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD

NEW_PASSWORD = "staple-battery-horse"


def sign_in(login: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    return (client or Client()).post(reverse("account_login"), {"login": login, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def link_in(message: mail.EmailMessage) -> str:
    """The path of the link in a mail, which must lead to where the settings say."""
    found = re.search(r"https://people\.example\.com(/accounts/\S+/)\s", str(message.body))
    assert found, message.body
    return found[1]


def register(client: Client, username: str = "newby", email: str = "newby@example.com", **values: str) -> Any:
    form = {"username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), form | values)


def set_password_by(path: str, client: Client, password: str = NEW_PASSWORD) -> Any:
    form = client.get(path, follow=True)
    assert form.status_code == 200
    data = {"password1": password, "password2": password}
    return client.post(form.request["PATH_INFO"], data, follow=True)


def words(response: Any) -> str:
    """A page without what differs on every request."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def change_email(client: Client, email: str) -> Any:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.post(reverse("account_email"), {"email": email, "action_add": ""}, follow=True)
