"""The admin: the main interface of the product. Importing this package registers everything."""

from users_profiles.admin import groups, imports, profiles, users

__all__ = ["groups", "imports", "profiles", "users"]
