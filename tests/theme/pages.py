"""A site with everything Django's admin can do, and that ours does not use yet; and a reader of pages."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jazzmin
from django.conf import settings as django_settings
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import path

from backoffice.urls import urlpatterns as real_urlpatterns
from users_profiles.models import Import, ImportRow, User

OURS = Path(django_settings.BASE_DIR) / "backoffice" / "templates"
THEIRS = Path(jazzmin.__file__).parent / "templates"
STATIC = Path(django_settings.BASE_DIR) / "backoffice" / "static" / "backoffice"

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
