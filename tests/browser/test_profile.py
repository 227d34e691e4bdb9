"""One's own profile, on the phone in one's pocket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import PHONE, WIDE, arrive, assert_good, press, says
from tests.data import images
from users_profiles.models import User


def test_somebody_completes_their_profile_on_a_phone(
    open_page: Callable[..., Page], stranger: User, tmp_path: Path
) -> None:
    picture = tmp_path / "me.jpg"
    picture.write_bytes(images.picture("JPEG", (600, 400)))
    page = open_page(reverse("profile"), person=stranger, size=PHONE)
    page.get_by_role("paragraph").filter(has_text="To complete your profile").get_by_role(
        "link", name="Location"
    ).click()
    expect(page).to_have_url(page.url.split("#")[0] + "#id_location")
    page.get_by_label("Location").fill("Lisbon")
    page.get_by_label("Phone number").fill("+351 911 234 567")
    page.get_by_label("About").fill("Rides a cargo bike.")
    page.locator("input[type=file]").set_input_files(picture)
    assert_good(page)
    press(page, "Use this part")
    expect(page.locator("[data-avatar-preview] canvas")).to_be_visible()
    press(page, "Save")

    arrive(page, reverse("profile"))
    says(page, "Your profile is saved.")
    assert page.get_by_text("complete your profile").count() == 0
    assert page.locator(".profile-head .avatar img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    expect(page.get_by_role("link", name="+351 911 234 567")).to_have_attribute("href", "tel:+351911234567")
    stranger.profile.refresh_from_db()
    assert stranger.profile.location == "Lisbon"
    assert stranger.profile.avatar
    assert_good(page)


def test_a_mistake_stands_beside_its_field_and_keeps_what_was_typed(
    open_page: Callable[..., Page], stranger: User, tmp_path: Path
) -> None:
    broken = tmp_path / "me.png"
    broken.write_bytes(images.picture()[:60])
    page = open_page(reverse("profile_edit"), person=stranger, size=PHONE)
    page.get_by_label("Phone number").fill("call me")
    page.get_by_label("Location").fill("Lisbon")
    page.locator("input[type=file]").set_input_files(broken)
    press(page, "Use this part")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.get_by_label("Location").input_value() == "Lisbon"
    expect(page.get_by_label("Phone number")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[id$=_error]")).to_have_count(2)
    assert_good(page)
    page.get_by_role("alert").get_by_role("link", name="Phone number").click()
    expect(page.get_by_label("Phone number")).to_be_focused()
    stranger.profile.refresh_from_db()
    assert stranger.profile.location == ""


@pytest.mark.parametrize("language", ["de", "fr", "es"])
def test_a_picture_is_cut_whatever_the_language_writes_in_its_numbers(
    open_page: Callable[..., Page], stranger: User, tmp_path: Path, language: str
) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(images.encoded(images.two_halves((600, 400))))
    stranger.language = language
    stranger.save(update_fields=["language"])
    page = open_page(reverse("profile_edit"), person=stranger)
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_role("dialog").locator("canvas")).to_be_focused()
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    left, _top, side = map(float, page.locator("[data-avatar-cut]").input_value().split())
    assert 0 < left < 0.5 < side < 1
    page.locator("form[data-unsaved] [type=submit]").click()
    arrive(page, reverse("profile"))
    stranger.profile.refresh_from_db()
    assert stranger.profile.avatar


@pytest.mark.parametrize(("size", "scripts"), [(WIDE, True), (PHONE, True), (PHONE, False)])
def test_a_chosen_picture_outlives_a_mistake_in_another_field(
    open_page: Callable[..., Page], stranger: User, tmp_path: Path, size: tuple[int, int], scripts: bool
) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(images.encoded(images.two_halves((600, 400))))
    page = open_page(reverse("profile_edit"), person=stranger, size=size, scripts=scripts)
    page.locator("input[type=file]").set_input_files(picture)
    if scripts:
        press(page, "Use this part")
    page.get_by_label("Phone number").fill("call me")
    press(page, "Save")

    expect(page.locator("[id$=_error]")).to_have_count(1)
    expect(page.locator("[data-avatar-status]")).to_have_text("The picture you chose is kept, and saved with the rest.")
    seen = page.locator("[data-avatar-preview] img")
    assert seen.evaluate("image => image.decode().then(() => image.naturalWidth)") == 192
    if scripts:
        assert_good(page)
        page.locator("input[type=file]").set_input_files(picture)
        press(page, "Cancel")  # thought better of another one: the first is still there
        expect(seen).to_be_visible()
        expect(page.locator("[data-avatar-status]")).to_contain_text("is kept")
    page.get_by_label("Phone number").fill("")
    press(page, "Save")
    arrive(page, reverse("profile"))
    stranger.profile.refresh_from_db()
    with stranger.profile.avatar.open() as stored:
        kept = images.opened(stored.read())
    assert kept.size == ((400, 400) if scripts else (512, 341))
