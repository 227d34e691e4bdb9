"""On every kind of page: light, strict, labelled, with one heading, and of one set of colours."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, user_page
from tests.theme.pages import STATIC, Page, page_of
from users_profiles.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.theme.pages")]


LIST_LIMIT = 200 * 1024  # bytes of styles, scripts and icons that a list of people may cost


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
        page = Page(re.sub(r"<label[^>]*>(?:(?!</label>).)*<(?:input|select).*?</label>", "", html, flags=re.DOTALL))
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
    for url in (USERS, user_page(person), reverse("admin:users_profiles_user_add")):
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
        unknown = {token for token in used if f"{token}:" not in tokens + css}
        assert unknown == set(), name
