"""Pictures and archives of them, the way they take, and the files they become."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from tests.data import images
from users_profiles import avatars
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import pictures

RED = images.picture("PNG")
BLUE = images.encoded(images.two_halves(), "PNG")


def zipped(files: dict[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """An archive of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return out.getvalue()


def take_in(data: bytes, owner: User | None = None) -> Import:
    return pictures.receive(ContentFile(data, name="team.zip"), "team.zip", owner)


def check(files: Any, owner: User | None = None) -> Import:
    job = take_in(files if isinstance(files, bytes) else zipped(files), owner)
    assert job.start_check()
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED, job.failure
    return job


def apply(files: Any, owner: User | None = None) -> Import:
    job = check(files, owner)
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    return job


def undo(job: Import, actor: User | None = None) -> Import:
    assert job.start_undo(actor, write=True)
    pictures.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.UNDONE, job.failure
    return job


def outcomes(job: Import) -> dict[str, str]:
    return dict(job.rows.values_list("label", "outcome"))


def reasons(job: Import) -> dict[str, str]:
    return {row.label: pictures.reason(row) for row in job.rows.filter(outcome="refused")}


def redrawn(data: bytes) -> Image.Image:
    """What is made of a picture that somebody uploads."""
    return images.opened(avatars.redraw(images.upload(data)).read())


def stored_files() -> set[str]:
    """Every file in the storage that belongs to a picture."""
    found: set[str] = set()
    for folder in ("avatars", "thumbnails/64", "thumbnails/192"):
        if default_storage.exists(folder):
            found.update(f"{folder}/{name}" for name in default_storage.listdir(folder)[1])
    return found


def files_of(*names: str) -> set[str]:
    return {
        file for name in names for file in (name, *(avatars.thumbnail_name(name, edge) for edge in avatars.THUMBNAILS))
    }


def give_picture(person: User, data: bytes = BLUE) -> str:
    person.profile.avatar = images.upload(data)
    person.save()
    return str(person.profile.avatar.name)


def picture_of(person: User) -> str:
    return str(Profile.objects.get(pk=person.pk).avatar.name)


def kept_in(response: Any) -> str:
    """The picture that a page carries along until what else is wrong is put right."""
    found = re.search(r'name="[a-z0-9-]*avatar-kept" value="([^"]*)"', response.content.decode())
    return found[1] if found else ""
