"""The admin's look: our templates in place of the theme's, on every kind of page, light enough and strict enough."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jazzmin
import pytest
from django.conf import settings as django_settings
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.template import Context, Template
from django.template.loader import get_template
from django.test import Client, RequestFactory, override_settings
from django.urls import path, reverse
from django.utils import translation

from backoffice.templatetags import theme
from backoffice.urls import urlpatterns as real_urlpatterns
from tests.admin_pages import PROFILES, USERS, profile_page, user_page
from users_profiles.models import Import, ImportRow, Role, User

OURS = Path(django_settings.BASE_DIR) / "backoffice" / "templates"
THEIRS = Path(jazzmin.__file__).parent / "templates"
STATIC = Path(django_settings.BASE_DIR) / "backoffice" / "static" / "backoffice"
LIST_LIMIT = 200 * 1024  # bytes of styles, scripts and icons that a list of people may cost

# What upstream's templates looked like when ours were written against them.
REPLACED = {
    "admin/actions.html": "22193853f045236a",
    "admin/app_index.html": "627faba8e84950c9",
    "admin/base.html": "b6466eb7753ae049",
    "admin/base_site.html": "07bded9027b8d776",
    "admin/change_form.html": "1d71b3b76aff5ec3",
    "admin/change_form_object_tools.html": "636a26c0ebb73521",
    "admin/change_list.html": "a9d5226518f2ecd2",
    "admin/change_list_object_tools.html": "a512a54c49967881",
    "admin/change_list_results.html": "136d76703eafe63d",
    "admin/date_hierarchy.html": "0d797e1319b5172a",
    "admin/delete_confirmation.html": "525a829129923c57",
    "admin/delete_selected_confirmation.html": "3abd7046bb6daef6",
    "admin/edit_inline/stacked.html": "bdd30595f395c58c",
    "admin/edit_inline/tabular.html": "be9f33350aee91f8",
    "admin/filter.html": "aa3d0229e8bb300d",
    "admin/includes/fieldset.html": "f0907d7531064462",
    "admin/includes/object_delete_summary.html": "a7a95374a6b94f8d",
    "admin/index.html": "9fb550ebb2898054",
    "admin/object_history.html": "ff5fcea3580bf15a",
    "admin/pagination.html": "d9896d087f47a77f",
    "admin/popup_response.html": "46929ab1f5bdd86b",
    "admin/search_form.html": "4a5656eaa7906b69",
    "admin/submit_line.html": "f79fe56e346f45ce",
    "registration/password_change_done.html": "2d4cce229127f69d",
}
# Templates of the theme that no address of ours can reach: what for, and why not.
UNREACHABLE = {
    "admin/filer/": "not installed",
    "admin/solo/": "not installed",
    "admin/mptt_filter.html": "not installed",
    "admin/import_export/": "the library's own win, and ours replace those",
    "admin/login.html": "everybody signs in on the pages of allauth",
    "admin/auth/user/": "our User has an admin of its own",
    "registration/base.html": "only other templates of the theme extend it",
    "registration/logged_out.html": "signing out ends on the sign-in page",
    "registration/password_change_form.html": "the pages of allauth",
    "registration/password_reset": "the pages of allauth",
}


# A site with everything Django's admin can do, and that ours does not use yet ---------------------------------------

scratch = django_admin.AdminSite(name="scratch")


class RowsInline(django_admin.TabularInline):
    model = ImportRow
    fields = ["number", "outcome", "user", "label"]
    raw_id_fields = ["user"]
    extra = 1


class MoreRowsInline(django_admin.StackedInline):
    model = ImportRow
    fields = ["number", "label"]
    classes = ["collapse"]
    extra = 0


@django_admin.register(Import, site=scratch)
class ScratchImportAdmin(django_admin.ModelAdmin):
    list_display = ["filename", "state", "uploaded_at"]
    list_filter = ["state"]
    date_hierarchy = "uploaded_at"
    search_fields = ["filename"]
    autocomplete_fields = ["owner"]
    inlines = [RowsInline, MoreRowsInline]
    prepopulated_fields = {"digest": ["filename"]}
    fieldsets = [
        ("File", {"fields": ["filename", "digest", "owner"]}),
        ("State", {"fields": ["state", "uploaded_at"], "classes": ["side"]}),
        ("More", {"fields": ["size", "total"], "classes": ["collapse"]}),
    ]


@django_admin.register(User, site=scratch)
class ScratchUserAdmin(django_admin.ModelAdmin):
    search_fields = ["username"]


@django_admin.register(Group, site=scratch)
class ScratchGroupAdmin(django_admin.ModelAdmin):
    fields = ["name"]


def broken(request: Any) -> Any:
    raise RuntimeError("as planned")


urlpatterns = [path("scratch/", scratch.urls), path("broken/", broken), *real_urlpatterns]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


# Reading pages ------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page, each as its tag and attributes, and the text of its scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.code = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.lasttag in {"script", "style"}:
            attributes = self.elements[-1][1]
            self.code += "" if attributes.get("type") == "application/json" else data.strip()

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of this tag that have these values; ``aria_sort`` stands for aria-sort."""
        pairs = {name.rstrip("_").replace("_", "-"): value for name, value in wanted.items()}
        return [
            found
            for name, found in self.elements
            if name == tag and pairs.items() <= {k: v or "" for k, v in found.items()}.items()
        ]

    def assets(self) -> set[str]:
        """The addresses a browser loads to draw the page: styles, scripts, icons."""
        addresses = [found.get("src") for found in self.all("script")]
        addresses += [found.get("href") for found in self.all("link") + self.all("use")]
        return {urlsplit(address).path for address in addresses if address}


def page_of(client: Client, url: str) -> Page:
    response = client.get(url)
    assert response.status_code == 200, url
    return Page(response.content.decode())


@pytest.fixture
def person(make_person: Callable[..., User]) -> User:
    return make_person("ada", first_name="Ada", last_name="Lovelace", location="Berlin")


@pytest.fixture
def client_of_root(browse: Callable[..., Client], superuser: User) -> Client:
    return browse(superuser)


@pytest.fixture
def job(superuser: User) -> Import:
    job = Import.objects.create(owner=superuser, filename="staff.csv", digest="x", size=1)
    ImportRow.objects.create(job=job, number=2, outcome="new", label="Ada")
    return job


@pytest.fixture
def every_kind_of_page(person: User, job: Import) -> list[str]:
    """One address for each kind of page that the admin has."""
    groups = Group.objects.get(name=Role.EDITOR)
    return [
        reverse("admin:index"),
        reverse("admin:app_list", args=["users_profiles"]),
        USERS,
        f"{USERS}?q=ada&active=yes",
        f"{USERS}?q=nobody-has-this-name",
        reverse("admin:users_profiles_user_add"),
        user_page(person),
        reverse("admin:users_profiles_user_delete", args=[person.pk]),
        reverse("admin:users_profiles_user_history", args=[person.pk]),
        PROFILES,
        profile_page(person),
        reverse("admin:auth_group_changelist"),
        reverse("admin:auth_group_change", args=[groups.pk]),
        f"{reverse('admin:auth_group_add')}?_popup=1",
        reverse("admin:users_profiles_import_changelist"),
        reverse("admin:password_change_done"),
        reverse("scratch:index", current_app="scratch"),
        "/scratch/users_profiles/import/",
        f"/scratch/users_profiles/import/{job.pk}/change/",
    ]


# What upstream brings -----------------------------------------------------------------------------------------------


def upstream() -> Iterator[str]:
    """The templates of the theme that could be drawn in our admin."""
    for kind in ("admin", "registration"):
        yield from (str(file.relative_to(THEIRS)) for file in sorted((THEIRS / kind).rglob("*.html")))


def digest(name: str) -> str:
    return hashlib.sha256((THEIRS / name).read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", REPLACED)
def test_the_theme_s_template_is_the_one_ours_was_written_against(name: str) -> None:
    assert digest(name) == REPLACED[name], (
        f"django-jazzmin has changed {name}. Look at what is new upstream (a block, a context variable), carry over to "
        f"backoffice/templates/{name} what we need of it, and then note the new digest here."
    )


@pytest.mark.parametrize("name", sorted(upstream()))
def test_no_template_of_the_theme_is_ever_drawn(name: str) -> None:
    if not name.startswith(tuple(UNREACHABLE)):
        assert name in REPLACED, f"django-jazzmin brings {name}: replace it, or say in UNREACHABLE why nobody sees it"
        assert Path(get_template(name).origin.name).is_relative_to(OURS)


def test_the_admin_s_own_pages_about_passwords_lead_to_those_of_everybody(client_of_root: Client) -> None:
    leads_to = {name: client_of_root.get(reverse(f"admin:{name}"))["Location"] for name in ("login", "password_change")}
    assert leads_to == {"login": reverse("admin:index"), "password_change": reverse("account_change_password")}
    assert Client().get(reverse("admin:login"))["Location"].startswith(reverse("account_login"))


# Every kind of page -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Static files collected as for production, but not compressed: that takes long and changes nothing here."""
    root = tmp_path_factory.mktemp("static")
    production = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    storages = {**django_settings.STORAGES, "staticfiles": production}
    every_kind = sorted(
        {file.suffix.lstrip(".") for file in Path(jazzmin.__file__).parent.rglob("*") if file.is_file()}
    )
    with override_settings(
        STATIC_ROOT=root,
        STORAGES=storages,
        WHITENOISE_SKIP_COMPRESS_EXTENSIONS=["css", "js", "svg", "map", *every_kind],
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
    return root


@pytest.fixture
def production(settings: Any, collected: Path) -> Path:
    """DEBUG off and every static file by its hashed name; a name that was not collected is an error."""
    settings.DEBUG = False
    settings.STATIC_ROOT = collected
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    return collected


def test_every_kind_of_page_is_drawn_with_production_s_static_files(
    production: Path, client_of_root: Client, every_kind_of_page: list[str]
) -> None:
    for url in every_kind_of_page:
        for asset in page_of(client_of_root, url).assets():
            if asset.startswith("/static/"):
                assert (production / unquote(asset.removeprefix("/static/"))).is_file(), f"{url} wants {asset}"


def test_every_page_has_one_first_heading_and_a_title(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    for url in every_kind_of_page:
        html = client_of_root.get(url).content.decode()
        assert html.count("<h1") == 1, url
        heading = re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", html, re.DOTALL)
        title = re.search(r"<title>\s*(.*?)\s*</title>", html, re.DOTALL)
        assert heading, url
        assert heading[1], url
        assert title, url
        assert re.fullmatch(r"\S.* · (Backoffice|Django site admin)", title[1]), f"{url}: {title[1]}"


def test_no_page_has_code_or_styles_that_a_strict_policy_forbids(
    client_of_root: Client, every_kind_of_page: list[str]
) -> None:
    for url in every_kind_of_page:
        page = page_of(client_of_root, url)
        assert page.code == "", url
        for tag, attributes in page.elements:
            forbidden = {name for name in attributes if name == "style" or name.startswith("on")}
            assert not forbidden, f"{url}: <{tag}> has {forbidden}"
            assert not (attributes.get("href") or "").startswith("javascript:"), url


def test_no_page_asks_another_host_for_anything(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    for url in every_kind_of_page:
        for tag, attributes in page_of(client_of_root, url).elements:
            for name in ("src", "href", "action", "srcset"):
                assert not urlsplit(attributes.get(name) or "").netloc, f"{url}: <{tag} {name}={attributes.get(name)}>"


def test_every_input_has_a_label(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    for url in every_kind_of_page:
        html = client_of_root.get(url).content.decode()
        # An input inside its label needs no more.
        page = Page(re.sub(r"<label[^>]*>(?:(?!</label>).)*<input.*?</label>", "", html, flags=re.DOTALL))
        labelled = {found["for"] for found in page.all("label") if "for" in found}
        for tag, found in page.elements:
            shown = tag in {"select", "textarea"} or (tag == "input" and found.get("type") not in {"hidden", "submit"})
            if shown and "aria-label" not in found:
                assert found.get("id") in labelled, f"{url}: {tag} {found.get('name')}"


def test_a_list_of_people_is_light(production: Path, client_of_root: Client, person: User) -> None:
    assets = page_of(client_of_root, USERS).assets()
    weight = sum((production / unquote(asset.removeprefix("/static/"))).stat().st_size for asset in assets)
    assert 20 * 1024 < weight < LIST_LIMIT, f"{weight // 1024} KB: {sorted(assets)}"


def test_no_page_of_people_loads_what_only_other_pages_use(client_of_root: Client, person: User) -> None:
    for url in (USERS, user_page(person), profile_page(person), reverse("admin:users_profiles_user_add")):
        html = client_of_root.get(url).content.decode()
        for name in ("jquery", "xregexp", "select2", "bootstrap", "adminlte", "fontawesome", "jsi18n"):
            assert name not in html.lower(), f"{url} loads {name}"


def test_every_icon_that_is_drawn_is_in_the_sprite(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    drawn = set()
    for url in every_kind_of_page:
        drawn |= {urlsplit(found["href"] or "").fragment for found in page_of(client_of_root, url).all("use")}
    sprite = (STATIC / "icons.svg").read_text(encoding="utf-8")
    assert len(drawn) > 10
    assert {name for name in drawn if f'id="{name}"' not in sprite} == set()


def test_colours_are_decided_in_one_file_only() -> None:
    for name in ("theme.css", "admin.css"):
        css = re.sub(r'url\("data:[^"]*"\)', "", (STATIC / name).read_text(encoding="utf-8"))
        found = re.findall(r": [^;]*(?:#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)\()[^;]*;", css)
        assert found == [], f"{name}: {found}"


def test_every_token_that_is_used_is_defined() -> None:
    tokens = (STATIC / "tokens.css").read_text(encoding="utf-8")
    for name in ("theme.css", "admin.css"):
        css = (STATIC / name).read_text(encoding="utf-8")
        used = set(re.findall(r"var\((--[a-z0-9-]+)", css))
        unknown = {token for token in used if f"{token}:" not in tokens}
        assert unknown == set(), name


# The frame ----------------------------------------------------------------------------------------------------------


def test_the_menu_marks_where_one_is(client_of_root: Client, person: User) -> None:
    assert [link["href"] for link in page_of(client_of_root, USERS).all("a", aria_current="page")] == [USERS]
    on_a_person = page_of(client_of_root, user_page(person)).all("a", aria_current="true")
    assert [link["href"] for link in on_a_person] == [USERS]


def test_the_menu_holds_only_what_one_may_open(browse: Callable[..., Client], reader: User) -> None:
    links = {link["href"] for link in page_of(browse(reader), reverse("admin:index")).all("a", class_="side-link")}
    own = {reverse(f"admin:users_profiles_{name}_changelist") for name in ("report", "export")}
    assert links == {reverse("admin:index"), USERS, PROFILES, *own}


def test_the_search_in_the_top_bar_looks_through_people(client_of_root: Client) -> None:
    page = page_of(client_of_root, reverse("admin:index"))
    assert [form["action"] for form in page.all("form", role="search")] == [USERS]
    assert page.all("input", id="people-search", name="q")


def test_there_is_no_search_for_who_may_not_see_people(admin: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = admin
    assert theme.people_search(Context({"request": request, "available_apps": []})) is None


def test_a_list_has_one_search_box_only(client_of_root: Client) -> None:
    assert len(page_of(client_of_root, USERS).all("form", role="search")) == 1


def test_signing_out_takes_a_post(client_of_root: Client) -> None:
    forms = page_of(client_of_root, USERS).all("form", action=reverse("account_logout"))
    assert [form["method"] for form in forms] == ["post"]


def test_a_pop_up_has_neither_menu_nor_top_bar(client_of_root: Client) -> None:
    html = client_of_root.get(f"{USERS}?_popup=1").content.decode()
    assert 'id="sidebar"' not in html
    assert "topbar" not in html
    assert 'data-popup-opener="' in html


def test_messages_say_how_serious_they_are(client_of_root: Client, person: User) -> None:
    url = reverse("admin:users_profiles_user_delete", args=[person.pk])
    html = client_of_root.post(url, {"post": "yes"}, follow=True).content.decode()
    assert "notice notice-good" in html


# The list -----------------------------------------------------------------------------------------------------------


def test_the_list_says_how_many_there_are(client_of_root: Client, person: User) -> None:
    assert "2 people" in client_of_root.get(USERS).content.decode()
    assert "1 person" in client_of_root.get(f"{USERS}?q=ada").content.decode()


def test_an_empty_list_says_why_and_offers_a_way_out(client_of_root: Client) -> None:
    html = client_of_root.get(f"{USERS}?q=zzz&active=no").content.decode()
    assert "Nothing matches “zzz” with these filters." in " ".join(html.split())
    assert '<a class="btn" href="?">Show everything</a>' in html


def test_a_search_for_markup_stays_text(client_of_root: Client) -> None:
    html = client_of_root.get(USERS, {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_search_keeps_the_filters_and_a_filter_the_search(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, f"{USERS}?q=ada&active=yes&o=email")
    kept = {(found["name"], found["value"]) for found in page.all("input", type="hidden")}
    assert {("active", "yes"), ("o", "2")} <= kept
    assert any("q=ada" in (link["href"] or "") and "role=Editor" in (link["href"] or "") for link in page.all("a"))


def test_an_active_filter_shows_its_value_and_can_be_taken_away(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(f"{USERS}?active=yes&role=Editor").content.decode()
    assert "<span>Editor</span>" in html
    removers = {found["aria-label"]: found["href"] for found in Page(html).all("a", class_="filter-value")}
    assert removers == {"Remove filter role: Editor": "?active=yes", "Remove filter active: Yes": "?role=Editor"}
    assert "Clear all" in html
    assert "Clear all" not in client_of_root.get(USERS).content.decode()


def test_filters_are_links_inside_details_so_that_every_key_reaches_them(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(USERS).content.decode()
    filters = html[html.index('<nav class="filters"') :]
    filters = filters[: filters.index("</nav>")]
    assert filters.count("<details") == filters.count("<summary") >= 7
    assert "<select" not in filters


def test_the_column_that_sorts_says_so(client_of_root: Client, person: User) -> None:
    assert page_of(client_of_root, f"{USERS}?o=last_name").all("th", aria_sort="ascending")
    descending = page_of(client_of_root, f"{USERS}?o=-last_name")
    assert len([found for found in descending.all("th") if "aria-sort" in found]) == 1
    assert descending.all("th", aria_sort="descending")


def test_every_action_is_a_button_of_its_own(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, USERS)
    actions = [found["value"] for found in page.all("button", name="action")]
    assert {"deactivate", "set_role", "delete_selected"} <= set(actions)
    assert "" not in actions
    assert page.all("input", name="index", type="hidden", value="0")


def test_enter_on_a_tick_box_starts_no_action(client_of_root: Client, person: User) -> None:
    html = client_of_root.get(USERS).content.decode()
    form = html[html.index('id="changelist-form"') :]
    first = re.search(r"<button[^>]*>", form)
    assert first
    assert "disabled" in first[0]


def test_all_pages_can_be_selected_only_where_there_are_more(
    client_of_root: Client, make_person: Callable[..., User]
) -> None:
    assert "question" not in client_of_root.get(USERS).content.decode()
    for number in range(60):
        make_person(f"person{number}")
    page = page_of(client_of_root, USERS)
    assert page.all("button", class_="btn btn-small btn-quiet question")
    assert page.all("span", data_all="All 61 selected")
    assert page.all("input", name="select_across")


def test_pages_of_a_list_keep_search_and_filters(client_of_root: Client, make_person: Callable[..., User]) -> None:
    for number in range(60):
        make_person(f"person{number}")
    page = page_of(client_of_root, f"{USERS}?q=person&active=yes")
    assert {"?active=yes&p=1&q=person", "?active=yes&p=2&q=person"} <= {link["href"] for link in page.all("a")}
    assert [link["href"] for link in page.all("a", aria_current="page")][1:] == ["?active=yes&p=1&q=person"]


def test_a_list_by_date_offers_its_days(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get("/scratch/users_profiles/import/").content.decode()
    assert "uploaded_at__day=" in html


# The form -----------------------------------------------------------------------------------------------------------


def test_errors_are_summed_up_with_links_to_their_fields(client_of_root: Client, person: User) -> None:
    html = client_of_root.post(user_page(person), {"username": ""}).content.decode()
    page = Page(html)
    assert page.all("div", role="alert", tabindex="-1")
    assert page.all("a", href="#id_username")
    described = page.all("input", id="id_username")[0]["aria-describedby"] or ""
    assert "id_username_error" in described.split()
    assert 'id="id_username_error"' in html
    assert html.split("<title>")[1].strip().startswith("Error:")


def test_help_is_tied_to_its_input(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, user_page(person))
    ids = {found["id"] for _tag, found in page.elements if "id" in found}
    described = [found["aria-describedby"] for _tag, found in page.elements if found.get("aria-describedby")]
    assert described
    assert {name for names in described for name in (names or "").split()} <= ids


def test_no_two_elements_share_an_id(client_of_root: Client, every_kind_of_page: list[str]) -> None:
    for url in every_kind_of_page:
        ids = [found["id"] for _tag, found in page_of(client_of_root, url).elements if "id" in found]
        assert sorted(ids) == sorted(set(ids)), url


def test_a_section_named_side_stands_beside_the_others(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    main, side = html.index('class="form-main"'), html.index('class="form-side"')
    assert main < html.index('name="filename"') < side < html.index('name="state"')


def test_a_collapsed_section_opens_without_script(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    before = html[: html.index('name="size"')]
    assert before.rindex("<details>") > before.rindex("</fieldset>")


def test_a_page_that_needs_a_script_gets_it(client_of_root: Client, job: Import) -> None:
    html = client_of_root.get(f"/scratch/users_profiles/import/{job.pk}/change/").content.decode()
    wanted = (
        "jquery",
        "select2",
        "autocomplete.js",
        "inlines.js",
        "RelatedObjectLookups.js",
        "prepopulate.js",
        "jsi18n",
    )
    assert [name for name in wanted if name not in html] == []
    assert [name for name in ("calendar.js", "DateTimeShortcuts.js", "actions.js") if name in html] == []


def test_moments_are_typed_into_the_browser_s_own_fields(client_of_root: Client, job: Import) -> None:
    Import.objects.filter(pk=job.pk).update(uploaded_at=datetime(2026, 11, 3, 7, 5, 9, tzinfo=UTC))
    page = page_of(client_of_root, f"/scratch/users_profiles/import/{job.pk}/change/")
    assert page.all("input", type="date", name="uploaded_at_0", value="2026-11-03")
    assert page.all("input", type="time", name="uploaded_at_1", value="07:05:09")


@pytest.mark.parametrize(
    ("typed", "iso"), [("03.11.2026", "2026-11-03"), ("2026-11-03", "2026-11-03"), ("x", ""), (None, "")]
)
def test_a_date_reaches_the_browser_as_it_wants_it_in_every_language(typed: str | None, iso: str) -> None:
    with translation.override("de"):
        assert theme.iso_date(typed) == iso


def test_what_a_dynamic_row_needs_is_there(client_of_root: Client, job: Import) -> None:
    page = page_of(client_of_root, f"/scratch/users_profiles/import/{job.pk}/change/")
    group = page.all("div", id="rows-group", data_inline_type="tabular")[0]
    assert '"prefix": "rows"' in (group["data-inline-formset"] or "")
    assert page.all("tr", id="rows-empty")
    assert page.all("input", name="rows-TOTAL_FORMS", value="2")


def test_the_person_s_page_saves_with_the_names_django_expects(client_of_root: Client, person: User) -> None:
    page = page_of(client_of_root, user_page(person))
    names = {found.get("name") for found in page.all("button", type="submit")}
    assert {"_save", "_continue"} <= names


# Deleting, history, dashboard ---------------------------------------------------------------------------------------


def test_deleting_asks_first_and_leads_back(client_of_root: Client, person: User) -> None:
    url = reverse("admin:users_profiles_user_delete", args=[person.pk])
    page = page_of(client_of_root, url)
    assert page.all("button", class_="btn btn-danger btn-primary")
    assert page.all("a", class_="btn", href=user_page(person))
    assert User.objects.filter(pk=person.pk).exists()


def test_history_begins_with_the_newest_and_has_pages(client_of_root: Client, person: User) -> None:
    for number in range(30):
        person.last_name = f"Change{number:02}"
        person.save()
    url = reverse("admin:users_profiles_user_history", args=[person.pk])
    first = client_of_root.get(url)
    second = client_of_root.get(url, {"older": first.context["page"].older})
    changes = [re.findall(r"<ins>Change(\d\d)", page.content.decode()) for page in (first, second)]
    assert [*changes[0], *changes[1]] == [f"{number:02}" for number in range(29, -1, -1)]
    assert [bool(page.context["page"].older) for page in (first, second)] == [True, False]
    assert [">Newest<" in page.content.decode() for page in (first, second)] == [False, True]


def test_without_figures_the_front_page_lists_what_there_is(client_of_root: Client) -> None:
    page = page_of(client_of_root, "/scratch/")
    assert page.all("a", href="/scratch/users_profiles/import/")


# When something goes wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page_needs_no_user_no_request_and_no_database(
    name: str, django_assert_num_queries: Any, production: Path
) -> None:
    with django_assert_num_queries(0):
        html = get_template(name).render()
    page = Page(html)
    assert len(page.all("h1")) == 1
    assert page.code == ""
    assert page.all("a", href="/")


def test_an_address_that_leads_nowhere_says_so_kindly(client_of_root: Client) -> None:
    response = client_of_root.get("/admin/nothing/here/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_mistake_of_ours_shows_no_trace_of_itself(client_of_root: Client) -> None:
    client_of_root.raise_request_exception = False
    response = client_of_root.get("/broken/")
    html = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong on our side" in html
    assert "RuntimeError" not in html
    assert "as planned" not in html


def test_whoever_may_not_is_told_so_and_shown_a_way_out(browse: Callable[..., Client], stranger: User) -> None:
    response = browse(stranger).get(reverse("admin:index"), follow=True)
    assert response.status_code == 403
    assert 'href="/"' in response.content.decode()


def test_a_form_from_elsewhere_is_refused_in_plain_words(superuser: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    response = client.post(reverse("admin:users_profiles_user_add"), {"username": "x"})
    assert response.status_code == 403
    assert "Please try again" in response.content.decode()


# Small tags ---------------------------------------------------------------------------------------------------------


def test_drawing_an_icon_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        drawn = Template('{% load theme %}{% icon "people" %}').render(Context())
    assert drawn == '<svg class="icon" aria-hidden="true"><use href="/static/backoffice/icons.svg#people"></use></svg>'


def test_a_filter_without_a_choice_is_not_active() -> None:
    every = {"selected": True, "query_string": "?", "display": "All"}
    editor = {"selected": False, "query_string": "?role=Editor", "display": "Editor"}
    assert theme.chosen_in([every, editor]) == []
    assert [one["without"] for one in theme.chosen_in([every, {**editor, "selected": True}])] == ["?"]


def test_the_frame_asks_four_questions_only(client_of_root: Client, django_assert_num_queries: Any) -> None:
    """For the session, the user, what they may do, and the profile that has the picture in the top bar."""
    url = reverse("admin:password_change_done")
    client_of_root.get(url)
    with django_assert_num_queries(4):
        client_of_root.get(url)
