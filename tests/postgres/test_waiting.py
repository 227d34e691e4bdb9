"""Who waits for whom, where rows are locked: who does the same, and nobody for what they have nothing to do with."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import transaction

from tests.admin_pages import USERS, act, save, user_page
from tests.people import Browse
from tests.threads import all_at_once
from users_profiles.invitations import invite
from users_profiles.models import Errand, Invitation, User
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


def test_a_second_click_waits_for_the_first_and_makes_no_second_mail(
    stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Errand, "order", lambda task: None)  # nothing is sent meanwhile
    half_way = threading.Event()

    def click() -> None:
        with transaction.atomic():
            invite([stranger])
            half_way.set()
            time.sleep(0.5)  # in which the other one gets as far as it can

    def click_again() -> None:
        assert half_way.wait(10)
        invite([stranger])

    all_at_once(click, click_again)
    assert Invitation.objects.on_the_way().count() == 1
