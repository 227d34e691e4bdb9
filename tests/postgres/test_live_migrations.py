"""Migrations run while people work: none locks a large table for long, or breaks the version that is still running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.migrations import Migration
from django_migration_linter.migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import analyse_sql_statements

# Outside a transaction, where indexes are made while others write.
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

# What was found and looked at, and why it may stay. A new migration has no such excuse; CONTRIBUTING.md says what it
# does instead.
UNRELEASED = "before the first release: nobody has such a table with people in it"
JUDGED = {
    ("0003_versions_of_people", "CREATE_INDEX"): UNRELEASED,
    ("0003_versions_of_people", "CREATE_INDEX_EXCLUSIVE"): UNRELEASED,
    ("0007_lean_rows", "CREATE_INDEX"): UNRELEASED,
    ("0007_lean_rows", "CREATE_INDEX_EXCLUSIVE"): UNRELEASED,
    ("0007_lean_rows", "DROP_INDEX"): UNRELEASED,
    ("0008_overtaken_rows", "NOT_NULL"): UNRELEASED,
}


@pytest.fixture
def linter() -> MigrationLinter:
    return MigrationLinter(no_cache=True, no_output=True)


def our_migrations(linter: MigrationLinter) -> Iterator[Migration]:
    known = linter.migration_loader.disk_migrations.values()
    yield from (migration for migration in known if migration.app_label == "users_profiles")


def findings(linter: MigrationLinter, migration: Migration) -> set[str]:
    """The codes of what the linter has against a migration, in its statements and in its Python."""
    statements = linter.get_sql(migration.app_label, migration.name)
    errors, _, warnings = analyse_sql_statements(linter.sql_analyser_class, statements, [])
    more_errors, _, more_warnings = linter.analyse_data_migration(migration)
    return {issue.code for issue in (*errors, *warnings, *more_errors, *more_warnings)}


def test_no_migration_stops_a_running_site(linter: MigrationLinter) -> None:
    found = {(migration.name, code) for migration in our_migrations(linter) for code in findings(linter, migration)}
    assert found - JUDGED.keys() == set(), "make it safe; or judge it, and say above why it may stay"
    assert JUDGED.keys() - found == set(), "these are judged and no longer found"


def test_the_linter_sees_what_it_is_there_for(linter: MigrationLinter) -> None:
    """It would be of no use if a change of its way to read statements let everything pass."""
    lock = ['CREATE INDEX "i" ON "users_profiles_user" ("last_name")']
    rename = ['ALTER TABLE "users_profiles_user" RENAME COLUMN "a" TO "b"']
    safe = ['CREATE INDEX CONCURRENTLY "i" ON "users_profiles_user" ("last_name")']
    seen = [analyse_sql_statements(linter.sql_analyser_class, sql, []) for sql in (lock, rename, safe)]
    assert [bool(errors or warnings) for errors, _, warnings in seen] == [True, True, False]
