"""Which uploaded files mention a person: those whose rows were about them, and those in which their name stands."""

from __future__ import annotations

import codecs
import zipfile
from collections.abc import Iterator
from html import unescape
from typing import IO

from users_profiles.models import Import, ImportPicture, ImportRow, User
from users_profiles.privacy.names import Names

BLOCK = 1024 * 1024
# The end of a block is looked at again with the next one, because a name may lie across the two.
OVERLAP = 500


def mentioning(person: User, names: Names) -> list[Import]:
    """The imports whose uploaded file is still there and says something about the person."""
    about = set(ImportRow.objects.filter(user=person).values_list("job", flat=True).distinct())
    about |= set(ImportPicture.objects.filter(user=person).values_list("job", flat=True).distinct())
    return [job for job in Import.objects.exclude(file="").order_by("pk") if job.pk in about or _mentions(job, names)]


def _mentions(job: Import, names: Names) -> bool:
    try:
        with job.file.open("rb") as file:
            return any(names.mentioned_in(text) for text in _texts(file, job) if _may_mention(text, names))
    except FileNotFoundError:
        return False
    except zipfile.BadZipFile:
        return True  # nobody can tell what is in it, so it does not stay


def _may_mention(text: str, names: Names) -> bool:
    """A quick look, which spares the careful one for nearly all of a large file."""
    small = text.casefold()
    return any(name.casefold() in small for name in names.texts)


def _texts(file: IO[bytes], job: Import) -> Iterator[str]:
    """All texts in a file: of an archive, and an Excel file is one, the names and the texts of its parts."""
    if not zipfile.is_zipfile(file):
        file.seek(0)
        yield from _blocks(file, job.options.get("encoding") or "utf-8")
        return
    with zipfile.ZipFile(file) as archive:
        for part in archive.infolist():
            yield part.filename
            if part.filename.endswith((".xml", ".rels", ".txt", ".csv")):
                with archive.open(part) as text:
                    yield from (unescape(block) for block in _blocks(text, "utf-8"))


def _blocks(file: IO[bytes], encoding: str) -> Iterator[str]:
    decode = codecs.getincrementaldecoder(encoding)(errors="replace").decode
    rest = ""
    while data := file.read(BLOCK):
        text = rest + decode(data)
        yield text
        rest = text[-OVERLAP:]
