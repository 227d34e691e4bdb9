"""Figures about people for the dashboard: how many, of which kind, since when, and what happened lately.

A fixed number of queries, whatever the number of people. What it returns carries the filter parameters of the list
behind each figure, not an address: addresses belong to the admin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import AnonymousUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Model, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from users_profiles import roles
from users_profiles.models import Import, Profile, Role, User

TOP_LOCATIONS = 10
MONTHS = 12
RECENT = 8

# Values of the list filters that figures link to; users_profiles/admin/filters.py answers to the same words.
MEMBERS = "member"
SUPERUSERS = "superuser"
ELSEWHERE = "other"
NOWHERE = "none"


@dataclass(frozen=True)
class Figure:
    """One big number, and the filter parameters of the list that has as many rows."""

    label: str
    value: int
    params: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart; ``share`` is its length in percent of the longest."""

    label: str
    count: int
    share: int
    params: Mapping[str, str]


@dataclass(frozen=True)
class Month(Bar):
    """The bar of one month, such as ``2026-11``."""

    month: str


@dataclass(frozen=True)
class Happening:
    """Something somebody did; ``model`` and ``pk`` say to what, where that still exists."""

    when: datetime
    who: str
    what: str
    model: type[Model] | None = None
    pk: str = ""


# Days and months in local time --------------------------------------------------------------------------------------


def start_of(day: date) -> datetime:
    """Midnight at the beginning of ``day``, where the office is."""
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def between(first: date | None, last: date | None, field_name: str) -> Q:
    """The condition that a moment lies in the days from ``first`` to ``last``, both included."""
    condition = Q()
    if first:
        condition &= Q(**{f"{field_name}__gte": start_of(first)})
    if last:
        condition &= Q(**{f"{field_name}__lt": start_of(last + timedelta(days=1))})
    return condition


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month that ``day`` is in."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def last_months(today: date, count: int = MONTHS) -> list[tuple[date, date]]:
    """The first and last days of the last ``count`` months, oldest first, this one included."""
    months = [month_of(today)]
    while len(months) < count:
        months.append(month_of(months[-1][0] - timedelta(days=1)))
    return months[::-1]


# Figures ------------------------------------------------------------------------------------------------------------


def figures(today: date) -> list[Figure]:
    """The big numbers, in one query."""
    counts = User.objects.aggregate(
        people=Count("pk"),
        active=Count("pk", filter=Q(is_active=True)),
        new=Count("pk", filter=between(*month_of(today), "date_joined")),
        complete=Count("pk", filter=roles.is_complete()),
        never=Count("pk", filter=Q(last_login=None)),
        faceless=Count("pk", filter=Q(profile__avatar="")),
    )
    people = counts["people"]
    return [
        Figure(_("People"), people),
        Figure(_("Active"), counts["active"], {"active": "yes"}, _of(counts["active"], people)),
        Figure(_("New this month"), counts["new"], {"joined": "month"}, date_format(today, "F Y")),
        _part(_("Incomplete profiles"), people - counts["complete"], people, {"complete": "no"}),
        _part(_("Never signed in"), counts["never"], people, {"signed_in": "never"}),
        _part(_("Without a picture"), counts["faceless"], people, {"picture": "no"}),
    ]


def _part(label: str, value: int, whole: int, params: Mapping[str, str]) -> Figure:
    return Figure(label, value, params, _of(value, whole))


def _of(part: int, whole: int) -> str:
    return _("%(percent)s%% of all") % {"percent": round(part * 100 / whole)} if whole else ""


def by_role() -> list[Bar]:
    """People per role, highest first; superusers count as such, whatever their role.

    Members are those who are left: to look for people without a group is to look at everybody.
    """
    holders = User.groups.through._default_manager.filter(group__name__in=Role.values, user__is_superuser=False)
    per_group = dict(holders.values_list("group__name").annotate(Count("user")))
    everybody = User.objects.aggregate(people=Count("pk"), superusers=Count("pk", filter=Q(is_superuser=True)))
    with_role = holders.aggregate(people=Count("user", distinct=True))["people"]
    counts = [(_("Superuser"), everybody["superusers"], SUPERUSERS)]
    counts += [(str(role.label), per_group.get(role.value, 0), role.value) for role in Role]
    counts += [(str(roles.LABELS[roles.MEMBER]), everybody["people"] - everybody["superusers"] - with_role, MEMBERS)]
    return _bars([(label, count, {"role": value}) for label, count, value in counts])


def top_locations(count: int = TOP_LOCATIONS) -> list[tuple[str, int]]:
    """The locations with the most people, and how many those are."""
    # Compared by "greater than", which the index on locations can serve, and "not equal" cannot.
    places = Profile.objects.filter(location__gt="").values_list("location").annotate(people=Count("pk"))
    return list(places.order_by("-people", "location")[:count])


def by_location() -> list[Bar]:
    """The top locations, then everybody elsewhere, then those who have none."""
    named = top_locations()
    counts = Profile.objects.aggregate(all=Count("pk"), nowhere=Count("pk", filter=Q(location="")))
    rows: list[tuple[str, int, Mapping[str, str]]] = [(place, count, {"location": place}) for place, count in named]
    elsewhere = counts["all"] - counts["nowhere"] - sum(count for _place, count in named)
    if elsewhere:
        rows.append((_("Elsewhere"), elsewhere, {"location_is": ELSEWHERE}))
    if counts["nowhere"]:
        rows.append((_("No location"), counts["nowhere"], {"location_is": NOWHERE}))
    return _bars(rows)


def joined(today: date) -> list[Month]:
    """How many joined in each of the last twelve months, oldest first, in one query.

    Counted by comparing with the bounds of each month: truncating every date to its month is a call into Python per
    row on SQLite.
    """
    months = last_months(today)
    counts = User.objects.filter(between(months[0][0], months[-1][1], "date_joined")).aggregate(
        **{f"m{index}": Count("pk", filter=between(*month, "date_joined")) for index, month in enumerate(months)}
    )
    values = [counts[f"m{index}"] for index in range(len(months))]
    longest = max(values)
    return [
        Month(
            label=date_format(first, "M Y"),
            count=count,
            share=_share(count, longest),
            params={"joined_from": first.isoformat(), "joined_to": last.isoformat()},
            month=f"{first:%Y-%m}",
        )
        for (first, last), count in zip(months, values, strict=True)
    ]


def _bars(rows: Iterable[tuple[str, int, Mapping[str, str]]]) -> list[Bar]:
    rows = list(rows)
    longest = max((count for _label, count, _params in rows), default=0)
    return [Bar(label, count, _share(count, longest), params) for label, count, params in rows]


def _share(count: int, longest: int) -> int:
    """Percent of the longest bar; whatever is there at all can be seen."""
    return max(1, round(count * 100 / longest)) if count else 0


# What happened lately -----------------------------------------------------------------------------------------------


def recent(actor: User | AnonymousUser, limit: int = RECENT) -> list[Happening]:
    """The latest edits and imports that ``actor`` may know of, newest first."""
    edits = _recent_edits(limit) if roles.may(actor, roles.Action.VIEW) else []
    happenings = edits + _recent_imports(actor, limit)
    return sorted(happenings, key=lambda happening: happening.when, reverse=True)[:limit]


def _recent_edits(limit: int) -> list[Happening]:
    kinds = {ContentType.objects.get_for_model(model).pk: model for model in (User, Profile)}
    entries = LogEntry.objects.filter(content_type__in=kinds).select_related("user").order_by("-action_time", "-pk")
    return [
        Happening(
            when=entry.action_time,
            who=str(entry.user),
            what=_("%(person)s: %(change)s")
            % {"person": entry.object_repr, "change": entry.get_change_message().rstrip(".") or _("Deleted")},
            model=None if entry.is_deletion() else kinds[entry.content_type_id or 0],
            pk=entry.object_id or "",
        )
        for entry in entries[:limit]
    ]


def _recent_imports(actor: User | AnonymousUser, limit: int) -> list[Happening]:
    jobs: Any = Import.objects.visible_to(actor).select_related("owner", "undone_by")
    return [_import_happening(job) for job in jobs[:limit]]


def _import_happening(job: Import) -> Happening:
    """The latest about an import; once it is undone, who undid it and when."""
    when, who = job.finished_at or job.started_at or job.uploaded_at, job.owner
    if job.state == Import.State.UNDONE:
        when, who = datetime.fromisoformat(job.undo["finished"]), job.undone_by
    return Happening(when, str(who or _("Somebody")), _describe(job), Import, str(job.pk))


def _describe(job: Import) -> str:
    pictures = job.subject == Import.Subject.PICTURES
    if job.state == Import.State.UNDONE:
        undone = sum(job.undo.get(fate, 0) for fate in ("removed", "deactivated", "restored"))
        sentence = _undid_pictures(undone) if pictures else _undid_people(undone)
        return sentence % {"file": job.filename, "count": undone}
    if job.state != Import.State.DONE:
        return _("Import of %(file)s: %(state)s") % {"file": job.filename, "state": job.get_state_display()}
    done = job.created + job.updated + job.missing
    sentence = _imported_pictures(done) if pictures else _imported_people(done)
    return sentence % {"file": job.filename, "count": done}


def _imported_people(count: int) -> str:
    return ngettext(
        "Imported %(file)s: %(count)s person new or changed",
        "Imported %(file)s: %(count)s people new or changed",
        count,
    )


def _imported_pictures(count: int) -> str:
    return ngettext(
        "Imported %(file)s: %(count)s picture new or replaced",
        "Imported %(file)s: %(count)s pictures new or replaced",
        count,
    )


def _undid_people(count: int) -> str:
    return ngettext(
        "Undid the import of %(file)s: %(count)s person as before",
        "Undid the import of %(file)s: %(count)s people as before",
        count,
    )


def _undid_pictures(count: int) -> str:
    return ngettext(
        "Undid the import of %(file)s: %(count)s picture as before",
        "Undid the import of %(file)s: %(count)s pictures as before",
        count,
    )
