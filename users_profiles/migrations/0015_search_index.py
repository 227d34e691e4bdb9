# ruff: noqa: S608  (names of ours, put together; nothing comes from outside)

import logging
from typing import Any

from django.db import DatabaseError, migrations, transaction

logger = logging.getLogger(__name__)

INDEX, TEXT = "users_profiles_searchindex", "users_profiles_searchtext"
USER, PROFILE = "users_profiles_user", "users_profiles_profile"
TRIGGERS = (
    f"{USER}_search_changed",
    f"{USER}_search_gone",
    f"{PROFILE}_search_new",
    f"{PROFILE}_search_changed",
    f"{TEXT}_new",
    f"{TEXT}_changed",
    f"{TEXT}_gone",
)
FUNCTIONS = (
    f"{USER}_forget_text",
    *(f"{table}_note_{what}" for table in (USER, PROFILE) for what in ("new", "changed")),
)


def make(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5(words, phone, content='{TEXT}', "
                "content_rowid='user_id', tokenize='trigram case_sensitive 1')"
            )
        if connection.vendor != "postgresql":
            return
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            logger.warning(
                "PostgreSQL's extension pg_trgm is not there and may not be created by us, so searching will be slow with "
                "many people. Have somebody who may run CREATE EXTENSION pg_trgm, then run manage.py rebuild_search."
            )
            return
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX])
        row = cursor.fetchone()
        concurrently = "" if connection.in_atomic_block else "CONCURRENTLY"
        if row is not None and not row[0]:  # begun and cut short
            cursor.execute(f"DROP INDEX {concurrently} {INDEX}")
        if row is None or not row[0]:
            cursor.execute(
                f"CREATE INDEX {concurrently} {INDEX} ON {TEXT} USING gin (words gin_trgm_ops, phone gin_trgm_ops)"
            )


def drop(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"DROP TABLE IF EXISTS {INDEX}")
        elif connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")
            for name in FUNCTIONS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}() CASCADE")


class Migration(migrations.Migration):
    """The index over every three letters; the triggers follow when all migrations are done, see ``keep_triggers``.

    What it does is written here and not taken from the code of today, which may be about tables that come later.
    """

    # PostgreSQL makes an index while others write only outside a transaction.
    atomic = False

    dependencies = [("users_profiles", "0014_search_texts")]

    operations = [migrations.RunPython(make, drop, elidable=False)]
