from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin import apps as admin_apps
from django.core.management import call_command
from django.db.models.signals import post_migrate


class BackofficeConfig(AppConfig):
    """Makes the project's templates and static files win over the admin theme's.

    It must stand first in INSTALLED_APPS: Django serves the first template of a name that it finds.
    """

    name = "backoffice"

    def ready(self) -> None:
        # Not of this app's own: Django sends it for apps with models only.
        post_migrate.connect(create_cache_tables, sender=apps.get_app_config("users_profiles"))


def create_cache_tables(using: str = "default", **kwargs: Any) -> None:
    """Make the table of a database cache with the others, so that `migrate` is all it takes.

    Rate limits live in the cache: with the table missing nobody could sign in.
    """
    call_command("createcachetable", database=using, verbosity=0)


class BackofficeAdminConfig(admin_apps.AdminConfig):
    """The admin on our own site."""

    # Named in INSTALLED_APPS; Django must not take it for the configuration of this package.
    default = False
    default_site = "backoffice.site.BackofficeSite"
