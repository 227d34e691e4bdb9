# ruff: noqa: S608  (names of ours, put together; what comes from outside is a parameter)

from typing import Any

from django.db import migrations, models

from users_profiles.migrations._live import AddIndex, RemoveIndex
from users_profiles.models.folded import FoldedField

AT_ONCE = 1_000


def fill(apps: Any, schema_editor: Any) -> None:
    """Fold the names of everybody, some at a time, while others write; the worker looks after those who change meanwhile."""
    for name in ("User", "Profile"):
        model = apps.get_model("users_profiles", name)
        folded = [field for field in model._meta.concrete_fields if isinstance(field, FoldedField)]
        people, last = model._base_manager.using(schema_editor.connection.alias).order_by("pk"), 0
        while rows := list(people.filter(pk__gt=last).values_list("pk", *(field.of for field in folded))[:AT_ONCE]):
            last = rows[-1][0]
            _store(schema_editor.connection, model, folded, rows)


def _store(connection: Any, model: Any, folded: list[FoldedField], rows: list[Any]) -> None:
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
    # What both databases call the columns of such rows.
    changes = ", ".join(f"{quote(field.column)} = fresh.column{at}" for at, field in enumerate(folded, 2))
    marks = f"({', '.join(['%s'] * (1 + len(folded)))})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changes} FROM (VALUES {', '.join([marks] * len(rows))}) AS fresh "
            f"WHERE {table}.{key} = fresh.column1",
            [
                value
                for key, *values in rows
                for value in (key, *(field.fold(text) for field, text in zip(folded, values, strict=True)))
            ],
        )


class Migration(migrations.Migration):
    # PostgreSQL makes an index while others write only outside a transaction.
    atomic = False

    dependencies = [("users_profiles", "0020_folded_names")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        AddIndex(
            "user", models.Index(fields=["last_name_folded", "first_name_folded"], name="user_name_folded")
        ),
        # The version before only loses an index over it.
        RemoveIndex("user", "user_name"),
    ]
