"""What the theme brings: each of its templates is one of ours instead, written against the one it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from tests.theme.pages import OURS, THEIRS

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.theme.pages")]


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
