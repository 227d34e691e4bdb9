"""All that is held about one person, as one archive: what they are owed when they ask."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from users_profiles import roles
from users_profiles.models import Export, ImportPicture, ImportRow, TrailEntry, User
from users_profiles.models.exports import HELD, HELD_TITLE
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.privacy.places import PLACES
from users_profiles.recorder import PERSON_FIELDS
from users_profiles.roles import Action
from users_profiles.storage import StorageDown
from users_profiles.trail.entries import people_type, sees_everything, whom, written
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import problems_of

SPOKEN = ("language", "time_zone")
DATES = ("date_joined", "last_login", "deactivated_at")
CHUNK = 1_000


def may_have(actor: User | AnonymousUser, person: User) -> bool:
    """Whether ``actor`` may be given all that is held about ``person``: everybody of themselves, admins of others."""
    return isinstance(actor, User) and (actor.pk == person.pk or roles.may(actor, Action.GRANT, person))


def archive(person: User, actor: User | None) -> tuple[Export, bytes]:
    """Make the archive for ``actor`` (the operator, where there is none) and write it down in the ledger.

    Asks nobody: ``may_have`` does.
    """
    export = Export.objects.create(
        owner=actor,
        by_operator=actor is None,
        keys=[person.pk],
        columns=[*PERSON_FIELDS[:4], *PROFILE_FIELDS],
        format=HELD,
        title=HELD_TITLE,
        total=1,
    )
    export.start_sending()
    try:
        data = _zipped(person, looks=actor is None or sees_everything(actor))
    except StorageDown as down:
        export.fail(down.sentence)
        raise
    export.finish(1, len(data), hashlib.sha256(data).hexdigest())
    return export, data


def answer(person: User, actor: User) -> HttpResponse:
    """The archive as a download that nobody keeps on the way."""
    export, data = archive(person, actor)
    headers = {
        "Content-Disposition": f'attachment; filename="{export.filename}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(data, content_type="application/zip", headers=headers)


def _zipped(person: User, looks: bool) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _readme(person))
        for name, section in sections(person, looks).items():
            archive.writestr(f"{name}.json", json.dumps(section(), default=_plain, ensure_ascii=False, indent=2))
        for name, data in _pictures(person):
            archive.writestr(name, data)
    return out.getvalue()


def sections(person: User, looks: bool) -> dict[str, Callable[[], Any]]:
    """What goes into which file; with ``looks``, also who was shown private fields of the person."""
    found: dict[str, Callable[[], Any]] = {
        "person": lambda: _person(person),
        "history": lambda: list(_history(person, looks)),
        "did": lambda: list(_did(person)),
        "imports": lambda: list(_imports(person)),
    }
    for place in PLACES:
        if place.file:
            found[place.file] = lambda place=place: list(place.of(person).values(*place.fields))  # type: ignore[misc]
    return found


def _readme(person: User) -> str:
    lines = [
        _("What Backoffice holds about %(person)s, on %(day)s.")
        % {"person": person, "day": timezone.localdate().isoformat()},
        "",
        "person.json: " + _("the account and the profile"),
        "history.json: " + _("every change of them: when, by whom, from what to what, and how it came"),
        "did.json: " + _("what they did to others, without whom"),
        "imports.json: " + _("the rows of uploaded files that were about them"),
        *(f"{place.file}.json: {place.label}" for place in PLACES if place.file),
        _("The pictures are here as they are stored. Passwords and other secrets are not: they are kept unreadable."),
    ]
    return "\n".join(lines) + "\n"


def _person(person: User) -> dict[str, Any]:
    profile = person.profile
    return {
        "number": person.pk,
        **{name: getattr(person, name) for name in (*PERSON_FIELDS, *SPOKEN, *DATES)},
        "role": person.role,
        "groups": [str(group) for group in person.groups.all()],
        "permissions": [permission.codename for permission in person.user_permissions.all()],
        "has_password": person.has_usable_password(),
        **{name: getattr(profile, name) for name in PROFILE_FIELDS if name != "avatar"},
        "has_picture": bool(profile.avatar),
        "profile_changed": profile.updated_at,
    }


def _history(person: User, looks: bool) -> Iterator[dict[str, Any]]:
    noted = TrailEntry.objects.filter(content_type=people_type(), object_id=person.pk)
    if not looks:
        noted = noted.exclude(action=TrailEntry.Action.ACCESS)
    for entry in noted.order_by("timestamp", "pk").iterator(CHUNK):
        yield {
            "when": entry.timestamp,
            "who": entry.actor_name,
            "how": entry.road,
            "what": entry.get_action_display(),
            "name": entry.object_repr,
            "changes": entry.changes,
        }


def _did(person: User) -> Iterator[dict[str, Any]]:
    """What they did to others is theirs; whom it was done to, and what their values are, is not."""
    noted = TrailEntry.objects.filter(actor_id=person.pk).order_by("timestamp", "pk")
    for entry in noted.iterator(CHUNK):
        yield {
            "when": entry.timestamp,
            "how": entry.road,
            "what": entry.get_action_display(),
            "fields": sorted(entry.changes or ()),
            "address": entry.remote_addr,
        }


def _imports(person: User) -> Iterator[dict[str, Any]]:
    rows = ImportRow.objects.filter(user=person).select_related("job", "user").order_by("job", "number")
    for row in rows.iterator(CHUNK):
        yield {
            "file": row.job.filename,
            "uploaded": row.job.uploaded_at,
            "applied": row.job.applied_at,
            "row": row.number,
            "name": whom(row),
            "outcome": row.outcome,
            "changes": written(row),
            "errors": _mistakes(row),
            "undone": row.undone,
            "invited": row.invited_at,
        }


def _mistakes(row: ImportRow) -> list[dict[str, str]]:
    """Why a row was refused, in sentences."""
    problems = problems_of(row.errors, Options.from_json(row.job.options))
    return [{"column": one.column, "value": one.value, "reason": one.reason} for one in problems]


def _pictures(person: User) -> Iterator[tuple[str, bytes]]:
    if person.profile.avatar:
        yield from _stored("picture.webp", person.profile.avatar)
    for picture in ImportPicture.objects.filter(user=person).exclude(file=""):
        yield from _stored(f"picture-of-import-{picture.job_id}.webp", picture.file)


def _stored(name: str, file: Any) -> Iterator[tuple[str, bytes]]:
    try:
        with file.storage.open(file.name) as stored:
            yield name, stored.read()
    except FileNotFoundError:
        pass  # lost with a disk or left out of a backup; there is none to give out


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.pk if isinstance(value, Model) else str(value)
