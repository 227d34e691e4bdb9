"""Pages of the trail: of one person, or of everybody, the newest first.

There are three sources: what was noted, what imports wrote, and what was undone of it. Each is paged by the moment and
the key of what it holds, and a page is the newest of what the three have next.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Q, QuerySet
from django.utils.translation import ngettext

from users_profiles import roles, search
from users_profiles.models import Import, Road, TrailEntry, User
from users_profiles.models.user import has_email, has_username
from users_profiles.trail.entries import (
    APPLIED,
    NOTED,
    UNDONE,
    Actor,
    Cursor,
    Entry,
    Kind,
    from_note,
    from_row,
    from_undone_row,
    owner,
    people_type,
    sees_everything,
    undoer,
    undone_at,
    undone_rows,
    written_rows,
)

PAGE = 25
# Undone rows of one person, or undone imports: few, so they are read as a whole.
MOST_UNDONE = 500
# How many people a name may stand for.
MOST_NAMED = 50
# How many entries are looked through for what no index knows of, before somebody is asked to go on.
LOOKED_THROUGH = 50_000
# For how long what is done to several people at once may be written.
WRITTEN_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Page:
    """Some entries, newest first, and where the older ones begin."""

    entries: list[Entry]
    older: str = ""


@dataclass(frozen=True)
class Filter:
    """What to look for on the page of the trail; what is empty does not matter."""

    person: str = ""
    actor: str = ""
    field: str = ""
    road: str = ""
    since: datetime | None = None
    until: datetime | None = None
    looks: bool = True


def of(person: User, actor: Actor, cursor: str = "", size: int = PAGE, looks: bool = True) -> Page:
    """What happened to a person, as far as ``actor`` may know of it, in three queries; ``looks``: and who looked."""
    look = _Look(Filter(looks=looks), actor, Cursor.parse(cursor), size)
    return look.page(look.about([person.pk]))


def of_group(group: Group, actor: Actor, cursor: str = "", size: int = PAGE) -> Page:
    """What happened to a group, and so to what a role may do."""
    look = _Look(Filter(), actor, Cursor.parse(cursor), size)
    kind = ContentType.objects.get_for_model(Group)
    return look.page(look.noted(TrailEntry.objects.filter(content_type=kind, object_id=group.pk)))


def everything(wanted: Filter, actor: Actor, cursor: str = "", size: int = PAGE) -> Page:
    """What happened to anybody, as far as it is ``wanted``; of an import one entry, unless the question is of whom.

    Nobody named is looked for among those who are gone: the trail has the names they had.
    """
    look = _Look(wanted, actor, Cursor.parse(cursor), size)
    if not wanted.person:
        return look.page(look.of_everybody())
    people = _named(wanted.person, actor)
    if people:
        return look.page(look.about(people))
    return look.page(look.noted(TrailEntry.objects.all(), Q(object_repr__icontains=wanted.person)))


def latest(actor: Actor, limit: int) -> list[Entry]:
    """The latest changes of people that ``actor`` may know of, newest first; imports have a list of their own.

    What was done to several people in the list is one entry, with how many they were.
    """
    if not roles.may(actor, roles.Action.VIEW):
        return []
    left = TrailEntry.objects.filter(content_type=people_type()).exclude(action=Kind.ACCESS)
    found: list[tuple[TrailEntry, Entry]] = []
    for _look in range(limit):  # a list action can fill many a look; the next is at what is older, and without it
        seen = list(left.order_by("-timestamp", "-pk")[: 2 * limit])
        firsts = _one_of_each(seen)
        found += [(one, entry) for one in firsts if (entry := from_note(one, actor)).what or entry.changes]
        if len(found) >= limit or len(seen) < 2 * limit:
            break
        left = _older(left, seen[-1], firsts)
    del found[limit:]
    people = _people_of([one for one, _entry in found])
    return [replace(entry, people=people.get((one.cid, one.road), 1)) for one, entry in found]


def _one_of_each(seen: list[TrailEntry]) -> list[TrailEntry]:
    """Of what was done to several people at once the newest entry alone; in the order they come in, newest first."""
    found: dict[tuple[object, str], TrailEntry] = {}
    for entry in seen:
        found.setdefault((entry.cid or entry.pk, entry.road), entry)
    return list(found.values())


def _older(left: QuerySet[TrailEntry], last: TrailEntry, told: list[TrailEntry]) -> QuerySet[TrailEntry]:
    """What is left behind the last entry that was seen, without what was done together with those that are told."""
    left = left.filter(_after(Cursor(last.timestamp, NOTED, last.pk), NOTED, "timestamp"))
    for one in told:
        left = left.exclude(cid=one.cid, road=one.road) if one.cid else left
    return left


def _people_of(entries: list[TrailEntry]) -> dict[tuple[str | None, str], int]:
    """To how many people each thing was done that these are the last entries of, by mark and road."""
    marked = [entry for entry in entries if entry.cid]
    if not marked:
        return {}
    since, until = min(one.timestamp for one in marked) - WRITTEN_WITHIN, max(one.timestamp for one in marked)
    together = TrailEntry.objects.filter(timestamp__range=(since, until), cid__in={one.cid for one in marked})
    counted = together.order_by().values_list("cid", "road").annotate(people=Count("pk"))
    return {(mark, road): people for mark, road, people in counted}


@dataclass
class _Look:
    """One look at the trail: what for, by whom, from where on; and how far back it has got."""

    wanted: Filter
    actor: Actor
    cursor: Cursor | None
    size: int
    horizon: Cursor | None = None

    def page(self, found: list[Entry]) -> Page:
        """The newest of what all sources have next; what is hidden from somebody leaves no sign.

        Counted before that is left out: a page may be short, but nobody is told too early that there is no more.
        """
        horizon = self.horizon
        found = sorted((entry for entry in found if horizon is None or entry.at >= horizon), key=lambda entry: entry.at)
        found.reverse()
        last = found[self.size - 1].at if len(found) > self.size else horizon
        shown = [entry for entry in found[: self.size] if entry.what or entry.changes]
        return Page([entry for entry in shown if _is_wanted(entry, self.wanted)], str(last or ""))

    def noted(self, entries: QuerySet[TrailEntry], slow: Q | None = None) -> list[Entry]:
        """What was noted. ``slow`` is what no index knows of, such as a field, so that is not looked for for ever."""
        wanted, slow = self.wanted, slow or Q()
        found = entries.filter(_after(self.cursor, NOTED, "timestamp"), _between(wanted, "timestamp"))
        if not (wanted.looks and sees_everything(self.actor)):
            found = found.exclude(action=Kind.ACCESS)
        if wanted.road:
            found = found.filter(road=wanted.road)
        if wanted.field:
            slow &= Q(changes__has_key=wanted.field)
        if wanted.actor:
            people = _named(wanted.actor, self.actor)
            found = found.filter(actor__in=people) if people else found
            slow &= Q() if people else Q(actor_name__icontains=wanted.actor)
        found = found.order_by("-timestamp", "-pk")
        if slow:
            found = self._in_sight(found).filter(slow)
        return [from_note(entry, self.actor) for entry in found[: self.size + 1]]

    def _in_sight(self, entries: QuerySet[TrailEntry]) -> QuerySet[TrailEntry]:
        """The newest of these entries, as many as can be read while somebody waits; the next page goes on there."""
        last = entries.values_list("timestamp", "pk")[LOOKED_THROUGH : LOOKED_THROUGH + 1].first()
        if last is None:
            return entries
        self.horizon = Cursor(last[0], NOTED, last[1])
        same = Q(timestamp=last[0], pk__gte=last[1])
        return entries.filter(Q(timestamp__gt=last[0]) | same, timestamp__gte=last[0])

    def about(self, people: Collection[int]) -> list[Entry]:
        """What happened to these people, row by row where an import did it."""
        mine = written_rows().filter(user__in=people)
        rows = mine.filter(_after(self.cursor, APPLIED, "job__applied_at"), _between(self.wanted, "job__applied_at"))
        if self.wanted.field and self.wanted.field != "avatar":
            rows = rows.filter(changes__has_key=self.wanted.field)
        applied = (from_row(row, self.actor) for row in rows.order_by("-job__applied_at", "-pk")[: self.size + 1])
        undone = (from_undone_row(row, self.actor) for row in undone_rows(mine).order_by("-pk")[:MOST_UNDONE])
        noted = TrailEntry.objects.filter(content_type=people_type(), object_id__in=people)
        return [*self.noted(noted), *applied, *filter(self._is_behind, undone)]

    def of_everybody(self) -> list[Entry]:
        """What was noted, and a line for each import."""
        jobs = Import.objects.exclude(applied_at=None).select_related("owner", "undone_by")
        fresh = jobs.filter(_after(self.cursor, APPLIED, "applied_at"), _between(self.wanted, "applied_at"))
        applied = (_applied_job(job) for job in fresh.order_by("-applied_at", "-pk")[: self.size + 1])
        undone = (_undone_job(job) for job in jobs.filter(state=Import.State.UNDONE).order_by("-pk")[:MOST_UNDONE])
        return [*self.noted(TrailEntry.objects.all()), *applied, *filter(self._is_behind, undone)]

    def _is_behind(self, entry: Entry) -> bool:
        since, until = self.wanted.since, self.wanted.until
        in_time = (not since or entry.when >= since) and (not until or entry.when < until)
        return in_time and (self.cursor is None or entry.at < self.cursor)


def _named(text: str, actor: Actor) -> list[int]:
    """The keys of the people a text means: just the one with this username or e-mail, else a few it is found in."""
    exact = User.objects.filter(has_username(text) | has_email(text))
    found = search.matches(text, private=roles.may(actor, roles.Action.VIEW_PRIVATE))
    return list(exact.values_list("pk", flat=True)) or list(
        User.objects.filter(found).order_by("pk").values_list("pk", flat=True)[:MOST_NAMED]
    )


def _applied_job(job: Import) -> Entry:
    pictures = job.subject == Import.Subject.PICTURES
    what = _imported_pictures(job) if pictures else _imported(job)
    road = Road.PICTURES if pictures else Road.IMPORT
    assert job.applied_at is not None  # noqa: S101
    return Entry(Cursor(job.applied_at, APPLIED, job.pk), None, job.filename, owner(job), road, what, job=job)


def _imported(job: Import) -> str:
    count = job.created + job.updated + job.missing
    return ngettext("%(count)s person new or changed", "%(count)s people new or changed", count) % {"count": count}


def _imported_pictures(job: Import) -> str:
    count = job.created + job.updated
    return ngettext("%(count)s picture new or replaced", "%(count)s pictures new or replaced", count) % {"count": count}


def _undone_job(job: Import) -> Entry:
    count = job.taken_back
    what = ngettext("%(count)s person as before", "%(count)s people as before", count) % {"count": count}
    return Entry(Cursor(undone_at(job), UNDONE, job.pk), None, job.filename, undoer(job), Road.UNDO, what, job=job)


def _is_wanted(entry: Entry, wanted: Filter) -> bool:
    """Whether what an import did is what was asked for; there are few of them, so the database need not know."""
    if entry.job is None:
        return True
    if wanted.field and wanted.field not in _fields_of(entry):
        return False
    if wanted.road and entry.road != wanted.road:
        return False
    return not wanted.actor or wanted.actor.casefold() in _names_of(entry)


def _fields_of(entry: Entry) -> Collection[str]:
    assert entry.job is not None  # noqa: S101
    if entry.person is not None or entry.changes:
        return [change.field for change in entry.changes]
    if entry.job.subject == Import.Subject.PICTURES:
        return ["avatar"]
    return [*entry.job.options.get("mapping", ()), *entry.job.options.get("defaults", ())]


def _names_of(entry: Entry) -> str:
    assert entry.job is not None  # noqa: S101
    person = entry.job.undone_by if entry.road == Road.UNDO else entry.job.owner
    return f"{person} {person.username} {person.email}".casefold() if person else entry.who.casefold()


# Behind what was shown, and in time ---------------------------------------------------------------------------------


def _after(cursor: Cursor | None, source: int, moment: str) -> Q:
    """The condition that something of this source stands behind the cursor."""
    if cursor is None:
        return Q()
    earlier = Q(**{f"{moment}__lt": cursor.when})
    if source > cursor.source:
        return earlier
    same = Q(**{moment: cursor.when})
    tied = earlier | (same if source < cursor.source else same & Q(pk__lt=cursor.key))
    return Q(**{f"{moment}__lte": cursor.when}) & tied  # said twice, because only this half can use an index


def _between(wanted: Filter, moment: str) -> Q:
    found = Q(**{f"{moment}__gte": wanted.since}) if wanted.since else Q()
    return found & Q(**{f"{moment}__lt": wanted.until}) if wanted.until else found
