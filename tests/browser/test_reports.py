"""Reports: saved from a list, opened, downloaded, mailed, and printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.admin_pages import USERS
from tests.browser.helpers import PHONE, arrive, assert_good, link_in_last_mail, press, says
from tests.data import images
from users_profiles.models import Report, User

LIST = reverse("admin:users_profiles_report_changelist")


def test_a_list_becomes_a_report_that_is_opened_downloaded_and_deleted(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    make_person("ada", last_name="Lovelace", location="London")
    make_person("elsewhere", location="Paris")
    page = open_page(LIST, person=editor)
    expect(page.get_by_text("No reports yet.")).to_be_visible()
    page.goto(f"{USERS}?location=London")
    page.locator(".views-menu summary").click()
    page.get_by_label("Save this view as").fill("Londoners")
    press(page, "Save and have it mailed")
    says(page, "“Londoners” is saved.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Londoners")
    expect(page.get_by_label("Send it by mail")).to_have_value("week")
    page.get_by_label("Send it by mail").select_option("")
    page.get_by_label("Format").select_option("csv")
    page.get_by_role("button", name="Move E-mail up").click()
    press(page, "Save")
    says(page, "Londoners was saved.")
    expect(page.get_by_role("heading", name="1 person")).to_be_visible()
    with page.expect_download() as started:
        press(page, "Download CSV")
    path = tmp_path / started.value.suggested_filename
    assert path.name.startswith("londoners-")
    started.value.save_as(path)
    [row] = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    assert list(row)[:3] == ["username", "first_name", "email"]
    assert row["username"] == "ada"

    page.goto(USERS)
    page.locator(".views-menu summary").click()
    page.get_by_role("link", name="Londoners").click()
    expect(page.locator(".current-view")).to_have_text("Londoners")
    page.locator(".views-menu summary").click()
    page.get_by_role("link", name="Share it or have it mailed").click()
    expect(page.get_by_text("Location: London")).to_be_visible()
    page.get_by_role("link", name="Change in the list").click()
    page.get_by_role("link", name="Remove filter location: London").click()
    page.locator(".filter > details > summary", has_text="Location").click()
    page.get_by_role("link", name="Paris", exact=True).click()
    press(page, "Update “Londoners”")
    says(page, "“Londoners” is updated.")
    expect(page.get_by_role("button", name="Update “Londoners”")).to_have_count(0)
    page.locator(".views-menu summary").click()
    page.get_by_label("Name of this view").fill("Parisians")
    press(page, "Rename")
    says(page, "“Londoners” is called “Parisians” now.")
    page.locator(".views-menu summary").click()
    page.get_by_role("link", name="Open as a report").click()
    expect(page.get_by_role("cell", name="elsewhere", exact=True)).to_be_visible()
    page.get_by_role("link", name="Delete", exact=True).click()
    press(page, "Delete")
    arrive(page, LIST)
    assert not Report.objects.exists()


def test_a_schedule_asks_only_for_what_it_needs_and_its_mail_leads_to_the_file(
    open_page: Callable[..., Page], admin: User, editor: User, tmp_path: Path
) -> None:
    page = open_page(reverse("admin:users_profiles_report_add"), person=admin, size=PHONE)
    expect(page.get_by_label("At", exact=True)).to_be_hidden()
    page.get_by_label("Send it by mail").select_option("Every month")
    expect(page.get_by_label("On day")).to_be_visible()
    page.get_by_label("Send it by mail").select_option("Every week")
    expect(page.get_by_label("On day")).to_be_hidden()
    page.get_by_label("On", exact=True).select_option("Friday")
    assert_good(page)
    page.get_by_label("Name", exact=True).fill("Everybody")
    page.get_by_label("Alice Admin").uncheck()  # who makes it is proposed
    press(page, "Save")
    expect(page.get_by_text("Choose who is to get it.")).to_be_visible()
    search = page.get_by_label("Find staff")
    search.fill("nobody")
    expect(page.get_by_text("Nobody on the staff is called that.")).to_be_visible()
    search.fill("edi edg")
    expect(page.get_by_label("Alice Admin")).to_be_hidden()
    search.press("Enter")  # saves nothing
    search.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    search.fill("alice")
    expect(page.get_by_label("Edgar Editor")).to_be_checked()
    expect(page.get_by_label("Edgar Editor")).to_be_visible()
    press(page, "Save")
    says(page, "Everybody was saved.")
    expect(page.get_by_text("Every Friday at 06:00")).to_be_visible()
    press(page, "Send now")
    says(page, "It is on its way to 1 person.")
    assert mail.outbox[-1].to == [editor.email]
    expect(page.get_by_role("region", name="Mails").get_by_text("Sent")).to_be_visible()
    theirs = open_page(link_in_last_mail(), person=editor)
    with theirs.expect_download() as started:
        theirs.get_by_role("link", name="Download").click()
    assert started.value.suggested_filename.startswith("everybody-")


def test_among_many_staff_a_name_is_typed_and_the_server_asked(
    open_page: Callable[..., Page], admin: User, editor: User, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_profiles.reports.forms.MANY", 1)
    page = open_page(reverse("admin:users_profiles_report_add"), person=admin)
    page.get_by_label("Name", exact=True).fill("Everybody")
    page.get_by_label("Send it by mail").select_option("Every day")
    expect(page.get_by_label("And to")).to_be_hidden()
    for name, typed in (("Edgar Editor", "edg"), ("Alice Admin", "min ali")):
        page.get_by_label("Find staff").fill(typed)
        page.get_by_label(name).check()
    expect(page.get_by_label("Rita Reader")).to_have_count(0)
    assert_good(page)
    press(page, "Save")
    says(page, "Everybody was saved.")
    assert set(Report.objects.get().recipients.all()) == {editor, admin}


def test_changes_are_shown_old_beside_new_and_by_what_happened(
    open_page: Callable[..., Page], admin: User, ada: User
) -> None:
    ada.profile.location = "Paris"
    ada.save()
    report = Report.objects.create(name="Changes", owner=admin, kind="changes", columns=["location"])
    page = open_page(reverse("admin:users_profiles_report_change", args=[report.pk]), person=admin, size=PHONE)
    page.get_by_role("link", name="Changed").click()
    row = page.get_by_role("row", name="Paris").first
    expect(row.locator("ins")).to_have_text("Paris")
    assert_good(page)


def test_a_directory_prints_on_a4_without_the_frame_and_never_breaks_within_a_person(
    open_page: Callable[..., Page], editor: User, make_person: Callable[..., User], tmp_path: Path
) -> None:
    for at in range(60):
        make_person(f"p{at:02}", first_name=f"Number{at:02}", location="Berlin", phone_number="+4930123456")
    person = make_person("ada", first_name="Ada", last_name="Lovelace", location="London")
    person.profile.avatar.save("ada.png", ContentFile(images.picture(size=(300, 300))))
    page = open_page(reverse("admin:users_profiles_directory"), person=editor, dark=True)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.wait_for_load_state("networkidle")
    picture = page.locator(".place img")
    assert picture.get_attribute("loading") == "eager"
    page.emulate_media(media="print")
    for selector in (".sidebar", ".topbar", ".toolbar-actions", ".breadcrumbs"):
        expect(page.locator(selector).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.place tr')).breakInside") == "avoid"
    printed: Any = page.pdf(path=str(tmp_path / "directory.pdf"), prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 3
    assert b"/MediaBox [0 0 594" in printed or b"/MediaBox [0 0 595" in printed
