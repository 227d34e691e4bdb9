"""The person before and the one after, in the list that somebody came from.

The list's filter and order travel in the address as Django's own ``_changelist_filters``. Nothing is counted, and no
long list is loaded: each neighbour is the first row beyond this one in the order. Of many people an index finds it, so
they have neighbours in the orders that have one; a shorter list may be in any order. A filter that no index serves and
that hardly anybody fits, such as a birthday, still has everybody looked through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.http import urlencode

from users_profiles import selection
from users_profiles.models import Profile, User

KEPT = "_changelist_filters"
# So many people are put in any order at once, within a few milliseconds.
FEW = 2_000
FOUND_BY_INDEX = {"last_name_folded", "username__lower", "date_joined"}


@dataclass(frozen=True)
class Neighbour:
    """Somebody beside this person, and the address of their page in the same list."""

    person: User
    address: str


NOBODY: dict[str, Neighbour | None] = {"previous": None, "next": None}


def neighbours(request: HttpRequest, person: User) -> dict[str, Neighbour | None]:
    """Who stands before and behind a person; None at the ends, and where the address means no list."""
    kept = request.GET.get(KEPT, "")
    try:
        listed = selection.people(selection.address(kept), request.user)
        keys = list(listed.values_list("pk", flat=True)[: FEW + 1])
        few = len(keys) <= FEW
        listed = User.objects.filter(pk__in=keys) if few else listed
        people = selection.ordered(listed, QueryDict(kept).get("o", ""), request.user)
    except selection.SelectionRefused:
        return NOBODY
    order = [str(path) for path in people.query.order_by]
    # A search has an index of its own, and leaves none for the order.
    if not few and (selection.search_of(kept) or order[0].removeprefix("-") not in FOUND_BY_INDEX):
        return NOBODY
    return {
        "previous": _first(people.reverse(), _beyond(person, order, backwards=True), kept),
        "next": _first(people, _beyond(person, order), kept),
    }


def _first(people: QuerySet[User], beyond: Q, kept: str) -> Neighbour | None:
    found = people.filter(beyond).first()
    if found is None:
        return None
    address = reverse("admin:users_profiles_user_change", args=[found.pk])
    return Neighbour(found, f"{address}?{urlencode({KEPT: kept})}" if kept else address)


def _beyond(person: User, order: list[str], backwards: bool = False) -> Q:
    """The condition that somebody comes after ``person`` in ``order``, or before; also when they are not in the list.

    After in the first field, or equal there and after in the second, and so on. That somebody is not before in the
    first is said once more on its own, because a database finds that, and not an "or", in an index.
    """
    paths = [path.removeprefix("-") for path in order]
    values: Any = User.objects.with_role().filter(pk=person.pk).values_list(*paths).get()
    beyond, equal = Q(pk__in=[]), Q()
    for path, bare, value in zip(order, paths, values, strict=True):
        beyond |= equal & _after(bare, value, descending=path.startswith("-") != backwards)
        equal &= _same(bare, value)
    return _not_before(paths[0], values[0], descending=order[0].startswith("-") != backwards) & beyond


def _same(path: str, value: Any) -> Q:
    return Q(**{f"{path}__isnull": True}) if value is None else Q(**{path: value})


def _after(path: str, value: Any, descending: bool) -> Q:
    """Strictly behind ``value``."""
    last = _none_is_last(path, descending)
    if value is None:
        return Q(pk__in=[]) if last else Q(**{f"{path}__isnull": False})
    beyond = Q(**{f"{path}__{'lt' if descending else 'gt'}": value})
    return beyond | Q(**{f"{path}__isnull": True}) if last else beyond


def _not_before(path: str, value: Any, descending: bool) -> Q:
    """What the first field says on its own; nothing where rows without a value are to come behind all others."""
    if value is None or _none_is_last(path, descending):
        return Q()
    return Q(**{f"{path}__{'lte' if descending else 'gte'}": value})


def _none_is_last(path: str, descending: bool) -> bool:
    """Whether there are rows without a value behind the others: PostgreSQL takes those for the largest, SQLite not."""
    model = Profile if path.startswith("profile__") else User
    try:
        can_be_none = model._meta.get_field(path.removeprefix("profile__")).null
    except FieldDoesNotExist:
        return False  # the role, which is at least the empty text
    return can_be_none and (connection.vendor == "postgresql") != descending
