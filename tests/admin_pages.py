"""Fills in the admin's forms the way a browser does: what is on the page is sent back, with what a test changes."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from users_profiles.models import User

USERS = reverse("admin:users_profiles_user_changelist")
PROFILES = reverse("admin:users_profiles_profile_changelist")


def user_page(person: User) -> str:
    return reverse("admin:users_profiles_user_change", args=[person.pk])


def profile_page(person: User) -> str:
    return reverse("admin:users_profiles_profile_change", args=[person.pk])


class _Form(HTMLParser):
    """The values of the inputs of one form."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.values: dict[str, Any] = {}
        self._inside = False
        self._name: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "form":
            self._inside = found.get("id") == self.form_id
        if not self._inside:
            return
        if tag == "input" and found.get("type") not in {"submit", "file", "button"}:
            self._input(found)
        elif tag in {"select", "textarea"}:
            self._name = found["name"]
            self.values[self._name] = ""
        elif tag == "option" and "selected" in found and self._name:
            self.values[self._name] = found.get("value", "")

    def _input(self, found: dict[str, str | None]) -> None:
        name = found.get("name")
        if name is None or (found.get("type") == "radio" and "checked" not in found):
            return
        if found.get("type") != "checkbox":
            self.values[name] = found.get("value") or ""
        elif "checked" in found:
            self.values.setdefault(name, []).append(found.get("value", "on"))

    def handle_data(self, data: str) -> None:
        if self._inside and self._name and self.lasttag == "textarea":
            self.values[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"select", "textarea"}:
            self._name = None
        elif tag == "form":
            self._inside = False


def filled_in(client: Client, url: str, form_id: str = "user_form") -> dict[str, Any]:
    """What a browser would send if somebody opened the page and pressed Save."""
    return filled_in_from(client.get(url).content.decode(), form_id)


def filled_in_from(html: str, form_id: str = "user_form") -> dict[str, Any]:
    form = _Form(form_id)
    form.feed(html)
    values = {name: value for name, value in form.values.items() if name != "csrfmiddlewaretoken"}
    # An HTML textarea swallows the line break that Django puts at its beginning.
    return {name: value.removeprefix("\n") if isinstance(value, str) else value for name, value in values.items()}


def save(client: Client, url: str, form_id: str = "user_form", **changes: Any) -> Any:
    """Open a page, change some fields, press Save. A change to None unticks or leaves out."""
    values = {**filled_in(client, url, form_id), **changes}
    return client.post(url, {name: value for name, value in values.items() if value is not None})


def listed(client: Client, url: str) -> set[str]:
    """The usernames on the list of people."""
    return {person.username for person in client.get(url).context["cl"].result_list}


def act(client: Client, action: str, people: list[User], url: str = USERS, **more: Any) -> Any:
    """Tick these people and press the button of an action; with ``confirmed="1"``, on the page that asks."""
    ticked = {ACTION_CHECKBOX_NAME: [person.pk for person in people]}
    return client.post(url, {"action": action, **ticked, **more}, follow=True)


def queries_of(client: Client, url: str) -> int:
    """How many queries a page asks, once everything that is only asked once per process has been."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def messages_of(response: Any) -> list[str]:
    return [strip_tags(str(message)) for message in response.context["messages"]]


def heads(client: Client, address: str = "") -> list[str]:
    """The columns of the list, by name, without the ticks and the person."""
    shown = client.get(USERS + address).context["cl"].list_display
    return [column.__name__ for column in shown if callable(column)]
