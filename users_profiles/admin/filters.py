"""The filters of the list of people. Each is a row of links; whom a link means is for selection.py to say, which
refuses what makes no sense.
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
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users_profiles import criteria, roles, selection
from users_profiles.admin import paging
from users_profiles.figures.showing import field_label, what_is_complete
from users_profiles.models import User
from users_profiles.moments import day

LOCATION_CHOICES = 20
LOCATION_CHOICES_SECONDS = 60

Choices = Iterable[tuple[str, Any]]


class PeopleFilter(admin.SimpleListFilter):
    """A row of links, each of which gives the parameter one value; with tick boxes beside them for several."""

    template = "admin/users_profiles/filter.html"
    # The other parameters that this filter answers to: what is typed into its form.
    form_parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        # What the address asks of this filter: every value of each parameter, where Django keeps the last of one.
        self.asked: dict[str, list[str]] = {
            name: [str(value) for value in params.pop(name)] for name in self.parameters() if name in params
        }
        super().__init__(request, params, model, model_admin)
        # What the form must send along, so that everything else that is chosen stays.
        self.kept: list[tuple[str, str]] = []

    @classmethod
    def parameters(cls) -> list[str]:
        """The parameters of the address that this filter answers to."""
        return [str(cls.parameter_name), *cls.form_parameters]

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameters()]

    @property
    def takes_several(self) -> bool:
        return selection.takes_several(str(self.parameter_name))

    def value(self) -> str | None:
        """The first of the values, for who asks for one; ``values`` has them all."""
        return next(iter(self.values), None)

    @property
    def values(self) -> list[str]:
        """The choices that the address asks for."""
        return self.asked.get(str(self.parameter_name), [])

    def condition(self, name: str, values: list[str]) -> Q:
        """The condition that a parameter has one of these values."""
        return selection.any_of(name, values)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those that the filter's parameters in the address ask for."""
        try:
            # Read as everywhere: it refuses what cannot be said twice.
            asked = {name: self.condition(name, values) for name, values in selection.parameters(self.asked).items()}
        except selection.SelectionRefused as refusal:
            raise IncorrectLookupParameters(refusal) from refusal
        return queryset.filter(selection.together(asked))

    def get_facet_counts(self, pk_attname: str, filtered_qs: QuerySet[Any]) -> dict[str, Count]:
        name = str(self.parameter_name)
        return {
            f"{index}__c": Count(pk_attname, filter=self.condition(name, [str(value)]))
            for index, (value, _title) in enumerate(self.lookup_choices)
        }

    def get_facet_queryset(self, changelist: Any) -> dict[str, Any]:
        """How many each choice would show; of a long list, about how many."""
        some = changelist.some
        if self.asked:  # without this filter, the list is another one
            some = paging.some_of(changelist.get_queryset(self.request, self.expected_parameters()))
        return some.counts(changelist.root_queryset, self.get_facet_counts(changelist.pk_attname, changelist.queryset))

    @property
    def help_text(self) -> str:
        """What somebody should know who is about to choose."""
        return ""

    # What was typed ---------------------------------------------------------------------------------------------------

    def typed(self, name: str) -> str:
        """What was typed into a field of the form; the empty text when nothing was."""
        return next((value.strip() for value in self.asked.get(name, [])), "")

    @property
    def has_typed(self) -> bool:
        return bool(self.typed_along)

    @property
    def typed_along(self) -> list[tuple[str, str]]:
        """What was typed, for the ticks to send along."""
        return [(name, self.typed(name)) for name in self.form_parameters if self.typed(name)]

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        """The inputs of the form: name, label, type and value."""
        return []

    def typed_title(self) -> str:
        """What was typed, in words."""
        raise NotImplementedError

    # What is shown ----------------------------------------------------------------------------------------------------

    def choices(self, changelist: Any) -> Iterator[Any]:
        """All, then the links: each drops what was typed and all other values. What was typed is one of its own.

        ``without`` is the address without that one value, where it is chosen.
        """
        name, mine = str(self.parameter_name), self.expected_parameters()
        counts = self.get_facet_queryset(changelist) if changelist.add_facets else {}
        self.kept = [
            (other, value)
            for other, values in changelist.filter_params.items()
            if other not in mine and other not in {"p", "e"}
            for value in values
        ]
        yield {
            "selected": not self.values and not self.has_typed,
            "query_string": _without(changelist, mine),
            "display": _("All"),
        }
        for index, (value, title) in enumerate(self.lookup_choices):
            chosen = str(value) in self.values
            left = [other for other in self.values if other != str(value)]
            yield {
                "selected": chosen,
                "value": value,
                "query_string": _without(changelist, list(self.form_parameters), {name: [str(value)]}),
                "without": _without(changelist, [], {name: left}) if chosen else "",
                "display": title,
                "count": counts.get(f"{index}__c"),
            }
        if self.has_typed:
            yield {
                "selected": True,
                "query_string": changelist.get_query_string(),
                "without": _without(changelist, list(self.form_parameters)),
                "display": self.typed_title(),
            }


def _without(changelist: Any, names: list[Any], changed: dict[str, list[str]] | None = None) -> str:
    """The address of a list with other values of a filter, from its first page on.

    Not by the list's own ``remove``: that drops every parameter whose name begins like one of these.
    """
    gone = dict.fromkeys(names)
    return str(changelist.get_query_string({**gone, **{name: some or None for name, some in (changed or {}).items()}}))


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

    @property
    def help_text(self) -> str:
        return what_is_complete()


class MissingFilter(PeopleFilter):
    """Those with nothing in a field; only the fields that whoever looks may see."""

    title = gettext_lazy("missing")
    parameter_name = "missing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(field, capfirst(field_label(field))) for field in roles.visible_fields(request.user, roles.FIELDS)]

    def condition(self, name: str, values: list[str]) -> Q:
        if not set(values) <= set(dict(self.lookup_choices)):
            raise selection.SelectionRefused(", ".join(values))
        return super().condition(name, values)


class RoleFilter(PeopleFilter):
    """One person is in one of these: superusers count as such, whatever their role."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        named = [(role, label) for role, label in roles.LABELS.items() if role != roles.MEMBER]
        return [*named, (criteria.MEMBERS, roles.LABELS[roles.MEMBER]), (criteria.SUPERUSERS, _("Superuser"))]


class LocationFilter(PeopleFilter):
    """The places with most people as links, and a text for all the others: there may be thousands."""

    title = gettext_lazy("location")
    parameter_name = "location"
    form_parameters = ("location_has", "location_is")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        def ask() -> list[tuple[str, str]]:
            return [(place, place) for place, _people in criteria.top_locations(LOCATION_CHOICES)]

        # Counting every place costs more than the page itself once there are many people.
        places: list[tuple[str, str]] = cache.get_or_set("filter-locations", ask, LOCATION_CHOICES_SECONDS) or []
        known = dict(places)
        return [*places, *((place, place) for place in self.values if place not in known)]

    def has_output(self) -> bool:
        return True

    @property
    def form_fields(self) -> list[dict[str, Any]]:
        value = self.typed("location_has")
        return [{"name": "location_has", "label": _("Place contains"), "type": "search", "value": value}]

    def typed_title(self) -> str:
        kinds = {criteria.ELSEWHERE: _("Elsewhere"), criteria.NOWHERE: _("No location")}
        return kinds.get(self.typed("location_is")) or _("contains “%(text)s”") % {"text": self.typed("location_has")}


class DaysFilter(PeopleFilter):
    """Usual periods as links, and two dates; ``form_parameters`` are the first day and the last."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(criteria.PERIODS.items())

    def _typed_days(self) -> tuple[date | None, date | None]:
        first, last = (self.typed(name) for name in self.form_parameters)
        return criteria.read_day(first), criteria.read_day(last)

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
        return list(criteria.SIGNED_IN.items())


class BirthdayFilter(PeopleFilter):
    """Only for who may see birth dates; for others neither the links nor the parameter exist."""

    title = gettext_lazy("birthday")
    parameter_name = "birthday"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(criteria.BIRTHDAYS.items())


def filters_for(actor: User | AnonymousUser) -> list[type[PeopleFilter]]:
    """The filters, as far as ``actor`` may use them."""
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
