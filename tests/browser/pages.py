"""Every page there is, by the name of its address: who looks at it, and how they come there.

What has an address and shows no page stands in ``NO_PAGES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import Page

from tests.admin_pages import USERS
from tests.browser.company import Company
from tests.browser.helpers import PHONE, press
from tests.people import PASSWORD
from users_profiles.admin import listing
from users_profiles.models import Import, Profile, User

Opens = Callable[[Page, Company], Any]

SUPERUSER, READER, MEMBER, WITHOUT_PASSWORD, NOBODY = "superuser", "reader", "member", "without_password", "nobody"
SECURED, HALF_IN = "secured", "half_in"


@dataclass(frozen=True)
class Shown:
    """A page to look at: the name of its address, who looks, how they come there, and what is special about it."""

    name: str
    who: str
    opens: Opens
    special: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.special}".strip()


def at(name: str, *wanted: Callable[[Company], Any], query: str = "") -> Opens:
    """Go to the page of this name; ``wanted`` says how to find the arguments of its address."""
    return lambda page, company: page.goto(reverse(name, args=[find(company) for find in wanted]) + query)


def ada(company: Company) -> int:
    return company.ada.pk


def oneself(company: Company) -> int:
    return company.superuser.pk


def job(state: str) -> Callable[[Company], int]:
    return lambda company: company.jobs[state].pk


def export(state: str) -> Callable[[Company], int]:
    return lambda company: company.exports[state].pk


def report(name: str) -> Callable[[Company], int]:
    return lambda company: company.reports[name].pk


def group(company: Company) -> int:
    return Group.objects.get(name="Choir").pk


def sent(opens: Opens, button: str, **typed: str) -> Opens:
    """Open a form, type something by label, and press a button, which brings it back with mistakes."""

    def do(page: Page, company: Company) -> None:
        opens(page, company)
        for label, text in typed.items():
            page.get_by_label(label.replace("_", " "), exact=True).fill(text)
        press(page, button)
        page.get_by_role("alert").first.wait_for()

    return do


def asked(button: str, query: str = "?q=a") -> Opens:
    """Tick everybody in the list and press the button of an action, which asks before it acts."""

    def do(page: Page, company: Company) -> None:
        page.goto(USERS + query)
        page.locator("#action-toggle").check()
        page.get_by_role("region", name="What to do").get_by_role("button", name=button, exact=True).click()
        page.locator("form:has(input[name=confirmed])").wait_for()

    return do


def ticked(page: Page, company: Company) -> None:
    page.goto(f"{USERS}?q=a")
    page.locator("#action-toggle").check()


def with_a_menu_open(page: Page, company: Company) -> None:
    page.goto(f"{USERS}?location=Berlin")
    page.locator(".filters summary").nth(2).click()


EVERY_COLUMN = "?columns=" + ",".join(listing.offered(None)) + "&q=a"


def with_its_columns_open(page: Page, company: Company) -> None:
    page.goto(USERS)
    page.locator(".columns-menu summary").click()


def being_made(page: Page, company: Company) -> None:
    company.exports["making"].take_lease("somebody")
    at(f"{EXPORT}change", export("making"))(page, company)


def with_the_reports_open(page: Page, company: Company) -> None:
    page.goto(USERS)
    page.locator(".views-menu summary").click()


def with_the_drawer_open(page: Page, company: Company) -> None:
    page.goto(reverse("admin:index"))
    if page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
        page.get_by_role("button", name="Open menu").click()
    page.locator(".user-menu summary").click()


def under_way(page: Page, company: Company) -> None:
    company.jobs["checking"].take_lease("a worker")  # as if it were at work: the page goes on by itself otherwise
    at(f"{IMPORT}change", job("checking"))(page, company)


def at_odds(page: Page, company: Company) -> None:
    """Somebody else has changed a name and a place while this page was open."""
    at(f"{USER}change", ada)(page, company)
    person, profile = User.objects.filter(pk=company.ada.pk), Profile.objects.filter(pk=company.ada.pk)
    person.update(last_name="Theirs")
    profile.update(location="Their place")
    page.get_by_label("Last name").fill("Mine")
    page.get_by_label("Location").fill("My place")
    press(page, "Save")
    page.get_by_role("alert").wait_for()
    person.update(last_name=company.ada.last_name)
    profile.update(location=company.ada.profile.location)


def in_peace(opens: Opens) -> Opens:
    """Open a page while no import is under way."""

    def do(page: Page, company: Company) -> None:
        checking = Import.objects.filter(pk=company.jobs["checking"].pk)
        checking.update(state=Import.State.CHECKED)
        opens(page, company)
        checking.update(state=Import.State.CHECKING)

    return do


def refused_archive(page: Page, company: Company) -> None:
    page.goto(reverse("admin:users_profiles_pictures"))
    archive: Any = {"name": "team.zip", "mimeType": "application/zip", "buffer": b"no archive"}
    page.get_by_label("ZIP archive").set_input_files(archive)
    press(page, "Check the pictures")
    page.get_by_role("alert").wait_for()


def without_columns(page: Page, company: Company) -> None:
    page.goto(reverse("admin:users_profiles_user_export"))
    for box in page.locator("input[name=columns]").all():
        box.uncheck()
    page.get_by_role("button", name="Export").click()
    page.get_by_role("alert").wait_for()


def without_cookies(page: Page, company: Company) -> None:
    page.goto(reverse("account_login"))
    page.context.clear_cookies()
    press(page, "Sign in")
    page.get_by_role("heading", name="Please try again").wait_for()


def passkey(company: Company) -> int:
    return Authenticator.objects.get(user=company.secured, type="webauthn").pk


def second_step(page: Page, company: Company) -> None:
    page.goto(reverse("account_login"))
    page.get_by_label("Username or e-mail").fill(company.secured.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    page.get_by_role("heading", name="The second step").wait_for()


def once_too_often(page: Page, company: Company) -> None:
    page.goto(reverse("account_login"))
    press(page, "Sign in")
    page.get_by_role("alert").wait_for()
    press(page, "Sign in")
    page.get_by_role("heading", name="Too many attempts").wait_for()


_OURS = "admin:users_profiles"
USER, PROFILE, IMPORT, PICTURES = (f"{_OURS}_{part}_" for part in ("user", "profile", "import", "pictures"))
TRAIL = f"{_OURS}_trailentry_"
EXPORT = f"{_OURS}_export_"
REPORT = f"{_OURS}_report_"
GROUP = "admin:auth_group_"

PAGES = [
    Shown("admin:index", SUPERUSER, at("admin:index")),
    Shown("admin:index", SUPERUSER, with_the_drawer_open, "with its menus open"),
    Shown("admin:app_list", SUPERUSER, lambda page, company: page.goto("/admin/users_profiles/")),
    Shown("admin:password_change_done", SUPERUSER, at("admin:password_change_done")),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist")),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist", query="?q=a&role=Editor&_facets=True"), "filtered"),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist", query="?q=zzz&active=no"), "with nobody in it"),
    Shown(f"{USER}changelist", SUPERUSER, ticked, "with everybody ticked"),
    Shown(f"{USER}changelist", SUPERUSER, with_a_menu_open, "with a filter open"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Activate", "?active=no"), "asking to activate"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Deactivate"), "asking to deactivate"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Set role"), "asking for a role"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Send invitation"), "asking to invite"),
    Shown(f"{USER}changelist", SUPERUSER, with_its_columns_open, "with its columns open"),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist", query=EVERY_COLUMN), "with every column"),
    Shown(f"{USER}undo", SUPERUSER, at(f"{USER}undo", lambda company: company.mark)),
    Shown(f"{USER}changelist", SUPERUSER, asked("Delete"), "asking to delete"),
    Shown(f"{USER}add", SUPERUSER, at(f"{USER}add")),
    Shown(f"{USER}add", SUPERUSER, sent(at(f"{USER}add"), "Save", Username="ADA"), "with mistakes"),
    Shown(f"{USER}change", SUPERUSER, at(f"{USER}change", ada)),
    Shown(f"{USER}change", SUPERUSER, at(f"{USER}change", oneself), "of oneself"),
    Shown(
        f"{USER}change",
        SUPERUSER,
        sent(at(f"{USER}change", ada), "Save", Phone_number="call me", Username=""),
        "with mistakes",
    ),
    Shown(f"{USER}change", READER, at(f"{USER}change", ada), "to look at"),
    Shown(f"{USER}delete", SUPERUSER, at(f"{USER}delete", ada)),
    Shown(f"{USER}change", SUPERUSER, at_odds, "with edits that cross"),
    Shown(f"{USER}erase", SUPERUSER, in_peace(at(f"{USER}erase", ada))),
    Shown(
        f"{USER}erase",
        SUPERUSER,
        in_peace(sent(at(f"{USER}erase", ada), "Erase", Their_username="x")),
        "with mistakes",
    ),
    Shown(f"{USER}erase", SUPERUSER, at(f"{USER}erase", oneself), "of oneself"),
    Shown(f"{USER}history", SUPERUSER, at(f"{USER}history", ada)),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist")),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist", query="?person=ada&road=command"), "of one person"),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist", query="?until=2001-01-01"), "with nothing in it"),
    Shown(f"{USER}import", SUPERUSER, at(f"{USER}import")),
    Shown(f"{USER}import", SUPERUSER, sent(at(f"{USER}import"), "Continue"), "with mistakes"),
    Shown(f"{USER}import_help", SUPERUSER, at(f"{USER}import_help")),
    Shown(f"{USER}export", SUPERUSER, at(f"{USER}export")),
    Shown(f"{USER}export", READER, at(f"{USER}export", query="?role=Editor"), "of a filtered list"),
    Shown(f"{USER}export", SUPERUSER, without_columns, "with mistakes"),
    Shown(f"{USER}export", SUPERUSER, at(f"{USER}export", query="?q=zzz"), "of nobody"),
    Shown(f"{EXPORT}changelist", SUPERUSER, at(f"{EXPORT}changelist")),
    *(
        Shown(f"{EXPORT}change", SUPERUSER, at(f"{EXPORT}change", export(state)), state)
        for state in ("done", "broken", "failed", "cancelled")
    ),
    Shown(f"{EXPORT}change", SUPERUSER, being_made, "being made"),
    Shown(f"{USER}changelist", SUPERUSER, with_the_reports_open, "with its reports open"),
    Shown(f"{REPORT}changelist", SUPERUSER, at(f"{REPORT}changelist")),
    Shown(f"{REPORT}changelist", READER, at(f"{REPORT}changelist", query="?q=zzz"), "with nothing in it"),
    Shown(f"{REPORT}add", SUPERUSER, at(f"{REPORT}add", query="?query=role%3DEditor")),
    Shown(f"{REPORT}add", SUPERUSER, sent(at(f"{REPORT}add", query="?query=colour%3Dred"), "Save"), "with mistakes"),
    Shown(f"{REPORT}change", SUPERUSER, at(f"{REPORT}change", report("people"))),
    Shown(f"{REPORT}change", SUPERUSER, at(f"{REPORT}change", report("changes")), "of changes"),
    Shown(f"{REPORT}change", SUPERUSER, at(f"{REPORT}change", report("nobody")), "of nobody"),
    Shown(f"{REPORT}change", READER, at(f"{REPORT}change", report("people")), "with columns left out"),
    Shown(f"{REPORT}change", READER, at(f"{REPORT}change", report("private")), "refused"),
    Shown(f"{REPORT}edit", SUPERUSER, at(f"{REPORT}edit", report("people"))),
    Shown(f"{REPORT}delete", SUPERUSER, at(f"{REPORT}delete", report("people"))),
    Shown(f"{REPORT}directory", SUPERUSER, at(f"{REPORT}directory", report("people"))),
    Shown("admin:users_profiles_directory", SUPERUSER, at("admin:users_profiles_directory")),
    Shown("admin:users_profiles_directory", READER, at("admin:users_profiles_directory", query="?q=zzz"), "of nobody"),
    Shown(f"{IMPORT}changelist", SUPERUSER, at(f"{IMPORT}changelist")),
    Shown(f"{IMPORT}columns", SUPERUSER, at(f"{IMPORT}columns", job("uploaded"))),
    Shown(f"{IMPORT}change", SUPERUSER, under_way, "under way"),
    *(
        Shown(
            f"{IMPORT}change",
            SUPERUSER,
            at(f"{IMPORT}change", job("checked"), query=f"?show={outcome}"),
            f"checked, {outcome}",
        )
        for outcome in ("new", "changed", "same", "refused")
    ),
    Shown(f"{IMPORT}change", SUPERUSER, at(f"{IMPORT}change", job("done"))),
    Shown(f"{IMPORT}invite", SUPERUSER, at(f"{IMPORT}invite", job("done"))),
    Shown(f"{IMPORT}undo", SUPERUSER, at(f"{IMPORT}undo", job("done"))),
    Shown(f"{IMPORT}change", SUPERUSER, at(f"{IMPORT}change", job("failed")), "failed"),
    Shown(f"{IMPORT}history", SUPERUSER, at(f"{IMPORT}history", job("done"))),
    Shown("admin:users_profiles_pictures", SUPERUSER, at("admin:users_profiles_pictures")),
    Shown("admin:users_profiles_pictures", SUPERUSER, refused_archive, "with mistakes"),
    *(
        Shown(
            f"{PICTURES}result",
            SUPERUSER,
            at(f"{PICTURES}result", job("pictures checked"), query=f"?show={outcome}"),
            f"checked, {outcome}",
        )
        for outcome in ("new", "changed", "refused")
    ),
    Shown(f"{PICTURES}result", SUPERUSER, at(f"{PICTURES}result", job("pictures done"))),
    Shown(f"{PICTURES}undo", SUPERUSER, at(f"{PICTURES}undo", job("pictures done"))),
    Shown(f"{GROUP}changelist", SUPERUSER, at(f"{GROUP}changelist")),
    Shown(f"{GROUP}add", SUPERUSER, at(f"{GROUP}add")),
    Shown(f"{GROUP}change", SUPERUSER, at(f"{GROUP}change", group)),
    Shown(f"{GROUP}delete", SUPERUSER, at(f"{GROUP}delete", group)),
    Shown(f"{GROUP}history", SUPERUSER, at(f"{GROUP}history", group)),
    Shown("403", READER, at(f"{USER}add"), "for a reader"),
    Shown("403", MEMBER, at("admin:index"), "for somebody who is not staff"),
    Shown("profile", MEMBER, at("profile")),
    Shown("profile_data", MEMBER, at("profile_data")),
    Shown("profile_edit", MEMBER, at("profile_edit")),
    Shown("profile_language", MEMBER, at("profile_language")),
    Shown("profile_edit", MEMBER, sent(at("profile_edit"), "Save", Phone_number="call me"), "with mistakes"),
    Shown("account_change_password", MEMBER, at("account_change_password")),
    Shown(
        "account_change_password",
        MEMBER,
        sent(at("account_change_password"), "Change password", Current_password="wrong"),
        "with mistakes",
    ),
    Shown("account_email", MEMBER, at("account_email")),
    Shown("account_reauthenticate", MEMBER, at("account_reauthenticate")),
    Shown("account_logout", MEMBER, at("account_logout")),
    Shown("identity_proven", MEMBER, at("identity_proven")),
    Shown("usersessions_list", MEMBER, at("usersessions_list")),
    Shown("mfa_index", MEMBER, at("mfa_index"), "without any"),
    Shown("mfa_activate_totp", MEMBER, at("mfa_activate_totp")),
    Shown(
        "mfa_activate_totp", MEMBER, sent(at("mfa_activate_totp"), "Turn on", Code_from_the_app="1"), "with mistakes"
    ),
    Shown("mfa_add_webauthn", MEMBER, at("mfa_add_webauthn")),
    Shown("mfa_index", SECURED, at("mfa_index")),
    Shown("mfa_deactivate_totp", SECURED, at("mfa_deactivate_totp")),
    Shown("mfa_view_recovery_codes", SECURED, at("mfa_view_recovery_codes")),
    Shown("mfa_view_recovery_codes", SECURED, at("mfa_view_recovery_codes"), "seen already"),
    Shown("mfa_generate_recovery_codes", SECURED, at("mfa_generate_recovery_codes")),
    Shown("mfa_edit_webauthn", SECURED, at("mfa_edit_webauthn", passkey)),
    Shown("mfa_remove_webauthn", SECURED, at("mfa_remove_webauthn", passkey)),
    Shown("mfa_reauthenticate", SECURED, at("mfa_reauthenticate")),
    Shown("mfa_reauthenticate_webauthn", SECURED, at("mfa_reauthenticate_webauthn")),
    Shown("404", MEMBER, lambda page, company: page.goto("/nothing/")),
    Shown("account_set_password", WITHOUT_PASSWORD, at("account_set_password")),
    Shown("account_login", NOBODY, at("account_login")),
    Shown("account_signup", NOBODY, at("account_signup"), "closed"),
    Shown("account_reset_password", NOBODY, at("account_reset_password")),
    Shown("account_reset_password_done", NOBODY, at("account_reset_password_done")),
    Shown("account_reset_password_from_key_done", NOBODY, at("account_reset_password_from_key_done")),
    Shown("account_reset_password_from_key", NOBODY, lambda page, company: page.goto(company.password_link)),
    Shown(
        "account_reset_password_from_key",
        NOBODY,
        lambda page, company: page.goto(reverse("account_reset_password_from_key", args=["0", "0-0"])),
        "that does not work any more",
    ),
    Shown("account_confirm_email", NOBODY, lambda page, company: page.goto(company.confirm_link)),
    Shown(
        "account_confirm_email", NOBODY, lambda page, company: page.goto(company.confirm_link[:-4] + "x/"), "expired"
    ),
    Shown("account_email_verification_sent", NOBODY, at("account_email_verification_sent")),
    Shown("account_inactive", NOBODY, at("account_inactive")),
    Shown("socialaccount_login_cancelled", NOBODY, at("socialaccount_login_cancelled")),
    Shown("mfa_authenticate", HALF_IN, second_step),
    Shown("403_csrf", NOBODY, without_cookies),
    Shown("429", NOBODY, once_too_often),  # last: nobody gets in after it
]
ERRORS = {
    "You may not see this": "403",
    "There is nothing here": "404",
    "Please try again": "403_csrf",
    "Too many attempts": "429",
}
# Addresses that answer with something else than a page, or lead elsewhere.
NO_PAGES = {
    "home",
    "avatar",
    "account_confirm_login_code",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_login_webauthn",
    "openid_connect_callback",
    "set_language",
    "openid_connect_login",
    "admin:autocomplete",
    "admin:users_profiles_user_find",
    "admin:jsi18n",
    "admin:login",
    "admin:logout",
    "admin:password_change",
    "admin:view_on_site",
    f"{EXPORT}add",
    f"{EXPORT}again",
    f"{EXPORT}cancel",
    f"{EXPORT}delete",
    f"{EXPORT}file",
    f"{EXPORT}history",
    f"{EXPORT}progress",
    f"{REPORT}file",
    f"{REPORT}history",
    f"{REPORT}send",
    f"{REPORT}staff",
    f"{IMPORT}add",
    f"{IMPORT}apply",
    f"{IMPORT}cancel",
    f"{IMPORT}delete",
    f"{IMPORT}invite_progress",
    f"{IMPORT}mend",
    f"{IMPORT}plan_undo",
    f"{IMPORT}progress",
    f"{IMPORT}refused",
    f"{IMPORT}tick",
    f"{PICTURES}apply",
    f"{PICTURES}check",
    f"{PICTURES}kept",
    f"{PICTURES}refused",
    f"{PICTURES}tick",
    f"{PROFILE}add",
    f"{PROFILE}change",
    f"{PROFILE}changelist",
    f"{PROFILE}delete",
    f"{PROFILE}history",
    f"{USER}process_import",
    f"{USER}columns",
    f"{USER}held",
    f"{USER}import_sample",
    f"{USER}send_link",
    f"{USER}view",
    f"{USER}view_name",
    f"{USER}views",
}
