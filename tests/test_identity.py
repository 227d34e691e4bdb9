"""Proving again who one is, before changing who may do what, when the sign-in is old."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, act, filled_in, save, user_page
from tests.people import PASSWORD, Browse
from users_profiles.accounts import identity
from users_profiles.models import Role, User

HALF_AN_HOUR = 30 * 60 + 1


@pytest.fixture
def long_ago(browse: Browse, let_time_pass: Callable[[float], None]) -> Callable[[User], Client]:
    """Somebody who signed in more than half an hour ago."""

    def as_(person: User) -> Client:
        client = browse(person)
        let_time_pass(HALF_AN_HOUR)
        return client

    return as_


def again(person: User) -> User:
    return User.objects.get(pk=person.pk)


def text_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("changes", [{"role": "Editor"}, {"is_active": None}])
@pytest.mark.parametrize("who", ["admin", "superuser"])
def test_a_person_s_access_is_changed_by_password_when_the_sign_in_is_old(
    request: pytest.FixtureRequest, long_ago: Any, stranger: User, who: str, changes: dict[str, Any]
) -> None:
    client = long_ago(request.getfixturevalue(who))
    page = save(client, user_page(stranger), last_name="Typed", **changes)
    form = page.context["adminform"].form
    sentence = "Type your own password: you change who may do what, or the e-mail of staff."
    assert form.errors == {"own_password": [sentence]}
    assert 'value="Typed"' in text_of(page), "nothing typed is lost"
    assert (again(stranger).role, again(stranger).is_active, again(stranger).last_name) == ("", True, "Stranger")

    save(client, user_page(stranger), last_name="Typed", own_password="wrong", **changes)
    assert (again(stranger).role, again(stranger).is_active) == ("", True)
    save(client, user_page(stranger), last_name="Typed", own_password=PASSWORD, **changes)
    assert (again(stranger).role, again(stranger).is_active) != ("", True)
    assert again(stranger).last_name == "Typed"


@pytest.mark.parametrize("who", ["editor", "admin"])
def test_the_e_mail_of_staff_is_changed_by_password_when_the_sign_in_is_old(
    request: pytest.FixtureRequest, long_ago: Any, reader: User, who: str
) -> None:
    client = long_ago(request.getfixturevalue(who))
    for typed in ("", "wrong"):
        page = save(client, user_page(reader), email="thief@example.com", own_password=typed)
        assert "own_password" in page.context["adminform"].form.errors
        assert again(reader).email == "rita@example.com"
    save(client, user_page(reader), email="rita.new@example.com", own_password=PASSWORD)
    assert again(reader).email == "rita.new@example.com"


def test_that_of_a_member_is_changed_without_it(long_ago: Any, editor: User, stranger: User) -> None:
    save(long_ago(editor), user_page(stranger), email="stan.new@example.com")
    assert again(stranger).email == "stan.new@example.com"


def test_the_password_of_a_moment_ago_counts_for_what_comes_next(
    long_ago: Any, admin: User, stranger: User, editor: User
) -> None:
    client = long_ago(admin)
    save(client, user_page(stranger), role="Reader", own_password=PASSWORD)
    assert "own_password" not in filled_in(client, user_page(editor))
    save(client, user_page(editor), role="Reader")
    assert again(editor).role == Role.READER


def test_browsers_are_told_not_to_fill_in_ones_own_name_beside_ones_own_password(
    long_ago: Any, admin: User, stranger: User
) -> None:
    client = long_ago(admin)
    for path in (user_page(stranger), reverse("admin:users_profiles_user_add")):
        page = text_of(client.get(path))
        assert 'autocomplete="current-password"' in page
        (username,) = re.findall(r'<input type="text" name="username"[^>]*>', page)
        assert 'autocomplete="off"' in username


def test_nothing_is_asked_for_what_changes_nobodys_access(long_ago: Any, admin: User, stranger: User) -> None:
    save(long_ago(admin), user_page(stranger), first_name="Stanley", location="Berlin")
    assert again(stranger).first_name == "Stanley"


def test_nothing_is_asked_when_the_sign_in_is_fresh(browse: Browse, admin: User, stranger: User) -> None:
    client = browse(admin)
    assert "own_password" not in filled_in(client, user_page(stranger))
    save(client, user_page(stranger), role="Reader")
    assert again(stranger).role == Role.READER


@pytest.mark.parametrize("who", ["reader", "editor"])
def test_who_may_change_nobodys_access_is_never_asked(
    request: pytest.FixtureRequest, long_ago: Any, stranger: User, who: str
) -> None:
    page = text_of(long_ago(request.getfixturevalue(who)).get(user_page(stranger)))
    assert "own_password" not in page


def test_permissions_are_changed_by_password_and_groups_left_alone_ask_for_none(
    long_ago: Any, superuser: User, editor: User
) -> None:
    Group.objects.create(name="Choir")
    client = long_ago(superuser)
    save(client, user_page(editor), first_name="Eddie")
    assert again(editor).first_name == "Eddie"
    choir = Group.objects.get(name="Choir").pk
    page = save(client, user_page(editor), groups=[choir])
    assert "own_password" in page.context["adminform"].form.errors
    save(client, user_page(editor), groups=[choir], own_password=PASSWORD)
    assert set(again(editor).groups.values_list("name", flat=True)) == {"Choir", "Editor"}


def test_a_new_person_with_a_role_takes_the_password_and_one_without_does_not(long_ago: Any, admin: User) -> None:
    client = long_ago(admin)
    add = reverse("admin:users_profiles_user_add")
    page = save(client, add, username="new", role="Admin", send_invitation=None)
    assert "own_password" in page.context["adminform"].form.errors
    save(client, add, username="new", send_invitation=None)
    assert User.objects.get(username="new").role == ""


@pytest.mark.parametrize(("action", "values"), [("deactivate", {}), ("set_role", {"role": "Reader"})])
def test_actions_on_several_take_the_password_on_the_page_that_asks(
    long_ago: Any, admin: User, stranger: User, editor: User, action: str, values: dict[str, str]
) -> None:
    client = long_ago(admin)
    asked = act(client, action, [stranger, editor])
    assert "Your own password" in text_of(asked)
    for password in ("", "wrong"):
        page = act(client, action, [stranger, editor], confirmed="1", own_password=password, **values)
        assert 'name="confirmed"' in text_of(page)
    assert (again(editor).is_active, again(editor).role) == (True, Role.EDITOR)
    act(client, action, [stranger, editor], confirmed="1", own_password=PASSWORD, **values)
    assert (again(editor).is_active, again(editor).role) != (True, Role.EDITOR)


def test_an_invitation_changes_nobodys_access(long_ago: Any, admin: User, stranger: User) -> None:
    assert "Your own password" not in text_of(act(long_ago(admin), "send_invitation", [stranger]))


def test_what_a_role_may_do_is_changed_by_password(long_ago: Any, superuser: User) -> None:
    group = Group.objects.get(name="Editor")
    client = long_ago(superuser)
    path = reverse("admin:auth_group_change", args=[group.pk])
    page = save(client, path, permissions=[])
    assert "own_password" in page.context["adminform"].form.errors
    assert group.permissions.exists()
    save(client, path, permissions=[], own_password=PASSWORD)
    assert not group.permissions.exists()


def test_guessing_ones_password_at_an_unattended_desk_is_stopped(long_ago: Any, admin: User, stranger: User) -> None:
    client = long_ago(admin)
    guess = {**filled_in(client, user_page(stranger)), "role": "Admin", "own_password": "guess"}
    for _ in range(12):
        page = client.post(user_page(stranger), guess)
    assert "Too many attempts." in text_of(page)
    save(client, user_page(stranger), role="Admin", own_password=PASSWORD)
    assert again(stranger).role == ""


def test_the_password_of_somebody_else_proves_nothing(long_ago: Any, admin: User, make_person: Any) -> None:
    target = make_person("ada")
    target.set_password("somebody-elses-secret")
    target.save()
    save(long_ago(admin), user_page(target), role="Admin", own_password="somebody-elses-secret")
    assert again(target).role == ""


def test_the_password_is_in_no_page_that_comes_back(long_ago: Any, admin: User, stranger: User) -> None:
    client = long_ago(admin)
    page = save(client, user_page(stranger), role="Reader", email="nonsense", own_password=PASSWORD)
    assert PASSWORD not in text_of(page)


def test_who_has_no_password_proves_it_in_another_tab_and_loses_nothing(
    long_ago: Any, admin: User, stranger: User
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(admin, secret)
    admin.set_unusable_password()
    admin.save()
    client = long_ago(admin)
    page = text_of(save(client, user_page(stranger), role="Reader", last_name="Typed"))
    there = f"{reverse('mfa_reauthenticate')}?next=%2Faccounts%2Fproven%2F"
    assert f'href="{there}" target="_blank"' in page
    assert "own_password" not in page
    assert 'value="Typed"' in page
    assert again(stranger).role == ""

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    done = client.post(reverse("mfa_reauthenticate"), {"code": code, "next": "/accounts/proven/"}, follow=True)
    assert "It is you" in text_of(done)
    save(client, user_page(stranger), role="Reader", last_name="Typed")
    assert (again(stranger).role, again(stranger).last_name) == (Role.READER, "Typed")
    assert Authenticator.objects.count() == 1


@pytest.mark.parametrize(
    ("client_id", "address"),
    [
        ("backoffice", "/accounts/oidc/sso/login/?next=%2Faccounts%2Fproven%2F&auth_params=prompt%3Dlogin"),
        ("", "/accounts/login/"),
    ],
)
def test_who_came_by_the_service_signs_in_there_again(
    rf: Any, admin: User, settings: Any, client_id: str, address: str
) -> None:
    settings.OIDC = {**settings.OIDC, "client_id": client_id}
    admin.set_unusable_password()
    request = rf.get(USERS)
    request.user = admin
    assert identity.address_to_prove(request) == address


def test_signing_in_again_makes_it_fresh(long_ago: Any, admin: User, stranger: User) -> None:
    client = long_ago(admin)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    save(client, user_page(stranger), role="Reader")
    assert again(stranger).role == Role.READER


def test_how_old_is_a_setting(long_ago: Any, admin: User, stranger: User, settings: Any) -> None:
    settings.REAUTHENTICATE_AFTER = 3600
    save(long_ago(admin), user_page(stranger), role="Reader")
    assert again(stranger).role == Role.READER
