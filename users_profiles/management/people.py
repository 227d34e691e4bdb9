"""The people whom the command line names."""

from __future__ import annotations

from django.core.management.base import CommandError

from users_profiles.models import User


def person_named(username: str) -> User:
    """Find a person by username, in any spelling."""
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        raise CommandError(f"There is nobody with the username {username!r}.") from None


def actor_named(username: str | None) -> User | None:
    """Find with whose rights a command works; None is whoever runs the host, with all of them."""
    return None if username is None else person_named(username)
