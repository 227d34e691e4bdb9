"""People are in the order in which one looks for them: Ł beside L and de Groot beside Degen, on either database."""

from __future__ import annotations

import csv
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.db.models.functions import Concat
from django.test import Client

from tests import roads
from tests.admin_pages import USERS
from tests.roads import Browse, World
from users_profiles import selection
from users_profiles.admin import neighbours
from users_profiles.folding import fold, sortable
from users_profiles.models import Profile, User
from users_profiles.models.folded import FoldedField, folded_fields
from users_profiles.search import settling

pytestmark = pytest.mark.django_db

NAMES = {
    "German": ["Ahrens", "Äpfelbeck", "Arndt", "Große", "Grosz", "Schäfer", "Schröder", "Schulz", "von Öhlen", "Vonau"],
    "Polish": ["Ćwik", "Cybulska", "Łącka", "Lasota", "Łuczak", "Śliwa", "Sowa", "Zając", "Żak", "Zalewska"],
    "Spanish": ["Ávila", "Muñiz", "Muñoz", "Munuera", "Núñez", "Nuño", "Ñurra", "Ocaña", "Zúñiga", "Zurita"],
    "Turkish": ["Çelik", "Cemal", "Iğdır", "İleri", "Işık", "Öz", "Ozan", "Şahin", "Sarı", "Ülker"],
    "French": ["Béranger", "Beraud", "D’Alembert", "Dalle", "de Ligny", "Éluard", "Emile", "Œuvrard", "Ofon", "Zola"],
}


@pytest.fixture
def world(
    browse: Browse, superuser: User, admin: User, editor: User, ada: User, tmp_path: Path, settings: Any
) -> World:
    settings.REGISTRATION_OPEN = True
    settings.BASE_URL = "https://people.example.com"
    return World(browse, superuser, admin, editor, ada, tmp_path)


def bring(names: list[str], **values: Any) -> None:
    """People with these names, who come in another order, half of them in capitals."""
    backwards = list(enumerate(names))[::-1]
    people = [
        User(username=f"p{at}", last_name=name.upper() if at % 2 and "ß" not in name else name, **values)
        for at, name in backwards
    ]
    for person, (_, name) in zip(User.objects.bulk_create(people), backwards, strict=True):
        Profile.objects.filter(pk=person.pk).update(location=name)


def usernames(client: Client, address: str) -> list[str]:
    found = [row.username for row in client.get(address).context["cl"].queryset]
    return [name for name in found if name.startswith("p")]


@pytest.mark.parametrize("language", NAMES)
def test_names_and_places_are_where_people_look_for_them(browse: Browse, editor: User, language: str) -> None:
    bring(NAMES[language])
    client = browse(editor)
    expected = [f"p{at}" for at in range(10)]
    for address in (USERS, f"{USERS}?o=last_name", f"{USERS}?o=location"):
        assert usernames(client, address) == expected, address
    assert usernames(client, f"{USERS}?o=-last_name") == expected[::-1]


def test_files_and_neighbours_have_the_same_order(
    browse: Browse, editor: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(NAMES["Polish"])
    file = tmp_path / "people.csv"
    call_command("export_users", output=str(file), columns="username", verbosity=0)
    with file.open(encoding="utf-8-sig") as lines:
        written = [row["username"] for row in csv.DictReader(lines) if row["username"].startswith("p")]
    assert written == [f"p{at}" for at in range(10)]
    monkeypatch.setattr(neighbours, "FEW", 3)
    client, seen = browse(editor), ["p0"]
    answer = client.get(f"{USERS}{User.objects.get(username='p0').pk}/change/")
    while answer.context["next"] is not None:
        seen.append(answer.context["next"].person.username)
        answer = client.get(answer.context["next"].address)
    assert [name for name in seen if name != editor.username] == written


@pytest.mark.parametrize("order", ["username", "email"])
def test_usernames_and_emails_go_by_their_letters_whatever_their_case(order: str) -> None:
    for name in ("adam", "Bea", "carl", "Dora"):
        User.objects.create(username=name, email=f"{name}@example.com")
    found = selection.ordered(selection.people("", None), order, None)
    assert [person.username for person in found] == ["adam", "Bea", "carl", "Dora"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O’Brien", "obrien"),
        ("d'Angelo", "dangelo"),
        ("'t Hart", "t hart"),
        ("Müller-Lüdenscheidt", "mullerludenscheidt"),
        ("Strauß", "strauss"),
        ("Mu\u0308ller", "muller"),
        ("Nguyễn", "nguyen"),
        ("Ælfgār", "aelfgar"),
        ("Ёлкина", "елкина"),
        ("李", "李"),
        (" – ", ""),
    ],
)
def test_a_text_is_put_in_order_by_its_letters(text: str, expected: str) -> None:
    assert sortable(text) == expected


def test_the_quick_way_through_a_name_says_what_folding_says() -> None:
    for code in (*range(0x20, 0x250), *range(0x370, 0x590), *range(0x1E00, 0x2000)):
        letter = chr(code)
        if letter.isalnum():
            assert sortable(f"a{letter}b") == fold(f"a{letter}b"), letter


# By whatever road a name comes


def astray() -> list[tuple[str, str]]:
    """Whoever stands at another place than their name does."""
    return [
        (getattr(row, field.of), getattr(row, field.name))
        for model in (User, Profile)
        for field in folded_fields(model)
        for row in model._base_manager.all()
        if getattr(row, field.name) != sortable(getattr(row, field.of))
    ]


def an_update_of_many(world: World) -> None:
    User.objects.filter(username__in=["ada", "edgar"]).update(last_name="Ørsted", first_name="Ánh")
    Profile.objects.update(location="Łódź")


def some_fields_alone(world: World) -> None:
    world.ada.last_name, world.ada.profile.location = "Éluard", "Åre"
    world.ada.save(update_fields=["last_name"])
    world.ada.profile.save(update_fields=["location"])


def a_fixture(world: World) -> None:
    text = serializers.serialize("json", [world.ada, world.ada.profile])
    assert "folded" not in text
    for each in serializers.deserialize("json", text.replace("Lovelace", "Öz").replace("London", "Łódź")):
        each.save()


@pytest.mark.parametrize(
    "road",
    [
        roads.the_form_of_a_person, roads.adding, roads.ones_own_profile, roads.an_import, roads.an_undo,
        an_update_of_many, some_fields_alone, a_fixture,
    ],
    ids=lambda road: road.__name__,
)  # fmt: skip
def test_whoever_gets_another_name_stands_where_it_belongs_at_once(
    road: Callable[[World], None], world: World, mailoutbox: Any
) -> None:
    assert astray() == []
    before = set(User.objects.values_list("first_name", "last_name", "profile__location"))
    road(world)
    assert set(User.objects.values_list("first_name", "last_name", "profile__location")) != before
    assert astray() == []


def raw_sql(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_profiles_user SET last_name = 'Öz' WHERE username = 'ada'")
        cursor.execute("UPDATE users_profiles_profile SET location = 'Ávila' WHERE user_id = %s", [world.ada.pk])


def what_only_the_database_knows(world: World) -> None:
    User.objects.filter(pk=world.ada.pk).update(last_name=Concat(F("last_name"), F("first_name")))


def an_instance_of_it(world: World) -> None:
    world.ada.last_name = F("username")
    world.ada.save()


@pytest.mark.parametrize(
    "road", [raw_sql, what_only_the_database_knows, an_instance_of_it], ids=lambda road: road.__name__
)
def test_what_is_written_past_us_is_put_in_order_by_the_worker(road: Callable[[World], None], world: World) -> None:
    settling.settle()
    road(world)
    assert astray() != []
    settling.settle()
    assert astray() == []


def test_a_text_that_folding_makes_longer_still_fits() -> None:
    person = User.objects.create(username="long", last_name="ß" * 150)
    person.refresh_from_db()
    assert person.last_name_folded == "s" * 150


# The index, and those who were there before


def plan(order: str) -> str:
    people = selection.ordered(User.objects.all(), order, None).values("pk")[:50]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    return people.explain()


@pytest.mark.parametrize(("order", "index"), [("", "user_name_folded"), ("username", "user_username_unique")])
def test_an_index_has_people_in_order(order: str, index: str) -> None:
    User.objects.bulk_create(User(username=f"p{at:03}", last_name=f"Ö{at:03}") for at in range(300))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE users_profiles_user")
    assert index in plan(order)


def test_the_migration_puts_everybody_in_order(world: World) -> None:
    migration = import_module("users_profiles.migrations.0021_folded_names_filled")
    bring(NAMES["Turkish"])
    User._base_manager.update(last_name_folded="", first_name_folded="")
    Profile._base_manager.update(location_folded="")
    assert len(astray()) > 10
    migration.fill(apps, SimpleNamespace(connection=connection))
    assert astray() == []


def test_a_folded_field_says_what_it_is_made_of() -> None:
    field = User._meta.get_field("last_name_folded")
    again = field.clone()
    assert isinstance(again, FoldedField)
    assert again.of == "last_name"
