"""Who waits for whom, where rows are locked: nobody for somebody they have nothing to do with."""

from __future__ import annotations

import threading

import pytest
from django.db import transaction

from tests.admin_pages import USERS, act, save, user_page
from tests.people import Browse
from tests.threads import all_at_once
from users_profiles.models import User
from users_profiles.privacy import erasing

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("how", ["page", "action", "erasing"])
def test_who_changes_a_member_does_not_wait_for_who_changes_a_superuser(
    browse: Browse, admin: User, superuser: User, stranger: User, how: str
) -> None:
    client = browse(admin)
    locked, saved = threading.Event(), threading.Event()

    def change_a_superuser() -> None:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=superuser.pk)
            locked.set()
            assert saved.wait(10)

    def change_a_member() -> None:
        assert locked.wait(10)
        if how == "page":
            save(client, user_page(stranger), first_name="Stanley")
        elif how == "action":
            act(client, "deactivate", [stranger], url=USERS, confirmed="1")
        else:
            erasing.erase(stranger, admin)
        saved.set()

    all_at_once(change_a_superuser, change_a_member)
    assert not User.objects.filter(pk=stranger.pk, first_name="Stan", is_active=True).exists()
