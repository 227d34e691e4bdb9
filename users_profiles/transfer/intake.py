"""Takes in a file: checks its size, finds out how it is written, and makes the import that will deal with it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.conf import settings
from django.core.files.base import File

from users_profiles.models import Import, User
from users_profiles.sentences import sentence as _
from users_profiles.storage import StorageDown, discard
from users_profiles.transfer import reader
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Kind

logger = logging.getLogger(__name__)

_BLOCK = 1024 * 1024


def receive(file: File[bytes], filename: str, owner: User | None) -> Import:
    """Store an uploaded file as a new import, with what was found out about it.

    Without an owner it is the operator of the host who imports, with full rights over people. Raises
    ``FileRefused``, and keeps nothing, when the file cannot be imported at all.
    """
    refuse_too_large(file)
    options = reader.examine(file)
    if filename.lower().endswith(".xlsx") and options.kind is not Kind.XLSX:
        raise FileRefused(_("This is not an Excel file, though its name ends in .xlsx. Save it anew as .xlsx or CSV."))
    job = Import(
        owner=owner,
        by_operator=owner is None,
        filename=plain_name(filename),
        digest=digest(file),
        size=file.size,
        options=options.to_json(),
        total=reader.estimate_rows(file, options),
    )
    store(job, file)
    return job


def refuse_too_large(file: File[bytes]) -> None:
    """Raise ``FileRefused`` for a file that is larger than any that is taken in."""
    if file.size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES // 1024**2
        raise FileRefused(_("This file is larger than %(limit)s MB. Split it into smaller files.") % {"limit": limit})


def store(job: Import, file: File[bytes]) -> None:
    """Keep an uploaded file with its import: both or neither. Raises ``FileRefused`` when there is no storing it."""
    storage, name = job.file.storage, job.file.field.generate_filename(job, job.filename)
    file.seek(0)
    try:
        storage.save(name, file)
    except OSError as error:
        discard(storage, name)
        logger.warning("An uploaded file could not be stored: %r", error.__cause__ or error)
        raise FileRefused(_("The file could not be stored, so nothing was imported. Try again later.")) from error
    job.file = name
    job.save()


def is_kept(job: Import) -> bool:
    """Whether the uploaded file is still there; after the retention time it is not."""
    try:
        return bool(job.file) and job.file.storage.exists(str(job.file.name))
    except StorageDown:
        return True  # nobody can tell; whoever opens it is told why that fails


def not_kept() -> str:
    return _("The file of this import is not kept any more. Upload it again.")


@contextmanager
def opened(job: Import) -> Iterator[IO[bytes]]:
    """Open the uploaded file. Raises ``FileRefused`` when it is not kept any more."""
    if not job.file:
        raise FileRefused(not_kept())
    try:
        file = job.file.open("rb")
    except FileNotFoundError as error:
        raise FileRefused(not_kept()) from error
    with file:
        yield file


def digest(file: IO[bytes]) -> str:
    """The SHA-256 of a file, in hexadecimal; leaves the file at its end."""
    file.seek(0)
    sha = hashlib.sha256()
    for block in iter(lambda: file.read(_BLOCK), b""):
        sha.update(block)
    return sha.hexdigest()


def plain_name(filename: str) -> str:
    """The client's name of the file, for people to read: no folders, nothing invisible. It is never used as a path."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable())[:255] or "upload"
