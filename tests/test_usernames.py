"""Usernames out of names, and usernames that look alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_profiles.transfer import usernames, values
from users_profiles.transfer.forms import PATTERNS

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "Ada.L+work@Example.com"}


@pytest.mark.parametrize(
    ("pattern", "made"),
    [
        ("{first}.{last}", "ada.lovelace"),
        ("{f}{last}", "alovelace"),
        ("{first}{l}", "adal"),
        ("{mailbox}", "ada.l.work"),
        ("{email}", "ada.l.work@example.com"),
        ("x-{last}_{f}", "x-lovelace_a"),
    ],
)
def test_a_pattern_is_filled_from_the_row(pattern: str, made: str) -> None:
    assert usernames.make(pattern, ADA) == made


@pytest.mark.parametrize(
    ("first", "last", "made"),
    [
        ("Jürgen", "Groß", "jurgen.gross"),
        ("Łukasz", "Żółć", "lukasz.zolc"),
        ("Søren", "Kjær", "soren.kjaer"),
        ("Иван", "Щукин", "ivan.shchukin"),
        ("Юлия", "Ёлкина", "yuliya.yolkina"),
        ("Γιώργος", "Παπαδόπουλος", "giorgos.papadopoylos"),
        ("İpek", "Yıldız", "ipek.yildiz"),
        ("Seán", "O’Brien", "sean.obrien"),
        ("Anna Maria", "van der Berg", "anna-maria.van-der-berg"),
        ("", "Cher", "cher"),
    ],
)
def test_names_become_plain_letters(first: str, last: str, made: str) -> None:
    assert usernames.make("{first}.{last}", {"first_name": first, "last_name": last}) == made


def test_a_name_without_letters_we_know_gives_way_to_the_email() -> None:
    row = {"first_name": "太郎", "last_name": "山田", "email": "taro.y@example.jp"}
    assert usernames.make("{first}.{last}", row) == "taro.y"
    assert usernames.make("{first}.{last}", row | {"email": ""}) == ""


@pytest.mark.parametrize(
    "pattern", ["", "ada", "{nonsense}", "{first} {last}", "{first}/{last}", "{first", "{}", "é{first}"]
)
def test_what_cannot_make_usernames_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="This cannot make usernames"):
        usernames.check_pattern(pattern)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_the_patterns_we_offer_are_patterns(pattern: str) -> None:
    usernames.check_pattern(pattern)
    assert usernames.fields_of(pattern) <= {"first_name", "last_name", "email"}


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=60), st.sampled_from(sorted(PATTERNS)))
def test_whatever_the_row_says_a_made_username_is_one(first: str, last: str, mailbox: str, pattern: str) -> None:
    made = usernames.make(pattern, {"first_name": first, "last_name": last, "email": f"{mailbox}@example.com"})
    assert re.fullmatch(r"[a-z0-9@.+_-]{0,150}", made)
    assert values.username(made) == made


@pytest.mark.parametrize(
    ("one", "other"), [("рорре", "poppe"), ("РООТ", "poot"), ("ΝΙΚΟ", "niko"), ("Root", "ROOT"), ("ѕсоре", "scope")]
)
def test_what_a_reader_cannot_tell_apart_has_one_skeleton(one: str, other: str) -> None:
    """C8: confusables of Cyrillic and Greek, and case."""
    assert usernames.skeleton(one) == usernames.skeleton(other)


@pytest.mark.parametrize("name", ["иван", "josé", "山田", "müller", "νίκος"])
def test_what_looks_like_no_latin_word_is_not_taken_for_one(name: str) -> None:
    assert not usernames.skeleton(name).isascii()
