"""The one text search: what it finds, and what it must not tell."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from users_profiles import phones, search
from users_profiles.models import User
from users_profiles.search import settling, wanted

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_person: Callable[..., User]) -> None:
    make_person("ada", first_name="Ada", last_name="Lovelace", location="London", phone_number="+442071234567")
    make_person("jgarcia", first_name="José", last_name="García", location="Mexico City", phone_number="+525512345678")
    make_person("yamada", first_name="太郎", last_name="山田", location="東京", email="taro@tidewater.example")
    make_person("anke", first_name="Anke", last_name="Müller", location="Berlin", phone_number="+4930998877")


def found(text: str, private: bool = True) -> set[str]:
    return set(User.objects.filter(search.matches(text, private=private)).values_list("username", flat=True))


EVERYBODY = {"ada", "jgarcia", "yamada", "anke"}


@pytest.mark.parametrize(
    ("text", "usernames"),
    [
        ("ada", {"ada", "yamada"}),  # in the middle of a word too
        ("LOVELACE", {"ada"}),
        ("love lon", {"ada"}),  # every word, anywhere
        ("love berlin", set()),
        ("taro@tidewater", {"yamada"}),
        ("山田", {"yamada"}),
        ("東京 太郎", {"yamada"}),
        ("García", {"jgarcia"}),
        ("jose", {"jgarcia"}),  # accents are for who has them on the keyboard
        ("JOSÉ garcia", {"jgarcia"}),
        ("muller", {"anke"}),
        ("lovelace ada", {"ada"}),  # in any order
        ("j", {"jgarcia"}),  # of one or two letters, what a word begins with
        ("an", {"anke"}),
        ("nk", set()),
        ("東", {"yamada"}),
        (unicodedata.normalize("NFD", "José García"), {"jgarcia"}),
        ("  anke  ", {"anke"}),
        ("", EVERYBODY),
        ("   ", EVERYBODY),
        ("nobody", set()),
        ("an\x00ke", {"anke"}),
        ("%", set()),
        ("_", set()),
        ("' OR 1=1 --", set()),
    ],
)
def test_every_word_is_found_somewhere(people: None, text: str, usernames: set[str]) -> None:
    assert found(text) == usernames


@pytest.mark.parametrize("text", ["ångström", "Ångström", "ÅNGSTRÖM", "ngstr", "ång"])
@pytest.mark.parametrize("name", ["Ångström", "ångström", "ÅNGSTRÖM"])
def test_capitals_do_not_matter_outside_ascii_either(make_person: Callable[..., User], name: str, text: str) -> None:
    make_person("anders", last_name=name)
    make_person("olle", last_name="Öberg")
    assert found(text) == {"anders"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Straße", "strasse"),
        ("STRASSE", "straße"),
        ("Søren", "soren"),
        ("Łukasz", "lukasz"),
        ("São Paulo", "sao"),
        ("Đorđe", "dorde"),
        ("Þór", "thor"),
        ("İstanbul", "istanbul"),
        ("Ελένη", "ελενη"),
        ("Ещё", "еще"),
        ("ガ", "ガ"),
        ('a"b*', '"b*'),
        ("50%_\\", "%_\\"),
    ],
)
@pytest.mark.parametrize("is_settled", [False, True])
def test_letters_are_found_however_they_are_typed(
    make_person: Callable[..., User], name: str, text: str, is_settled: bool
) -> None:
    make_person("somebody", last_name=name)
    make_person("else", last_name="Öberg")
    if is_settled:
        settling.settle()
    assert found(text) == {"somebody"}


@pytest.mark.parametrize(
    "text",
    [
        "+4930998877",
        "4930998877",
        "+49 30 998877",
        "+49 (0)30 99-88-77",
        "030 998877",
        "(030) 99 88 77",
        "030/998877",
        "998877",
    ],
)
def test_a_phone_number_is_found_however_it_is_written(people: None, text: str) -> None:
    assert "anke" in found(text)
    assert "ada" not in found(text)


@pytest.mark.parametrize(
    ("stored", "home"),
    [("+74951234567", "RU"), ("+5491123456789", "AR"), ("+3612345678", "HU"), ("+12015550123", "US")],
)
def test_a_phone_number_is_found_as_the_list_shows_it(
    make_person: Callable[..., User], settings: Any, stored: str, home: str
) -> None:
    settings.PHONE_DEFAULT_REGION = home
    make_person("somebody", phone_number=stored)
    shown = phones.pretty(stored)
    assert "+" not in shown
    for text in (shown, shown.replace(" ", "")):
        assert found(text) == {"somebody"}


@pytest.mark.parametrize("text", ["000000", "+0000", "()", "---", "(0)", "12"])
def test_a_number_of_nothing_does_not_match_everybody(people: None, text: str) -> None:
    assert found(text) != EVERYBODY


@pytest.mark.parametrize("text", ["+4930998877", "030 998877", "3099"])
def test_phone_numbers_cannot_be_guessed_by_who_may_not_see_them(people: None, text: str) -> None:
    assert found(text, private=False) == set()


def test_a_pasted_page_costs_no_more_than_a_line(people: None) -> None:
    assert str(search.matches("word " * 500, private=True)) == str(
        search.matches("word " * wanted.MAX_WORDS, private=True)
    )
