"""Every way to write gives the same rows: the ORM's, and the fastest one of the database at hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.importing import SAMPLE, apply
from users_profiles.models import ImportRow, Profile, User
from users_profiles.transfer import bulk, writer

pytestmark = pytest.mark.django_db

AWKWARD = (
    "username,email,first_name,role,location,birth_date,bio\n"
    'ada,ada@example.com,"Ada ""the first""",Editor,"Berlin, Mitte",1990-12-10,"one\n\\.\ntwo; \\N, null"\n'
    "bob,,Ἀλέξανδρος,,\\N,,\\.\n"
    "carl,nonsense,Refused,,,,\n"
)


@pytest.fixture(params=["portable", "native"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "portable":
        monkeypatch.setattr(writer, "bulk", bulk.PortableBulk)
    return request.param


def stored() -> list[Any]:
    people = User.objects.order_by("username").values_list(
        "username", "email", "first_name", "is_staff", "groups__name"
    )
    profiles = Profile.objects.order_by("user__username").values_list("location", "birth_date", "bio", "version")
    rows = ImportRow.objects.order_by("job", "number").values_list("number", "outcome", "changes", "user__username")
    return [list(people), list(profiles), list(rows)]


def test_what_is_written_is_what_was_in_the_file(way: str) -> None:
    apply(AWKWARD)
    people, profiles, rows = stored()
    assert people == [
        ("ada", "ada@example.com", 'Ada "the first"', True, "Editor"),
        ("bob", "", "Ἀλέξανδρος", False, None),
    ]
    assert profiles == [
        ("Berlin, Mitte", date(1990, 12, 10), "one\n\\.\ntwo; \\N, null", 1),
        ("\\N", None, "\\.", 1),
    ]
    assert [row[1] for row in rows] == ["new", "new", "refused"]
    assert rows[0][2]["birth_date"] == [None, "1990-12-10"]


def test_changes_and_repetitions_are_written_alike(way: str, make_person: Callable[..., User]) -> None:
    apply(SAMPLE.read_bytes())
    changed = apply(
        "username,location,bio,email\nrtenant0,Paris,'=x,\nklefeuvre1,,,new@example.com\n", blank_clears=True
    )
    assert changed.updated == 2
    assert Profile.objects.get(user__username="rtenant0").bio == "=x"
    assert User.objects.get(username="klefeuvre1").email == "new@example.com"
    assert Profile.objects.get(user__username="klefeuvre1").location == ""
    assert apply(SAMPLE.read_bytes()).unchanged == 98
