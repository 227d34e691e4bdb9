"""Counts people for the dashboard, in a fixed number of queries, whatever the number of people.

Whatever is counted here is counted by the condition of the list that shows those people, so that the two cannot come
to differ: ``Params`` are the parameters of that list. What comes out is plain JSON, without a word in any language.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Value

from users_profiles import criteria, roles, selection
from users_profiles.models import Role, User

Params = Mapping[str, str]
Counts = dict[str, Any]

MONTHS = 24
ACTIVE: Params = {"active": "yes"}
# Who works here is who should have a whole profile, signs in and has a birthday.
NUMBERS: dict[str, Params] = {
    "people": {},
    "active": ACTIVE,
    "superusers": {"role": criteria.SUPERUSERS},
    "nowhere": {"location_is": criteria.NOWHERE},
    "incomplete": {**ACTIVE, "complete": "no"},
    "never": {**ACTIVE, "signed_in": "never"},
    "birthdays": {**ACTIVE, "birthday": "week"},
    **{f"missing_{field}": {**ACTIVE, "missing": field} for field in roles.FIELDS},
}


def last_months(today: date, count: int = MONTHS) -> list[tuple[date, date]]:
    """The first and last days of the last ``count`` months, oldest first, this one included."""
    months = [criteria.month_of(today)]
    while len(months) < count:
        months.append(criteria.month_of(months[-1][0] - timedelta(days=1)))
    return months[::-1]


def in_month(what: str, month: tuple[date, date]) -> Params:
    """The parameters of the list of those who ``joined`` or ``left`` in a month."""
    first, last = month
    return {f"{what}_from": first.isoformat(), f"{what}_to": last.isoformat()}


def count(today: date) -> Counts:
    """All figures as of ``today``."""
    months = last_months(today)
    numbers = User.objects.aggregate(
        **{name: Count("pk", filter=selection.conditions(params, None)) for name, params in NUMBERS.items()}
    )
    return {
        "day": today.isoformat(),
        "numbers": numbers,
        "joined": _per_month("joined", months),
        "left": _per_month("left", months[-2:]),
        "roles": _per_role(numbers["people"], numbers["superusers"]),
        "places": [list(place) for place in criteria.top_locations()],
    }


def _per_month(what: str, months: list[tuple[date, date]]) -> list[int]:
    """How many ``joined`` or ``left`` in each month, in one query.

    Each month is a stretch of an index, so nobody is looked at twice. To truncate every date to its month would be a
    call into Python per row on SQLite, and to compare it with every month in turn takes as long.
    """
    parts = [
        User.objects.filter(selection.conditions(in_month(what, month), None))
        .values_list(Value(index))
        .annotate(people=Count("*"))
        for index, month in enumerate(months)
    ]
    counts = dict(parts[0].union(*parts[1:], all=True))
    return [counts.get(index, 0) for index in range(len(months))]


def _per_role(people: int, superusers: int) -> dict[str, int]:
    """People per role, superusers as such whatever their role.

    Members are those who are left: to look for people without a group is to look at everybody.
    """
    holders = User.groups.through._default_manager.filter(group__name__in=Role.values, user__is_superuser=False)
    per_group = dict(holders.values_list("group__name").annotate(Count("user")))
    with_role = holders.aggregate(people=Count("user", distinct=True))["people"]
    counts = {criteria.SUPERUSERS: superusers}
    counts |= {role.value: per_group.get(role.value, 0) for role in Role}
    return {**counts, criteria.MEMBERS: people - superusers - with_role}
