"""What an entry of the trail is, for people to read, and what it is made of.

``recorder`` notes what happens one by one. An import notes nothing of its own: its rows say what became of whom. Two
things happen to a row, it is applied and perhaps undone, and each is an entry like any other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Q, QuerySet
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import phones, recorder, roles
from users_profiles.models import Export, Import, ImportRow, Profile, Report, Road, TrailEntry, User
from users_profiles.models.profile import PRIVATE_FIELDS, PROFILE_FIELDS
from users_profiles.moments import at_the_office, day_or_moment

Actor = User | AnonymousUser
Kind = TrailEntry.Action
Outcome = ImportRow.Outcome
Fate = ImportRow.Fate
# What the fields of a change can be beside those of person and profile.
OTHER_LABELS = {
    "role": gettext_lazy("Role"),
    "link": gettext_lazy("Password link"),
    "second_factor": gettext_lazy("Second factor"),
    "sign_in_service": gettext_lazy("Sign-in service"),
    "permissions": gettext_lazy("Permissions"),
    "name": gettext_lazy("Name"),
    # Django's own words for these are other roles' names in some languages.
    "is_staff": gettext_lazy("Staff"),
    "is_superuser": gettext_lazy("Superuser"),
}
# Of reports: choices, which are kept as English calls them.
IN_ENGLISH = frozenset({"sharing", "kind", "format", "every", "weekday"})
# By allauth's names for them; "all" is what the command line takes away.
SECOND_FACTORS = {
    "totp": gettext_lazy("app"),
    "webauthn": gettext_lazy("passkey"),
    "all": gettext_lazy("all of them"),
}


class Cursor(NamedTuple):
    """Where an entry stands: moment, source and key. The next page begins behind the last one of this."""

    when: datetime
    source: int
    key: int

    def __str__(self) -> str:
        return f"{round(self.when.timestamp() * 1_000_000)}-{self.source}-{self.key}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read what an address carries; nonsense is the first page."""
        try:
            when, source, key = (int(part) for part in text[:60].split("-"))
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=when)
        except (ValueError, OverflowError):
            return None
        return cls(moment, source, key) if 0 <= key < 2**62 else None


UNDONE, APPLIED, NOTED = range(3)


@dataclass(frozen=True)
class Change:
    """One field, as people read it; ``noted`` is the new value as it was noted, to decide by."""

    field: str
    label: str
    old: str
    new: str
    noted: str | None = None


@dataclass(frozen=True)
class Entry:
    """One thing somebody did; ``what`` says it in words where no field changed, ``person`` is a key."""

    at: Cursor
    person: int | None
    label: str
    who: str
    road: str
    what: str = ""
    changes: list[Change] = field(default_factory=list)
    address: str = ""
    job: Import | None = None
    is_deletion: bool = False
    # Of something done to several people in the list: by which mark it can be taken back, for who may.
    mark: str = ""
    # Of how many people that is told here at once.
    people: int = 1

    @property
    def when(self) -> datetime:
        return self.at.when

    @property
    def road_label(self) -> str:
        return str(Road(self.road).label)

    @property
    def summary(self) -> str:
        """What happened, in a few words and without a value."""
        if self.what:
            return self.what
        fields = [change.field for change in self.changes]
        if fields == ["is_active"]:
            return _("Activated") if self.changes[0].noted == "yes" else _("Deactivated")
        if fields == ["link"]:
            return _("Was sent a link to set a password")
        return _("Changed %(fields)s") % {"fields": ", ".join(change.label for change in self.changes)}


# In which order the fields of an entry are told; PostgreSQL keeps none.
_PLACES = {name: place for place, name in enumerate((*recorder.PERSON_FIELDS, *recorder.OTHER_FIELDS, *PROFILE_FIELDS))}


# In words -----------------------------------------------------------------------------------------------------------


def label_of(name: str) -> str:
    """What people call a field."""
    if name in OTHER_LABELS:
        return str(OTHER_LABELS[name])
    for model in (User, Profile, Report):
        found = next((one for one in model._meta.get_fields() if one.name == name), None)
        if found is not None:
            return str(capfirst(getattr(found, "verbose_name", name)))
    return name


def readable(name: str, text: str | None) -> str:
    """A stored value as people read it: names of roles, dates, yes and no."""
    if name == "role" and text is not None:
        return str(roles.LABELS.get(roles.MEMBER if text == roles.MEMBER_WORD else text, text))
    if not text:
        return ""
    if name == "avatar":
        return _("a picture")
    if name == "link":
        return _("sent")
    if name == "second_factor":
        return str(SECOND_FACTORS.get(text, text))
    if text in {"yes", "no"} and name.startswith("is_"):
        return _("yes") if text == "yes" else _("no")
    if name == "birth_date":
        return _day(text)
    if name == "date_joined":
        return moment_text(text)
    if name in IN_ENGLISH:
        return _(text)
    return phones.pretty(text) if name == "phone_number" else text


def _day(text: str) -> str:
    try:
        return str(date_format(date.fromisoformat(text), "DATE_FORMAT"))
    except ValueError:
        return text


def moment_text(text: str) -> str:
    """A noted moment as people read it."""
    try:
        return day_or_moment(at_the_office(datetime.fromisoformat(text)))
    except ValueError:
        return text


def _change(name: str, old: str | None, new: str | None) -> Change:
    label = label_of(name)
    if name == "password":
        return Change(name, label, "", _("changed"))
    if name == "avatar" and old and new:
        return Change(name, label, _("a picture"), _("another picture"))
    return Change(name, label, readable(name, old), readable(name, new), noted=new)


def _changes(pairs: dict[str, Any] | None, hidden: Collection[str]) -> list[Change]:
    told = [_change(name, *pair(value)) for name, value in (pairs or {}).items() if name not in hidden]
    return sorted(told, key=lambda change: _PLACES.get(change.field, len(_PLACES)))


def pair(value: Any) -> tuple[str | None, str | None]:
    """Old and new; auditlog writes of many-to-many fields what was added or removed."""
    if isinstance(value, dict):
        words = ", ".join(value["objects"])
        return (None, words) if value["operation"] == "add" else (words, None)
    return value[0], value[1]


def _hidden(actor: Actor) -> Collection[str]:
    return () if roles.may(actor, roles.Action.VIEW_PRIVATE) else PRIVATE_FIELDS


def sees_everything(actor: Actor) -> bool:
    """Whether somebody is told who looked at what, and from which address people came."""
    return roles.may(actor, roles.Action.GRANT)


# What was noted -----------------------------------------------------------------------------------------------------

# What one of many can be looked at of, by what ``recorder.looked_at`` calls it.
NUMBERED = {
    "Report": gettext_lazy("Report %(name)s"),
    "Export": gettext_lazy("Export %(name)s"),
    "Import": gettext_lazy("Import %(name)s"),
}
_DONE = {
    Kind.CREATE: gettext_lazy("Added"),
    Kind.DELETE: gettext_lazy("Deleted"),
    Kind.ACCESS: gettext_lazy("Looked at private fields"),
}


def from_note(entry: TrailEntry, actor: Actor) -> Entry:
    is_person = entry.content_type_id == people_type()
    by_link = _is_by_link(entry)
    return Entry(
        at=Cursor(entry.timestamp, NOTED, entry.pk),
        person=entry.object_id if is_person else None,
        label=_label(entry) if is_person else _thing(entry),
        who=entry.actor_name or (entry.object_repr if by_link else nobody(entry.road)),
        road=entry.road,
        what=_("Chose a password, by link") if by_link else str(_DONE.get(entry.action, "")),
        changes=[] if by_link else _changes(entry.changes, _hidden(actor)),
        address=(entry.remote_addr or "") if sees_everything(actor) else "",
        is_deletion=entry.action == Kind.DELETE,
        mark=_mark(entry, actor),
    )


def _is_by_link(entry: TrailEntry) -> bool:
    """Whether somebody chose a password who was not signed in, which takes the link that was mailed to them."""
    return entry.road == Road.ACCOUNT and not entry.actor_name and set(entry.changes or ()) == {"password"}


def _label(entry: TrailEntry) -> str:
    """Whom an entry is about; where many people were looked at, on which page, which is kept in English."""
    if entry.object_id is not None:
        return entry.object_repr
    kind, _blank, number = entry.object_repr.partition(" ")
    return str(NUMBERED[kind] % {"name": number}) if kind in NUMBERED and number else _(entry.object_repr)


def _mark(entry: TrailEntry, actor: Actor) -> str:
    """What was done in the list is undone by who did it, or by who sees everything; a mail that was sent by nobody."""
    is_theirs = entry.actor_id == actor.pk or sees_everything(actor)
    can_be = entry.road == Road.ACTION and {"role", "is_active"}.issuperset(entry.changes or {"": []})
    return entry.cid or "" if is_theirs and can_be else ""


def _thing(entry: TrailEntry) -> str:
    """What an entry is about that is not about a person."""
    is_report = entry.content_type_id == ContentType.objects.get_for_model(Report).pk
    sentence = _("Report %(name)s") if is_report else _("Group %(name)s")
    return sentence % {"name": entry.object_repr}


def nobody(road: str) -> str:
    return _("Command line") if road == Road.COMMAND else _("Not signed in")


def people_type() -> int:
    return ContentType.objects.get_for_model(User).pk


# What imports did ---------------------------------------------------------------------------------------------------


def written_rows() -> QuerySet[ImportRow]:
    """The rows that were written to people."""
    written = ImportRow.objects.filter(outcome__in=ImportRow.WRITTEN, job__applied_at__isnull=False)
    return written.filter(number__lte=F("job__applied_through")).select_related("job__owner", "job__undone_by", "user")


def undone_rows(rows: QuerySet[ImportRow]) -> QuerySet[ImportRow]:
    """Those that an undo has done something about."""
    return rows.filter(reduce(or_, (Q(undone__startswith=fate) for fate in ImportRow.TAKEN_BACK)))


def road_of(row: ImportRow) -> Road:
    if row.job.subject == Import.Subject.PICTURES:
        return Road.PICTURES
    return Road.ROSTER if row.outcome == Outcome.MISSING else Road.IMPORT


def whom(row: ImportRow) -> str:
    """The name of the person; a row of pictures has that of a file instead."""
    return str(row.user) if row.job.subject == Import.Subject.PICTURES and row.user is not None else row.label


def written(row: ImportRow) -> dict[str, Any]:
    if row.job.subject == Import.Subject.PICTURES:
        return {"avatar": ["yes" if row.outcome == Outcome.UPDATED else "", "yes"]}
    changes: dict[str, Any] = row.changes
    return changes


def taken_back(row: ImportRow) -> dict[str, Any]:
    """What an undo wrote: the old values of all fields but those it had to leave alone."""
    note = row.note
    if note.fate == Fate.DEACTIVATED:
        return {"is_active": ["yes", "no"]}
    if note.fate == Fate.REMOVED and row.job.subject == Import.Subject.PEOPLE:
        return {}
    return {name: [new, old] for name, (old, new) in written(row).items() if name not in note.kept}


def undone_at(job: Import) -> datetime:
    return datetime.fromisoformat(job.undo.get("finished") or job.undo["started"])


def owner(job: Import | Export) -> str:
    """Whoever answers for an import or an export."""
    return _somebody(job.owner, job.by_operator)


def undoer(job: Import) -> str:
    """Whoever answers for the undo of an import."""
    return _somebody(job.undone_by, bool(job.undo.get("operator")))


def _somebody(person: User | None, by_operator: bool) -> str:
    if person is not None:
        return str(person)
    return _("Command line") if by_operator else _("Somebody who has been deleted")


def from_row(row: ImportRow, actor: Actor) -> Entry:
    assert row.job.applied_at is not None  # noqa: S101
    return Entry(
        at=Cursor(row.job.applied_at, APPLIED, row.pk),
        person=row.user_id,
        label=whom(row),
        who=owner(row.job),
        road=road_of(row),
        what=_("Added") if row.outcome == Outcome.CREATED and row.job.subject == Import.Subject.PEOPLE else "",
        changes=_changes(written(row), _hidden(actor)),
        job=row.job,
    )


def from_undone_row(row: ImportRow, actor: Actor) -> Entry:
    changes = taken_back(row)
    return Entry(
        at=Cursor(undone_at(row.job), UNDONE, row.pk),
        person=row.user_id,
        label=whom(row),
        who=undoer(row.job),
        road=Road.UNDO,
        what="" if changes else _("Deleted"),
        changes=_changes(changes, _hidden(actor)),
        job=row.job,
    )
