"""Where somebody is signed in: browsers in words, this one marked, and out everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.people import Browse
from tests.signing_in import is_signed_in, sign_in
from users_profiles.accounts import sessions
from users_profiles.models import User
from users_profiles.transfer import retention

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
    " Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
    " Safari/537.36 Edg/140.0"
)
CHROME = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        (CHROME, "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 Version/18.0 Safari/605", "Safari on Mac"),
        ("curl/8.5.0", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_told_in_words(user_agent: str, words: str) -> None:
    assert sessions.device(user_agent) == words


def signed_in_with(user_agent: str) -> Client:
    client = Client(headers={"User-Agent": user_agent})
    sign_in("stan", client=client)
    assert is_signed_in(client)
    return client


def test_one_sees_every_browser_and_which_is_this(stranger: User) -> None:
    signed_in_with(IPHONE)
    client = signed_in_with(FIREFOX)
    places = client.get(reverse("usersessions_list")).context["places"]
    assert [(place.device, place.is_this) for place in places] == [
        ("Firefox on Linux", True),
        ("Safari on iPhone", False),
    ]
    page = client.get(reverse("usersessions_list")).content.decode()
    assert page.count("This browser") == 1
    assert "From 127.0.0.1" in page


def test_one_signs_out_everywhere_else(stranger: User) -> None:
    phone, computer, third = signed_in_with(IPHONE), signed_in_with(FIREFOX), signed_in_with(EDGE)
    response = computer.post(reverse("usersessions_list"), follow=True)
    assert "You are signed out everywhere else." in response.content.decode()
    for client in (phone, third):
        assert client.get(reverse("profile")).status_code == 302
    assert computer.get(reverse("profile")).status_code == 200
    assert UserSession.objects.count() == 1


def test_nobody_sees_or_ends_the_sessions_of_somebody_else(stranger: User, editor: User, browse: Browse) -> None:
    mine = signed_in_with(IPHONE)
    other = browse(editor)
    assert "iPhone" not in other.get(reverse("usersessions_list")).content.decode()
    other.post(reverse("usersessions_list"))
    assert mine.get(reverse("profile")).status_code == 200


def test_who_is_not_signed_in_has_no_list(db: None) -> None:
    assert Client().get(reverse("usersessions_list")).status_code == 302


def test_a_session_in_use_is_noted_now_and_then_and_not_at_every_request(
    stranger: User, let_time_pass: Callable[[float], None], django_assert_num_queries: Any
) -> None:
    client = signed_in_with(IPHONE)
    first = UserSession.objects.get().last_seen_at
    with django_assert_num_queries(2):  # the session and the person
        client.get(reverse("profile_edit") + "../")
    let_time_pass(301)
    client.get(reverse("profile"))
    second = UserSession.objects.get().last_seen_at
    assert second > first
    client.get(reverse("profile"))
    assert UserSession.objects.get().last_seen_at == second


def test_a_session_that_has_ended_is_not_listed(stranger: User) -> None:
    phone, computer = signed_in_with(IPHONE), signed_in_with(FIREFOX)
    phone.post(reverse("account_logout"))
    assert len(computer.get(reverse("usersessions_list")).context["places"]) == 1


def test_what_is_left_of_sessions_that_are_over_is_deleted_in_time(stranger: User) -> None:
    client = signed_in_with(FIREFOX)
    signed_in_with(IPHONE).post(reverse("account_logout"))
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))
    assert UserSession.objects.count() == 2
    retention.prune(dry_run=True)
    assert UserSession.objects.count() == 2
    retention.prune()
    assert UserSession.objects.get().session_key == client.session.session_key
    assert Session.objects.count() == 1


def test_what_a_browser_calls_itself_is_never_shown_as_it_is(stranger: User) -> None:
    client = signed_in_with("<b>Firefox/1</b>\u202e" + "x" * 500)
    page = client.get(reverse("usersessions_list")).content.decode()
    assert "<strong>Firefox</strong>" in page
    assert "<b>Firefox" not in page
