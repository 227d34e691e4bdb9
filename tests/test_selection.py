"""An address means the same people wherever it is read: on the list, in an export, on the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from tests.admin_pages import USERS
from tests.people import Browse
from users_profiles import criteria, selection
from users_profiles.admin.filters import filters_for
from users_profiles.figures import store
from users_profiles.figures.counting import count
from users_profiles.models import Profile, Role, User
from users_profiles.selection import SelectionRefused
from users_profiles.transfer import columns


def day(days: int) -> str:
    return (timezone.localdate() - timedelta(days=days)).isoformat()


@pytest.fixture
def office(superuser: User, make_person: Callable[..., User]) -> User:
    """People on every side of every filter; the superuser is the one who looks."""
    make_person("ada", role=Role.EDITOR, location="London", phone_number="+442079460000", birth_date=date(1990, 3, 9))
    make_person("ben", role=Role.READER, location="Berlin", birth_date=date(1985, 12, 24), is_active=False)
    make_person("cem", role=Role.ADMIN, location="Londonderry")
    make_person("dov")
    for at in range(12):
        make_person(f"p{at:02}", location=f"Place {at:02}")
    make_person("p12", location="Place 00")
    for name, days in {"ben": 20, "cem": 100, "dov": 800, "p00": 3}.items():
        moment = timezone.now() - timedelta(days=days)
        User.objects.filter(username=name).update(date_joined=moment, last_login=moment)
    User.objects.filter(username="ben").update(deactivated_at=timezone.now() - timedelta(days=20))
    Profile.objects.filter(user__username="ada").update(avatar="avatars/x.webp")
    return superuser


# At least one address for every parameter there is; the last test of this table sees to that.
ADDRESSES = [
    "",
    "q=ada",
    "q=lon+example.com",
    "q=%2B44+20+7946",
    "q=++",
    "role=Admin",
    "role=Editor",
    "role=Reader",
    "role=member",
    "role=superuser",
    "active=yes",
    "active=no",
    "location=London",
    "location=",
    "location_has=lon",
    "location_has=+lon+",
    "location_has=",
    "location_is=none",
    "location_is=other",
    "picture=yes",
    "picture=no",
    "complete=yes",
    "complete=no",
    "joined=today",
    "joined=week",
    "joined=month",
    "joined=year",
    f"joined_from={day(100)}",
    f"joined_to={day(100)}",
    f"joined_from={day(100)}&joined_to={day(20)}",
    "signed_in=30",
    "signed_in=90",
    "signed_in=longer",
    "signed_in=never",
    "missing=location",
    "missing=phone_number",
    "missing=first_name",
    "missing=avatar",
    "left=today",
    "left=month",
    "left=year",
    f"left_from={day(20)}",
    f"left_to={day(20)}",
    f"left_from={day(19)}&left_to={day(1)}",
    "birthday=week",
    "birthday=3",
    "birthday=12",
    "q=lon&role=Editor&active=yes&picture=yes",
    "role=Editor&active=no",
    "role=Editor&role=Admin",
    "role=member&role=superuser&location=London&location=Londonderry",
    "missing=location&missing=avatar",
    "birthday=3&birthday=12",
]
NONSENSE = [
    "role=King",
    "active=maybe",
    "active=",
    "picture=x",
    "complete=x",
    "joined=ever",
    "joined_from=yesterday",
    "joined_to=9999-12-31",
    "signed_in=5",
    "missing=password",
    "missing=",
    "left=ever",
    "left_from=yesterday",
    "left_to=9999-12-31",
    "birthday=13",
    "location_is=here",
    "location=a%00b",
    "location_has=a%00b",
]


def selected(query: str, actor: User | None) -> set[str]:
    return set(selection.people(query, actor).values_list("username", flat=True))


def shown(client: Client, query: str) -> list[str]:
    """Everybody on the list, whatever page they are on, in its order."""
    return [person.username for person in client.get(f"{USERS}?{query}").context["cl"].queryset]


@pytest.mark.parametrize("query", ADDRESSES)
def test_the_list_shows_exactly_the_people_of_the_selection(browse: Browse, office: User, query: str) -> None:
    assert set(shown(browse(office), query)) == selected(query, office)


@pytest.mark.parametrize("query", NONSENSE)
def test_what_the_list_refuses_the_selection_refuses(browse: Browse, office: User, query: str) -> None:
    assert browse(office).get(f"{USERS}?{query}").status_code == 302
    with pytest.raises(SelectionRefused, match="makes no sense for the filter"):
        selection.people(query, office)


def test_every_parameter_of_every_filter_is_in_the_tables_above(office: User) -> None:
    offered = {name for one in filters_for(office) for name in one.parameters()}
    tried = {name for query in ADDRESSES for name, _value in parse_qsl(query, keep_blank_values=True)}
    assert offered == set(criteria.PARAMETERS) == tried - {"q"}
    assert {name for query in NONSENSE for name, _value in parse_qsl(query, keep_blank_values=True)} == offered


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "password__startswith=pbkdf2",
        "is_superuser__exact=1",
        "role=Editor&o=1",
        "active=yes&active=no",
        "joined_from=2026-01-01&joined_from=2026-01-02",
        "q=ada&q=ben",
        "role=Editor&" + "&".join(f"location={number}" for number in range(51)),
        "role",
        "&&",
        "q=%ff",
        "q=a%00b",
        "q=" + "a" * 20_000,
    ],
)
def test_what_is_unknown_doubled_or_cannot_be_read_is_never_ignored(query: str) -> None:
    with pytest.raises(SelectionRefused) as refusal:
        selection.people(query, None)
    assert str(refusal.value).endswith((".", "q=ada."))


def test_private_fields_are_neither_filtered_by_nor_searched_without_the_permission(
    office: User, reader: User, editor: User
) -> None:
    assert selected("birthday=3", None) == selected("birthday=3", editor) == {"ada"}
    with pytest.raises(SelectionRefused, match="You may not use the filter"):
        selection.people("birthday=3", reader)
    assert "ada" not in selected("missing=phone_number", editor)
    with pytest.raises(SelectionRefused, match="You may not use the filter"):
        selection.people("missing=phone_number", reader)
    assert selected("q=%2B442079460000", None) == selected("q=%2B442079460000", editor) == {"ada"}
    assert selected("q=%2B442079460000", reader) == set()


def test_who_may_not_see_people_selects_nobody(office: User, stranger: User, editor: User) -> None:
    editor.is_active = False
    for actor in (stranger, AnonymousUser(), editor):
        with pytest.raises(SelectionRefused, match="You may not see people"):
            selection.people("", actor)


def test_a_mapping_is_the_same_as_an_address(office: User) -> None:
    given = {"role": "Editor", "q": "lon"}
    assert list(selection.people(given, None)) == list(selection.people(urlencode(given), None))
    assert selected("?role=Editor", None) == {"ada"}


def test_of_one_filter_any_value_will_do_and_of_several_filters_all(office: User) -> None:
    assert selected("role=Editor&role=Admin", None) == {"ada", "cem"}
    assert selected("role=Editor&role=Admin&location=London&location=Berlin", None) == {"ada"}
    assert selection.people({"role": ["Editor", "Admin"]}, None).count() == 2
    assert selection.in_words("role=Editor&role=Admin&q=ada") == "role: Editor or Admin, search: ada"


def test_the_same_people_have_the_same_address() -> None:
    kept = "location=Berlin&role=Admin&role=Editor"
    assert selection.address("role=Editor&p=2&location=Berlin&role=Admin&o=email") == kept
    assert selection.address(QueryDict("location=Berlin&role=Admin&columns=email&role=Editor")) == kept


def test_of_a_lists_address_only_what_narrows_it_is_kept() -> None:
    address = {"q": "ada", "role": "Editor", "o": "-1.2", "p": "3", "all": "", "_facets": "True", "e": "1"}
    assert selection.narrowing(address) == {"q": ["ada"], "role": ["Editor"]}
    assert selection.narrowing({"colour": "red"}) == {"colour": ["red"]}


def test_nothing_typed_asks_for_nothing() -> None:
    assert selection.condition("location_has", " ") == Q()


def test_an_address_can_be_read_aloud(office: User) -> None:
    assert selection.in_words("role=Editor&q=ada&location_has=") == "role: Editor, search: ada"
    assert selection.in_words("location=Berlin&location=Paris&active=yes&location_has=ham") == (
        "location: Berlin or Paris or location contains: ham, active: yes"
    )
    assert selection.in_words("joined=year&birthday=3&signed_in=never&missing=phone_number") == (
        "joined: This year, birthday: March, last sign-in: Never, missing: phone number"
    )
    assert selection.in_words("joined_from=2026-03-01&role=member") == "joined since: 1 Mar 2026, role: Member"
    assert selection.in_words("") == ""
    assert selection.in_words("&&") == "&&"


def test_what_a_filter_is_about_is_a_column_of_files_or_none() -> None:
    about = {parameter.about for parameter in criteria.PARAMETERS.values()}
    assert about - {""} <= {*columns.exportable(private=True)}
    assert selection.fields_of("left_to=2026-03-01&picture=no&left=year&q=ada") == ["deactivated_at"]


# Order


@pytest.mark.parametrize("order", ["", "last_name", "-last_name", "location,-last_name", "-birth_date", "-last_login"])
def test_a_list_and_what_is_made_of_it_are_in_the_same_order(browse: Browse, office: User, order: str) -> None:
    listed = shown(browse(office), f"o={order}")  # signs in, so before anybody is put in order by that
    people = selection.ordered(selection.people("", office), order, office)
    assert [person.username for person in people] == listed


def test_people_are_in_the_order_that_is_named(office: User) -> None:
    found = selection.ordered(selection.people("location_has=lon", None), "role,-username", None)
    assert [person.username for person in found] == ["cem", "ada"]


@pytest.mark.parametrize("order", ["password", "phone_number", "-birth_date", "username,nothing", "--username"])
def test_an_order_by_what_one_may_not_see_is_refused(reader: User, order: str) -> None:
    with pytest.raises(SelectionRefused, match="cannot be put in order by"):
        selection.ordered(selection.people("", reader), order, reader)


# The clock


def test_days_are_the_office_s_whatever_clock_who_asks_has(
    make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    after_midnight = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # of the first of March in Berlin
    monkeypatch.setattr(timezone, "now", lambda: after_midnight)
    for name, minutes, born in (("early", 40, date(1990, 2, 28)), ("late", 10, date(1990, 3, 7))):
        make_person(name, birth_date=born, is_active=False)
        moment = after_midnight - timedelta(minutes=minutes)
        User.objects.filter(username=name).update(date_joined=moment, deactivated_at=moment, last_login=moment)
    people = {
        "joined=today": {"late"},
        "joined=month": {"late"},
        "joined_from=2026-03-01": {"late"},
        "joined_to=2026-02-28": {"early"},
        "left=month": {"late"},
        "birthday=week": {"late"},
    }
    for zone in ("America/New_York", "Europe/Berlin"):
        with timezone.override(zone):
            assert {query: selected(query, None) for query in people} == people
            assert store.known().counts == count(date(2026, 3, 1))
