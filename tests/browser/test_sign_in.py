"""Signing in, as somebody does who has never been here, or who has forgotten the password."""

from __future__ import annotations

from collections.abc import Callable

from django.core import mail
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import arrive, assert_good, link_in_last_mail, path_of, press
from tests.people import PASSWORD
from users_profiles.models import User

NEW_PASSWORD = "another-fine-battery"


def type_and_send(page: Page, login: str, password: str) -> None:
    """With the keyboard alone, from where the page puts the cursor."""
    expect(page.get_by_label("Username or e-mail")).to_be_focused()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_somebody_gets_the_password_wrong_then_right_with_the_keyboard_alone(stranger: User, page: Page) -> None:
    page.goto(reverse("profile"))
    assert path_of(page) == reverse("account_login")
    hints = {"Username or e-mail": "username", "Password": "current-password"}
    for label, hint in hints.items():
        expect(page.get_by_label(label, exact=True)).to_have_attribute("autocomplete", hint)
    type_and_send(page, stranger.username, "wrong")

    page.get_by_role("alert").wait_for()
    assert_good(page)
    assert page.get_by_label("Username or e-mail").input_value() == stranger.username
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    arrive(page, reverse("profile"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Stan Stranger")


def test_staff_land_where_they_wanted_to_go(editor: User, page: Page) -> None:
    wanted = reverse("admin:users_profiles_user_changelist") + "?role=Editor"
    page.goto(wanted)
    assert path_of(page) == reverse("account_login")
    page.get_by_label("Username or e-mail").fill(editor.email.upper())
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    page.wait_for_url("**" + wanted)
    expect(page.get_by_role("link", name="Edgar Editor")).to_be_visible()


def test_registration_is_closed_and_says_whom_to_ask(page: Page) -> None:
    page.goto(reverse("account_login"))
    assert page.get_by_role("link", name="Register").count() == 0
    page.goto(reverse("account_signup"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Registration is closed")
    assert page.get_by_role("button", name="Register").count() == 0
    page.get_by_role("link", name="Sign in").click()
    assert path_of(page) == reverse("account_login")


def test_a_forgotten_password_is_set_anew_by_mail(stranger: User, page: Page, open_page: Callable[..., Page]) -> None:
    page.goto(reverse("account_login"))
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill(stranger.email)
    press(page, "Send the link")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look in your mailbox")
    assert mail.outbox[-1].to == [stranger.email]

    elsewhere = open_page()  # the mail is opened on another device
    elsewhere.goto(link_in_last_mail())
    elsewhere.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    elsewhere.get_by_label("New password, once more").fill(NEW_PASSWORD)
    press(elsewhere, "Save the password and sign in")
    arrive(elsewhere, reverse("profile"))
    stranger.refresh_from_db()
    assert stranger.check_password(NEW_PASSWORD)

    page.goto(reverse("account_login"))
    type_and_send(page, stranger.username, PASSWORD)
    page.get_by_role("alert").wait_for()
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.keyboard.press("Enter")
    arrive(page, reverse("profile"))


def test_signing_out_ends_it(stranger: User, open_page: Callable[..., Page]) -> None:
    page = open_page(reverse("profile"), person=stranger)
    page.get_by_text("Your menu").locator("xpath=..").click()
    press(page, "Sign out")
    arrive(page, reverse("account_login"))
    page.goto(reverse("profile"))
    assert path_of(page) == reverse("account_login")
