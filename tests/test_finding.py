"""What the palette finds: a few people at once, for who may see them, and nobody by what one may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from users_profiles.admin import finding
from users_profiles.models import User

pytestmark = pytest.mark.django_db
FIND = reverse("admin:users_profiles_user_find")


def found(client: Client, text: str) -> str:
    answer = client.get(FIND, {"q": text})
    assert answer.status_code == 200
    return answer.content.decode()


def test_people_are_found_by_what_they_are_called_and_lead_to_their_page(
    browse: Callable[..., Client], reader: User, stranger: User
) -> None:
    page = found(browse(reader), "stran")
    assert reverse("admin:users_profiles_user_change", args=[stranger.pk]) in page
    assert "Stan Stranger" in page
    assert "Search people for “stran”" in page


def test_whose_name_begins_with_it_comes_first_and_there_are_eight_at_most(
    reader: User, make_person: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        make_person(f"x{number:02}", first_name="Xavier", last_name=f"Hannah{number:02}", location="Annaberg")
    anna = make_person("zetkin", first_name="Ánna", last_name="Zetkin")
    reader.get_all_permissions()
    with django_assert_max_num_queries(7):
        people = finding.find("anna", reader)
    assert people[0] == anna
    assert len(people) == finding.SHOWN


@pytest.mark.parametrize("text", ["", "s", " s ", "nobody at all", "\0\0", "x" * 5000])
def test_too_little_and_nonsense_find_nobody(reader: User, stranger: User, text: str) -> None:
    assert finding.find(text, reader) == []


def test_a_reader_does_not_find_anybody_by_their_phone(
    browse: Callable[..., Client], reader: User, editor: User, make_person: Callable[..., User]
) -> None:
    make_person("ada", first_name="Ada", last_name="Lovelace", phone_number="+442071234567")
    assert "Lovelace" in found(browse(editor), "207123")
    assert "Lovelace" not in found(browse(reader), "207123")


def test_who_may_not_see_people_gets_nothing(browse: Callable[..., Client], stranger: User) -> None:
    assert browse(stranger).get(FIND, {"q": "stan"}).status_code == 403
    assert "/login/" in browse(None).get(FIND, {"q": "stan"})["Location"]
    assert browse(stranger).post(FIND).status_code in {403, 405}


def test_what_is_found_and_what_was_typed_is_inert(
    browse: Callable[..., Client], reader: User, make_person: Callable[..., User]
) -> None:
    make_person("eve", first_name="<b>Eve</b>", last_name='"><script>')
    page = found(browse(reader), "<b>Eve")
    assert "<b>" not in page
    assert "<script>" not in page
    assert "?q=%3Cb%3EEve" in page


@pytest.mark.parametrize(
    ("who", "offered"),
    [("admin", {"add", "import", "export"}), ("reader", {"export"}), ("editor", {"add", "import", "export"})],
)
def test_the_palette_offers_what_one_may_do(
    browse: Callable[..., Client], request: pytest.FixtureRequest, who: str, offered: set[str]
) -> None:
    page = browse(request.getfixturevalue(who)).get(reverse("admin:index")).content.decode()
    dialog = page.split('<dialog class="dialog palette"')[1].split("</dialog>")[0]
    addresses = {name: reverse(f"admin:users_profiles_user_{name}") for name in ("add", "import", "export")}
    assert {name for name, address in addresses.items() if f'data-href="{address}"' in dialog} == offered


def test_staff_have_the_palette_beside_their_own_profile_too_and_members_have_none(
    browse: Callable[..., Client], reader: User, stranger: User
) -> None:
    found = ["palette" in browse(person).get(reverse("profile")).content.decode() for person in (reader, stranger)]
    assert found == [True, False]
