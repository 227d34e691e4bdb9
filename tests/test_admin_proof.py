"""An import that changes access asks for one's password when the sign-in is old; so does its undoing, and deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, act, messages_of
from tests.importing import apply, check
from tests.people import PASSWORD
from users_profiles.models import Import, User

pytestmark = pytest.mark.django_db
ROLES = "username,role\nnew,Reader\n"


def send(client: Client, name: str, job: Import, **typed: str) -> None:
    client.post(reverse(f"admin:users_profiles_import_{name}", args=[job.pk]), typed)
    job.refresh_from_db()


def page(client: Client, job: Import, name: str = "change") -> str:
    return client.get(reverse(f"admin:users_profiles_import_{name}", args=[job.pk])).content.decode()


@pytest.fixture
def late(admin: User, browse: Callable[..., Client], let_time_pass: Callable[[float], None]) -> Client:
    """Somebody who signed in long ago and left their desk."""
    client = browse(admin)
    let_time_pass(3600)
    return client


def test_whoever_has_just_signed_in_is_not_asked(admin: User, browse: Callable[..., Client]) -> None:
    job, client = check(ROLES, admin), browse(admin)
    assert "own_password" not in page(client, job)
    send(client, "apply", job)
    assert job.state == Import.State.DONE


@pytest.mark.parametrize("content", [ROLES, "username,is_active\nnew,no\n"])
def test_roles_and_activity_are_imported_only_with_the_password(admin: User, late: Client, content: str) -> None:
    job = check(content, admin)
    assert 'name="own_password"' in page(late, job)
    for wrong in ("", "guess"):
        send(late, "apply", job, own_password=wrong)
        assert job.state == Import.State.CHECKED
        assert not User.objects.filter(username="new").exists()
    assert "This is not your password." in page(late, job)
    send(late, "apply", job, own_password=PASSWORD)
    assert job.state == Import.State.DONE


def test_a_file_that_changes_the_e_mail_of_staff_is_imported_only_with_the_password(
    admin: User, reader: User, late: Client
) -> None:
    job = check("username,email\nrita,thief@example.com\n", admin)
    assert 'name="own_password"' in page(late, job)
    send(late, "apply", job, understood="yes")
    assert job.state == Import.State.CHECKED
    send(late, "apply", job, understood="yes", own_password=PASSWORD)
    assert job.state == Import.State.DONE


def test_e_mails_of_others_are_imported_without_it(admin: User, reader: User, stranger: User, late: Client) -> None:
    job = check("username,email\nrita,rita@example.com\nstan,stan.new@example.com\nnew,new@example.com\n", admin)
    assert "own_password" not in page(late, job)
    send(late, "apply", job, understood="yes")
    assert job.state == Import.State.DONE


def test_a_file_that_changes_neither_is_imported_as_ever(admin: User, late: Client) -> None:
    job = check("username,location\nnew,Berlin\n", admin)
    assert "own_password" not in page(late, job)
    send(late, "apply", job)
    assert job.state == Import.State.DONE


def test_taking_roles_back_asks_for_it_too(admin: User, late: Client) -> None:
    job: Any = apply(ROLES, admin)
    send(late, "plan_undo", job)
    assert 'name="own_password"' in page(late, job, "undo")
    send(late, "undo", job)
    assert job.state == Import.State.DONE
    send(late, "undo", job, own_password=PASSWORD)
    assert job.state == Import.State.UNDONE


def test_deleting_somebody_asks_for_it_when_the_sign_in_is_old(admin: User, stranger: User, late: Client) -> None:
    address = reverse("admin:users_profiles_user_delete", args=[stranger.pk])
    page = late.get(address).content.decode()
    assert 'name="own_password"' in page
    assert "Deleting people asks for it again." in page
    for wrong, sentence in (("", "you delete people"), ("guess", "This is not your password.")):
        answer = late.post(address, {"post": "yes", "own_password": wrong}, follow=True)
        assert sentence in messages_of(answer)[0]
        assert User.objects.filter(pk=stranger.pk).exists()
    late.post(address, {"post": "yes", "own_password": PASSWORD})
    assert not User.objects.filter(pk=stranger.pk).exists()


def test_who_has_just_signed_in_deletes_without_it(admin: User, stranger: User, browse: Callable[..., Client]) -> None:
    address = reverse("admin:users_profiles_user_delete", args=[stranger.pk])
    assert "own_password" not in browse(admin).get(address).content.decode()
    browse(admin).post(address, {"post": "yes"})
    assert not User.objects.filter(pk=stranger.pk).exists()


def test_so_does_deleting_several_at_once(stranger: User, reader: User, late: Client) -> None:
    assert "Deleting people asks for it again." in act(late, "delete_selected", [stranger, reader]).content.decode()
    answer = act(late, "delete_selected", [stranger, reader], url=USERS, confirmed="1")
    assert "you delete people" in answer.content.decode()
    assert User.objects.filter(pk__in=[stranger.pk, reader.pk]).count() == 2
    act(late, "delete_selected", [stranger, reader], url=USERS, confirmed="1", own_password=PASSWORD)
    assert not User.objects.filter(pk__in=[stranger.pk, reader.pk]).exists()
