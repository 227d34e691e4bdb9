"""Who is in the tests: what they sign in with, and the types of the fixtures that make them and browse as them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import Group
from django.test import Client

from users_profiles.models import User

PASSWORD = "correct-horse-battery"

Browse = Callable[[User | None], Client]
Make = Callable[..., User]


def reader_made_anew() -> Group:
    """The group Reader as the youngest of all: whoever is added to it has it last in the order of the database."""
    Group.objects.filter(name="Reader").delete()
    return Group.objects.create(name="Reader")
