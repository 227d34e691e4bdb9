"""An export that takes longer than anybody waits: the worker puts it into a file that lies there for a while.

Nothing of a half-made file is kept, so a worker that goes on for a dead one begins anew, with the people as they are
then.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.db import connections
from django.utils import timezone

from users_profiles import replica
from users_profiles.models import Export
from users_profiles.storage import discard
from users_profiles.transfer import lease
from users_profiles.transfer.export import formats
from users_profiles.transfer.export.sending import Measured
from users_profiles.transfer.export.wanted import Wanted

# Seconds between two looks at whether the export is still wanted, which also tell how far it is.
TELL_EVERY = 0.5


def run(export: Export, after_block: Callable[[Export], object] | None = None) -> None:
    """Make the file of an export, unless somebody else is at it; it ends done, cancelled, or failed with a reason."""

    def go(holder: str) -> None:
        with tempfile.TemporaryFile() as file:
            measured = _write(export, holder, file, after_block)
            if measured is not None:
                _keep(export, file, measured)

    lease.work(export, go)


def _write(
    export: Export, holder: str, file: IO[bytes], after_block: Callable[[Export], object] | None
) -> Measured | None:
    """Write the file; None when that was cut short, because it is not wanted or this process is to stop."""
    wanted = Wanted.by(export)
    wanted.check(wanted.count())
    measured, told = Measured(), time.monotonic()
    with _own_connection(export) as reading:
        for block in formats.blocks_of(wanted, reading):
            file.write(measured.add(block))
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                if lease.is_stopping() or not _goes_on(export, holder, measured.rows):
                    return None
                if after_block:
                    after_block(export)
    return measured


def _goes_on(export: Export, holder: str, rows: int) -> bool:
    """Whether it is still wanted. Changes are read on the usual connection, on which nothing can be told meanwhile."""
    return export.is_about_changes or export.advance(holder, rows)


@contextmanager
def _own_connection(export: Export) -> Iterator[Any]:
    """A connection to read from beside the usual one, which tells meanwhile how far it is.

    What is read is as it was at one moment; were it read on the usual connection, SQLite could not write beside it.
    """
    alias = replica.alias_for(export.owner_id)
    reading = connections[alias].copy()
    try:
        yield reading
    except lease.TRANSIENT:
        replica.let_down(alias, export.owner_id)
        raise
    finally:
        reading.close()


def _keep(export: Export, file: IO[bytes], measured: Measured) -> None:
    """Store the file under the name that was chosen, then say that it is there; or not, when it was cancelled."""
    storage, name = export.file.storage, str(export.file.name)
    storage.delete(name)  # what a worker has left that died right here
    file.seek(0)
    try:
        storage.save(name, File(file))
    except OSError:
        discard(storage, name)
        raise
    expires = timezone.now() + timedelta(days=settings.EXPORT_KEEP_DAYS)
    if not export.finish(*measured.sums, expires_at=expires):
        storage.delete(name)
