"""Long lists: as many queries for many people as for few, light pages, and counts that say when they are capped."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin_pages import USERS
from tests.people import Browse
from users_profiles.admin import paging
from users_profiles.models import User
from users_profiles.search import settling

AUTOCOMPLETE = "/admin/autocomplete/?app_label=users_profiles&model_name=report&field_name=recipients&term="


def bring(many: int, first: int = 0) -> None:
    User.objects.bulk_create(
        User(
            username=f"person{at:04}", email=f"person{at:04}@example.com", first_name="Zoë", last_name=f"Öberg-{at:04}"
        )
        for at in range(first, first + many)
    )


def usernames(answer: Any) -> list[str]:
    return [person.username for person in answer.context["cl"].result_list]


@pytest.fixture
def capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is long begins at a hundred."""
    monkeypatch.setattr(paging, "MOST_COUNTED", 100)
    monkeypatch.setattr(paging, "MOST_COUNTED_BESIDE", 100)
    monkeypatch.setattr(paging, "SAMPLE", 60)


@pytest.mark.parametrize("is_settled", [False, True])
@pytest.mark.parametrize(
    "address",
    [USERS, f"{USERS}?q=zoe", f"{USERS}?p=2&o=email", f"{USERS}?active=yes&_facets=True", f"{USERS}?q=zoe&_facets=True",
     f"{USERS}?o=role"],
)  # fmt: skip
def test_twice_as_many_people_take_no_more_queries(
    browse: Browse, admin: User, address: str, is_settled: bool, capped: None
) -> None:
    client = browse(admin)
    counts = []
    for round_ in range(2):
        bring(150, 150 * round_)
        if is_settled:
            settling.settle()
        client.get(address)  # what is remembered for a while is remembered now
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] < 60


@pytest.mark.django_db
def test_a_page_of_the_list_is_light_with_everything_on_it(browse: Browse, admin: User) -> None:
    bring(120)
    for address in (USERS, f"{USERS}?p=2&_facets=True&q=oberg"):
        assert len(browse(admin).get(address).content) < 150_000


def test_every_page_from_the_first_to_the_last_has_its_people_once(browse: Browse, admin: User) -> None:
    bring(230)
    client = browse(admin)
    seen = [name for page in range(1, 6) for name in usernames(client.get(f"{USERS}?p={page}"))]
    assert len(seen) == 231
    assert seen[:-1] == ["alice", *(f"person{at:04}" for at in range(229))]
    backwards = [name for page in range(1, 6) for name in usernames(client.get(f"{USERS}?p={page}&o=-last_name"))]
    assert backwards == seen[::-1]


def test_a_count_that_is_capped_says_so(browse: Browse, admin: User, capped: None) -> None:
    bring(150)
    page = browse(admin).get(f"{USERS}?q=person")
    assert "More than 100 people" in page.content.decode()
    assert "Select all, more than 100" in page.content.decode()
    assert page.context["cl"].paginator.num_pages == 2
    assert len(usernames(browse(admin).get(f"{USERS}?q=person&p=2"))) == 50
    everybody = browse(admin).get(USERS).content.decode()
    assert "151 people" in everybody


def test_counts_beside_the_filters_are_exact_for_few_and_estimates_for_many(
    browse: Browse, admin: User, capped: None
) -> None:
    bring(90)
    page = browse(admin).get(f"{USERS}?_facets=True").content.decode()
    assert "Estimated" not in page
    bring(110, 90)
    page = browse(admin).get(f"{USERS}?active=yes&_facets=True").content.decode()
    assert "Estimated, as there are so many." in page
    assert "about " in page
    few = browse(admin).get(f"{USERS}?active=yes&q=person000&_facets=True").content.decode()
    assert "Estimated" not in few


def test_searching_while_typing_takes_few_queries(browse: Browse, admin: User) -> None:
    bring(60)
    client = browse(admin)
    with CaptureQueriesContext(connection) as queries:
        found = client.get(f"{AUTOCOMPLETE}oberg-0007").json()
    assert [each["text"] for each in found["results"]] == ["Zoë Öberg-0007"]
    assert len(queries) < 25
