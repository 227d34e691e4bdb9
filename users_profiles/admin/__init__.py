"""The admin: the main interface of the product. Importing this package registers everything."""

from users_profiles.admin import exports, groups, imports, profiles, reports, trail, users

__all__ = ["exports", "groups", "imports", "profiles", "reports", "trail", "users"]
