"""A copy of everything in one file, made while people work: the database as of one moment, and the files it knows of.

A plain tar, so that it can be opened without us; SHA256SUMS in it is as `sha256sum --check` reads it. The copy of the
database is made by its own means (``dumps``). What these cannot do is ours: that files and database belong together,
and that whoever restores is told when a single row or byte is not as it was.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from users_profiles import storage
from users_profiles.operations import dumps
from users_profiles.operations.errors import BackupError
from users_profiles.operations.ledger import Ledger

FORMAT = 1
DATABASE, MANIFEST, SUMS, MEDIA = "database", "manifest.json", "SHA256SUMS", "media/"
BLOCK = 1024 * 1024
# So often the database is copied, where files are gone again each time that it knew of.
MOST_COPIES = 3


@dataclass
class Contents:
    """What is in a backup: rows by table, and digests by the name of the part of the tar."""

    database: str
    made_at: str
    tables: dict[str, int]
    digests: Ledger

    @property
    def people(self) -> int:
        return self.tables.get("users_profiles_user", 0)

    @property
    def files(self) -> int:
        return self.digests.count(MEDIA)


class _Hashing:
    """Reads a file, and knows the digest of what was read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block: bytes = self._file.read(size)
        self.digest.update(block)
        return block


# Making -------------------------------------------------------------------------------------------------------------


def make(out: IO[bytes], scratch: Path) -> Contents:
    """Write a backup to ``out``, front to back, so that it may be a pipe; ``scratch`` has room for the database.

    Files are read before the database is copied and, those that are new or have grown since, again after that. So every
    file that the copy knows of is in: one that was deleted meanwhile was read before, one that is new is read
    afterwards. What came, was copied, and was gone again is in neither; then the database is copied once more.
    """
    digests = Ledger()
    with (
        tempfile.TemporaryDirectory(dir=scratch, prefix=".backup-") as folder,
        tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        path, sums = Path(folder) / DATABASE, Path(folder) / SUMS
        tables = _add_files_of_one_moment(tar, path, digests)
        _add(tar, DATABASE, path, digests)
        contents = Contents(connection.vendor, timezone.now().isoformat(), tables, digests)
        about = {"format": FORMAT, "database": contents.database, "made_at": contents.made_at, "tables": tables}
        manifest = Path(folder) / MANIFEST
        manifest.write_text(json.dumps(about, indent=1), encoding="utf-8")
        _add(tar, MANIFEST, manifest, digests)
        with sums.open("w", encoding="utf-8") as file:
            file.writelines(f"{digest}  {name}\n" for name, digest in digests)
        _add(tar, SUMS, sums, Ledger())
    return contents


def _add_files_of_one_moment(tar: tarfile.TarFile, path: Path, digests: Ledger) -> dict[str, int]:
    """Add all files, and copy the database into ``path`` so that they belong together; return its rows by table."""
    _add_files(tar, digests)
    gone: list[str] = []
    for _time in range(MOST_COPIES):
        path.unlink(missing_ok=True)
        missing = Ledger()
        tables = dumps.take(path, partial(_note_missing, digests, missing))
        _add_files(tar, digests)
        # A name that the database has for good may be of an export that is yet to be made, or whose time was over.
        gone = [name for name, _digest in missing if MEDIA + name not in digests and not dumps.is_known(name)]
        if not gone:
            return tables
    raise BackupError(f"While this backup was made, files came and went, such as {gone[0]}. Make it once more.")


def _note_missing(digests: Ledger, missing: Ledger, name: str) -> None:
    if MEDIA + name not in digests:
        missing.add(name, "")


def _add_files(tar: tarfile.TarFile, digests: Ledger) -> None:
    """Add the files that are not in yet, or are longer by now: somebody was still writing them."""
    for name in storage.all_names(default_storage):
        try:
            size = default_storage.size(name)
            if digests.size(MEDIA + name) == size:
                continue
            with default_storage.open(name) as file:
                _add_open(tar, MEDIA + name, file, size, digests)
        except FileNotFoundError:
            continue  # deleted since it was listed


def _add(tar: tarfile.TarFile, name: str, path: Path, digests: Ledger) -> None:
    with path.open("rb") as file:
        _add_open(tar, name, file, path.stat().st_size, digests)


def _add_open(tar: tarfile.TarFile, name: str, file: Any, size: int, digests: Ledger) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(timezone.now().timestamp())
    hashing = _Hashing(file)
    tar.addfile(info, hashing)
    tar.members.clear()  # type: ignore[attr-defined]  # a list of all there are, which nobody here asks for
    digests.add(name, hashing.digest.hexdigest(), size)


# Restoring ----------------------------------------------------------------------------------------------------------


def check(path: Path) -> Contents:
    """Read a backup to the end and compare every digest; nothing is written anywhere."""
    try:
        return _check(path)
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise BackupError(f"{path.name} is no backup of Backoffice, or is not whole.") from error


def _check(path: Path) -> Contents:
    found, wanted, manifest = Ledger(), Ledger(), b""
    for name, file in _parts(path):
        if name == SUMS:
            for line in file:
                digest, part = line.decode().removesuffix("\n").split("  ", 1)
                wanted.add(part, digest)
            continue
        hashing = _Hashing(file)
        if name == MANIFEST:
            manifest = hashing.read()
        _pour(hashing)
        found.add(name, hashing.digest.hexdigest())
    about = json.loads(manifest)
    if about["format"] != FORMAT:
        raise BackupError("This backup was made by a newer Backoffice; restore it with that one.")
    if MANIFEST not in wanted:
        raise KeyError(SUMS)
    for name, digest in wanted:
        if found.digest(name) != digest:
            raise BackupError(f"{name} in this backup is not as it was when the backup was made.")
    return Contents(about["database"], about["made_at"], about["tables"], wanted)


def _parts(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Each plain file in the tar, one after the other, however many there are: none is kept in memory."""
    with tarfile.open(path, "r:") as tar:
        while (part := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            file = tar.extractfile(part) if part.isfile() else None
            if file is not None:
                yield part.name, file


def restore(path: Path, scratch: Path, say: Callable[[str], object]) -> Contents:
    """Fill an empty database and an empty storage from a backup, and see that nothing is missing afterwards."""
    contents = check(path)
    _refuse_unless_empty(contents)
    say(f"Restoring {contents.people:,} people and {contents.files:,} files of {contents.made_at[:16]} ...")
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".restore-") as folder:
        copy = Path(folder) / DATABASE
        for name, file in _parts(path):
            if name == DATABASE:
                with copy.open("wb") as target:
                    _pour(file, target)
        dumps.put_back(copy)
    found = dumps.count_rows()
    if found != contents.tables:
        raise BackupError(f"These tables do not have the rows they had: {_differing(found, contents.tables)}.")
    for name, file in _parts(path):
        if name.startswith(MEDIA):
            _store(name.removeprefix(MEDIA), file)
    for name, digest in contents.digests:
        if name.startswith(MEDIA):
            _compare(name.removeprefix(MEDIA), digest)
    return contents


def _refuse_unless_empty(contents: Contents) -> None:
    if contents.database != connection.vendor:
        raise BackupError(f"This backup is of {contents.database}, and DATABASE_URL names {connection.vendor}.")
    if connection.introspection.table_names():
        raise BackupError("The database is not empty. Restore into a new one, before migrate.")
    if next(storage.all_names(default_storage), None) is not None:
        raise BackupError("There are files in the storage already. Restore into an empty one.")


def _store(name: str, file: IO[bytes]) -> None:
    """Store a file under the name that the database knows; a second one of the name is the longer one, see ``make``."""
    default_storage.delete(name)
    if default_storage.save(name, File(file)) != name:
        raise BackupError(f"{name} could not be stored under its name.")


def _compare(name: str, digest: str) -> None:
    """Read a stored file again."""
    with default_storage.open(name) as file:
        hashing = _Hashing(file)
        _pour(hashing)
    if hashing.digest.hexdigest() != digest:
        raise BackupError(f"{name} was not stored as it was.")


def _pour(source: Any, target: IO[bytes] | None = None) -> None:
    """Read a file to its end, and write it to another, if there is one."""
    while block := source.read(BLOCK):
        if target is not None:
            target.write(block)


def _differing(found: dict[str, int], wanted: dict[str, int]) -> str:
    return ", ".join(sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)))
