from typing import Any

from django.db import migrations

from users_profiles.search import making


def make(apps: Any, schema_editor: Any) -> None:
    making.make_index()


def drop(apps: Any, schema_editor: Any) -> None:
    making.drop_index()


class Migration(migrations.Migration):
    """The index over every three letters; the triggers follow when all migrations are done, see ``keep_triggers``."""

    # PostgreSQL makes an index while others write only outside a transaction.
    atomic = False

    dependencies = [("users_profiles", "0014_search_texts")]

    operations = [migrations.RunPython(make, drop, elidable=False)]
