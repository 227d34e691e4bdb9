"""What the list of people shows of each: the columns its address names, else those somebody chose, else the usual.

The names of columns, and of orders, are those of an export and of a saved report. So a file can have exactly what the
list shows, a report opens as a list, and an address means the same to whoever is given it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.http import HttpRequest, QueryDict
from django.urls import reverse_lazy
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator, get_text_list
from django.utils.translation import gettext as _

from users_profiles import phones, replica, roles, selection
from users_profiles.admin.columns import EMPTY, active_chip, chip
from users_profiles.admin.paging import Some, some_of
from users_profiles.figures.showing import field_label
from users_profiles.models import ListColumns, Report, User
from users_profiles.models.profile import BLANKS, PRIVATE_FIELDS
from users_profiles.moments import ago, day
from users_profiles.templatetags.people import role_chip
from users_profiles.transfer import columns
from users_profiles.transfer.export.wanted import exportable

ADDRESS = reverse_lazy("admin:users_profiles_user_changelist")
# What an address says beside whom it shows: the columns, and the saved view that was opened.
COLUMNS, VIEW = "columns", "view"
USUAL = ("email", "role", "location", "is_active", "last_login", "date_joined")
# What the first column says, with the picture; in a file it is these.
PERSON = ("username", "first_name", "last_name")
# On a phone, these need no word beside them to say what they are.
PLAIN = frozenset({"email", "role", "location", "is_active", "complete"})


# Which columns ------------------------------------------------------------------------------------------------------


def offered(actor: Any) -> list[str]:
    """The columns there are to choose from, beside the person; the version is for files alone."""
    return [name for name in exportable(actor) if name != "version"]


def named(address: Mapping[str, str], actor: Any) -> list[str]:
    """The columns that an address names and ``actor`` may see."""
    return _known(address.get(COLUMNS, "").split(","), actor)


def chosen(actor: Any) -> list[str]:
    """What somebody has chosen, as far as they may still see it; nothing where they never did."""
    kept = ListColumns.objects.filter(user=actor.pk).first()
    return _known(kept.columns, actor) if kept else []


def choose(actor: User, names: Iterable[str]) -> None:
    """Remember the columns that somebody wants to see; none of them is the usual ones again."""
    kept = _known(names, actor)
    if kept:
        ListColumns.objects.update_or_create(user=actor, defaults={"columns": kept})
    else:
        ListColumns.objects.filter(user=actor).delete()


def picked(request: HttpRequest) -> list[str]:
    """The columns of the list at this address, whatever it filters by; asked once a request."""
    found: list[str] | None = getattr(request, "_columns_picked", None)
    if found is None:
        found = named(request.GET, request.user) or _chosen(request) or list(USUAL)
        request._columns_picked = found  # type: ignore[attr-defined]
    return found


def shown(request: HttpRequest) -> list[str]:
    """Those columns and, for as long as it asks, what a filter asks about: birthdays have their dates."""
    return _known([*picked(request), *selection.fields_of(selection.narrowing(request.GET))], request.user)


def is_own_choice(request: HttpRequest) -> bool:
    """Whether the columns are not just the usual ones."""
    return COLUMNS in request.GET or bool(_chosen(request))


def _chosen(request: HttpRequest) -> list[str]:
    """What whoever asks has chosen, asked once a request."""
    found: list[str] | None = getattr(request, "_columns_chosen", None)
    if found is None:
        found = chosen(request.user)
        request._columns_chosen = found  # type: ignore[attr-defined]
    return found


def has_private(names: Iterable[str]) -> bool:
    return not set(PRIVATE_FIELDS).isdisjoint(names)


def _known(names: Iterable[str], actor: Any) -> list[str]:
    allowed = offered(actor)
    return [name for name in dict.fromkeys(names) if name in allowed]


# What they show -----------------------------------------------------------------------------------------------------


def completeness(person: User, actor: Any) -> SafeString:
    """Whether a profile is complete, and what is missing, as far as ``actor`` may know."""
    missing = roles.missing_fields(person)
    if not missing:
        return chip(_("Complete"), "chip-good")
    names = [field_label(name) for name in roles.visible_fields(actor, missing)]
    if not names:
        return chip(_("Incomplete"), "chip-warn")
    return chip(_("Missing: %(fields)s") % {"fields": get_text_list(names, _("and"))}, "chip-warn")


_SHOWN: dict[str, Callable[[User], Any]] = {
    "username": lambda person: person.username,
    "email": lambda person: person.email,
    "first_name": lambda person: person.first_name,
    "last_name": lambda person: person.last_name,
    "is_active": active_chip,
    "role": role_chip,
    "phone_number": lambda person: phones.pretty(person.profile.phone_number),
    "birth_date": lambda person: person.profile.birth_date and day(person.profile.birth_date),
    "date_joined": lambda person: ago(person.date_joined),
    "last_login": lambda person: ago(person.last_login),
    "updated_at": lambda person: ago(person.profile.updated_at),
    "deactivated_at": lambda person: ago(person.deactivated_at, EMPTY),
}


def _value_of(name: str, actor: Any) -> Callable[[User], Any]:
    """What the list shows of a person; of the profile, a field without a way of its own is shown as it is."""
    if name in BLANKS and name not in _SHOWN:
        return lambda person: Truncator(getattr(person.profile, name)).chars(80)
    return _SHOWN.get(name) or (lambda person: completeness(person, actor))


def display(name: str, actor: Any) -> Callable[[User], Any]:
    """A column as Django's list wants it. None of them asks the database."""
    label = str(columns.labels()[name])  # once, and not for each row
    value = _value_of(name, actor)

    def column(person: User) -> Any:
        text = value(person) or SafeString(f'<span class="nothing">{EMPTY}</span>')
        # On a phone there is no head of a column that would say what this is.
        return text if name in PLAIN else format_html('<span data-label="{}">{}</span>', label, text)

    column.__name__ = name
    column.short_description = label  # type: ignore[attr-defined]
    column.admin_order_field = selection.ORDERS.get(name)  # type: ignore[attr-defined]
    return column


# The list itself ----------------------------------------------------------------------------------------------------


class PeopleList(ChangeList):
    """Django's list, with an order that has names, because its columns are not everybody's: ``o=role,-last_login``."""

    def get_filters_params(self, params: Any = None) -> Any:
        """Leave out what narrows nothing."""
        found = super().get_filters_params(params)
        found.pop(COLUMNS, None)
        found.pop(VIEW, None)
        return found

    @property
    def people_admin(self) -> Any:
        """The admin class, of which this asks more than of Django's own."""
        return self.model_admin

    @property
    def order(self) -> list[str]:
        words: list[str] = self.people_admin.order_words(self.request)
        return words

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        self.request = request
        self.root_queryset = self.root_queryset.using(replica.alias_for_request(request))
        found = super().get_queryset(request, exclude_parameters)
        # Whoever wants to see everybody is done with the view, too.
        self.clear_all_filters_qs = self.get_query_string(remove=[*self.get_filters_params(), VIEW])
        return found

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        words = self.order
        self.params.pop(ORDER_VAR, None)
        if not words:
            return super().get_ordering(request, queryset)
        paths = map(selection.path_of, words)
        return self._get_deterministic_ordering([*paths, *queryset.query.order_by])  # type: ignore[attr-defined]

    def get_ordering_field_columns(self) -> dict[int, Any]:
        """Which of the columns sort, by number, and which way."""
        words = self.order
        if not words:
            return dict(super().get_ordering_field_columns())
        numbers = {path: number for number, path in enumerate(map(self.get_ordering_field, self.list_display)) if path}
        ways = {selection.ORDERS[word.removeprefix("-")]: "desc" if word.startswith("-") else "asc" for word in words}
        return {numbers[path]: way for path, way in ways.items() if path in numbers}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Say the order by name where Django's heads of columns say it by number."""
        given = dict(new_params or {})
        if ORDER_VAR in given:
            words = {path: word for word, path in selection.ORDERS.items()}
            fields = (
                (sign, self.get_ordering_field(self.list_display[int(number)])) for sign, number in _signed(given)
            )
            given[ORDER_VAR] = ",".join(f"{sign}{words[path]}" for sign, path in fields if path in words) or None
        return str(super().get_query_string(given, remove))

    def get_results(self, request: HttpRequest) -> None:
        """Show the last page where the one asked for is gone: its people may just have been dealt with."""
        pages = self.model_admin.get_paginator(request, self.queryset, self.list_per_page).num_pages
        self.page_num = max(1, min(self.page_num, pages))
        super().get_results(request)
        if not self.multi_page:  # as any other page, so that a list of one page is not a case of its own
            self.result_list = self.paginator.page(1).object_list

    @cached_property
    def some(self) -> Some:
        """Those whom the counts beside the filters are made from."""
        return some_of(self.queryset, self.paginator.is_capped)

    @property
    def counts_are_estimates(self) -> bool:
        return bool(self.add_facets) and self.some.each != 1


def _signed(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(part[: -len(bare)], bare) for part in given[ORDER_VAR].split(".") if (bare := part.lstrip("-"))]


# Saved views --------------------------------------------------------------------------------------------------------


Parts = list[tuple[str, str]]


def of_report(report: Report) -> str:
    """The address at which the list shows the people of a saved report, in its order and with its columns."""
    parts = _parts(report.query, report.order, report.columns)
    return f"{ADDRESS}?{urlencode([*parts, (VIEW, report.pk)])}"


def parts_of_report(report: Report, actor: Any) -> Parts:
    """What a saved report shows to ``actor``: the same for two views that show the same."""
    return _parts(report.query, report.order, _known(report.columns, actor))


def parts_of_list(request: HttpRequest, order: Iterable[str]) -> Parts:
    """What the list shows now, in the words of ``parts_of_report``."""
    return _parts(selection.address(request.GET), ",".join(order), picked(request))


def _parts(query: str, order: str, names: Iterable[str]) -> Parts:
    told = ",".join(name for name in names if name not in {*PERSON, "version"})
    how = [(ORDER_VAR, order)] * bool(order) + [(COLUMNS, told)] * bool(told)
    return [*parse_qsl(selection.address(query), keep_blank_values=True), *how]


def as_address(query: QueryDict) -> str:
    """The part of an address behind the path, empty where there is nothing in it."""
    return f"?{query.urlencode()}" if query else ""
