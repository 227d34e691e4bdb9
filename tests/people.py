"""Who is in the tests: what they sign in with, and the types of the fixtures that make them and browse as them."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from users_profiles.models import User

PASSWORD = "correct-horse-battery"

Browse = Callable[[User | None], Client]
Make = Callable[..., User]
