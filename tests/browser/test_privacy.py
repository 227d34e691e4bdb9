"""Two people at one record, what is held about somebody, and erasing them: in browsers (checks F1 and E4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS, user_page
from tests.browser.helpers import PHONE, WIDE, arrive, assert_good, press, says
from users_profiles.models import User


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_f1_the_second_to_save_sees_both_values_side_by_side_and_chooses(
    open_page: Callable[..., Page], superuser: User, admin: User, ada: User, scripts: bool
) -> None:
    second = open_page(user_page(ada), person=superuser, scripts=scripts)
    first = open_page(user_page(ada), person=admin)
    first.get_by_label("Last name").fill("King")
    first.get_by_label("Location").fill("Paris")
    first.get_by_label("About").fill("Countess")
    press(first, "Save")
    arrive(first, USERS)

    second.get_by_label("Last name").fill("Byron")
    second.get_by_label("Location").fill("Rome")
    second.get_by_label("First name").fill("Augusta")
    press(second, "Save")
    asked = second.get_by_role("group", name="Alice Admin changed this while you were editing")
    expect(asked).to_have_count(2)
    expect(second.get_by_label("First name")).to_have_value("Augusta")
    expect(second.get_by_label("Last name")).to_have_value("Byron")
    asked.nth(0).get_by_label("Keep mine").check()
    asked.nth(1).get_by_label("Take theirs").check()
    press(second, "Save")
    arrive(second, USERS)
    says(second, "While you were editing, Alice Admin changed this, and it stays: About: Countess.")
    now = User.objects.with_profile().get(pk=ada.pk)
    assert (now.first_name, now.last_name) == ("Augusta", "Byron")
    assert (now.profile.location, now.profile.bio) == ("Paris", "Countess")


@pytest.mark.parametrize(("size", "dark"), [(WIDE, False), (PHONE, True)], ids=["wide", "phone, dark"])
def test_f1_ones_own_profile_asks_just_so(
    open_page: Callable[..., Page], admin: User, ada: User, size: tuple[int, int], dark: bool
) -> None:
    own = open_page(reverse("profile_edit"), person=ada, size=size, dark=dark)
    staff = open_page(user_page(ada), person=admin)
    staff.get_by_label("Location").fill("Paris")
    press(staff, "Save")
    arrive(staff, USERS)
    own.get_by_label("Location").fill("Rome")
    press(own, "Save")
    asked = own.get_by_role("group", name="Alice Admin changed this")
    expect(asked).to_contain_text("Before both of you: London")
    assert_good(own)
    asked.get_by_label("Take theirs").focus()
    own.keyboard.press("Space")
    press(own, "Save")
    arrive(own, reverse("profile"))
    expect(own.get_by_text("Paris")).to_be_visible()


def test_a_person_is_erased_by_typing_who_it_is(open_page: Callable[..., Page], admin: User, ada: User) -> None:
    page = open_page(user_page(ada), person=admin)
    page.get_by_text("Personal data, deleting").click()
    page.get_by_role("link", name="Erase this person").click()
    assert_good(page)
    page.get_by_label("Their username").fill("adam")
    press(page, "Erase")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Their username").fill("ada")
    press(page, "Erase")
    arrive(page, USERS)
    says(page, f"Erased person {ada.pk}: nothing that tells who it was is kept.")
    assert not User.objects.filter(username="ada").exists()


def test_everybody_downloads_what_is_held_about_them(open_page: Callable[..., Page], ada: User) -> None:
    page = open_page(reverse("profile"), person=ada)
    page.get_by_role("link", name="All that is held about you").click()
    assert_good(page)
    with page.expect_download() as download:
        press(page, "Download")
    assert download.value.suggested_filename.startswith("all-we-hold-")
    assert download.value.path().read_bytes()[:2] == b"PK"
