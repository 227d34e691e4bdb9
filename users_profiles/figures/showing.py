"""Says the figures in words, as far as somebody may know them, with the parameters of the list behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from django.contrib.auth.models import AnonymousUser
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from users_profiles import criteria, roles
from users_profiles.figures.counting import ACTIVE, NUMBERS, Counts, Params, in_month, last_months
from users_profiles.models import Profile, Role, User


@dataclass(frozen=True)
class Aside:
    """A word below a number. Where it says a number of its own, that is ``value``: its list has as many rows."""

    text: str
    params: Params | None = None
    value: int | None = None


@dataclass(frozen=True)
class Figure:
    """One big number, and the parameters of the list that has as many rows."""

    label: str
    value: int
    params: Params
    aside: Aside | None = None


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, and the parameters of the list that has as many rows."""

    label: str
    count: int
    params: Params


class Shape(Enum):
    """How a chart is drawn: time goes from left to right, kinds of people one below the other."""

    COLUMNS = "columns"
    ROWS = "rows"


@dataclass(frozen=True)
class Chart:
    """Bars under one heading, and a sentence on them. ``kind`` is the heading of the column that names them in the
    table beneath.
    """

    name: str
    title: str
    kind: str
    shape: Shape
    bars: list[Bar]
    aside: Aside | None = None
    sentence: str = ""


# The row of figures -------------------------------------------------------------------------------------------------


def figures(counts: Counts, actor: User | AnonymousUser) -> list[Figure]:
    """The big numbers that ``actor`` may know."""
    numbers = counts["numbers"]
    months = last_months(date.fromisoformat(counts["day"]), 2)
    found = [
        Figure(_("People"), numbers["people"], NUMBERS["people"], _active(numbers["active"])),
        _this_month(_("Joined this month"), "joined", counts["joined"], months),
        _this_month(_("Left this month"), "left", counts["left"], months),
        Figure(_("Incomplete profiles"), numbers["incomplete"], NUMBERS["incomplete"], _most_missing(numbers, actor)),
        Figure(_("Never signed in"), numbers["never"], NUMBERS["never"], _of(numbers["never"], numbers["active"])),
    ]
    if roles.may(actor, roles.Action.VIEW_PRIVATE):
        found.append(_birthdays(numbers["birthdays"], date.fromisoformat(counts["day"])))
    return found


def _active(count: int) -> Aside:
    text = ngettext("%(count)s active", "%(count)s active", count)
    return Aside(text % {"count": number_format(count, force_grouping=True)}, ACTIVE, count)


def _this_month(label: str, what: str, per_month: list[int], months: list[tuple[date, date]]) -> Figure:
    before, now = per_month[-2:]
    text = _("%(count)s in %(month)s") % {
        "count": number_format(before, force_grouping=True),
        "month": date_format(months[0][0], "F"),
    }
    return Figure(label, now, in_month(what, months[1]), Aside(text, in_month(what, months[0]), before))


def _most_missing(numbers: Mapping[str, int], actor: User | AnonymousUser) -> Aside | None:
    """The field that is missing most, of those that make a profile incomplete."""
    required = {field for spec in roles.specs().values() for field in spec.required}
    fields = roles.visible_fields(actor, [field for field in roles.FIELDS if field in required])
    field = max(fields, key=lambda field: numbers[f"missing_{field}"], default="")
    missing = numbers.get(f"missing_{field}", 0)
    if not missing or not numbers["incomplete"]:
        return None
    text = _("%(count)s without %(field)s") % {
        "count": number_format(missing, force_grouping=True),
        "field": field_label(field),
    }
    return Aside(text, NUMBERS[f"missing_{field}"], missing)


def _of(part: int, whole: int) -> Aside | None:
    return Aside(_("%(percent)s%% of active") % {"percent": round(part * 100 / whole)}) if whole else None


def _birthdays(count: int, today: date) -> Figure:
    until = date_format(today + timedelta(days=6), "MONTH_DAY_FORMAT")
    return Figure(_("Birthdays this week"), count, NUMBERS["birthdays"], Aside(_("until %(day)s") % {"day": until}))


def field_label(field: str) -> str:
    """What a field of a person or their profile is called."""
    model = User if field in roles.NAME_FIELDS else Profile
    return str(model._meta.get_field(field).verbose_name)  # type: ignore[union-attr]


def what_is_complete() -> str:
    """What a profile needs to be complete, as far as that is the same for every role."""
    required = {frozenset(spec.required) for spec in roles.specs().values()}
    if len(required) > 1:
        return _("Complete is a profile with everything that the role of the person asks for.")
    names = [field_label(name) for name in roles.FIELDS if name in next(iter(required))]
    return _("A profile is complete with: %(fields)s.") % {"fields": get_text_list(names, _("and"))}


# Charts -------------------------------------------------------------------------------------------------------------


def charts(counts: Counts, actor: User | AnonymousUser) -> list[Chart]:
    """The charts, as far as ``actor`` may know what is in them."""
    return [_joined(counts), _by_role(counts), _completeness(counts, actor), _by_place(counts)]


def _joined(counts: Counts) -> Chart:
    months = last_months(date.fromisoformat(counts["day"]), len(counts["joined"]))
    bars = [
        Bar(date_format(month[0], "YEAR_MONTH_FORMAT"), count, in_month("joined", month))
        for month, count in zip(months, counts["joined"], strict=True)
    ]
    return Chart("joined", _("Joined per month"), _("Month"), Shape.COLUMNS, bars)


def _by_role(counts: Counts) -> Chart:
    labels = {criteria.SUPERUSERS: _("Superuser"), **{role.value: str(role.label) for role in Role}}
    labels[criteria.MEMBERS] = str(roles.LABELS[roles.MEMBER])
    bars = [Bar(label, counts["roles"][role], {"role": role}) for role, label in labels.items()]
    return Chart("role", _("People by role"), _("Role"), Shape.ROWS, bars)


def _completeness(counts: Counts, actor: User | AnonymousUser) -> Chart:
    """What profiles lack, what most lack first."""
    numbers = counts["numbers"]
    fields = roles.visible_fields(actor, roles.FIELDS)
    bars = [
        Bar(capfirst(field_label(field)), numbers[f"missing_{field}"], NUMBERS[f"missing_{field}"]) for field in fields
    ]
    complete = numbers["active"] - numbers["incomplete"]
    percent = complete * 100 // numbers["active"] if numbers["active"] else 100
    text = _("%(count)s complete (%(percent)s%%)") % {
        "count": number_format(complete, force_grouping=True),
        "percent": percent,
    }
    aside = Aside(text, {**ACTIVE, "complete": "yes"}, complete)
    bars.sort(key=lambda bar: -bar.count)
    return Chart("missing", _("Missing in active profiles"), _("Field"), Shape.ROWS, bars, aside, what_is_complete())


def _by_place(counts: Counts) -> Chart:
    """The top locations, then everybody elsewhere, then those who have none."""
    bars = [Bar(place, count, {"location": place}) for place, count in counts["places"]]
    nowhere = counts["numbers"]["nowhere"]
    elsewhere = counts["numbers"]["people"] - nowhere - sum(bar.count for bar in bars)
    rest = [
        Bar(_("Elsewhere"), elsewhere, {"location_is": criteria.ELSEWHERE}),
        Bar(_("No location"), nowhere, {"location_is": criteria.NOWHERE}),
    ]
    bars += [bar for bar in rest if bar.count > 0]
    return Chart("place", _("People by place"), _("Place"), Shape.ROWS, bars)
