"""Signing in, registering, setting passwords, changing one's e-mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.conftest import PASSWORD
from users_profiles import accounts
from users_profiles.account_forms import SignupForm
from users_profiles.models import Profile, User

Browse = Callable[[User | None], Client]
NEW_PASSWORD = "staple-battery-horse"


@pytest.fixture
def registration(settings: Any) -> None:
    settings.REGISTRATION_OPEN = True


@pytest.fixture(autouse=True)
def _base_url(settings: Any) -> None:
    settings.BASE_URL = "https://people.example.com"


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


# Signing in


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
    assert accounts.find_by_email("") is None
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
        person = accounts.SignInBackend().get_user(stranger.pk)
        assert person is not None
        assert person.profile.location == ""


# Registration


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
    assert not accounts.must_verify(User.objects.get(username="newby"))


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


# A forgotten password


def test_a_forgotten_password_is_set_anew_by_a_link(stranger: User) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "STAN@example.com"})
    message = mail.outbox[0]
    assert message.to == ["stan@example.com"]
    assert "Your username is stan." in message.body
    response = set_password_by(link_in(message), client)
    assert response.request["PATH_INFO"] == reverse("profile")
    assert sign_in("stan", NEW_PASSWORD).status_code == 302
    assert sign_in("stan").status_code == 200


def test_a_password_link_works_once(stranger: User) -> None:
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    path = link_in(mail.outbox[0])
    set_password_by(path, Client())
    page = Client().get(path, follow=True)
    assert "This link does not work any more" in page.content.decode()


def test_a_new_password_ends_all_other_sessions(stranger: User, browse: Browse) -> None:
    elsewhere = browse(stranger)
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    set_password_by(link_in(mail.outbox[0]), Client())
    assert elsewhere.get(reverse("profile")).status_code == 302


def test_people_who_never_had_a_password_can_ask_for_one(stranger: User) -> None:
    stranger.set_unusable_password()
    stranger.save()
    client = Client()
    client.post(reverse("account_reset_password"), {"email": "stan@example.com"})
    set_password_by(link_in(mail.outbox[0]), client)
    assert is_signed_in(client)


def test_asking_for_a_link_does_not_lock_anybody_out(stranger: User) -> None:
    """allauth would note the address as unproven, and from then on ask for a proof."""
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    client = Client()
    sign_in("stan", client=client)
    assert is_signed_in(client)


@pytest.mark.parametrize("email", ["stan@example.com", "nobody@example.com", "gone@example.com"])
def test_whoever_asks_for_a_link_gets_the_same_answer(stranger: User, make_person: Any, email: str) -> None:
    make_person("gone", is_active=False)
    client = Client()
    response = client.post(reverse("account_reset_password"), {"email": email}, follow=True)
    assert response.redirect_chain == [(reverse("account_reset_password_done"), 302)]
    assert "A mail with a link is on its way." in response.content.decode()
    assert len(mail.outbox) == 1
    assert ("/reset/key/" in mail.outbox[0].body) == (email == "stan@example.com")


@pytest.mark.parametrize("typed", ["mike@example.org", "MIKE@EXAMPLE.ORG", "mi\u212ae@example.org"])
def test_the_link_goes_to_the_address_on_file_never_to_the_typed_one(make_person: Any, typed: str) -> None:
    make_person("mike", email="Mike@example.org")
    Client().post(reverse("account_reset_password"), {"email": typed})
    for message in mail.outbox:
        if "/reset/key/" in message.body:
            assert message.to == ["Mike@example.org"]


def test_an_address_that_staff_replaced_gets_no_link_any_more(stranger: User, browse: Browse) -> None:
    browse(stranger).get(reverse("account_email"))  # allauth notes stan@example.com
    User.objects.filter(pk=stranger.pk).update(email="new@example.com")
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert "/reset/key/" not in mail.outbox[0].body
    assert sign_in("stan@example.com").status_code == 200


def test_links_lead_to_the_configured_address_whatever_the_request_says(stranger: User, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    response = Client().post(
        reverse("account_reset_password"), {"email": "stan@example.com"}, headers={"Host": "evil.com"}
    )
    assert response.status_code == 400
    Client().post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert "testserver" not in mail.outbox[0].body
    assert link_in(mail.outbox[0])


def test_a_mail_server_that_is_down_does_not_take_the_page_with_it(
    stranger: User, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
    response = Client().post(reverse("account_reset_password"), {"email": "stan@example.com"}, follow=True)
    assert response.status_code == 200
    assert "The mail could not be sent." in response.content.decode()
    assert "could not be sent" in caplog.text


def test_links_for_passwords_are_limited(stranger: User) -> None:
    client = Client()
    for _ in range(7):
        response = client.post(reverse("account_reset_password"), {"email": "stan@example.com"})
    assert response.status_code == 429
    assert f'<a class="btn" href="{reverse("home")}">' in response.content.decode()
    assert len(mail.outbox) == 5


# Changing password and e-mail


def test_people_change_their_password_with_the_old_one(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    form = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = client.post(reverse("account_change_password"), form)
    assert "This is not your current password." in response.content.decode()
    client.post(reverse("account_change_password"), form | {"oldpassword": PASSWORD})
    assert client.get(reverse("profile")).status_code == 200
    assert sign_in("stan", NEW_PASSWORD).status_code == 302


@pytest.mark.parametrize("password", ["short", "1234567890123", "password1234", "stan@example.com"])
def test_weak_passwords_are_refused(stranger: User, browse: Browse, password: str) -> None:
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    response = browse(stranger).post(reverse("account_change_password"), form)
    assert "password1" in response.context["form"].errors


def change_email(client: Client, email: str) -> Any:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.post(reverse("account_email"), {"email": email, "action_add": ""}, follow=True)


def test_changing_ones_email_asks_for_the_password_again(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    response = client.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not mail.outbox


def test_a_new_email_counts_once_it_is_proven(stranger: User, browse: Browse) -> None:
    client = browse(stranger)
    page = change_email(client, "new@example.com")
    assert "We sent a mail to new@example.com." in page.content.decode()
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
        assert "We sent a mail to new@example.com." in client.get(reverse("account_email")).content.decode()


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


def test_of_two_who_prove_one_address_at_once_the_second_is_told(
    stranger: User, make_person: Any, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(stranger)
    change_email(client, "wanted@example.com")
    make_person("ada", email="wanted@example.com")
    monkeypatch.setattr(accounts, "find_by_email", lambda address: None)  # the look that came too early
    response = client.post(link_in(mail.outbox[0]), follow=True)
    assert "belongs to another account" in response.content.decode()
    assert User.objects.get(pk=stranger.pk).email == "stan@example.com"


def test_who_gets_the_password_wrong_goes_on_with_the_password(stranger: User) -> None:
    def focused(html: str) -> list[str]:
        return [name for name in ("login", "password") if re.search(rf'<input[^>]*name="{name}"[^>]*autofocus', html)]

    assert focused(Client().get(reverse("account_login")).content.decode()) == ["login"]
    again = sign_in("stan", "wrong").content.decode()
    assert focused(again) == ["password"]
    assert 'value="stan"' in again
    assert focused(sign_in("", "wrong").content.decode()) == ["login"]
