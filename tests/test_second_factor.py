"""The second step at sign-in: setting it up, using it, losing it, and demanding it of staff."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.data import images
from tests.people import PASSWORD, Browse
from tests.signing_in import is_signed_in, link_in, set_password_by, sign_in
from users_profiles.accounts import second_factor
from users_profiles.models import TrailEntry, User


def code_for(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // app_settings.TOTP_PERIOD)))


@pytest.fixture
def secret(stranger: User) -> str:
    """The key in the app of somebody who has one, with recovery codes."""
    key = generate_totp_secret()
    TOTP.activate(stranger, key)
    RecoveryCodes.activate(stranger)
    return key


def to_second_step() -> Client:
    client = Client()
    assert sign_in("stan", client=client)["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(client)
    return client


def second_step(client: Client, code: str) -> Any:
    return client.post(reverse("mfa_authenticate"), {"code": code})


def set_up_app(client: Client) -> Any:
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'class="secret">(\w+)<', page)
    assert found
    return client.post(reverse("mfa_activate_totp"), {"code": code_for(found[1])})


def codes_on(page: str) -> list[str]:
    return re.findall(r"<code>(\d{8})</code>", page)


# Setting up


def test_an_app_is_set_up_by_a_picture_that_comes_from_nowhere_else(stranger: User, browse: Browse) -> None:
    answer = browse(stranger).get(reverse("mfa_activate_totp"))
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert 'src="data:image/svg+xml;base64,' in page
    assert "style=" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_who_sets_up_an_app_sees_recovery_codes_once_and_can_keep_them(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    assert set_up_app(client)["Location"] == reverse("mfa_view_recovery_codes")
    shown = client.get(reverse("mfa_view_recovery_codes"))
    page = shown.content.decode()
    codes = codes_on(page)
    assert len(set(codes)) == 10
    assert f"{'%0A'.join(codes)}%0A" in page  # the file to download
    assert "no-store" in shown["Cache-Control"]
    again = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not codes_on(again)
    assert client.get(reverse("mfa_download_recovery_codes")).status_code == 403


def test_a_wrong_code_sets_up_nothing(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    client.get(reverse("mfa_activate_totp"))
    page = client.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "This did not work." in page.content.decode()
    assert not second_factor.has_one(stranger)


def test_setting_up_asks_for_the_password_when_the_sign_in_is_old(
    stranger: User, browse: Browse, let_time_pass: Callable[[float], None]
) -> None:
    client = browse(stranger)
    let_time_pass(301)
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert client.get(reverse(name))["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_the_first_factor_signs_out_whoever_came_in_without_one(transactional_db: None, stranger: User) -> None:
    other, mine = Client(), Client()
    for client in (other, mine):
        sign_in("stan", client=client)
    set_up_app(mine)
    assert is_signed_in(mine)
    assert other.get(reverse("profile")).status_code == 302


def test_the_trail_has_what_was_set_up_and_turned_off_and_no_secret(
    transactional_db: None, stranger: User, browse: Browse
) -> None:
    client = browse(stranger)
    set_up_app(client)
    secret = Authenticator.objects.get(type="totp").data["secret"]
    client.post(reverse("mfa_deactivate_totp"))
    entries = TrailEntry.objects.filter(object_id=stranger.pk, road="account").order_by("pk")
    changes = [entry.changes for entry in entries]
    assert changes == [{"second_factor": ["", "totp"]}, {"second_factor": ["totp", ""]}]
    assert secret not in str(changes)


def test_an_app_is_turned_off_again_and_the_recovery_codes_go_with_it(
    stranger: User, secret: str, browse: Browse
) -> None:
    browse(stranger).post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()


def test_nobody_touches_the_passkey_of_somebody_else(stranger: User, editor: User, browse: Browse) -> None:
    passkey = Authenticator.objects.create(user=editor, type="webauthn", data={"name": "Mine", "credential": {}})
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert browse(stranger).get(reverse(name, args=[passkey.pk])).status_code == 404
        assert browse(stranger).post(reverse(name, args=[passkey.pk]), {"name": "x"}).status_code == 404
    assert Authenticator.objects.count() == 1


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        '{"id": "eA", "rawId": "eA", "type": "public-key", "response": {}}',
        "[]",
        "5",
        '"x"',
        '{"id": "x"}',
        '{"response": {"userHandle": 5}}',
    ],
)
@pytest.mark.parametrize("name", ["mfa_login_webauthn", "mfa_add_webauthn"])
def test_a_forged_passkey_is_refused_and_no_server_error(
    stranger: User, browse: Browse, name: str, credential: str
) -> None:
    client = browse(stranger if name == "mfa_add_webauthn" else None)
    client.get(reverse(name), headers={"Accept": "application/json"})
    assert client.post(reverse(name), {"credential": credential}).status_code in {200, 302}
    assert not Authenticator.objects.exists()
    assert is_signed_in(client) == (name == "mfa_add_webauthn")


# Signing in


def test_a_password_alone_is_not_enough_any_more(secret: str) -> None:
    client = to_second_step()
    assert client.get(reverse("profile")).status_code == 302
    second_step(client, code_for(secret))
    assert is_signed_in(client)


def test_a_code_lets_in_once(secret: str) -> None:
    code = code_for(secret)
    second_step(to_second_step(), code)
    client = to_second_step()
    second_step(client, code)
    assert not is_signed_in(client)


def test_a_recovery_code_lets_in_once(stranger: User, secret: str) -> None:
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    for signed_in in (True, False):
        client = to_second_step()
        second_step(client, codes[0])
        assert is_signed_in(client) == signed_in


def test_guessing_codes_is_stopped(secret: str) -> None:
    client = to_second_step()
    for _ in range(6):
        response = second_step(client, "000000")
    assert "Too many attempts." in response.content.decode()
    second_step(client, code_for(secret))
    assert not is_signed_in(client)


def test_a_new_password_by_mail_does_not_pass_by_the_second_step(secret: str, base_url: str) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "stan@example.com"})
    set_password_by(link_in(mail.outbox[0]), client)
    assert not is_signed_in(client)


# Losing it


def test_the_operator_takes_a_lost_factor_away_and_the_trail_has_it(stranger: User, secret: str, capsys: Any) -> None:
    call_command("reset_second_factor", "STAN", "--dry-run")
    assert second_factor.has_one(stranger)
    call_command("reset_second_factor", "STAN")
    assert not Authenticator.objects.exists()
    assert TrailEntry.objects.get(object_id=stranger.pk, changes__has_key="second_factor").road == "command"
    call_command("reset_second_factor", "stan")
    assert "has no second factor" in capsys.readouterr().out
    client = Client()
    sign_in("stan", client=client)
    assert is_signed_in(client)


def test_the_operator_is_told_when_there_is_nobody_of_that_name(db: None) -> None:
    with pytest.raises(CommandError, match="nobody with the username 'ghost'"):
        call_command("reset_second_factor", "ghost")


# Demanding it


def test_pictures_of_others_stay_closed_like_the_back_office(
    reader: User, editor: User, browse: Browse, settings: Any
) -> None:
    settings.MFA_REQUIRED = True
    assert second_factor.is_missing(reader)
    TOTP.activate(reader, generate_totp_secret())
    assert not second_factor.is_missing(reader)
    editor.profile.avatar.save("e.png", ContentFile(images.picture(size=(100, 100))))
    path = reverse("avatar", args=[editor.pk, 64])
    assert browse(reader).get(path).status_code == 200
    Authenticator.objects.all().delete()
    assert browse(reader).get(path).status_code == 404
    assert browse(editor).get(path).status_code == 200, "one's own"


def test_the_page_says_that_the_back_office_waits(reader: User, stranger: User, browse: Browse, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    sentence = "The back office opens to you once"
    assert sentence in browse(reader).get(reverse("mfa_index")).content.decode()
    assert sentence not in browse(stranger).get(reverse("mfa_index")).content.decode()


def test_the_demand_costs_one_query_and_none_where_there_is_none(
    reader: User, browse: Browse, settings: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert not second_factor.is_missing(reader)
    settings.MFA_REQUIRED = True
    with django_assert_num_queries(1):
        assert second_factor.is_missing(reader)
