"""What somebody at the door must not be able to do (security checks D1 to D7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Group
from django.core import mail
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests import addresses
from tests.people import PASSWORD, Browse
from tests.signing_in import NEW_PASSWORD, is_signed_in, link_in, register, set_password_by, sign_in, words
from users_profiles import roles
from users_profiles.models import Role, User
from users_profiles.transfer import intake, tasks

EVERYBODY = ["stranger", "reader", "editor", "admin", "superuser"]
STAFF = ["reader", "editor", "admin", "superuser"]

pytestmark = pytest.mark.usefixtures("base_url")


@pytest.fixture(params=EVERYBODY)
def person(request: pytest.FixtureRequest) -> User:
    return request.getfixturevalue(request.param)


# D1: guessing -------------------------------------------------------------------------------------------------------


def test_d1_twenty_bad_passwords_are_stopped_with_a_cool_off(
    person: User, let_time_pass: Callable[[float], None]
) -> None:
    client = Client()
    for _ in range(20):
        response = sign_in(person.username, "wrong", client)
    assert "Too many attempts. Try again in 5 minutes." in response.content.decode()
    sign_in(person.username, client=client)
    assert not is_signed_in(client), "not even with the right one"

    let_time_pass(200)
    assert "Try again in 2 minutes." in sign_in(person.username, client=client).content.decode()
    let_time_pass(101)
    sign_in(person.username, client=client)
    assert is_signed_in(client)


def test_d1_guessing_from_many_places_at_one_account_is_stopped(person: User) -> None:
    for number in range(20):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        response = sign_in(person.username, "wrong", client)
    assert "Too many attempts." in response.content.decode()


def test_d1_guessing_at_many_accounts_from_one_place_is_stopped(db: None) -> None:
    for number in range(20):
        response = sign_in(f"person{number}", "wrong")
    assert "Too many attempts. Try again in 1 minute." in response.content.decode()


def test_d1_the_count_is_kept_where_all_processes_see_it(stranger: User, settings: Any) -> None:
    """In the cache, which is a table or a server in production; nothing is counted in a process."""
    for _ in range(20):
        sign_in("stan", "wrong")
    cache.clear()
    client = Client()
    sign_in("stan", client=client)
    assert is_signed_in(client)


def test_d1_one_who_gets_it_right_in_between_is_not_locked_out(stranger: User) -> None:
    for _ in range(8):
        assert sign_in("stan").status_code == 302


# D2: a second factor ------------------------------------------------------------------------------------------------

NOT_WRAPPED = {"login", "logout"}  # they lead to the sign-in page, or out
ARGUMENTS: list[tuple[Any, ...]] = [(), (1,), (1, 1), ("users_profiles",), (1, "x"), ("x",), (UUID(int=1),)]


def admin_addresses() -> list[str]:
    """An address for every pattern of the admin, whatever it stands for."""
    found = []
    for name in sorted(addresses.names_in_the_admin() - NOT_WRAPPED):
        for arguments in ARGUMENTS:
            try:
                found.append(reverse(f"admin:{name}", args=arguments))
                break
            except NoReverseMatch:
                continue
        else:
            raise AssertionError(f"no address for {name}")
    return found


@pytest.mark.parametrize("who", STAFF)
def test_d2_staff_without_a_second_factor_are_led_to_set_one_up_before_the_admin_opens(
    request: pytest.FixtureRequest, browse: Browse, settings: Any, who: str
) -> None:
    settings.MFA_REQUIRED = True
    member = request.getfixturevalue(who)
    client = browse(member)
    addresses = admin_addresses()
    assert len(addresses) > 50
    for address in addresses:
        for response in (client.get(address), client.post(address, {"post": "yes"})):
            assert (response.status_code, response["Location"]) == (302, reverse("mfa_index")), address
    assert client.get(reverse("profile")).status_code == 200
    TOTP.activate(member, generate_totp_secret())
    assert client.get(reverse("admin:index")).status_code == 200


def test_d2_nothing_is_demanded_where_the_setting_is_off(reader: User, browse: Browse) -> None:
    assert browse(reader).get(reverse("admin:index")).status_code == 200


def test_d2_a_stranger_is_refused_and_not_asked_for_a_factor(stranger: User, browse: Browse, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    assert browse(stranger).get(reverse("admin:index")).status_code == 403
    assert browse(None).get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))


def test_d2_recovery_codes_alone_are_no_second_factor(reader: User, browse: Browse, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    RecoveryCodes.activate(reader)
    assert browse(reader).get(reverse("admin:index"))["Location"] == reverse("mfa_index")


# D3: sessions -------------------------------------------------------------------------------------------------------


def test_d3_a_planted_session_does_not_become_the_victims(person: User) -> None:
    attacker, victim = Client(), Client()
    attacker.get(reverse("account_login"))
    planted = attacker.session
    planted["planted"] = True
    planted.save()
    for client in (attacker, victim):
        client.cookies["sessionid"] = planted.session_key
    sign_in(person.username, client=victim)
    assert is_signed_in(victim)
    assert victim.session.session_key != planted.session_key
    assert attacker.get(reverse("profile")).status_code == 302


def test_d3_a_new_password_ends_every_other_session_and_keeps_this_one(person: User, browse: Browse) -> None:
    other, mine = browse(person), browse(person)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    mine.post(reverse("account_change_password"), form)
    assert other.get(reverse("profile")).status_code == 302
    assert mine.get(reverse("profile")).status_code == 200


def test_d3_a_password_set_by_mail_ends_every_session(person: User, browse: Browse) -> None:
    other = browse(person)
    Client().post(reverse("account_reset_password"), {"email": person.email})
    set_password_by(link_in(mail.outbox[0]), Client())
    assert other.get(reverse("profile")).status_code == 302


def test_d3_who_is_deactivated_is_out_at_the_next_click(person: User, browse: Browse) -> None:
    client = browse(person)
    assert client.get(reverse("profile")).status_code == 200
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get(reverse("profile"))["Location"].startswith(reverse("account_login"))
    if person.is_staff:
        assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize("who", ["reader", "editor", "admin"])
def test_d3_who_loses_their_role_is_out_of_the_admin_at_the_next_click(
    request: pytest.FixtureRequest, browse: Browse, who: str
) -> None:
    member = request.getfixturevalue(who)
    client = browse(member)
    assert client.get(reverse("admin:index")).status_code == 200
    roles.assign([User.objects.get(pk=member.pk)], roles.MEMBER)
    assert client.get(reverse("admin:index")).status_code == 403
    assert client.get(reverse("profile")).status_code == 200


def test_d3_a_lower_role_counts_at_the_next_click(admin: User, stranger: User, browse: Browse) -> None:
    client = browse(admin)
    delete = reverse("admin:users_profiles_user_delete", args=[stranger.pk])
    assert client.get(delete).status_code == 200
    roles.assign([User.objects.get(pk=admin.pk)], Role.READER)
    assert client.get(delete).status_code == 403
    Group.objects.get(name="Reader").permissions.clear()
    assert client.get(reverse("admin:users_profiles_user_changelist")).status_code == 403


# D4: the Host header ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.com", "testserver.evil.com", "evil.com:80", "testserver@evil.com", "[::1"])
def test_d4_a_forged_host_is_refused_and_never_gets_into_a_mail(person: User, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    path = reverse("account_reset_password")
    assert Client().get(path, headers={"Host": host}).status_code == 400
    assert Client().post(path, {"email": person.email}, headers={"Host": host}).status_code == 400
    assert not mail.outbox


def test_d4_a_forged_forwarded_host_is_not_believed(person: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": person.email}, headers={"X-Forwarded-Host": "evil.com"})
    assert link_in(mail.outbox[0])
    assert "evil.com" not in mail.outbox[0].body


# D5: look-alike addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["mi\u212ae@example.org", "m\u0131ke@example.org", "mike@ex\u0430mple.org"])
@pytest.mark.parametrize("role", ["", Role.READER, Role.EDITOR, Role.ADMIN])
def test_d5_a_look_alike_address_never_gets_the_link(make_person: Any, role: str, typed: str) -> None:
    make_person("mike", role=role, email="mike@example.org")
    Client().post(reverse("account_reset_password"), {"email": typed})
    assert [message.to for message in mail.outbox if "/reset/key/" in message.body] in ([], [["mike@example.org"]])
    assert not [message for message in mail.outbox if "/reset/key/" in message.body and typed in message.to]


# D6: who has an account ---------------------------------------------------------------------------------------------


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the slow part of an answer."""
    calls: list[int] = []
    encode = MD5PasswordHasher.encode

    def counted(self: Any, *args: Any) -> str:
        calls.append(1)
        return str(encode(self, *args))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return calls


def test_d6_signing_in_does_not_tell_who_has_an_account(person: User, hashes: list[int]) -> None:
    hashes.clear()
    known = sign_in(person.username, "wrong")
    work = len(hashes)
    hashes.clear()
    unknown = sign_in("nobody", "wrong")
    assert work == len(hashes) == 1
    assert known.status_code == unknown.status_code == 200
    assert words(known).replace(person.username, "nobody") == words(unknown)


def test_d6_an_account_that_is_off_or_has_no_password_answers_like_none(make_person: Any, hashes: list[int]) -> None:
    make_person("gone", is_active=False)
    newcomer = make_person("newcomer")
    newcomer.set_unusable_password()
    newcomer.save()
    answers = []
    for name in ("gone", "newcomer", "nobody"):
        hashes.clear()
        answers.append((words(sign_in(name, "wrong")).replace(name, ""), len(hashes)))
    assert answers[0] == answers[1] == answers[2]


def test_d6_asking_for_a_link_does_not_tell_who_has_an_account(person: User) -> None:
    answers = []
    for email in (person.email, "nobody@example.com"):
        client = Client()
        response = client.post(reverse("account_reset_password"), {"email": email}, follow=True)
        answers.append((response.status_code, response.redirect_chain, words(response)))
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 2, "one mail each: as much work"


def test_d6_registering_does_not_tell_who_has_an_account(person: User, registration: None, hashes: list[int]) -> None:
    answers = []
    for username, email in (("first", person.email), ("second", "new@example.com")):
        client = Client()
        hashes.clear()
        response = register(client, username, email)
        page = client.get(response["Location"])
        answers.append((response.status_code, response["Location"], words(page), len(hashes)))
    assert answers[0] == answers[1]
    assert len(mail.outbox) == 2


# D7: injected script ------------------------------------------------------------------------------------------------

SCRIPT = "<script>alert(1)</script>"
HOSTILE = [SCRIPT, '"><img src=x onerror=alert(1)>', "{{7*7}}{% debug %}", "'-alert(1)-'", "javascript:alert(1)"]


def is_inert(response: Any, payload: str) -> bool:
    """Nothing of it stands in the page as anything but text, and the page could not run it if it did."""
    policy = response["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    page = response.content.decode()
    live = payload in page if "<" in payload else re.search(rf'(?:href|src|action|on\w+)="{re.escape(payload)}', page)
    return not live and "49{" not in page


@pytest.mark.parametrize("payload", HOSTILE)
@pytest.mark.parametrize("viewer", STAFF)
def test_d7_what_people_write_about_themselves_is_inert_in_the_admin(
    request: pytest.FixtureRequest, browse: Browse, make_person: Any, viewer: str, payload: str
) -> None:
    target = make_person("ada", first_name=payload, last_name=payload, bio=payload, location=payload)
    client = browse(request.getfixturevalue(viewer))
    for name, arguments in (("changelist", []), ("change", [target.pk]), ("history", [target.pk])):
        response = client.get(reverse(f"admin:users_profiles_user_{name}", args=arguments))
        assert response.status_code == 200
        assert is_inert(response, payload), name


@pytest.mark.parametrize("payload", HOSTILE)
def test_d7_what_people_write_about_themselves_is_inert_on_their_own_pages(
    browse: Browse, make_person: Any, payload: str
) -> None:
    person = make_person("ada", first_name=payload, last_name=payload, bio=payload, location=payload)
    client = browse(person)
    for name in ("profile", "profile_edit", "mfa_index", "usersessions_list", "account_logout"):
        assert is_inert(client.get(reverse(name)), payload), name


@pytest.mark.parametrize("payload", HOSTILE)
def test_d7_what_comes_with_a_request_is_inert_in_its_answer(db: None, registration: None, payload: str) -> None:
    client = Client(headers={"User-Agent": payload, "Referer": payload, "Accept-Language": payload})
    pages = [
        client.get(reverse("account_login"), {"next": payload}),
        sign_in(payload, payload, client),
        register(client, payload, payload),
        client.post(reverse("account_reset_password"), {"email": payload}),
        client.get(f"/accounts/confirm-email/{'x'}/", {"next": payload}),
        client.get("/accounts/nothing/", {"q": payload}),
    ]
    for page in pages:
        assert is_inert(page, payload), page.request["PATH_INFO"]


@pytest.mark.parametrize("payload", HOSTILE)
def test_d7_a_file_with_a_hostile_name_headers_and_cells_is_inert(
    superuser: User, browse: Browse, payload: str
) -> None:
    quoted = payload.replace('"', '""')
    content = f'username,email,"{quoted}"\n"{quoted}",ada@example.com,"{quoted}"\n'.encode()
    job = intake.receive(ContentFile(content), f"{payload}.csv", superuser)
    client = browse(superuser)
    columns = client.get(reverse("admin:users_profiles_import_columns", args=[job.pk]))
    job.start_check()
    tasks.start(job)
    checked = client.get(reverse("admin:users_profiles_import_change", args=[job.pk]), {"show": "refused"})
    for page in (columns, checked, client.get(reverse("admin:users_profiles_import_changelist"))):
        assert page.status_code == 200
        assert is_inert(page, payload), page.request["PATH_INFO"]


def test_d7_a_browser_that_calls_itself_a_script_is_inert_in_the_list_of_sessions(person: User) -> None:
    client = Client(headers={"User-Agent": SCRIPT})
    sign_in(person.username, client=client)
    assert is_inert(client.get(reverse("usersessions_list")), SCRIPT)
