"""Editing one person, and adding one, from click to result."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.admin_pages import USERS, user_page
from tests.browser.conftest import session_of
from tests.browser.helpers import PHONE, arrive, assert_good, link_in_last_mail, path_of, press, says
from tests.data import images
from users_profiles import avatars
from users_profiles.models import User


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    """A picture as a camera writes it: turned, and with the place where it was taken."""
    path = tmp_path / "portrait.jpg"
    path.write_bytes(images.from_a_camera(6))
    return path


def test_an_editor_gives_somebody_a_picture_and_takes_it_away_again(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], portrait: Path
) -> None:
    ada = make_person("ada", first_name="Ada", last_name="Lovelace", location="London")
    page = open_page(USERS, person=editor)
    row = page.get_by_role("row", name="Ada Lovelace")
    assert row.locator(".avatar img").count() == 0  # initials
    row.get_by_role("link").click()

    page.locator("input[type=file]").set_input_files(portrait)
    expect(page.get_by_role("dialog", name="Choose the part to show")).to_be_visible()
    assert_good(page)
    press(page, "Use this part")
    expect(page.locator("[data-avatar-preview] canvas")).to_be_visible()
    expect(page.locator("[data-avatar-status]")).to_have_text("portrait.jpg")
    page.get_by_label("Location").fill("Paris")
    press(page, "Save")

    arrive(page, USERS)
    says(page, "Ada Lovelace")
    thumbnail = page.get_by_role("row", name="Ada Lovelace").locator(".avatar img")
    expect(thumbnail).to_be_visible()
    page.wait_for_function("image => image.naturalWidth > 0", arg=thumbnail.element_handle())
    ada.profile.refresh_from_db()
    assert ada.profile.location == "Paris"
    with ada.profile.avatar.open() as stored:
        kept = images.opened(stored.read())
    assert kept.height == kept.width
    assert not kept.getexif()

    page.get_by_role("row", name="Ada Lovelace").get_by_role("link").click()
    page.get_by_label("Remove the picture").check()
    expect(page.locator("[data-avatar-status]")).to_have_text("The picture goes when you save.")
    press(page, "Save")
    arrive(page, USERS)
    assert page.get_by_role("row", name="Ada Lovelace").locator(".avatar img").count() == 0
    ada.profile.refresh_from_db()
    assert not ada.profile.avatar


def test_a_picture_as_large_as_telephones_take_them_is_made_smaller_before_it_is_sent(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    ada = make_person("ada")
    large = tmp_path / "holiday.png"
    large.write_bytes(images.picture(size=(6000, 4000)))
    assert avatars.MAX_PIXELS < 6000 * 4000
    page = open_page(user_page(ada), person=editor)
    page.locator("input[type=file]").set_input_files(large)
    press(page, "Use this part")
    expect(page.locator("[data-avatar-status]")).to_have_text("holiday.jpg")
    press(page, "Save")
    arrive(page, USERS)
    ada.profile.refresh_from_db()
    with ada.profile.avatar.open() as stored:
        assert images.opened(stored.read()).width > 500


def test_what_is_too_large_and_no_picture_is_refused_before_it_is_sent(
    open_page: Callable[..., Page], editor: User, stranger: User, tmp_path: Path
) -> None:
    film = tmp_path / "film.jpg"
    film.write_bytes(bytes(avatars.MAX_BYTES + 1))
    page = open_page(user_page(stranger), person=editor)
    page.locator("input[type=file]").set_input_files(film)
    expect(page.locator("[data-avatar-status]")).to_have_text("This file is larger than 10 MB.")
    assert page.locator("input[type=file]").evaluate("input => input.files.length") == 0


def test_a_picture_is_dragged_onto_the_circle_and_cut_by_keys_and_by_hand(
    open_page: Callable[..., Page], editor: User, stranger: User
) -> None:
    page = open_page(user_page(stranger), person=editor)
    halves = base64.b64encode(images.encoded(images.two_halves((400, 200)))).decode()
    dropped = page.evaluate_handle(
        """data => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "halves.png", {type: "image/png"}));
            return transfer;
        }""",
        halves,
    )
    target = page.locator("[data-avatar-drop]")
    target.dispatch_event("dragover", {"dataTransfer": dropped})
    target.dispatch_event("drop", {"dataTransfer": dropped})
    dialog = page.get_by_role("dialog", name="Choose the part to show")
    expect(dialog.locator("canvas")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("ArrowLeft")  # until its right half is all there is to see
    page.keyboard.press("+")
    page.keyboard.press("Enter")  # takes the part, and does not send the form
    expect(dialog).to_be_hidden()
    cut = page.locator("[data-avatar-cut]")
    left, _top, side = map(float, cut.input_value().split())
    assert left > 0.5
    assert side < 1

    press(page, "Choose the part")
    box = dialog.locator("canvas").bounding_box()
    assert box
    x, y = box["x"] + 40, box["y"] + 40
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=3)
    page.mouse.up()
    before = cut.input_value()
    press(page, "Use this part")
    assert float(cut.input_value().split()[0]) < left
    assert cut.input_value() != before

    press(page, "Choose the part")
    page.keyboard.press("Escape")  # what was chosen stays
    expect(page.locator("[data-avatar-preview] canvas")).to_be_visible()
    press(page, "Save")
    arrive(page, USERS)
    stranger.profile.refresh_from_db()
    with stranger.profile.avatar.open() as stored:
        kept = images.opened(stored.read())
    assert kept.width == kept.height < 200
    assert images.near(kept.getpixel((kept.width - 3, 3)), images.BLUE)


def test_what_was_typed_is_not_lost_by_leaving_and_nobody_is_asked_after_saving(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User]
) -> None:
    ada = make_person("ada", first_name="Ada", last_name="Aa", location="Berlin")
    make_person("ben", first_name="Ben", last_name="Bb", location="Berlin")
    make_person("cem", first_name="Cem", last_name="Cc", location="Paris")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page = open_page(f"{USERS}?location=Berlin", person=editor)
    page.on("dialog", stay)
    page.get_by_role("link", name="Ada Aa").click()
    arrive(page, user_page(ada))
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ben Bb")
    expect(page.get_by_role("link", name="Next person")).to_have_count(0)  # Cem is of Paris
    page.get_by_role("link", name="Previous person: Ada Aa").click()
    arrive(page, user_page(ada))
    assert asked == []

    page.get_by_label("Location").fill("Bern")
    page.get_by_role("link", name="Next person: Ben Bb").click()
    page.evaluate("history.back()")
    page.wait_for_timeout(300)
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] * 3
    assert path_of(page) == user_page(ada)
    assert page.get_by_label("Location").input_value() == "Bern"
    press(page, "Save")
    page.wait_for_url("**?location=Berlin")
    assert len(asked) == 3


def test_a_mistake_is_named_on_top_and_leads_to_its_field(
    open_page: Callable[..., Page], editor: User, stranger: User
) -> None:
    page = open_page(user_page(stranger), person=editor)
    page.get_by_label("Phone number").fill("call me")
    page.get_by_label("First name").fill("Stanley")
    press(page, "Save")
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    assert_good(page)
    assert page.get_by_label("First name").input_value() == "Stanley"
    summary.get_by_role("link", name="Phone number").click()
    expect(page.get_by_label("Phone number")).to_be_focused()
    stranger.refresh_from_db()
    assert stranger.first_name == "Stan"


def test_an_admin_adds_somebody_who_then_chooses_a_password_and_is_in(
    open_page: Callable[..., Page], admin: User
) -> None:
    page = open_page(USERS, person=admin)
    page.get_by_role("link", name="Add person").click()
    assert page.locator("input[type=password]").count() == 0
    for label, value in {"First name": "Grace", "Last name": "Hopper", "E-mail": "grace@example.com"}.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Role").select_option("Reader")
    expect(page.get_by_label("Send an invitation")).to_be_checked()
    press(page, "Save")
    page.wait_for_url("**/change/")
    says(page, "Grace Hopper was added. An invitation is on its way.")
    grace = User.objects.get(username="grace")
    assert (grace.role, grace.is_staff, grace.has_usable_password()) == ("Reader", True, False)
    assert [message.to for message in mail.outbox] == [["grace@example.com"]]

    hers = open_page(link_in_last_mail(), size=PHONE)
    assert_good(hers)
    hers.get_by_label("New password", exact=True).fill("another-fine-battery")
    hers.get_by_label("New password, once more").fill("another-fine-battery")
    press(hers, "Save the password and sign in")
    arrive(hers, reverse("admin:index"))
    grace.refresh_from_db()
    assert grace.check_password("another-fine-battery")


def test_somebody_without_an_email_cannot_be_invited_and_nothing_typed_is_lost(
    open_page: Callable[..., Page], admin: User
) -> None:
    page = open_page(reverse("admin:users_profiles_user_add"), person=admin)
    page.get_by_label("Username").fill("nomail")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_be_focused()
    assert "An invitation needs an e-mail." in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Username").input_value() == "nomail"
    page.get_by_label("Send an invitation").uncheck()
    press(page, "Save")
    page.wait_for_url("**/change/")
    assert User.objects.filter(username="nomail").exists()
    assert mail.outbox == []


def test_deleting_asks_first_and_cancel_deletes_nobody(
    open_page: Callable[..., Page], admin: User, stranger: User
) -> None:
    page = open_page(user_page(stranger), person=admin)
    page.get_by_text("Personal data, deleting").click()
    assert_good(page)
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("link", name="Cancel").click()
    arrive(page, user_page(stranger))
    assert User.objects.filter(pk=stranger.pk).exists()
    page.get_by_text("Personal data, deleting").click()
    page.get_by_role("link", name="Delete").click()
    press(page, "Delete")
    arrive(page, USERS)
    assert not User.objects.filter(pk=stranger.pk).exists()


def test_without_script_a_picture_is_chosen_and_every_section_opens(
    open_page: Callable[..., Page], admin: User, stranger: User, portrait: Path
) -> None:
    page = open_page(user_page(stranger), person=admin, scripts=False)
    for nothing in ("Go to", "Choose the part", "Use this part"):
        expect(page.get_by_role("button", name=nothing)).to_be_hidden()
    page.get_by_text("Personal data, deleting").click()
    expect(page.get_by_role("link", name="Erase this person")).to_be_visible()
    page.locator("input[type=file]").set_input_files(portrait)
    press(page, "Save")
    arrive(page, USERS)
    stranger.profile.refresh_from_db()
    with stranger.profile.avatar.open() as stored:
        kept = images.opened(stored.read())
    assert kept.height > kept.width  # all of it, upright


@pytest.mark.parametrize("is_phone", [False, True], ids=["with a mouse", "with a finger"])
def test_dragging_is_spoken_of_where_something_can_be_dragged(
    browser: Browser, live_server: Any, editor: User, stranger: User, is_phone: bool
) -> None:
    context = browser.new_context(base_url=live_server.url, is_mobile=is_phone, has_touch=is_phone)
    context.add_cookies([{**session_of(editor), "url": live_server.url}])
    page = context.new_page()
    page.goto(user_page(stranger))
    expect(page.get_by_text("Choose a picture")).to_be_visible()
    expect(page.get_by_text("or drag one onto the circle")).to_be_visible(visible=not is_phone)
    context.close()
