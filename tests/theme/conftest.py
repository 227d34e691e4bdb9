"""What the tests of the theme need: a person, whoever looks, a page of each kind, and the files as in production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jazzmin
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse

from backoffice.templatetags.theme import icon
from tests.admin_pages import USERS, user_page
from users_profiles.models import Import, ImportRow, Role, User


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
        reverse("admin:auth_group_changelist"),
        reverse("admin:auth_group_change", args=[groups.pk]),
        f"{reverse('admin:auth_group_add')}?_popup=1",
        reverse("admin:users_profiles_import_changelist"),
        reverse("admin:password_change_done"),
        reverse("scratch:index", current_app="scratch"),
        "/scratch/users_profiles/import/",
        f"/scratch/users_profiles/import/{job.pk}/change/",
    ]


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
def production(settings: Any, collected: Path) -> Iterator[Path]:
    """DEBUG off and every static file by its hashed name; a name that was not collected is an error."""
    icon.cache_clear()
    settings.DEBUG = False
    settings.STATIC_ROOT = collected
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    yield collected
    icon.cache_clear()
