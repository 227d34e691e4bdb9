"""Signing in and out, and every page on the way in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD, Browse
from tests.signing_in import (
    is_signed_in,
    sign_in,
    words,
)
from users_profiles.accounts import addresses
from users_profiles.accounts.adapter import SignInBackend
from users_profiles.models import User

pytestmark = pytest.mark.usefixtures("base_url")


@pytest.mark.parametrize("login", ["stan", "STAN", "stan@example.com", "Stan@Example.COM", " stan "])
def test_people_sign_in_by_username_or_email_in_any_case(stranger: User, login: str) -> None:
    client = Client()
    response = sign_in(login, client=client)
    assert response["Location"] == reverse("home")
    assert is_signed_in(client)


def test_an_email_stored_in_mixed_case_signs_in_too(make_person: Any) -> None:
    make_person("ada", email="Ada.Lovelace@Example.com")
    assert sign_in("ada.lovelace@example.com").status_code == 302


def test_people_without_any_email_sign_in(make_person: Any) -> None:
    make_person("nomail", email="")
    client = Client()
    assert sign_in("nomail", client=client)["Location"] == reverse("home")
    assert is_signed_in(client)


def test_the_blank_email_of_some_is_nobodys_name(make_person: Any) -> None:
    make_person("nomail", email="")
    assert addresses.find_by_email("") is None
    assert sign_in(" ").status_code == 200


def test_superusers_from_the_command_line_sign_in(superuser: User) -> None:
    client = Client()
    sign_in("root", client=client)
    assert client.get("/admin/", follow=True).status_code == 200
    assert is_signed_in(client)


@pytest.mark.parametrize("login", ["stan", "stan@example.com", "nobody", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(stranger: User, login: str) -> None:
    response = sign_in(login, "wrong")
    assert response.status_code == 200
    text = words(response)
    assert 'role="alert"' in text
    assert "This username or e-mail and this password do not go together." in text
    assert f'value="{login}"' in text
    assert "wrong" not in text.partition("<main")[2].replace("wrong.", "")


@pytest.mark.parametrize("login", ["stan", "stan@example.com", "nobody", "nobody@example.com"])
def test_a_failed_attempt_takes_one_password_check_whoever_it_is_for(
    stranger: User, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one would tell, by the time it takes, who has an account."""
    calls = []
    hash_once = MD5PasswordHasher.encode

    def counted(self: Any, *args: Any) -> str:
        calls.append(args)
        return str(hash_once(self, *args))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    sign_in(login, "wrong")
    assert len(calls) == 1


def test_somebody_whose_username_is_anothers_email_is_not_in_their_way(make_person: Any) -> None:
    make_person("mallory")
    User.objects.filter(username="mallory").update(username="ada@example.com", password="!")
    ada = make_person("ada")
    client = Client()
    sign_in("ada@example.com", client=client)
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_who_was_switched_off_is_told_so_but_only_with_the_right_password(make_person: Any) -> None:
    make_person("gone", is_active=False)
    client = Client()
    assert sign_in("gone", client=client)["Location"] == reverse("account_inactive")
    assert not is_signed_in(client)
    assert sign_in("gone", "wrong").status_code == 200


def test_who_is_switched_off_while_signed_in_is_out(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    assert client.get(reverse("profile")).status_code == 200
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert client.get(reverse("profile")).status_code == 302


def test_many_bad_passwords_are_stopped_even_before_the_right_one(stranger: User) -> None:
    client = Client()
    for _ in range(20):
        response = sign_in("stan", "wrong", client)
    assert "Too many" in response.content.decode()
    sign_in("stan", client=client)
    assert not is_signed_in(client)


def test_who_is_signed_in_needs_no_sign_in_page(stranger: User, browse: Browse) -> None:
    assert browse(stranger).get(reverse("account_login"))["Location"] == reverse("home")


def test_signing_in_leads_on_to_where_one_was_going_but_never_off_the_site(stranger: User) -> None:
    for target, expected in [("/profile/edit/", "/profile/edit/"), ("https://evil.example.com/", reverse("home"))]:
        data = {"login": "stan", "password": PASSWORD, "next": target}
        assert Client().post(reverse("account_login"), data)["Location"] == expected


def test_signing_out_needs_a_post(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    assert client.get(reverse("account_logout")).status_code == 200
    assert is_signed_in(client)
    assert client.post(reverse("account_logout"))["Location"] == reverse("account_login")
    assert not is_signed_in(client)


def test_the_session_key_changes_at_sign_in(stranger: User) -> None:
    client = Client()
    client.get(reverse("account_login"))
    session = client.session
    session["seen"] = "before"
    session.save()
    client.cookies["sessionid"] = before = session.session_key
    sign_in("stan", client=client)
    assert client.session.session_key != before


def test_who_is_signed_in_comes_with_their_profile_in_one_query(stranger: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        person = SignInBackend().get_user(stranger.pk)
        assert person is not None
        assert person.profile.location == ""


def test_who_gets_the_password_wrong_goes_on_with_the_password(stranger: User) -> None:
    def focused(html: str) -> list[str]:
        return [name for name in ("login", "password") if re.search(rf'<input[^>]*name="{name}"[^>]*autofocus', html)]

    assert focused(Client().get(reverse("account_login")).content.decode()) == ["login"]
    again = sign_in("stan", "wrong").content.decode()
    assert focused(again) == ["password"]
    assert 'value="stan"' in again
    assert focused(sign_in("", "wrong").content.decode()) == ["login"]


# Every page


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/wrong/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-wrong/",
        "/accounts/password/reset/key/done/",
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_every_page_on_the_way_in_is_ours_and_clean(db: None, settings: Any, path: str, is_open: bool) -> None:
    settings.REGISTRATION_OPEN = is_open
    response = Client().get(path)
    text = response.content.decode()
    assert response.status_code == 200
    assert text.count("<h1>") == 1
    assert 'class="entrance"' in text
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)
    assert "placeholder" not in text


def test_fields_on_the_way_in_tell_the_browser_what_they_are_for(db: None, registration: None) -> None:
    text = Client().get(reverse("account_login")).content.decode()
    assert 'autocomplete="username"' in text
    assert 'autocomplete="current-password"' in text
    assert Client().get(reverse("account_signup")).content.decode().count('autocomplete="new-password"') == 2
