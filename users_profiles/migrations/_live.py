"""Indexes that are made and dropped while others write; their migration says ``atomic = False``."""

from typing import Any

from django.contrib.postgres import operations


class _Live:
    """Concurrently on PostgreSQL; SQLite knows no such thing, and lets nobody write meanwhile."""

    concurrently: type

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self._way(schema_editor).database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        self._way(schema_editor).database_backwards(app_label, schema_editor, *states)

    def _way(self, schema_editor: Any) -> Any:
        return super(_Live if schema_editor.connection.vendor == "postgresql" else self.concurrently, self)


class AddIndex(_Live, operations.AddIndexConcurrently):
    concurrently = operations.AddIndexConcurrently


class RemoveIndex(_Live, operations.RemoveIndexConcurrently):
    concurrently = operations.RemoveIndexConcurrently
