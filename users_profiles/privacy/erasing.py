"""Erases a person: no name, address or value of theirs is left in the database, in media, or in retained files.

What happened stays: that somebody was changed, when, by whom and in which field, under a number that leads nowhere any
more. Who reads the files on the server's disks reads more than the product shows; docs/administrators.md has what that
takes, under "Personal data".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from django_tasks_db.models import DBTaskResult

from users_profiles import conflicts, recorder, roles
from users_profiles.figures import store as figures
from users_profiles.models import Delivery, Export, Import, ImportRow, Profile, Report, TrailEntry, User
from users_profiles.privacy import uploads
from users_profiles.privacy.names import Names, as_text, names_of
from users_profiles.privacy.places import PLACES
from users_profiles.roles import Action
from users_profiles.storage import discard
from users_profiles.trail.entries import people_type

# Texts and JSON beside the tables that ``PLACES`` names, in which somebody may have written who it is about.
MENTIONS: tuple[tuple[type[models.Model], tuple[str, ...], tuple[str, ...]], ...] = (
    (TrailEntry, ("object_repr", "actor_name"), ("changes",)),
    (Import, ("filename", "failure"), ("options",)),
    (Export, ("query", "title", "failure"), ()),
    (Report, ("name", "query"), ()),
    (Delivery, ("reason",), ()),
    (DBTaskResult, ("traceback",), ("args_kwargs", "return_value")),
    (LogEntry, ("object_repr", "change_message"), ()),
)


def label_of(key: int) -> str:
    """What stands where a name was."""
    return _("Erased person %(number)s") % {"number": key}


class NotErased(Exception):
    """Nothing was erased; the text says why."""


@dataclass
class Plan:
    """What would go, what would stay, and which files go as a whole because they mention the person."""

    person: User
    names: Names
    goes: list[tuple[str, int]] = field(default_factory=list)
    blanked: list[tuple[str, int]] = field(default_factory=list)
    stays: list[tuple[str, int]] = field(default_factory=list)
    uploads: list[Import] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What is left of the name."""
        return label_of(self.person.pk)


def refusal(actor: User | AnonymousUser | None, person: User) -> str:
    """Why ``actor`` (None is the operator) may not erase ``person``, or not now; the empty text when they may."""
    if actor is not None and actor.pk == person.pk:
        return _("You cannot erase yourself. Ask another admin.")
    if person.is_superuser:
        return _("Superusers cannot be erased. Take that away from them first.")
    if actor is not None and not roles.may(actor, Action.DELETE, person):
        return _("You may not erase this person.")
    if Import.objects.under_way().exists():
        return _("An import is under way, which could bring the person back. Wait until it is done.")
    return ""


def plan(person: User) -> Plan:
    """Find out what erasing a person would do, and do nothing."""
    names = names_of(person)
    found = Plan(person, names, uploads=uploads.mentioning(person, names), exports=_files_of_exports(person))
    counts = [(place, place.of(person).count()) for place in PLACES if place.file]
    found.goes = [(_("account and profile"), 1), (_("picture"), int(bool(person.profile.avatar)))]
    found.goes += [(str(place.label), count) for place, count in counts if place.fate == "goes"]
    found.blanked = [
        (_("entries of the history about them"), _about(person).count()),
        (_("entries of the history about what they did"), TrailEntry.objects.filter(actor_id=person.pk).count()),
        (_("rows of imports"), len(_rows(person, names))),
    ]
    found.stays = [(str(place.label), count) for place, count in counts if place.fate == "stays"]
    for part in (found.goes, found.blanked, found.stays):
        part[:] = [(label, count) for label, count in part if count]
    return found


def erase(person: User, actor: User | None) -> Plan:
    """Erase a person, all of it or nothing; files go once the database has let go of them.

    Raises ``NotErased``; superusers are refused, so the last of them is never lost here.
    """
    with transaction.atomic(), recorder.together():
        conflicts.lock([person.pk])
        found = User.objects.with_profile().filter(pk=person.pk).first()
        if found is None or (why := refusal(actor, found)):
            raise NotErased(_("Somebody has deleted this person meanwhile.") if found is None else why)
        done = plan(found)
        _let_go_of_files(done)
        _blank(done)
        _end_sessions(found)
        Report.objects.filter(owner=found, sharing=Report.Sharing.MINE).delete()
        with recorder.quietly():
            User.objects.filter(pk=found.pk).delete()
        recorder.note_erasure(person.pk, done.label)
        _take_out_mentions(done)
    figures.people_changed()
    return done


# Files --------------------------------------------------------------------------------------------------------------


def _files_of_exports(person: User) -> list[Export]:
    """The files that may have the person in them: all, but for those of ticked people who are others."""
    kept = Export.objects.exclude(file="").order_by("pk")
    return [export for export in kept if export.keys is None or person.pk in export.keys]


def _let_go_of_files(done: Plan) -> None:
    for job in done.uploads:
        _delete_after_commit(job.file)
        Import.objects.filter(pk=job.pk).update(file="")
    for export in done.exports:
        export.cancel()  # what is being made may have got to the person already
        _delete_after_commit(export.file)
        Export.objects.filter(pk=export.pk).update(file="")


def _delete_after_commit(file: FieldFile) -> None:
    transaction.on_commit(partial(discard, file.storage, str(file.name)))


# What stays without them --------------------------------------------------------------------------------------------


def _about(person: User) -> Any:
    return TrailEntry.objects.filter(content_type=people_type(), object_id=person.pk)


def _blank(done: Plan) -> None:
    person, label = done.person, done.label
    for entry in _about(person).only("pk", "changes"):
        # Which field it was stays; from what to what does not.
        changes = {name: [None, None] for name in entry.changes or ()}
        TrailEntry.objects.filter(pk=entry.pk).blank(
            object_repr=label, changes=changes, additional_data=None, serialized_data=None
        )
    TrailEntry.objects.filter(actor_id=person.pk).blank(actor_name=label, remote_addr=None)
    keys = _rows(person, done.names)
    for start in range(0, len(keys), 500):
        rows = ImportRow.objects.filter(pk__in=keys[start : start + 500])
        rows.update(label=label, changes={}, errors=[], undone="")


def _rows(person: User, names: Names) -> list[int]:
    """The rows of imports about the person, also of files that were never applied or whose row was refused."""
    rows = ImportRow.objects.annotate(**as_text("changes", "errors"))
    mentioning = rows.filter(names.somewhere_in("label", "text_of_changes", "text_of_errors"))
    found = set(ImportRow.objects.filter(user=person).values_list("pk", flat=True))
    for key, *texts in mentioning.values_list("pk", "label", "changes", "errors").iterator():
        if _mentions(names, texts):
            found.add(key)
    return sorted(found)


def _mentions(names: Names, value: Any) -> bool:
    if isinstance(value, dict):
        return any(_mentions(names, one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return any(_mentions(names, one) for one in value)
    return isinstance(value, str) and names.mentioned_in(value)


def _take_out_mentions(done: Plan) -> None:
    """Put the number in place of the name wherever somebody or something has written it down."""
    kinds = [ContentType.objects.get_for_model(model) for model in (User, Profile)]
    LogEntry.objects.filter(content_type__in=kinds, object_id=str(done.person.pk)).delete()
    for model, texts, documents in MENTIONS:
        rows = model._base_manager.annotate(**as_text(*documents))
        found = rows.filter(done.names.somewhere_in(*texts, *(f"text_of_{name}" for name in documents)))
        columns = (*texts, *documents)
        for row in found.only("pk", *columns):
            _rewrite(row, {name: done.names.without(getattr(row, name), done.label) for name in columns})


def _rewrite(row: models.Model, values: dict[str, Any]) -> None:
    changed = {name: _that_fits(row, name, value) for name, value in values.items() if value != getattr(row, name)}
    if changed:
        type(row)._base_manager.filter(pk=row.pk).update(**changed)


def _that_fits(row: models.Model, name: str, value: Any) -> Any:
    """A text no longer than its column: the number may be longer than the name was."""
    longest = getattr(row._meta.get_field(name), "max_length", None)
    return value[:longest] if isinstance(value, str) else value


# Sessions -----------------------------------------------------------------------------------------------------------


def _end_sessions(person: User) -> None:
    """Those that were noted, and those that were not: a session says whose it is only once it is opened."""
    keys = set(UserSession.objects.filter(user=person).values_list("session_key", flat=True))
    mine = str(person.pk)
    keys |= {one.pk for one in Session.objects.iterator() if one.get_decoded().get("_auth_user_id") == mine}
    Session.objects.filter(pk__in=keys).delete()
