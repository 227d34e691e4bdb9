"""Where files lie: in a folder of this machine, or in a bucket of an S3-compatible service (``bucket``).

A leaf: it knows files, not people. Whoever reads or writes one need not know which of the two it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.core.files.storage import Storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from users_profiles.sentences import sentence as _

logger = logging.getLogger(__name__)


class StorageDown(OSError):
    """The service that keeps the files gave no answer, or a bad one; what to do is to try again later."""

    @property
    def sentence(self) -> str:
        """What to tell people."""
        return _("The file storage does not answer. Try again in a few minutes.")

    def __str__(self) -> str:
        return str(self.sentence)


class SayStorageIsDown:
    """Middleware: where the storage gives no answer, people get a page that says so, and the log the reason."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503, which nobody keeps and monitoring understands; leave any other error alone."""
        if not isinstance(error, StorageDown):
            return None
        logger.error("The file storage does not answer: %s", error.__cause__ or "")
        response = render(request, "storage_down.html", status=503)
        response["Retry-After"] = "60"
        add_never_cache_headers(response)
        return response


def names(storage: Storage, folder: str, start: str = "") -> Iterator[tuple[str, datetime]]:
    """The files in a folder whose names begin with ``start``, and when each was stored; not all of them in memory."""
    if hasattr(storage, "names"):
        yield from storage.names(folder, start)
        return
    with suppress(FileNotFoundError), os.scandir(storage.path(folder)) as entries:
        for entry in entries:
            if entry.name.startswith(start) and entry.is_file():
                with suppress(FileNotFoundError):  # removed since the folder was read
                    yield f"{folder}/{entry.name}", datetime.fromtimestamp(entry.stat().st_mtime, UTC)


def all_names(storage: Storage, folder: str = "") -> Iterator[str]:
    """Every file there is, in this folder and those below; not all of them in memory."""
    if hasattr(storage, "all_names"):
        yield from storage.all_names()
        return
    with suppress(FileNotFoundError), os.scandir(storage.path(folder)) as entries:
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir():
                yield from all_names(storage, name)
            elif entry.is_file():
                yield name


def discard(storage: Storage, *files: str) -> None:
    """Remove files that no row knows of; those that cannot be removed now, ``retention`` finds later."""
    for name in files:
        try:
            storage.delete(name)
        except OSError as error:
            logger.warning("%s is left in the storage for now: %r", name, error.__cause__ or error)
