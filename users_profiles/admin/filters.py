"""Filters for lists of people, written once: they work from people and from profiles alike.

A list says where the person and the profile are by ``to_user`` and ``to_profile``, the paths from its model. Each
filter is one condition; several are combined. A parameter that makes no sense is refused and never ignored: a list
that silently shows everybody invites an action on everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import reports, roles
from users_profiles.admin.columns import day
from users_profiles.models import User

LOCATION_CHOICES = 20
LOCATION_CHOICES_SECONDS = 60

Choices = Iterable[tuple[str, Any]]


class PeopleFilter(admin.SimpleListFilter):
    """A row of links; ``condition`` says what the value of one of them means."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        self.to_user: str = model_admin.to_user
        self.to_profile: str = model_admin.to_profile
        super().__init__(request, params, model, model_admin)

    @classmethod
    def parameters(cls) -> list[str]:
        """The parameters of the address that this filter answers to."""
        return [str(cls.parameter_name)]

    def condition(self, value: str) -> Q:
        """The condition behind ``value``. Raises ``LookupError`` or ``ValueError`` for one that is not offered."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(self._checked(value))

    def _checked(self, value: str) -> Q:
        try:
            return self.condition(value)
        except (LookupError, ValueError) as error:
            raise IncorrectLookupParameters(error) from error

    def get_facet_counts(self, pk_attname: str, filtered_qs: QuerySet[Any]) -> dict[str, Count]:
        return {
            f"{index}__c": Count(pk_attname, filter=self.condition(str(value)))
            for index, (value, _title) in enumerate(self.lookup_choices)
        }


class YesNoFilter(PeopleFilter):
    """A filter with two sides."""

    yes: ClassVar[Any] = gettext_lazy("Yes")
    no: ClassVar[Any] = gettext_lazy("No")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", self.yes), ("no", self.no)]

    def condition(self, value: str) -> Q:
        return {"yes": self.holds(), "no": ~self.holds()}[value]

    def holds(self) -> Q:
        """The condition of those who count as yes."""
        raise NotImplementedError


class ActiveFilter(YesNoFilter):
    title = gettext_lazy("active")
    parameter_name = "active"

    def holds(self) -> Q:
        return Q(**{f"{self.to_user}is_active": True})


class PictureFilter(YesNoFilter):
    title = gettext_lazy("picture")
    parameter_name = "picture"
    yes = gettext_lazy("With a picture")
    no = gettext_lazy("Without a picture")

    def holds(self) -> Q:
        return ~Q(**{f"{self.to_profile}avatar": ""})


class CompleteFilter(YesNoFilter):
    """Whether everything is filled in that the person's role requires."""

    title = gettext_lazy("profile")
    parameter_name = "complete"
    yes = gettext_lazy("Complete")
    no = gettext_lazy("Incomplete")

    def holds(self) -> Q:
        return roles.is_complete(self.to_user, self.to_profile)


class RoleFilter(PeopleFilter):
    """One person is in one of these: superusers count as such, whatever their role."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        named = [(role, label) for role, label in roles.LABELS.items() if role != roles.MEMBER]
        return [*named, (reports.MEMBERS, roles.LABELS[roles.MEMBER]), (reports.SUPERUSERS, _("Superuser"))]

    def condition(self, value: str) -> Q:
        if value == reports.SUPERUSERS:
            return Q(**{f"{self.to_user}is_superuser": True})
        role = roles.MEMBER if value == reports.MEMBERS else value
        if role not in roles.LABELS:
            raise LookupError(value)
        people = User.objects.filter(is_superuser=False).in_role(role)
        return Q(**{f"{self.to_user}pk__in": people.values("pk")})


class FormFilter(PeopleFilter):
    """A filter that has a small form beside its links, for what no row of links can hold.

    The template gets ``spec.form_fields`` and, so that the form keeps everything else that is chosen,
    ``spec.kept``: the other parameters as name and value.
    """

    form_parameters: ClassVar[tuple[str, ...]] = ()
    template = "admin/users_profiles/filter_with_form.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.form_parameters:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1].strip()
        self.kept: list[tuple[str, str]] = []

    @classmethod
    def parameters(cls) -> list[str]:
        return [str(cls.parameter_name), *cls.form_parameters]

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameters()]

    def typed(self, name: str) -> str:
        """What was typed into a field of the form; the empty text when nothing was."""
        return str(self.used_parameters.get(name) or "")

    @property
    def has_typed(self) -> bool:
        return any(self.typed(name) for name in self.form_parameters)

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        """The inputs of the form: name, label, type and value."""
        raise NotImplementedError

    def typed_condition(self) -> Q:
        """The condition of what was typed. Raises ``ValueError`` when it makes no sense."""
        raise NotImplementedError

    def typed_title(self) -> str:
        """What was typed, in words."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().queryset(request, queryset)
        if not self.has_typed:
            return queryset
        try:
            return queryset.filter(self.typed_condition())
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The links, each of which drops what was typed, and what was typed as a choice of its own."""
        mine = self.expected_parameters()
        self.kept = [
            (name, value)
            for name, values in changelist.filter_params.items()
            if name not in mine and name not in {"p", "e"}
            for value in values
        ]
        links = super().choices(changelist)
        yield {
            **next(links),
            "selected": self.value() is None and not self.has_typed,
            "query_string": changelist.get_query_string(remove=mine),
        }
        for (value, _title), choice in zip(self.lookup_choices, links, strict=True):
            chosen = {str(self.parameter_name): value}
            yield {**choice, "query_string": changelist.get_query_string(chosen, remove=list(self.form_parameters))}
        if self.has_typed:
            yield {"selected": True, "query_string": changelist.get_query_string(), "display": self.typed_title()}


class LocationFilter(FormFilter):
    """The places with most people as links, and a text for all the others: there may be thousands."""

    title = gettext_lazy("location")
    parameter_name = "location"
    form_parameters = ("location_has", "location_is")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        def ask() -> list[tuple[str, str]]:
            return [(place, place) for place, _people in reports.top_locations(LOCATION_CHOICES)]

        # Counting every place costs more than the page itself once there are many people.
        places: list[tuple[str, str]] = cache.get_or_set("filter-locations", ask, LOCATION_CHOICES_SECONDS) or []
        chosen = self.value()
        return places if chosen is None or (chosen, chosen) in places else [*places, (chosen, chosen)]

    def has_output(self) -> bool:
        return True

    def condition(self, value: str) -> Q:
        _refuse_null(value)
        return Q(**{f"{self.to_profile}location": value})

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        value = self.typed("location_has")
        return [{"name": "location_has", "label": _("Place contains"), "type": "search", "value": value}]

    def typed_condition(self) -> Q:
        text, kind = self.typed("location_has"), self.typed("location_is")
        _refuse_null(text)
        return Q(**{f"{self.to_profile}location__icontains": text}) & self._kind(kind)

    def _kind(self, kind: str) -> Q:
        """Those without a place, or in none of the places the dashboard names."""
        here = f"{self.to_profile}location"
        if kind == reports.ELSEWHERE:
            return ~Q(**{f"{here}__in": ["", *(place for place, _people in reports.top_locations())]})
        if kind == reports.NOWHERE:
            return Q(**{here: ""})
        if kind:
            raise ValueError(kind)
        return Q()

    def typed_title(self) -> str:
        kinds = {reports.ELSEWHERE: _("Elsewhere"), reports.NOWHERE: _("No location")}
        return kinds.get(self.typed("location_is")) or _("contains “%(text)s”") % {"text": self.typed("location_has")}


class JoinedFilter(FormFilter):
    title = gettext_lazy("joined")
    parameter_name = "joined"
    form_parameters = ("joined_from", "joined_to")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("today", _("Today")),
            ("week", _("Past 7 days")),
            ("month", _("This month")),
            ("year", _("This year")),
        ]

    def condition(self, value: str) -> Q:
        today = timezone.localdate()
        days: tuple[date, date] = {
            "today": (today, today),
            "week": (today - timedelta(days=6), today),
            "month": reports.month_of(today),
            "year": (date(today.year, 1, 1), date(today.year, 12, 31)),
        }[value]
        return reports.between(*days, f"{self.to_user}date_joined")

    def _typed_days(self) -> tuple[date | None, date | None]:
        first, last = (self.typed(name) for name in self.form_parameters)
        return _day(first), _day(last)

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        labels = {"joined_from": _("From"), "joined_to": _("To")}
        return [
            {"name": name, "label": label, "type": "date", "value": self.typed(name)} for name, label in labels.items()
        ]

    def typed_condition(self) -> Q:
        return reports.between(*self._typed_days(), f"{self.to_user}date_joined")

    def typed_title(self) -> str:
        first, last = self._typed_days()
        if first and last:
            return _("%(first)s to %(last)s") % {"first": day(first), "last": day(last)}
        if first:
            return _("since %(first)s") % {"first": day(first)}
        return _("until %(last)s") % {"last": day(last)} if last else ""


class SignedInFilter(PeopleFilter):
    title = gettext_lazy("last sign-in")
    parameter_name = "signed_in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("30", _("Past 30 days")),
            ("90", _("Past 90 days")),
            ("longer", _("Longer ago")),
            ("never", _("Never")),
        ]

    def condition(self, value: str) -> Q:
        path = f"{self.to_user}last_login"
        if value == "never":
            return Q(**{f"{path}__isnull": True})
        days = {"30": 30, "90": 90, "longer": 90}[value]
        comparison = "lt" if value == "longer" else "gte"
        return Q(**{f"{path}__{comparison}": reports.start_of(timezone.localdate() - timedelta(days=days))})


class BirthdayFilter(PeopleFilter):
    """Only for who may see birth dates; for others neither the links nor the parameter exist."""

    title = gettext_lazy("birthday")
    parameter_name = "birthday"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(str(number), name) for number, name in MONTHS.items()]

    def condition(self, value: str) -> Q:
        if value not in {str(number) for number in MONTHS}:
            raise LookupError(value)
        return Q(**{f"{self.to_profile}birth_date__month": int(value)})


def filters_for(actor: User | AnonymousUser) -> list[type[PeopleFilter]]:
    """The filters of every list of people, as far as ``actor`` may use them."""
    shown: list[type[PeopleFilter]] = [
        RoleFilter,
        ActiveFilter,
        LocationFilter,
        PictureFilter,
        CompleteFilter,
        JoinedFilter,
        SignedInFilter,
    ]
    return [*shown, BirthdayFilter] if roles.may(actor, roles.Action.VIEW_PRIVATE) else shown


def _refuse_null(text: str) -> None:
    """PostgreSQL answers a null character in a text with a server error."""
    if "\x00" in text:
        raise ValueError("null character")


def _day(text: str) -> date | None:
    """Read a date; one at the edge of the calendar is refused, because the day after it cannot be computed."""
    if not text:
        return None
    value = date.fromisoformat(text)
    if not 1900 <= value.year <= 2200:
        raise ValueError(text)
    return value
