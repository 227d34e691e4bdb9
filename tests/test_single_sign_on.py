"""Signing in by another service: a real OpenID Connect provider, on this machine and of a package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.test import Client
from django.urls import reverse

from tests.people import PASSWORD
from tests.sign_in_service import BEGIN, Service, provider, service
from tests.signing_in import is_signed_in, register, sign_in
from users_profiles.accounts import single_sign_on
from users_profiles.models import Profile, Road, Role, TrailEntry, User

__all__ = ["provider", "service"]  # fixtures


def said(client: Client) -> str:
    return str(client.get(reverse("account_login")).content.decode())


def test_nothing_is_offered_and_nothing_answers_where_no_service_is_named(db: None) -> None:
    assert "Example Login" not in said(Client())
    for path in (BEGIN, f"{BEGIN}callback/?code=x&state=y"):
        assert Client().get(path).status_code == 404


def test_a_row_in_a_table_is_no_way_in(db: None) -> None:
    app = SocialApp.objects.create(provider="openid_connect", provider_id="sso", name="Evil", client_id="x")
    app.settings = {"server_url": "https://evil.example.com"}
    app.save()
    assert Client().get(BEGIN).status_code == 404


def test_the_sign_in_page_offers_the_service_by_name_and_keeps_where_one_was_going(service: Service) -> None:
    page = Client().get(reverse("account_login"), {"next": "/profile/edit/"}).content.decode()
    assert "Sign in with Example Login" in page
    assert f'href="{BEGIN}?next=%2Fprofile%2Fedit%2F"' in page


def test_the_service_is_asked_with_proof_that_the_answer_is_for_us(service: Service) -> None:
    there = Client().get(BEGIN)["Location"]
    assert there.startswith(f"{service.address}/oauth2/authorize")
    asked = parse_qs(urlsplit(there).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"][0]
    assert asked["code_challenge"][0]


@pytest.mark.parametrize("who", ["stranger", "reader", "editor", "admin", "superuser"])
def test_whom_staff_have_added_is_found_by_a_proven_email(
    service: Service, request: pytest.FixtureRequest, who: str
) -> None:
    person = request.getfixturevalue(who)
    service.knows("k1", email=person.email.upper(), email_verified=True)
    client, answer = service.sign_in("k1", query="?next=/profile/edit/")
    assert answer["Location"] == "/profile/edit/"
    assert client.session["_auth_user_id"] == str(person.pk)
    account = SocialAccount.objects.get()
    assert (account.user, account.uid, account.extra_data) == (person, "k1", {})
    assert User.objects.get(pk=person.pk).check_password(PASSWORD), "the password still works"
    assert TrailEntry.objects.filter(object_id=person.pk, changes__sign_in_service=["", "Example Login"]).count() == 1


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 0])
@pytest.mark.parametrize("who", ["stranger", "admin", "superuser"])
def test_nobody_is_found_by_an_unproven_email(
    service: Service, request: pytest.FixtureRequest, who: str, verified: Any
) -> None:
    person = request.getfixturevalue(who)
    service.knows("k1", email=person.email, email_verified=verified)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("account_login")
    assert not is_signed_in(client)
    assert "has not confirmed your e-mail" in said(client)
    assert not SocialAccount.objects.exists()


def test_from_then_on_the_key_of_the_service_counts_and_no_email(service: Service, stranger: User, admin: User) -> None:
    service.knows("k1", email=stranger.email, email_verified=True)
    service.sign_in("k1")
    service.knows("k1", email=admin.email, email_verified=True)
    client, _ = service.sign_in("k1")
    assert client.session["_auth_user_id"] == str(stranger.pk)
    assert SocialAccount.objects.get().extra_data == {}


def test_whom_nobody_has_added_stays_out(service: Service) -> None:
    service.knows("k1", email="new@example.com", email_verified=True)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("account_login")
    assert "There is no account for new@example.com." in said(client)
    assert not User.objects.exists()


def test_whom_nobody_has_added_becomes_a_member_where_a_setting_says_so(service: Service, settings: Any) -> None:
    settings.OIDC_CREATE_PEOPLE = True
    names = {"given_name": "Grace\x00", "family_name": "Hopper\n", "preferred_username": "grace@navy"}
    service.knows("k1", email="Grace@example.com", email_verified=True, **names)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("home")
    person = User.objects.get()
    assert client.session["_auth_user_id"] == str(person.pk)
    assert (person.first_name, person.last_name, person.email) == ("Grace", "Hopper", "Grace@example.com")
    assert (person.role, person.is_staff, person.is_superuser) == ("", False, False)
    assert "@" not in person.username
    assert not person.has_usable_password()
    assert Profile.objects.filter(pk=person.pk).exists()
    entry = TrailEntry.objects.get(object_id=person.pk, action=TrailEntry.Action.CREATE)
    assert entry.road == Road.ACCOUNT


def test_a_username_that_is_taken_is_no_obstacle(service: Service, settings: Any, make_person: Any) -> None:
    settings.OIDC_CREATE_PEOPLE = True
    make_person("grace", email="other@example.com")
    service.knows("k1", email="new@example.com", email_verified=True, preferred_username="GRACE")
    service.sign_in("k1")
    assert User.objects.exclude(username="grace").get().email == "new@example.com"


def test_who_registered_anothers_address_does_not_stay_in_beside_the_owner(
    service: Service, registration: None
) -> None:
    """Somebody registers with an address they do not own, and waits for the owner to come by the service."""
    register(Client())
    service.knows("k1", email="newby@example.com", email_verified=True)
    client, _ = service.sign_in("k1")
    assert is_signed_in(client)
    assert not User.objects.get().has_usable_password()
    assert sign_in("newby").status_code == 200
    assert EmailAddress.objects.get().verified


def test_who_was_switched_off_stays_out(service: Service, make_person: Any) -> None:
    make_person("gone", is_active=False)
    service.knows("k1", email="gone@example.com", email_verified=True)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("account_inactive")
    assert not is_signed_in(client)


def test_a_second_step_is_asked_for_behind_the_service_too(service: Service, stranger: User) -> None:
    TOTP.activate(stranger, generate_totp_secret())
    service.knows("k1", email=stranger.email, email_verified=True)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(client)


@pytest.mark.parametrize("process", ["connect", "redirect"])
def test_nobody_ties_a_key_of_the_service_to_who_happens_to_be_signed_in(
    service: Service, admin: User, stranger: User, browse: Any, process: str
) -> None:
    service.knows("stan", email=stranger.email, email_verified=True)
    client, _ = service.sign_in("stan", client=browse(admin), query=f"?process={process}")
    assert not SocialAccount.objects.exists()
    assert client.session["_auth_user_id"] == str(admin.pk)


def test_an_answer_that_was_not_asked_for_is_none(service: Service, stranger: User) -> None:
    service.knows("k1", email=stranger.email, email_verified=True)
    there = Client().get(BEGIN)["Location"]
    back = requests.post(there, data={"sub": "k1"}, allow_redirects=False, timeout=10).headers["Location"]
    other = Client()
    answer = other.get(f"{urlsplit(back).path}?{urlsplit(back).query}")
    assert answer.status_code == 401
    assert not is_signed_in(other)


def test_a_service_that_is_down_is_said_so(settings: Any, service: Service, caplog: Any) -> None:
    settings.OIDC = {**settings.OIDC, "server_url": "http://localhost:9"}
    answer = Client().get(BEGIN)
    assert answer.status_code == 401
    assert "did not let you through" in answer.content.decode()
    assert "failed" in caplog.text


def test_an_answer_about_two_different_people_lets_nobody_in(service: Service, stranger: User, rf: Any) -> None:
    data = {"id_token": {"sub": "k1"}, "userinfo": {"sub": "k2", "email": stranger.email, "email_verified": True}}
    with pytest.raises(single_sign_on.NotLetIn, match="two different people"):
        single_sign_on._claims(SocialLogin(user=User(), account=SocialAccount(uid="k2", extra_data=data)))


def test_calling_it_off_is_no_error(service: Service) -> None:
    client = Client()
    there = client.get(BEGIN)["Location"]
    state = parse_qs(urlsplit(there).query)["state"][0]
    answer = client.get(f"{BEGIN}callback/", {"error": "access_denied", "state": state}, follow=True)
    assert "You did not sign in" in answer.content.decode()


# Roles


@pytest.fixture
def roles_by_claim(settings: Any) -> Callable[..., None]:
    settings.OIDC_ROLE_CLAIM = "groups"
    settings.OIDC_ROLES = {"hr": "Editor", "it": "Admin", "all": "Reader"}


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["hr"], Role.EDITOR),
        ("it", Role.ADMIN),
        (["all", "it", "hr"], Role.ADMIN),
        (["Admin", "superuser", "is_superuser"], ""),
        ([], ""),
        ([["it"], {"it": 1}, 5, None], ""),
        ({"it": True}, ""),
        (None, ""),
    ],
    ids=str,
)
@pytest.mark.parametrize("before", ["", Role.READER, Role.ADMIN])
def test_a_claim_says_the_role(
    service: Service, roles_by_claim: None, make_person: Any, groups: Any, role: str, before: str
) -> None:
    person = make_person("ada", role=before)
    service.knows("k1", email=person.email, email_verified=True, groups=groups)
    service.sign_in("k1")
    person = User.objects.get(pk=person.pk)
    assert (person.role, person.is_staff, person.is_superuser) == (role, bool(role), False)
    entries = TrailEntry.objects.filter(object_id=person.pk, road=Road.ACCOUNT, changes__has_key="role")
    assert [entry.changes for entry in entries] == ([{"role": [before, role]}] if role != before else [])


def test_a_role_is_taken_away_when_the_claim_no_longer_says_it(
    service: Service, roles_by_claim: None, stranger: User
) -> None:
    for groups, role in ((["it"], "Admin"), (["other"], "")):
        service.knows("k1", email=stranger.email, email_verified=True, groups=groups)
        service.sign_in("k1")
        assert User.objects.get(pk=stranger.pk).role == role


def test_the_last_superuser_stays_whatever_the_claim_says(
    service: Service, roles_by_claim: None, superuser: User
) -> None:
    service.knows("k1", email=superuser.email, email_verified=True, groups=[])
    service.sign_in("k1")
    superuser.refresh_from_db()
    assert (superuser.is_superuser, superuser.is_staff, superuser.is_active) == (True, True, True)


def test_a_claim_is_nothing_where_no_setting_names_it(service: Service, editor: User) -> None:
    service.knows("k1", email=editor.email, email_verified=True, groups=[], role="Admin")
    service.sign_in("k1")
    assert User.objects.get(pk=editor.pk).role == Role.EDITOR


def test_of_two_who_come_for_the_first_time_at_once_nobody_sees_an_error(
    service: Service, settings: Any, make_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OIDC_CREATE_PEOPLE = True
    make_person("grace", email="grace@example.com")
    monkeypatch.setattr(single_sign_on.addresses, "find_by_email", lambda email: None)  # the look that came too early
    monkeypatch.setattr(User, "full_clean", lambda self, **kwargs: None)
    service.knows("k1", email="grace@example.com", email_verified=True)
    client, answer = service.sign_in("k1")
    assert answer["Location"] == reverse("account_login")
    assert "Try again" in said(client)
