"""What each parameter of a list's address asks of a person, and what its days and months are.

``selection`` puts these together, and knows who may ask for which.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import CharField, Count, Exists, Func, OuterRef, Q
from django.db.models.lookups import In, StartsWith
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from users_profiles import moments, roles
from users_profiles.models import Profile, Role, User
from users_profiles.models.profile import PRIVATE_FIELDS

TOP_LOCATIONS = 10

# Values that are no role and no place, and mean something all the same.
MEMBERS = "member"
SUPERUSERS = "superuser"
ELSEWHERE = "other"
NOWHERE = "none"


# What values that are codes are called before people; the filters of the list offer them by these words.
PERIODS = {
    "today": _("Today"),
    "week": _("Past 7 days"),
    "month": _("This month"),
    "year": _("This year"),
}
SIGNED_IN = {
    "30": _("Past 30 days"),
    "90": _("Past 90 days"),
    "longer": _("Longer ago"),
    "never": _("Never"),
}
BIRTHDAYS = {"week": _("The next 7 days"), **{str(number): name for number, name in MONTHS.items()}}
_YES_OR_NO = {"yes": _("yes"), "no": _("no")}
_ROLES = {**roles.LABELS, MEMBERS: roles.LABELS[roles.MEMBER], SUPERUSERS: _("Superuser")}
_PLACES = {ELSEWHERE: _("Elsewhere"), NOWHERE: _("No location")}


def value_in_words(name: str, value: str) -> str:
    """What a value of a parameter is called, in the present language; what has no other name is said as it stands."""
    if name.endswith(("_from", "_to")):
        with suppress(ValueError):
            day = read_day(value)
            return moments.day(day) if day else value
    if name == "missing" and value in roles.FIELDS:
        model: Any = User if value in roles.NAME_FIELDS else Profile
        return str(model._meta.get_field(value).verbose_name)
    return str(PARAMETERS[name].words.get(value, value)) if name in PARAMETERS else value


# Days and months on the office's clock ------------------------------------------------------------------------------

# Not on that of who asks: an address that several people share means the same people to each of them, and figures that
# a worker counted are as many as the list behind them.


def today() -> date:
    """The day it is where the office is."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def start_of(day: date) -> datetime:
    """Midnight at the beginning of ``day``, where the office is."""
    return timezone.make_aware(datetime(day.year, day.month, day.day), timezone.get_default_timezone())


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


def read_day(text: str) -> date | None:
    """Read a date; one at the edge of the calendar is refused, because the day after it cannot be computed."""
    if not text:
        return None
    value = date.fromisoformat(text)
    if not 1900 <= value.year <= 2200:
        raise ValueError(text)
    return value


# What each parameter means ------------------------------------------------------------------------------------------


def top_locations(count: int = TOP_LOCATIONS) -> list[tuple[str, int]]:
    """The locations with the most people, and how many those are."""
    # Compared by "greater than" and counted by rows, which the index on locations can serve alone: "not equal", and
    # on SQLite the key of a profile, cannot be found in it.
    places = Profile.objects.filter(location__gt="").values_list("location").annotate(people=Count("*"))
    return list(places.order_by("-people", "location")[:count])


def _yes_or_no(value: str, holds: Q) -> Q:
    return {"yes": holds, "no": ~holds}[value]


def _role(value: str) -> Q:
    """One person is in one of these: superusers count as such, whatever their role."""
    if value == SUPERUSERS:
        return Q(is_superuser=True)
    role = roles.MEMBER if value == MEMBERS else value
    if role not in roles.LABELS:
        raise LookupError(value)
    # Asked of the few who have a role, as a list of them; of the many who have none, each for themselves.
    held = User.groups.through._default_manager.filter(group__name__in=[role] if role else Role.values)
    others = Q(is_superuser=False)
    if role:
        return others & Q(pk__in=held.values("user_id"))
    return others & ~Q(Exists(held.filter(user_id=OuterRef("pk"))))


def _active(value: str) -> Q:
    return _yes_or_no(value, Q(is_active=True))


def _picture(value: str) -> Q:
    return _yes_or_no(value, ~Q(profile__avatar=""))


def _complete(value: str) -> Q:
    return _yes_or_no(value, roles.is_complete())


def _location(value: str) -> Q:
    return Q(profile__location=value)


def _location_has(value: str) -> Q:
    return Q(profile__location__icontains=value)


def _location_is(value: str) -> Q:
    """Those without a place, or in none of the places the dashboard names."""
    if value == ELSEWHERE:
        return ~Q(profile__location__in=["", *(place for place, _people in top_locations())])
    return {NOWHERE: Q(profile__location="")}[value]


def _missing(value: str) -> Q:
    """Those with nothing in a field, whether their role requires it or not."""
    if value not in roles.FIELDS:
        raise LookupError(value)
    return ~roles.is_filled(value)


def _period(value: str) -> tuple[date, date]:
    """The first and the last day of what lists call "this month" and the like."""
    now = today()
    return {
        "today": (now, now),
        "week": (now - timedelta(days=6), now),
        "month": month_of(now),
        "year": (date(now.year, 1, 1), date(now.year, 12, 31)),
    }[value]


def _joined(value: str) -> Q:
    return between(*_period(value), "date_joined")


def _joined_from(value: str) -> Q:
    return between(read_day(value), None, "date_joined")


def _joined_to(value: str) -> Q:
    return between(None, read_day(value), "date_joined")


def _left(value: str) -> Q:
    """Those deactivated in that time who still are; whoever was before we wrote it down left at no known time."""
    return _gone(*_period(value))


def _left_from(value: str) -> Q:
    return _gone(read_day(value), None)


def _left_to(value: str) -> Q:
    return _gone(None, read_day(value))


def _gone(first: date | None, last: date | None) -> Q:
    return Q(is_active=False) & between(first, last, "deactivated_at")


def _signed_in(value: str) -> Q:
    if value == "never":
        return Q(last_login__isnull=True)
    since = start_of(today() - timedelta(days={"30": 30, "90": 90, "longer": 90}[value]))
    return Q(last_login__lt=since) if value == "longer" else Q(last_login__gte=since)


def _birthday(value: str) -> Q:
    """A month, or the week that begins today."""
    if value == "week":
        return Q(In(MonthAndDay("profile__birth_date"), birthdays_from(today())))
    month = {str(number): f"{number:02}-" for number in range(1, 13)}[value]
    return Q(StartsWith(MonthAndDay("profile__birth_date"), month))


def birthdays_from(first: date, days: int = 7) -> list[str]:
    """The birthdays, such as ``03-09``, of so many days from the first on.

    Who was born on 29 February has theirs on the 28th in the years without one.
    """
    coming = [first + timedelta(days=ahead) for ahead in range(days)]
    found = [f"{day:%m-%d}" for day in coming]
    short = any((day.month, day.day) == (2, 28) and not isleap(day.year) for day in coming)
    return [*found, "02-29"] if short else found


class MonthAndDay(Func):
    """The month and day of a date as text, without a call into Python per row on SQLite as Django's own parts are."""

    template = "TO_CHAR(%(expressions)s, 'MM-DD')"
    output_field = CharField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 6)", **context)


@dataclass(frozen=True)
class Parameter:
    """One parameter of the address.

    ``label`` is what it is called before people, and ``words`` what those of its values are called that are codes.
    ``about`` is the field it is about, by the name that files have for it; empty for what is in no file.

    ``condition`` takes the value, and raises ``LookupError`` or ``ValueError`` for one that is not offered. A ``typed``
    one comes from a text field: trimmed, left empty it says nothing, and it has one value. Of ``alternatives`` there is
    only one as well: both sides of a question are no answer to it. One that ``widens`` another is a value more of that:
    who fits either is kept. A ``private`` one is only for who may see private fields, and so are the values in
    ``private_values``.
    """

    label: Any
    condition: Callable[[str], Q]
    about: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    typed: bool = False
    alternatives: bool = False
    widens: str = ""
    private: bool = False
    private_values: tuple[str, ...] = ()

    @property
    def takes_several(self) -> bool:
        return not (self.typed or self.alternatives)


PARAMETERS: dict[str, Parameter] = {
    "role": Parameter(_("role"), _role, "role", _ROLES),
    "active": Parameter(_("active"), _active, "is_active", _YES_OR_NO, alternatives=True),
    "location": Parameter(_("location"), _location, "location"),
    "location_has": Parameter(_("location contains"), _location_has, "location", typed=True, widens="location"),
    "location_is": Parameter(_("location"), _location_is, "location", _PLACES, typed=True, widens="location"),
    "picture": Parameter(_("picture"), _picture, "", _YES_OR_NO, alternatives=True),
    "complete": Parameter(_("complete profile"), _complete, "complete", _YES_OR_NO, alternatives=True),
    "missing": Parameter(_("missing"), _missing, private_values=PRIVATE_FIELDS),
    "joined": Parameter(_("joined"), _joined, "date_joined", PERIODS, alternatives=True),
    "joined_from": Parameter(_("joined since"), _joined_from, "date_joined", typed=True),
    "joined_to": Parameter(_("joined until"), _joined_to, "date_joined", typed=True),
    "left": Parameter(_("left"), _left, "deactivated_at", PERIODS, alternatives=True),
    "left_from": Parameter(_("left since"), _left_from, "deactivated_at", typed=True),
    "left_to": Parameter(_("left until"), _left_to, "deactivated_at", typed=True),
    "signed_in": Parameter(_("last sign-in"), _signed_in, "last_login", SIGNED_IN, alternatives=True),
    "birthday": Parameter(_("birthday"), _birthday, "birth_date", BIRTHDAYS, private=True),
}
