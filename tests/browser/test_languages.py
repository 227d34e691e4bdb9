"""Choosing a language before one is known, and another one afterwards; the longest words still fit a phone."""

from __future__ import annotations

from collections.abc import Callable

from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.helpers import PHONE, SCROLLS_BY, arrive, assert_good, press, says
from tests.importing import apply
from tests.people import PASSWORD
from users_profiles.models import User
from users_profiles.transfer import tasks

STAFF_PAGES = ("index", "users_profiles_user_changelist", "users_profiles_user_import", "users_profiles_user_export")


def test_somebody_signs_in_in_german_and_goes_on_in_spanish(open_page: Callable[..., Page], admin: User) -> None:
    page = open_page(reverse("account_login"), person=None, size=PHONE, zone="America/Mexico_City")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")
    assert_good(page)
    page.get_by_label("Benutzername oder E-Mail").fill(admin.username)
    page.get_by_label("Passwort", exact=True).fill(PASSWORD)
    press(page, "Anmelden")

    arrive(page, reverse("admin:index"))
    admin.refresh_from_db()
    assert admin.time_zone == "America/Mexico_City"  # as the browser says, until chosen
    for name in STAFF_PAGES:
        page.goto(reverse(f"admin:{name}"))
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.evaluate(SCROLLS_BY) == 0, name

    page.goto(reverse("profile_language"))
    page.get_by_label("Sprache").select_option(label="Español")
    page.get_by_label("Zeitzone").select_option(label="Madrid")
    press(page, "Speichern")
    arrive(page, reverse("profile"))
    says(page, "El idioma y la zona horaria")
    admin.refresh_from_db()
    assert (admin.language, admin.time_zone) == ("es", "Europe/Madrid")


def test_a_button_that_is_a_whole_sentence_fits_a_phone(open_page: Callable[..., Page], admin: User) -> None:
    job = apply("username\nada\nbob\n", admin)
    assert job.start_undo(admin, write=False)
    tasks.run(job)
    admin.language = "de"
    admin.save()
    page = open_page(reverse("admin:users_profiles_import_undo", args=[job.pk]), person=admin, size=PHONE)
    expect(page.get_by_role("button", name="Rückgängig machen: 2 entfernen")).to_be_visible()
    assert page.evaluate(SCROLLS_BY) == 0
