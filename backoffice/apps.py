from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    """Makes the project's templates and static files win over the admin theme's.

    It must stand first in INSTALLED_APPS: Django serves the first template of a name that it finds.
    """

    name = "backoffice"

    def ready(self) -> None:
        # Not of this app's own: Django sends it for apps with models only.
        for make in (create_cache_tables, create_media_folder):
            post_migrate.connect(make, sender=apps.get_app_config("users_profiles"))


def create_cache_tables(using: str = "default", **kwargs: Any) -> None:
    """Make the table of a database cache with the others, so that `migrate` is all it takes.

    Rate limits live in the cache: with the table missing nobody could sign in.
    """
    call_command("createcachetable", database=using, verbosity=0)


def create_media_folder(**kwargs: Any) -> None:
    """Make the folder for files with the tables. From then on it is to be there: `/readyz` fails where it is gone."""
    if isinstance(default_storage, FileSystemStorage):
        Path(default_storage.location).mkdir(parents=True, exist_ok=True)


class BackofficeAdminConfig(admin_apps.AdminConfig):
    """The admin on our own site."""

    # Named in INSTALLED_APPS; Django must not take it for the configuration of this package.
    default = False
    default_site = "backoffice.site.BackofficeSite"
