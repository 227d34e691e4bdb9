"""Reads a ZIP archive that somebody else made: nothing is unpacked to disk, and nothing it says is believed.

A leaf: it knows ZIP archives, not people. Sizes are capped before memory is spent on them, names are only ever compared
and shown, never used as a path.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings

from users_profiles.sentences import sentence as _
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.reasons import Refused

# What zipfile raises on archives that are broken or made to hurt; anything else is a mistake of ours.
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OverflowError,
    RuntimeError, ValueError,
)  # fmt: skip
# The others (bzip2, LZMA) unpack a few kilobytes into any amount at once, and no system packs with them by itself.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The table of contents: what one entry of a usual archive takes, and what an archive with none may have beside it.
ENTRY_BYTES, OTHER_BYTES = 300, 1 << 17
ARCHIVES = frozenset("zip 7z rar tar gz tgz bz2 xz zst".split())
# What systems put into archives by themselves, and nobody means.
_BY_SYSTEM = re.compile(r"(^|/)(__MACOSX/|\.(?!\.?/)|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive; ``number`` counts from 1, in the order of the paths."""

    number: int
    path: str
    info: zipfile.ZipInfo

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_archive(self) -> bool:
        return self.name.rpartition(".")[2].lower() in ARCHIVES


class _Measured:
    """A file that refuses to be read in pieces so large that only an endless table of contents has them."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._limit = limit
        self.seek, self.tell, self.seekable = file.seek, file.tell, lambda: True

    def read(self, size: int = -1) -> bytes:
        if size > self._limit:
            raise FileRefused(_too_many())
        data = self._file.read(self._limit + 1 if size < 0 else size)
        if len(data) > self._limit:
            raise FileRefused(_too_many())
        return data


def _too_many() -> str:
    limit = settings.IMPORT_MAX_PICTURES
    return _("This archive has more than %(limit)s files. Split it into smaller ones.") % {"limit": limit}


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive. Raises ``FileRefused`` when it is none, or not one that may be read on."""
    limit = OTHER_BYTES + ENTRY_BYTES * settings.IMPORT_MAX_PICTURES
    source: Any = _Measured(file, limit)
    try:
        archive = zipfile.ZipFile(source)
    except BROKEN as error:
        raise FileRefused(_("This is not a ZIP archive. Put the pictures into one, and choose that.")) from error
    _check(archive.infolist())
    return archive


def _check(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > settings.IMPORT_MAX_PICTURES:
        raise FileRefused(_too_many())
    if sum(info.file_size for info in infos) > settings.IMPORT_MAX_UNPACKED_BYTES:
        limit = settings.IMPORT_MAX_UNPACKED_BYTES // 1024**2
        raise FileRefused(
            _("This archive unpacks to more than %(limit)s MB. Split it into smaller ones.") % {"limit": limit}
        )
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise FileRefused(_("This archive is protected by a password. Make one without."))


def members(archive: zipfile.ZipFile) -> list[Member]:
    """The files of an archive, without folders and what systems add by themselves. Raises ``FileRefused``."""
    found = sorted(_files(archive), key=lambda pair: (pair[0], pair[1].header_offset))
    if not found:
        raise FileRefused(_("There are no files in this archive."))
    return [Member(number, path, info) for number, (path, info) in enumerate(found, 1)]


def _files(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for info in archive.infolist():
        path = _path(info)
        if path and not path.endswith("/") and not _BY_SYSTEM.search(path):
            yield path, info


def _path(info: zipfile.ZipInfo) -> str:
    """The name of an entry for people to read, with slashes and without anything invisible.

    Old archives say nothing about their encoding; zipfile takes them for cp437, but macOS writes UTF-8 there too.
    """
    name = info.filename
    if not info.flag_bits & _UTF8:
        raw = name.encode("cp437", "replace")
        with suppress(UnicodeDecodeError):
            name = raw.decode("utf-8")
    name = name.replace("\\", "/")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def refuse_unusual(member: Member, limit: int) -> None:
    """Raise ``Refused`` for what can be told not to be a file of at most ``limit`` bytes without unpacking it."""
    if stat.S_ISLNK(member.info.external_attr >> 16):
        raise Refused("link")
    if member.is_archive:
        raise Refused("archive")
    if member.info.compress_type not in METHODS:
        raise Refused("packed")
    if member.info.file_size > limit:
        raise Refused("large", limit=limit // 1024**2)


def read(archive: zipfile.ZipFile, member: Member, limit: int) -> bytes:
    """Unpack one file of at most ``limit`` bytes. Raises ``Refused``."""
    refuse_unusual(member, limit)
    try:
        # zipfile stops at the size that was declared, which is within the limit, and then finds the checksum wrong.
        with archive.open(member.info) as source:
            return b"".join(iter(lambda: source.read(_BLOCK), b""))
    except BROKEN as error:
        raise Refused("damaged") from error
