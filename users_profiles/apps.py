from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class UsersProfilesConfig(AppConfig):
    name = "users_profiles"
    verbose_name = _("People")

    def ready(self) -> None:
        from users_profiles import checks, recorder, roles, signals  # noqa: F401  (they register themselves)
        from users_profiles.accounts import clock, identity, second_factor  # noqa: F401
        from users_profiles.search import settling

        post_migrate.connect(roles.create_groups_after_migrate, sender=self)
        post_migrate.connect(settling.keep_triggers, sender=self)
