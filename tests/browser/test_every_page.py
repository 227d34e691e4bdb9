"""Every page that is served, wide and on a phone, light and dark: nothing to complain of on any of them.

``PAGES`` names them by their URL; what has a URL and shows no page stands in ``NO_PAGES``. A new address in neither
makes a test fail, so that no page can be forgotten here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from playwright.sync_api import Page

from tests.admin_pages import USERS
from tests.browser.company import Company, found
from tests.browser.helpers import PHONE, WIDE, press, problems_of
from users_profiles.models import User

Opens = Callable[[Page, Company], Any]

SUPERUSER, READER, MEMBER, WITHOUT_PASSWORD, NOBODY = "superuser", "reader", "member", "without_password", "nobody"


@dataclass(frozen=True)
class Shown:
    """A page to look at: the name of its address, who looks, how they come there, and what is special about it."""

    name: str
    who: str
    opens: Opens
    special: str = ""
    is_main: bool = False

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


def being_made(page: Page, company: Company) -> None:
    company.exports["making"].take_lease("somebody")
    at(f"{EXPORT}change", export("making"))(page, company)


def with_the_drawer_open(page: Page, company: Company) -> None:
    page.goto(reverse("admin:index"))
    if page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
        page.get_by_role("button", name="Open menu").click()
    page.locator(".user-menu summary").click()


def under_way(page: Page, company: Company) -> None:
    company.jobs["checking"].take_lease("a worker")  # as if it were at work: the page goes on by itself otherwise
    at(f"{IMPORT}change", job("checking"))(page, company)


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
GROUP = "admin:auth_group_"

PAGES = [
    Shown("admin:index", SUPERUSER, at("admin:index"), is_main=True),
    Shown("admin:index", SUPERUSER, with_the_drawer_open, "with its menus open"),
    Shown("admin:app_list", SUPERUSER, lambda page, company: page.goto("/admin/users_profiles/")),
    Shown("admin:password_change_done", SUPERUSER, at("admin:password_change_done")),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist"), is_main=True),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist", query="?q=a&role=Editor&_facets=True"), "filtered"),
    Shown(f"{USER}changelist", SUPERUSER, at(f"{USER}changelist", query="?q=zzz&active=no"), "with nobody in it"),
    Shown(f"{USER}changelist", SUPERUSER, ticked, "with everybody ticked"),
    Shown(f"{USER}changelist", SUPERUSER, with_a_menu_open, "with a filter open"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Activate", "?active=no"), "asking to activate"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Deactivate"), "asking to deactivate", is_main=True),
    Shown(f"{USER}changelist", SUPERUSER, asked("Set role"), "asking for a role"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Send invitation"), "asking to invite"),
    Shown(f"{USER}changelist", SUPERUSER, asked("Delete"), "asking to delete"),
    Shown(f"{USER}add", SUPERUSER, at(f"{USER}add")),
    Shown(f"{USER}add", SUPERUSER, sent(at(f"{USER}add"), "Save", Username="ADA"), "with mistakes"),
    Shown(f"{USER}change", SUPERUSER, at(f"{USER}change", ada), is_main=True),
    Shown(f"{USER}change", SUPERUSER, at(f"{USER}change", oneself), "of oneself"),
    Shown(
        f"{USER}change",
        SUPERUSER,
        sent(at(f"{USER}change", ada), "Save", Phone_number="call me", Username=""),
        "with mistakes",
    ),
    Shown(f"{USER}change", READER, at(f"{USER}change", ada), "to look at"),
    Shown(f"{USER}delete", SUPERUSER, at(f"{USER}delete", ada)),
    Shown(f"{USER}history", SUPERUSER, at(f"{USER}history", ada)),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist"), is_main=True),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist", query="?person=ada&road=command"), "of one person"),
    Shown(f"{TRAIL}changelist", SUPERUSER, at(f"{TRAIL}changelist", query="?until=2001-01-01"), "with nothing in it"),
    Shown(f"{USER}import", SUPERUSER, at(f"{USER}import")),
    Shown(f"{USER}import", SUPERUSER, sent(at(f"{USER}import"), "Continue"), "with mistakes"),
    Shown(f"{USER}export", SUPERUSER, at(f"{USER}export"), is_main=True),
    Shown(f"{USER}export", READER, at(f"{USER}export", query="?role=Editor"), "of a filtered list"),
    Shown(f"{USER}export", SUPERUSER, without_columns, "with mistakes"),
    Shown(f"{PROFILE}export", SUPERUSER, at(f"{PROFILE}export", query="?q=zzz"), "of nobody"),
    Shown(f"{EXPORT}changelist", SUPERUSER, at(f"{EXPORT}changelist"), is_main=True),
    *(
        Shown(f"{EXPORT}change", SUPERUSER, at(f"{EXPORT}change", export(state)), state, is_main=state == "done")
        for state in ("done", "broken", "failed", "cancelled")
    ),
    Shown(f"{EXPORT}change", SUPERUSER, being_made, "being made"),
    Shown(f"{PROFILE}changelist", SUPERUSER, at(f"{PROFILE}changelist")),
    Shown(f"{PROFILE}change", SUPERUSER, at(f"{PROFILE}change", ada)),
    Shown(f"{PROFILE}change", READER, at(f"{PROFILE}change", ada), "to look at"),
    Shown(f"{PROFILE}history", SUPERUSER, at(f"{PROFILE}history", ada)),
    Shown(f"{IMPORT}changelist", SUPERUSER, at(f"{IMPORT}changelist"), is_main=True),
    Shown(f"{IMPORT}columns", SUPERUSER, at(f"{IMPORT}columns", job("uploaded")), is_main=True),
    Shown(f"{IMPORT}change", SUPERUSER, under_way, "under way"),
    *(
        Shown(
            f"{IMPORT}change",
            SUPERUSER,
            at(f"{IMPORT}change", job("checked"), query=f"?show={outcome}"),
            f"checked, {outcome}",
            is_main=outcome == "changed",
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
    Shown("profile", MEMBER, at("profile"), is_main=True),
    Shown("profile_edit", MEMBER, at("profile_edit"), is_main=True),
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
    Shown("404", MEMBER, lambda page, company: page.goto("/nothing/")),
    Shown("account_set_password", WITHOUT_PASSWORD, at("account_set_password")),
    Shown("account_login", NOBODY, at("account_login"), is_main=True),
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
    "admin:autocomplete",
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
    f"{IMPORT}add",
    f"{IMPORT}apply",
    f"{IMPORT}cancel",
    f"{IMPORT}delete",
    f"{IMPORT}invite_progress",
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
    f"{PROFILE}delete",
    f"{USER}process_import",
    f"{USER}send_link",
}

LOOKS = {"wide, light": (WIDE, False), "phone, dark": (PHONE, True)}
OTHER_LOOKS = {"wide, dark": (WIDE, True), "phone, light": (PHONE, False)}


def addresses(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """The names of all addresses; those without one lead to others or to the 404 page."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif pattern.name:
            yield namespace + pattern.name


def test_every_address_is_looked_at_or_shows_no_page() -> None:
    listed = {page.name for page in PAGES} - set(ERRORS.values())
    assert not listed & NO_PAGES
    assert listed | NO_PAGES == set(addresses(get_resolver()))


@pytest.fixture
def company(transactional_db: None, superuser: User, make_person: Callable[..., User], settings: Any) -> Company:
    settings.PHONE_DEFAULT_REGION = "GB"
    return found(superuser, make_person)


def test_what_is_said_to_show_no_page_shows_none(company: Company) -> None:
    client = Client()
    client.force_login(company.superuser)
    arguments: list[dict[str, Any]] = [
        {},
        {"key": company.jobs["done"].pk},
        {"key": company.jobs["done"].pk, "number": 2},
        {"object_id": company.jobs["done"].pk},
        {"pk": company.ada.pk},
        {"pk": company.ada.pk, "edge": 64},
        {"content_type_id": 1, "object_id": 1},
    ]
    for name in sorted(NO_PAGES):
        address = next(filter(None, (_address(name, given) for given in arguments)))
        answer = client.get(address)
        assert answer.status_code != 200 or "html" not in answer["Content-Type"], name


def _address(name: str, given: dict[str, Any]) -> str | None:
    try:
        return reverse(name, kwargs=given)
    except NoReverseMatch:
        return None


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("who", [SUPERUSER, READER, MEMBER, WITHOUT_PASSWORD, NOBODY])
def test_there_is_nothing_to_complain_of(
    open_page: Callable[..., Page], company: Company, who: str, look: str, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    complaints, titles = look_at([page for page in PAGES if page.who == who], *LOOKS[look], open_page, company)
    assert not complaints, "\n".join(complaints)
    usual = Counter(title for page, title in titles if not page.special)
    assert not (doubled := [title for title, times in usual.items() if times > 1]), doubled


@pytest.mark.parametrize("look", OTHER_LOOKS)
def test_nor_in_the_other_colours_on_the_pages_people_live_in(
    open_page: Callable[..., Page], company: Company, look: str
) -> None:
    main = [page for page in PAGES if page.is_main]
    assert len(main) >= 10
    complaints, _ = look_at(main, *OTHER_LOOKS[look], open_page, company)
    assert not complaints, "\n".join(complaints)


def test_registration_when_it_is_open(open_page: Callable[..., Page], settings: Any) -> None:
    settings.REGISTRATION_OPEN = True
    for size, dark in LOOKS.values():
        page = open_page(reverse("account_signup"), size=size, dark=dark)
        assert problems_of(page) == []
        press(page, "Register")
        page.get_by_role("alert").first.wait_for()
        assert problems_of(page) == []


def look_at(
    pages: list[Shown], size: tuple[int, int], dark: bool, open_page: Callable[..., Page], company: Company
) -> tuple[list[str], list[tuple[Shown, str]]]:
    """Open each of the pages; what there is to complain of, and their titles."""
    complaints, titles = [], []
    tabs = {who: open_page(person=getattr(company, who, None), size=size, dark=dark) for who in {p.who for p in pages}}
    for shown in pages:
        page = tabs[shown.who]
        shown.opens(page, company)
        titles.append((shown, page.title()))
        complaints += [f"{shown}: {problem}" for problem in [*problems_of(page), *wrong_page(shown, page)]]
    return complaints, titles


def wrong_page(shown: Shown, page: Page) -> list[str]:
    """An error page where none was meant, or a page that does not say what it is."""
    title = page.title().removesuffix("Backoffice").strip(" ·")
    wrong = ERRORS.get(title, "") != (shown.name if shown.name in ERRORS.values() else "")
    return [f"title {title!r}"] if wrong or not title else []
