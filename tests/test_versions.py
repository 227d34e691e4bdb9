"""The version of a person, and since when somebody is inactive: kept by the database, whichever road a change takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import update_last_login
from django.db.models import F
from django.utils import timezone

from tests.importing import apply
from users_profiles import roles
from users_profiles.models import Role, User
from users_profiles.transfer import tasks
from users_profiles.transfer.bulk import PortableBulk
from users_profiles.transfer.writer import Writer

pytestmark = pytest.mark.django_db


def version(person: User) -> int:
    return User.objects.values_list("version", flat=True).get(pk=person.pk)


def left(person: User) -> Any:
    return User.objects.values_list("deactivated_at", flat=True).get(pk=person.pk)


def by_save(person: User) -> None:
    person.first_name = "Augusta"
    person.save()


def by_save_of_one_field(person: User) -> None:
    person.email = "new@example.com"
    person.save(update_fields=["email"])


def by_query(person: User) -> None:
    User.objects.filter(pk=person.pk).update(last_name="King")


def by_bulk_update(person: User) -> None:
    person.last_name = "King"
    User.objects.bulk_update([person], ["last_name"])


def by_role(person: User) -> None:
    roles.assign([person], Role.READER)


def by_import(person: User) -> None:
    apply("username,first_name\nada,Augusta\n")


def by_import_of_a_role(person: User) -> None:
    apply("username,role\nada,Reader\n")


def by_roster(person: User) -> None:
    apply("username\nbob\n", roster="everybody")


def by_undo(person: User) -> None:
    job = apply("username,first_name\nada,Augusta\n")
    User.objects.filter(pk=person.pk).update(version=1)
    assert job.start_undo(None, write=True)
    tasks.run(job)


@pytest.mark.parametrize(
    "change",
    [
        by_save,
        by_save_of_one_field,
        by_query,
        by_bulk_update,
        by_role,
        by_import,
        by_import_of_a_role,
        by_roster,
        by_undo,
    ],
)
def test_whatever_changes_a_person_makes_a_new_version(change: Callable[[User], None], ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(version=1)
    change(User.objects.get(pk=ada.pk))
    assert version(ada) > 1


def test_a_role_is_part_of_a_superusers_version_too(superuser: User) -> None:
    roles.assign([superuser], Role.READER)
    superuser.refresh_from_db()
    assert (superuser.version, superuser.is_staff) == (2, True)


def test_signing_in_and_a_stronger_hash_are_no_news(ada: User) -> None:
    before = version(ada)
    update_last_login(User, ada)
    ada.save(update_fields=["password"])
    ada.save(update_fields=[])
    User.objects.filter(pk=ada.pk).update(last_login=timezone.now())
    assert version(ada) == before


def test_two_who_save_the_same_version_make_two_more(ada: User) -> None:
    before = version(ada)
    copies = [User.objects.get(pk=ada.pk) for _ in range(2)]
    for copy in copies:
        copy.save()
    assert version(ada) == copies[1].version == before + 2


def test_a_copy_with_few_fields_writes_no_others(ada: User) -> None:
    copy = User.objects.only("first_name").get(pk=ada.pk)
    copy.first_name = "Augusta"
    User.objects.filter(pk=ada.pk).update(is_active=False)
    moment = left(ada)
    copy.save()
    ada.refresh_from_db()
    assert (ada.first_name, ada.is_active, ada.deactivated_at) == ("Augusta", False, moment)


def test_a_save_that_fails_leaves_a_number_behind(ada: User, reader: User) -> None:
    ada.username = reader.username
    with pytest.raises(Exception, match=r"(?i)unique"):
        ada.save()
    assert "version" not in ada.__dict__


def test_saving_again_still_saves_the_profile(ada: User) -> None:
    """What is read anew must not look like a copy with few fields, whose profile is nobody's business."""
    ada.is_active = False
    ada.save()
    ada.profile.location = "Paris"
    ada.save()
    ada.profile.refresh_from_db()
    assert ada.profile.location == "Paris"


# Since when somebody is inactive


def deactivate_by_save(person: User) -> None:
    person.is_active = False
    person.save(update_fields=["is_active"])


def deactivate_by_query(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def deactivate_by_import(person: User) -> None:
    apply("username,active\nada,no\n")


@pytest.mark.parametrize("deactivate", [deactivate_by_save, deactivate_by_query, deactivate_by_import, by_roster])
def test_who_is_deactivated_left_now(deactivate: Callable[[User], None], ada: User) -> None:
    assert left(ada) is None
    deactivate(User.objects.get(pk=ada.pk))
    assert timezone.now() - left(ada) < timedelta(minutes=1)


def test_undoing_an_import_puts_back_who_left_and_who_came_back(ada: User, stranger: User) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    job = apply("username,active\nada,no\nstan,yes\n")
    assert (left(ada) is None, left(stranger) is None) == (False, True)
    assert job.start_undo(None, write=True)
    tasks.run(job)
    assert (left(ada) is None, left(stranger) is None) == (True, False)


@pytest.mark.parametrize("road", ["save", "query", "import"])
def test_who_is_activated_has_not_left(road: str, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    if road == "save":
        ada.refresh_from_db()
        ada.is_active = True
        ada.save()
        assert ada.deactivated_at is None
    elif road == "query":
        User.objects.filter(pk=ada.pk).update(is_active=True)
    else:
        apply("username,active\nada,yes\n")
    assert left(ada) is None


def test_nobody_leaves_twice(ada: User) -> None:
    long_ago = timezone.now() - timedelta(days=90)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    User.objects.filter(pk=ada.pk).update(deactivated_at=long_ago)
    ada.refresh_from_db()
    ada.first_name = "Augusta"
    ada.save()
    deactivate_by_query(ada)
    apply("username,first_name,active\nada,Ada,no\n")
    assert left(ada) == long_ago == ada.deactivated_at


def test_who_is_written_with_others_leaves_and_comes_back_by_their_own_value(
    ada: User, reader: User, stranger: User
) -> None:
    long_ago = timezone.now() - timedelta(days=90)
    gone = User.objects.filter(pk__in=[reader.pk, stranger.pk])
    gone.update(is_active=False)
    gone.update(deactivated_at=long_ago)
    for person, is_active in ((ada, False), (reader, False), (stranger, True)):
        person.is_active = is_active
    User.objects.bulk_update([ada, reader, stranger], ["is_active"])
    assert timezone.now() - left(ada) < timedelta(minutes=1)
    assert (left(reader), left(stranger)) == (long_ago, None)
    User.objects.update(is_active=F("is_active"))
    assert timezone.now() - left(ada) < timedelta(minutes=1)
    assert (left(reader), left(stranger)) == (long_ago, None)


def test_of_who_was_inactive_before_nobody_knows_since_when(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    User.objects.filter(pk=ada.pk).update(deactivated_at=None)
    apply("username,first_name\nada,Augusta\n")
    User.objects.get(pk=ada.pk).save()
    assert left(ada) is None


def test_the_portable_writer_counts_as_well(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("users_profiles.transfer.importer.Writer", lambda: Writer(PortableBulk()))
    before = version(ada)
    apply("username,active\nada,no\nbob,no\n")
    assert (version(ada), left(ada) is None) == (before + 1, False)
    assert (version(User.objects.get(username="bob")), left(User.objects.get(username="bob"))) == (1, None)
