"""The migrations: complete, reversible, and kind to users that are older than the profiles (check F7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from users_profiles.models import Role

APP = "users_profiles"
FIRST = (APP, "0001_initial")


@pytest.fixture
def migrated_back(transactional_db: None) -> Iterator[MigrationExecutor]:
    """The state after the first migration; everything is put back afterwards."""
    executor = MigrationExecutor(connection)
    executor.migrate([FIRST])
    yield MigrationExecutor(connection)
    call_command("migrate", verbosity=0)


def tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith(f"{APP}_")}


@pytest.mark.django_db
def test_f7_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_older_users_get_a_profile_each(migrated_back: MigrationExecutor) -> None:
    state = migrated_back.loader.project_state([FIRST]).apps
    user, profile = state.get_model(APP, "User"), state.get_model(APP, "Profile")
    people = user.objects.bulk_create([user(username=f"old{number}", password="!") for number in range(1_500)])
    profile.objects.create(user=people[0], location="Berlin")
    call_command("migrate", APP, verbosity=0)
    assert profile.objects.count() == 1_500
    assert profile.objects.get(user_id=people[0].pk).location == "Berlin"


def test_f7_from_empty_and_back(transactional_db: None) -> None:
    before = tables()
    # The admin's log and the sign-in's addresses point at people, so they have to go first.
    call_command("migrate", "admin", "zero", verbosity=0)
    call_command("migrate", "account", "zero", verbosity=0)
    try:
        call_command("migrate", APP, "zero", verbosity=0)
        assert tables() == set()
    finally:
        call_command("migrate", verbosity=0)
    assert tables() == before


@pytest.mark.django_db
def test_migrate_makes_the_groups_with_their_permissions() -> None:
    groups = {group.name: group.permissions.count() for group in Group.objects.all()}
    assert set(groups) == set(Role.values)
    assert 0 < groups["Reader"] < groups["Editor"] < groups["Admin"]
