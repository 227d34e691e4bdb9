"""The second step and passkeys, with an authenticator that Chromium makes up, and staff who must set one up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import arrive, assert_good, press, says
from tests.people import PASSWORD
from users_profiles.models import User


def plug_in_authenticator(page: Page) -> None:
    """A telephone's or laptop's own: it keeps passkeys and knows its owner by a fingerprint."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_in(page: Page, person: User) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("Username or e-mail").fill(person.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")


def sign_out(page: Page) -> None:
    page.get_by_text("Your menu").locator("xpath=..").click()
    press(page, "Sign out")
    arrive(page, reverse("account_login"))


def set_up_app(page: Page) -> str:
    """Read the key that the page shows beside the picture, and type the code that an app makes of it."""
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_alt_text("QR code of the key below")).to_be_visible()
    page.get_by_text("I cannot scan it").click()
    secret = page.locator(".secret").inner_text()
    assert_good(page)
    page.get_by_label("Code from the app").fill(code_for(secret))
    press(page, "Turn on")
    arrive(page, reverse("mfa_view_recovery_codes"))
    return secret


def code_for(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def test_somebody_sets_up_an_app_keeps_the_codes_and_signs_in_by_one(
    stranger: User, page: Page, tmp_path: Path
) -> None:
    sign_in(page, stranger)
    arrive(page, reverse("profile"))
    page.get_by_text("Your menu").locator("xpath=..").click()
    page.get_by_role("link", name="Two-step sign-in").click()
    set_up_app(page)
    says(page, "shown only this once")
    assert_good(page)
    codes = page.locator(".codes code").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "codes.txt")
    assert (tmp_path / "codes.txt").read_text().split() == codes
    assert len(codes) == 10

    sign_out(page)
    sign_in(page, stranger)
    arrive(page, reverse("mfa_authenticate"))
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type("00000000")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert_good(page)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    arrive(page, reverse("profile"))


def test_a_passkey_is_added_used_as_second_step_and_in_place_of_the_password(stranger: User, page: Page) -> None:
    sign_in(page, stranger)
    arrive(page, reverse("profile"))
    plug_in_authenticator(page)
    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My laptop")
    page.keyboard.press("Enter")
    arrive(page, reverse("mfa_view_recovery_codes"))
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My laptop", exact=True).first).to_be_visible()
    assert_good(page)

    sign_out(page)
    sign_in(page, stranger)
    arrive(page, reverse("mfa_authenticate"))
    press(page, "Use a passkey")
    arrive(page, reverse("profile"))

    sign_out(page)
    press(page, "Sign in with a passkey")
    arrive(page, reverse("profile"))

    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("Old laptop")
    press(page, "Save")
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove “Old laptop”?")
    press(page, "Remove")
    says(page, "The passkey is removed.")
    assert not Authenticator.objects.exists()


def test_a_browser_without_a_passkey_for_us_says_so(stranger: User, page: Page) -> None:
    plug_in_authenticator(page)
    page.goto(reverse("account_login"))
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("status")).to_have_text("That did not work. Try again, or use another way.")
    assert_good(page)


def test_staff_are_led_to_set_one_up_and_then_the_back_office_opens(editor: User, page: Page, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    sign_in(page, editor)
    arrive(page, reverse("mfa_index"))
    says(page, "The back office opens to you once you have set up an app or a passkey.")
    assert_good(page)
    set_up_app(page)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Go to the dashboard").click()
    arrive(page, reverse("admin:index"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")


def test_somebody_signs_out_everywhere_else(stranger: User, open_page: Callable[..., Page]) -> None:
    here, there = open_page(), open_page()
    for page in (there, here):
        sign_in(page, stranger)
        arrive(page, reverse("profile"))
    here.get_by_text("Your menu").locator("xpath=..").click()
    here.get_by_role("link", name="Where you are signed in").click()
    expect(here.get_by_text("This browser")).to_have_count(1)
    expect(here.locator(".places li")).to_have_count(2)
    assert_good(here)
    press(here, "Sign out everywhere else")
    says(here, "You are signed out everywhere else.")
    there.goto(reverse("profile"))
    arrive(there, reverse("account_login"))


def test_a_role_is_given_by_password_when_the_sign_in_is_old_and_nothing_typed_is_lost(
    admin: User, stranger: User, open_page: Callable[..., Page], settings: Any
) -> None:
    settings.REAUTHENTICATE_AFTER = 0  # every sign-in is old
    page = open_page(reverse("admin:users_profiles_user_change", args=[stranger.pk]), person=admin)
    assert_good(page)
    page.get_by_label("Role", exact=True).select_option("Editor")
    page.get_by_label("Last name").fill("Typed")
    press(page, "Save")
    page.get_by_role("alert").first.wait_for()
    assert_good(page)
    expect(page.get_by_label("Last name")).to_have_value("Typed")
    settings.REAUTHENTICATE_AFTER = 1800
    page.get_by_label("Your own password").fill(PASSWORD)
    press(page, "Save")
    arrive(page, reverse("admin:users_profiles_user_changelist"))
    stranger = User.objects.get(pk=stranger.pk)
    assert (stranger.role, stranger.last_name) == ("Editor", "Typed")
