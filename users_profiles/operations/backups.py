"""A copy of everything in one file, made while people work: the database as of one moment, and the files it knows of.

A plain tar, so that it can be opened without us; SHA256SUMS in it is as `sha256sum --check` reads it. The copy of the
database is made by its own means (``dumps``). What these cannot do is ours: that files and database belong together,
and that whoever restores is told when a single row or byte is not as it was.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from users_profiles.operations import dumps
from users_profiles.operations.errors import BackupError

FORMAT = 1
DATABASE, MANIFEST, SUMS, MEDIA = "database", "manifest.json", "SHA256SUMS", "media/"
BLOCK = 1024 * 1024


@dataclass
class Contents:
    """What is in a backup: rows by table, and digests by the name of the part of the tar."""

    database: str
    made_at: str
    tables: dict[str, int]
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def people(self) -> int:
        return self.tables.get("users_profiles_user", 0)

    @property
    def files(self) -> int:
        return sum(name.startswith(MEDIA) for name in self.digests)


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

    Files come before the database and, those that are new or have grown since, again after it. So every file that the
    copied database knows of is in: one that was deleted meanwhile was read before, one that is new is read afterwards.
    """
    sizes: dict[str, int] = {}
    digests: dict[str, str] = {}
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        _add_files(tar, sizes, digests)
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".backup-") as folder:
            path = Path(folder) / DATABASE
            tables = dumps.take(path)
            with path.open("rb") as file:
                digests[DATABASE] = _add(tar, DATABASE, file, path.stat().st_size)
        _add_files(tar, sizes, digests)
        contents = Contents(connection.vendor, timezone.now().isoformat(), tables, digests)
        about = {"format": FORMAT, "database": contents.database, "made_at": contents.made_at, "tables": tables}
        digests[MANIFEST] = _add_text(tar, MANIFEST, json.dumps(about, indent=1))
        _add_text(tar, SUMS, "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    return contents


def _add_files(tar: tarfile.TarFile, sizes: dict[str, int], digests: dict[str, str]) -> None:
    """Add the files that are not in yet, or are longer by now: somebody was still writing them."""
    for name in stored_files():
        try:
            size = default_storage.size(name)
            if sizes.get(name) == size:
                continue
            with default_storage.open(name) as file:
                digests[MEDIA + name] = _add(tar, MEDIA + name, file, size)
        except FileNotFoundError:
            continue  # deleted since it was listed
        sizes[name] = size


def stored_files(folder: str = "") -> Iterator[str]:
    """The name of every stored file."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    for name in sorted(names):
        yield prefix + name
    for name in sorted(folders):
        yield from stored_files(prefix + name)


def _add(tar: tarfile.TarFile, name: str, file: Any, size: int) -> str:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(timezone.now().timestamp())
    hashing = _Hashing(file)
    tar.addfile(info, hashing)
    tar.members.clear()  # type: ignore[attr-defined]  # a list of all there are, which nobody here asks for
    return hashing.digest.hexdigest()


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> str:
    content = text.encode()
    return _add(tar, name, io.BytesIO(content), len(content))


# Restoring ----------------------------------------------------------------------------------------------------------


def check(path: Path) -> Contents:
    """Read a backup to the end and compare every digest; nothing is written anywhere."""
    try:
        return _check(path)
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise BackupError(f"{path.name} is no backup of Backoffice, or is not whole.") from error


def _check(path: Path) -> Contents:
    found, texts = {}, {}
    for name, file in _parts(path):
        hashing = _Hashing(file)
        if name in (MANIFEST, SUMS):
            texts[name] = hashing.read().decode()
        _pour(hashing)
        found[name] = hashing.digest.hexdigest()
    about = json.loads(texts[MANIFEST])
    if about["format"] != FORMAT:
        raise BackupError("This backup was made by a newer Backoffice; restore it with that one.")
    lines = [line.split("  ", 1) for line in texts[SUMS].splitlines()]
    wanted = {name: digest for digest, name in lines}
    for name, digest in wanted.items():
        if found.get(name) != digest:
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
    for name in contents.digests:
        if name.startswith(MEDIA):
            _compare(name.removeprefix(MEDIA), contents.digests[name])
    return contents


def _refuse_unless_empty(contents: Contents) -> None:
    if contents.database != connection.vendor:
        raise BackupError(f"This backup is of {contents.database}, and DATABASE_URL names {connection.vendor}.")
    if connection.introspection.table_names():
        raise BackupError("The database is not empty. Restore into a new one, before migrate.")
    if next(stored_files(), None) is not None:
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
