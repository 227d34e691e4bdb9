"""Which people a list's address means, outside of any request: ``role=Editor&q=ada`` is the same here as on the page.

The list, its export, a saved report and the command line all ask here, so that they cannot come to differ. A
parameter that is unknown, makes no sense, or looks where the actor may not, is refused and never ignored: a selection
that silently holds everybody invites an action on everybody.

A filter that is there several times keeps whoever fits one of its values (``role=Editor&role=Admin``), and filters of
different names keep whoever fits all of them; but a text that a place contains is one place more
(``location=Berlin&location_has=ham``). What somebody typed, and what they search for, can be there only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import QueryDict
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from users_profiles import roles, search
from users_profiles.criteria import PARAMETERS, value_in_words
from users_profiles.models import User
from users_profiles.models.user import UserQuerySet

SEARCH = "q"
MAX_QUERY_BYTES = 10_000
# More values of one filter than anybody ticks; each of them is a condition that the database checks.
MAX_VALUES = 50

# Without an actor it is the operator of the host who asks, with all rights.
Actor = User | AnonymousUser | None
Query = str | Mapping[str, str | Sequence[str]]


class SelectionRefused(ValueError):
    """The selection cannot be made; the text is a sentence for the person who asked for it."""


def in_words(query: Query) -> str:
    """An address as people read it: ``role: Editor or Admin, search: ada``; empty for everybody."""
    try:
        given = parameters(query)
    except SelectionRefused:
        return str(query)
    groups: dict[str, list[str]] = {}
    for name, values in given.items():
        if said := [value_in_words(name, value) for value in values if value.strip()]:
            words = f"{_label(name)}: {get_text_list(said, _('or'))}"
            groups.setdefault(_widened(name), []).append(words)
    return ", ".join(get_text_list(words, _("or")) for words in groups.values())


def _label(name: str) -> str:
    """What a parameter is called before people."""
    if name == SEARCH:
        return _("search")
    return str(PARAMETERS[name].label) if name in PARAMETERS else name


def fields_of(query: Query) -> list[str]:
    """The fields that an address asks about."""
    try:
        given = parameters(query)
    except SelectionRefused:
        return []
    about = (PARAMETERS[name].about for name in given if name in PARAMETERS)
    return list(dict.fromkeys(filter(None, about)))


def condition(name: str, value: str) -> Q:
    """What ``name=value`` asks of a person.

    Raises ``SelectionRefused`` for a parameter that does not exist and for a value that makes no sense. Asks nobody:
    who may filter by it is for ``conditions`` to say.
    """
    parameter = PARAMETERS.get(name)
    if parameter is None:
        raise SelectionRefused(_("There is no filter “%(name)s”.") % {"name": name[:40]})
    if parameter.typed:
        value = value.strip()
        if not value:
            return Q()
    try:
        if "\x00" in value:  # PostgreSQL answers a null character in a text with a server error
            raise ValueError(value)
        return parameter.condition(value)
    except (LookupError, ValueError) as error:
        raise SelectionRefused(
            _("“%(value)s” makes no sense for the filter “%(name)s”.") % {"value": value[:40], "name": name}
        ) from error


def conditions(query: Query, actor: Actor) -> Q:
    """What all of an address asks of a person. Raises ``SelectionRefused``, also for what ``actor`` may not ask."""
    if actor is not None and not roles.may(actor, roles.Action.VIEW):
        raise SelectionRefused(_("You may not see people."))
    private = actor is None or roles.may(actor, roles.Action.VIEW_PRIVATE)
    asked = {}
    for name, values in parameters(query).items():
        if name == SEARCH:
            asked[name] = search.matches(_searched(values[0]), private=private)
            continue
        if not private and any(is_private(name, value) for value in values):
            raise SelectionRefused(_("You may not use the filter “%(name)s”.") % {"name": name})
        asked[name] = any_of(name, values)
    return together(asked)


def together(asked: Mapping[str, Q]) -> Q:
    """The condition of several filters by name: each of them; but of one and what widens it, one or the other."""
    groups: dict[str, Q] = {}
    for name, condition in asked.items():
        groups[_widened(name)] = groups.get(_widened(name), Q()) | condition
    return reduce(and_, groups.values(), Q())


def _widened(name: str) -> str:
    """The filter that this one is a value more of, else its own name."""
    parameter = PARAMETERS.get(name)
    return (parameter and parameter.widens) or name


def any_of(name: str, values: Iterable[str]) -> Q:
    """What one filter asks of a person: to fit one of its values. Raises ``SelectionRefused`` as ``condition`` does."""
    found = Q()
    for value in values:
        found |= condition(name, value)
    return found


def is_private(name: str, value: str) -> bool:
    """Whether only who may see private fields may ask for ``name=value``."""
    parameter = PARAMETERS.get(name)
    return parameter is not None and (parameter.private or value in parameter.private_values)


def _searched(text: str) -> str:
    if "\x00" in text:
        raise SelectionRefused(_("Null characters cannot be searched for."))
    return text


def people(query: Query, actor: Actor) -> UserQuerySet:
    """The people that the list shows to ``actor`` at the address ``query``, in no order.

    Raises ``SelectionRefused`` with a sentence for people when any part of it is unknown, senseless or forbidden.
    """
    found: UserQuerySet = User.objects.filter(conditions(query, actor))
    return found


# Addresses ----------------------------------------------------------------------------------------------------------


def parameters(query: Query) -> dict[str, list[str]]:
    """The parameters of an address, each with its values.

    Raises ``SelectionRefused`` for an address that cannot be read, and for one that says a thing twice that can only
    be said once.
    """
    found: dict[str, list[str]] = {}
    for name, value in _pairs(query):
        values = found.setdefault(name, [])
        if value not in values or not takes_several(name):
            values.append(value)
    for name, values in found.items():
        if len(values) > 1 and not takes_several(name):
            raise SelectionRefused(_("The filter “%(name)s” is there twice.") % {"name": name[:40]})
        if len(values) > MAX_VALUES:
            raise SelectionRefused(_("The filter “%(name)s” has too many values.") % {"name": name[:40]})
    return found


def takes_several(name: str) -> bool:
    """Whether a filter may be there more than once."""
    parameter = PARAMETERS.get(name)
    return parameter is not None and parameter.takes_several


def search_of(query: Query) -> str:
    """What an address searches for; the empty text when it does not."""
    return next(iter(parameters(query).get(SEARCH, [])), "")


def _pairs(query: Query) -> list[tuple[str, str]]:
    if not isinstance(query, str):
        given = query.lists() if isinstance(query, QueryDict) else query.items()
        return [(name, value) for name, some in given for value in ([some] if isinstance(some, str) else some)]
    try:
        if len(query) > MAX_QUERY_BYTES:
            raise ValueError(query)
        return parse_qsl(query.removeprefix("?"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError as error:
        raise SelectionRefused(_("This filter cannot be read. Write it like role=Editor&q=ada.")) from error


def narrowing(address: Query) -> dict[str, list[str]]:
    """Keep of a list's address what says whom it shows, and leave out how: page, order and the like."""
    found: dict[str, list[str]] = {}
    for name, value in _pairs(address):
        if name not in _HOW:
            found.setdefault(name, []).append(value)
    return found


def address(query: Query) -> str:
    """An address as it is kept: the same for the same people, without what says how a list shows them."""
    return urlencode(sorted((name, sorted(values)) for name, values in narrowing(query).items()), doseq=True)


# Parameters of the list that are about its looks; who is shown does not depend on them.
_HOW = frozenset({"o", "p", "e", "all", "columns", "view", "_facets", "_popup", "_to_field", "_changelist_filters"})


# Order --------------------------------------------------------------------------------------------------------------

# What people can be put in order by, and where it is found from the person. Texts go by their letters, large or small,
# and names and places without their accents as well; of usernames there is an index already, of their small letters.
ORDERS: dict[str, str] = {
    "username": "username__lower",
    "first_name": "first_name_folded",
    "last_name": "last_name_folded",
    "email": "email__lower",
    "role": "role_name",
    "is_active": "is_active",
    "location": "profile__location_folded",
    "phone_number": "profile__phone_number",
    "birth_date": "profile__birth_date",
    "last_login": "last_login",
    "date_joined": "date_joined",
    "updated_at": "profile__updated_at",
    "deactivated_at": "deactivated_at",
}
DEFAULT_ORDER = ("last_name", "first_name")


def path_of(name: str) -> str:
    """Where one of these is found from the person, with a minus before it or without: ``-role`` is ``-role_name``."""
    return "-" * name.startswith("-") + ORDERS[name.removeprefix("-")]


def ordered(found: UserQuerySet, order: str, actor: Actor) -> UserQuerySet:
    """Put people in order: names of ``ORDERS`` with commas between, a minus before what goes down.

    The list's own order when there are none. Raises ``SelectionRefused`` for names that do not exist and those that
    ``actor`` may not see: an order tells as much as the values.
    """
    names = [name.strip() for name in order.split(",") if name.strip()] or list(DEFAULT_ORDER)
    bare = [name.removeprefix("-") for name in names]
    unknown = [name for name in bare if name not in ORDERS]
    visible = bare if actor is None else roles.visible_fields(actor, bare)
    if unknown or visible != bare:
        wrong = unknown or [name for name in bare if name not in visible]
        raise SelectionRefused(_("People cannot be put in order by “%(name)s”.") % {"name": wrong[0][:40]})
    if "role" in bare:
        found = found.with_role()
    names += [name for name in DEFAULT_ORDER if name not in bare]  # among equals as on the list
    # The key last, as the list does it, so that nobody changes places.
    return found.order_by(*map(path_of, names), "-pk")
