"""One cell at a time."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_profiles.transfer import dates, values
from users_profiles.transfer.options import DateOrder


@pytest.mark.parametrize("word", ["yes", "ja", "x", "1", "TRUE", "Activated", " Oui ", "si", "Sí", "active", "on"])
def test_words_for_yes_are_understood(word: str) -> None:
    """C14."""
    assert values.flag(word) is True


@pytest.mark.parametrize("word", ["no", "nein", "0", "FALSE", "inactive", "Deactivated", "non", "-", "off"])
def test_words_for_no_are_understood(word: str) -> None:
    """C14."""
    assert values.flag(word) is False


@pytest.mark.parametrize("word", ["maybe", "2", "yess", "?"])
def test_an_unknown_word_is_neither_yes_nor_no(word: str) -> None:
    """C14."""
    with pytest.raises(ValueError, match="Write yes or no"):
        values.flag(word)


@pytest.mark.parametrize("bad", ["ﬁona", "rооt", "a" * 400, "ada lovelace", "ada\u202e", "ada\x00", "<b>"])
def test_a_username_that_only_looks_like_one_is_refused(bad: str) -> None:
    """C8."""
    with pytest.raises(ValueError, match=r"\w"):
        values.username(bad)


@pytest.mark.parametrize("good", ["ada", "ada.lovelace+x@example.com", "josé", "Иван", "山田", " ada "])
def test_a_username_by_djangos_rules_is_taken(good: str) -> None:
    assert values.username(good) == good.strip()


def test_usernames_are_stored_composed() -> None:
    assert values.username("jose\u0301") == "josé"


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\x85", "\u200b", "\u200f", "\u061c", "\u202e", "\u2066", "\ufeff"])
def test_invisible_characters_are_refused_everywhere(hidden: str) -> None:
    """C6."""
    for clean in (values.line, values.paragraph):
        with pytest.raises(ValueError, match="invisible"):
            clean(f"a{hidden}b", 100)


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"])
def test_a_joiner_that_joins_nothing_is_refused_where_it_would_pass_for_nothing(joiner: str) -> None:
    for clean in (values.username, values.email, lambda text: values.line(text, 100)):
        with pytest.raises(ValueError, match="invisible"):
            clean(f"ada{joiner}lovelace@example.com")
    with pytest.raises(ValueError, match="invisible"):
        values.email(f"ada@exa{joiner}mple.com")
    with pytest.raises(ValueError, match="invisible"):
        values.username(f"علی{joiner}رضا")


@pytest.mark.parametrize("name", ["علی\u200cرضا", "മോഹന്\u200d", "क्\u200dष"])
def test_names_that_are_written_with_joiners_keep_them(name: str) -> None:
    assert values.line(name, 100) == name
    assert values.paragraph("👩\u200d💻", 100) == "👩\u200d💻"


def test_a_line_has_no_breaks_and_a_paragraph_keeps_them() -> None:
    assert values.line(" Berlin\r\nMitte ", 100) == "Berlin Mitte"
    assert values.paragraph("one\r\ntwo\rthree", 100) == "one\ntwo\nthree"


def test_full_width_letters_become_plain_in_a_line_but_small_numbers_stay_in_a_paragraph() -> None:
    assert values.line("Ｂｅｒｌｉｎ", 100) == "Berlin"
    assert values.paragraph("10 m²", 100) == "10 m²"


def test_what_is_too_long_says_by_how_much() -> None:
    with pytest.raises(ValueError, match="151 characters; shorten it to 150"):
        values.line("a" * 151, 150)


@pytest.mark.parametrize("bad", ["ada", "ada@", "@example.com", "ada@example", "a b@example.com"])
def test_a_bad_email_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.com"):
        values.email(bad)


@pytest.mark.parametrize(
    "good", ["ada@example.com", "o'hara@example.co.uk", "ada@xn--mller-kva.de", "", "a.b+c@d-e.fr"]
)
def test_a_good_email_is_taken(good: str) -> None:
    assert values.email(good) == good


def test_roles_are_named_in_any_case() -> None:
    assert values.role(" ADMIN ") == "Admin"
    assert values.role("member") == ""
    with pytest.raises(ValueError, match="Admin, Editor, Reader or Member"):
        values.role("boss")


def test_words_are_read_in_any_form_of_their_letters() -> None:
    assert values.flag("ｙｅｓ") is True
    assert values.role("Éditeur") == values.role("E\u0301diteur") == "Editor"


@pytest.mark.parametrize("failed", ["#N/A", " #REF! ", "#DIV/0!", "#NAME?"])
def test_a_formula_that_failed_is_nobodys_name(failed: str) -> None:
    with pytest.raises(ValueError, match="Write the value itself"):
        values.refuse_failed(failed)
    values.refuse_failed("#1 Main Street")


@pytest.mark.parametrize(
    ("written", "region", "stored"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("+49 (0)30 123456", "US", "+4930123456"),
        ("'+4930123456", "US", "+4930123456"),
        ("（０３０）１２３４５６", "DE", "+4930123456"),
    ],
)
def test_phone_numbers_become_e164(written: str, region: str, stored: str) -> None:
    assert values.phone(values.restore(written), region) == stored


@pytest.mark.parametrize("written", ["4.93E+10", "call me", "12", "+49 30 123456 ext. 7"])
def test_what_is_no_phone_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="with the country code"):
        values.phone(written, "DE")


@given(st.text(max_size=40))
def test_what_is_defused_comes_back_the_same(text: str) -> None:
    """C1."""
    assert values.restore(values.defuse(text)) == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'=", "''+"])
def test_nothing_a_spreadsheet_would_run_leaves_as_it_is(start: str) -> None:
    """C1."""
    defused = values.defuse(f"{start}cmd")
    assert defused.startswith("'")
    assert values.restore(defused) == f"{start}cmd"


@given(st.text(max_size=60))
def test_no_text_at_all_breaks_a_cell(text: str) -> None:
    for clean in (
        values.username,
        values.email,
        values.role,
        values.flag,
        lambda value: values.line(value, 150),
        lambda value: values.paragraph(value, 150),
        lambda value: dates.birthday(value, DateOrder.ASK),
        lambda value: values.phone(value, "US"),
    ):
        # Anything but a value or a ValueError with a sentence fails the test.
        with contextlib.suppress(ValueError):
            clean(text)


def test_letters_that_are_taken_as_they_are_would_not_be_changed_by_a_look_at_them() -> None:
    """A column of such letters is not cleaned cell by cell."""
    letters = re.findall(f"[{values.PLAIN_LETTERS}]", "".join(map(chr, range(0xC0, 0x2000))))
    assert len(letters) > 180
    for letter in letters:
        assert values.line(letter, 10) == values.paragraph(letter, 10) == letter
