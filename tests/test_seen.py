"""Who was in the file already is known for as long as the file is, in memory or out of it."""

from __future__ import annotations

import pytest

from users_profiles.transfer import seen
from users_profiles.transfer.people import Candidate
from users_profiles.transfer.seen import Seen


@pytest.fixture(autouse=True, params=[100_000, 3], ids=["in memory", "in a file"])
def few_in_memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "IN_MEMORY", request.param)


def rows(*names: str, start: int = 2) -> list[Candidate]:
    return [
        Candidate(number, {"username": name, "email": f"{name}@example.com"}, [])
        for number, name in enumerate(names, start)
    ]


def refused(candidates: list[Candidate]) -> dict[int, list[str]]:
    return {row.number: [problem.reason for problem in row.problems] for row in candidates if row.problems}


def test_the_second_row_about_somebody_names_the_first() -> None:
    remembered = Seen()
    first, second = rows("ada", "bob", "cem", "dov", "eve"), rows("fay", "ADA", "gil", start=7)
    remembered.check(first)
    remembered.check(second)
    assert not refused(first)
    assert refused(second) == {8: ["Row 2 has the same. Keep one of the two rows."] * 2}


def test_two_rows_of_one_chunk_are_told_apart_from_one_another() -> None:
    chunk = rows("ada", "bob", "Ada", "cem", "dov")
    Seen().check(chunk)
    assert list(refused(chunk)) == [4]


def test_a_chunk_that_is_looked_at_again_is_no_repetition() -> None:
    remembered = Seen()
    remembered.check(rows("ada", "bob", "cem", "dov"))
    again = rows("ada", "bob", "cem", "dov")
    remembered.check(again)
    assert not refused(again)


def test_a_made_name_is_claimed_once() -> None:
    remembered = Seen()
    remembered.check(rows("ada", "bob", "cem", "dov"))
    assert remembered.claim("username", "eve", 9)
    assert remembered.claim("username", "eve", 9)
    assert not remembered.claim("username", "eve", 10)
    assert not remembered.claim("username", "ada", 9)
    assert remembered.has("username", "eve")
    assert not remembered.has("email", "eve")
