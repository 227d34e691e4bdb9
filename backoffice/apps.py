from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    """Makes the project's templates and static files win over the admin theme's.

    It must stand first in INSTALLED_APPS: Django serves the first template of a name that it finds.
    """

    name = "backoffice"
