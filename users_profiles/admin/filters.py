"""Filters for lists of people, written once: they work from people and from profiles alike.

A list says where the person and the profile are by ``to_user`` and ``to_profile``, the paths from its model. A filter
here is a row of links; whom each of them means is for selection.py to say, which refuses what makes no sense.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.dates import MONTHS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import roles, selection
from users_profiles.admin.columns import day
from users_profiles.figures.showing import field_label
from users_profiles.models import User

LOCATION_CHOICES = 20
LOCATION_CHOICES_SECONDS = 60

Choices = Iterable[tuple[str, Any]]


class PeopleFilter(admin.SimpleListFilter):
    """A row of links, each of which gives the parameter a value."""

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        self.to_user: str = model_admin.to_user
        self.to_profile: str = model_admin.to_profile
        super().__init__(request, params, model, model_admin)

    @classmethod
    def parameters(cls) -> list[str]:
        """The parameters of the address that this filter answers to."""
        return [str(cls.parameter_name)]

    def condition(self, name: str, value: str) -> Q:
        """The condition of ``name=value``, on the way from the listed model."""
        return selection.condition(name, value, self.to_user, self.to_profile)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those that each of the filter's parameters in the address asks for."""
        try:
            for name in self.parameters():
                value = self.used_parameters.get(name)
                if value is not None:
                    queryset = queryset.filter(self.condition(name, str(value)))
        except selection.SelectionRefused as refusal:
            raise IncorrectLookupParameters(refusal) from refusal
        return queryset

    def get_facet_counts(self, pk_attname: str, filtered_qs: QuerySet[Any]) -> dict[str, Count]:
        name = str(self.parameter_name)
        return {
            f"{index}__c": Count(pk_attname, filter=self.condition(name, str(value)))
            for index, (value, _title) in enumerate(self.lookup_choices)
        }


class YesNoFilter(PeopleFilter):
    """A filter with two sides."""

    yes: ClassVar[Any] = gettext_lazy("Yes")
    no: ClassVar[Any] = gettext_lazy("No")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("yes", self.yes), ("no", self.no)]


class ActiveFilter(YesNoFilter):
    title = gettext_lazy("active")
    parameter_name = "active"


class PictureFilter(YesNoFilter):
    title = gettext_lazy("picture")
    parameter_name = "picture"
    yes = gettext_lazy("With a picture")
    no = gettext_lazy("Without a picture")


class CompleteFilter(YesNoFilter):
    """Whether everything is filled in that the person's role requires."""

    title = gettext_lazy("profile")
    parameter_name = "complete"
    yes = gettext_lazy("Complete")
    no = gettext_lazy("Incomplete")


class MissingFilter(PeopleFilter):
    """Those with nothing in a field; only the fields that whoever looks may see."""

    title = gettext_lazy("missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(field, capfirst(field_label(field))) for field in roles.visible_fields(request.user, roles.FIELDS)]

    def condition(self, name: str, value: str) -> Q:
        if value not in dict(self.lookup_choices):
            raise selection.SelectionRefused(value)
        return super().condition(name, value)


class RoleFilter(PeopleFilter):
    """One person is in one of these: superusers count as such, whatever their role."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        named = [(role, label) for role, label in roles.LABELS.items() if role != roles.MEMBER]
        return [*named, (selection.MEMBERS, roles.LABELS[roles.MEMBER]), (selection.SUPERUSERS, _("Superuser"))]


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

    def typed_title(self) -> str:
        """What was typed, in words."""
        raise NotImplementedError

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
            return [(place, place) for place, _people in selection.top_locations(LOCATION_CHOICES)]

        # Counting every place costs more than the page itself once there are many people.
        places: list[tuple[str, str]] = cache.get_or_set("filter-locations", ask, LOCATION_CHOICES_SECONDS) or []
        chosen = self.value()
        return places if chosen is None or (chosen, chosen) in places else [*places, (chosen, chosen)]

    def has_output(self) -> bool:
        return True

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        value = self.typed("location_has")
        return [{"name": "location_has", "label": _("Place contains"), "type": "search", "value": value}]

    def typed_title(self) -> str:
        kinds = {selection.ELSEWHERE: _("Elsewhere"), selection.NOWHERE: _("No location")}
        return kinds.get(self.typed("location_is")) or _("contains “%(text)s”") % {"text": self.typed("location_has")}


class DaysFilter(FormFilter):
    """Usual periods as links, and two dates; ``form_parameters`` are the first day and the last."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [
            ("today", _("Today")),
            ("week", _("Past 7 days")),
            ("month", _("This month")),
            ("year", _("This year")),
        ]

    def _typed_days(self) -> tuple[date | None, date | None]:
        first, last = (self.typed(name) for name in self.form_parameters)
        return selection.read_day(first), selection.read_day(last)

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        labels = zip(self.form_parameters, (_("From"), _("To")), strict=True)
        return [{"name": name, "label": label, "type": "date", "value": self.typed(name)} for name, label in labels]

    def typed_title(self) -> str:
        first, last = self._typed_days()
        if first and last:
            return _("%(first)s to %(last)s") % {"first": day(first), "last": day(last)}
        if first:
            return _("since %(first)s") % {"first": day(first)}
        return _("until %(last)s") % {"last": day(last)} if last else ""


class JoinedFilter(DaysFilter):
    title = gettext_lazy("joined")
    parameter_name = "joined"
    form_parameters = ("joined_from", "joined_to")


class LeftFilter(DaysFilter):
    """When somebody who is inactive was deactivated."""

    title = gettext_lazy("left")
    parameter_name = "left"
    form_parameters = ("left_from", "left_to")


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


class BirthdayFilter(PeopleFilter):
    """Only for who may see birth dates; for others neither the links nor the parameter exist."""

    title = gettext_lazy("birthday")
    parameter_name = "birthday"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("week", _("The next 7 days")), *((str(number), name) for number, name in MONTHS.items())]


def filters_for(actor: User | AnonymousUser) -> list[type[PeopleFilter]]:
    """The filters of every list of people, as far as ``actor`` may use them."""
    shown: list[type[PeopleFilter]] = [
        RoleFilter,
        ActiveFilter,
        LocationFilter,
        PictureFilter,
        CompleteFilter,
        MissingFilter,
        JoinedFilter,
        LeftFilter,
        SignedInFilter,
    ]
    return [*shown, BirthdayFilter] if roles.may(actor, roles.Action.VIEW_PRIVATE) else shown
