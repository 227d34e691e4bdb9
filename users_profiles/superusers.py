"""There is always somebody who can get in: the last active superuser cannot be lost, not even by two people at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from users_profiles.models import User


class LastSuperuserError(Exception):
    """What was about to happen would leave nobody with full access; nothing of it was kept."""

    def __str__(self) -> str:
        return _("Nothing was changed: no active superuser would be left.")


@contextmanager
def keep_one_superuser() -> Iterator[None]:
    """Run a block that changes people, and take it back when no active superuser is left.

    The superusers' rows are locked first: two superusers who deactivate each other at the same moment would both
    still see the other one active. (SQLite has one writer at a time and needs no row locks.)

    Raises ``LastSuperuserError`` after the rollback.
    """
    with transaction.atomic():
        active = User.objects.filter(is_superuser=True, is_active=True)
        had_one = bool(active.select_for_update().order_by("pk").values_list("pk", flat=True))
        yield
        if had_one and not active.exists():
            raise LastSuperuserError


def changing(people: QuerySet[User]) -> AbstractContextManager[None]:
    """A transaction in which these people are changed: the superusers are only locked where one is among them.

    Locked each time, they would make all who save anybody wait for each other.
    """
    return keep_one_superuser() if people.filter(is_superuser=True).exists() else transaction.atomic()
