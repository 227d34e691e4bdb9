"""A chunk of rows becomes candidates: every mistake has its row, its column and its cure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_profiles.transfer import columns
from users_profiles.transfer.cleaning import Cleaner
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Candidate


def clean(*rows: list[str], mapping: tuple[str, ...] = ("username", "location"), **options: Any) -> list[Candidate]:
    chosen = Options(headers=list(mapping), mapping=list(mapping), **options)
    return Cleaner(chosen, columns.PersonResource()).clean(list(enumerate(rows, 2)))


def reason(candidate: Candidate) -> tuple[str, str]:
    [problem] = candidate.problems
    return problem.column, problem.reason


@pytest.mark.parametrize("hidden", ["\x00", "\x07", "\u202e", "\u200f"])
@pytest.mark.parametrize("column", [0, 1])
def test_invisible_characters_are_an_error_of_that_row_alone(hidden: str, column: int) -> None:
    """C6."""
    bad = ["bob", "Rome"]
    bad[column] += hidden + "x"
    good, refused = clean(["ada", "Paris"], bad)
    assert good.values == {"username": "ada", "location": "Paris"}
    assert "invisible character" in reason(refused)[1]


@pytest.mark.parametrize("name", ["ﬁona", "rооt", "a" * 400])
def test_usernames_that_only_look_like_one_are_an_error_of_that_row_alone(name: str) -> None:
    """C8."""
    good, refused = clean(["ada", ""], [name, ""])
    assert not good.problems
    assert reason(refused)[0] == "username"


def test_a_row_that_is_too_wide_is_one_error_and_one_that_is_too_narrow_none() -> None:
    """C10."""
    wide, narrow = clean(["ada", "Paris", "x"], ["bob"])
    assert "3 cells where the header has 2" in reason(wide)[1]
    assert (narrow.problems, narrow.values) == ([], {"username": "bob"})


def test_a_cell_that_is_too_long_is_an_error_that_names_the_limit(settings: Any) -> None:
    settings.IMPORT_MAX_CELL = 20
    short, long = clean(["ada", "x" * 20], ["bob", "x" * 21])
    assert not short.problems
    assert reason(long) == (
        "location",
        "This cell has 21 characters; more than 20 are not read. Shorten it.",
    )


def test_a_formula_that_failed_is_an_error() -> None:
    [candidate] = clean(["ada", "#N/A"])
    assert reason(candidate) == ("location", "The formula in this cell has failed. Write the value itself.")


def test_words_for_yes_and_no_are_understood_and_others_an_error() -> None:
    """C14."""
    yes, no, unknown = clean(["a", "Activated"], ["b", "nein"], ["c", "perhaps"], mapping=("username", "is_active"))
    assert (yes.values["is_active"], no.values["is_active"]) == (True, False)
    assert reason(unknown) == ("is_active", "This is neither yes nor no. Write yes or no.")


_CELLS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
    st.from_regex(r"[a-z.]{1,8}@[a-z-]{1,8}\.[a-z]{2,3}", fullmatch=True),
)


@given(st.sampled_from(columns.NAMES), st.lists(_CELLS, min_size=1, max_size=6))
def test_a_column_read_at_once_gives_what_its_cells_give_one_by_one(name: str, cells: list[str]) -> None:
    """The pattern over a whole column is a short cut, not another rule."""
    mapping = ("username", name) if name != "username" else ("username",)
    rows = [["ada", cell] if name != "username" else [cell] for cell in cells]
    together = [(candidate.values.get(name), candidate.problems) for candidate in clean(*rows, mapping=mapping)]
    alone = [clean(row, mapping=mapping)[0] for row in rows]
    assert together == [(candidate.values.get(name), candidate.problems) for candidate in alone]
    widget = columns.PersonResource().fields[name].widget
    for cell, candidate in zip(cells, alone, strict=True):
        if name in candidate.values and not cell.startswith("'"):
            assert candidate.values[name] == widget.clean(cell)
