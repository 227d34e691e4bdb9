"""The rows of an import on its pages: ticks, the search, and the warnings that cannot be overlooked."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin_pages import messages_of
from tests.import_pages import applied, checked, choose, html, page, text, upload
from tests.people import Browse, Make
from users_profiles.admin import import_rows, row_search
from users_profiles.models import Import, User

pytestmark = pytest.mark.django_db


# Ticks --------------------------------------------------------------------------------------------------------------


def test_an_unticked_row_is_left_out_and_the_counts_follow(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, "username\nada\nbob\ncarl\n")
    answer = client.post(page("tick", job), {"show": "new", "row": ["2", "3", "4"], "ticked": ["2", "4"]}, follow=True)
    assert "Import: add 2, change 0" in answer.content.decode()
    assert "1 unticked" in text(answer.content.decode())
    client.post(page("apply", job))
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "carl", "edgar"]
    assert "1 Left out" in text(html(client, "change", job))


def test_a_script_that_ticks_is_sent_only_what_follows_from_it(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, "username\nada\nbob\n")
    answer = client.post(page("tick", job), {"show": "new", "row": "2"}, headers={"X-Requested-With": "fetch"})
    assert "Import: add 1, change 0" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    answer = client.post(
        page("tick", job), {"show": "new", "row": "2", "ticked": "2"}, headers={"X-Requested-With": "fetch"}
    )
    assert "Import: add 2, change 0" in answer.content.decode()


def test_ticking_does_not_lose_the_place(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, "username\n" + "".join(f"user{at}\n" for at in range(60)))
    place = {"show": "new", "q": "user", "page": "2", "row": "60"}
    assert client.post(page("tick", job), place).url == f"{page('change', job)}?show=new&q=user&page=2"


def test_all_rows_of_a_tab_are_unticked_at_once_and_no_others(browse: Browse, editor: User, make_person: Make) -> None:
    make_person("ada", location="Berlin")
    client = browse(editor)
    job = checked(client, "username,location\nada,Paris\nbob,Rome\ncarl,Oslo\n")
    client.post(page("tick", job), {"show": "new", "all": "untick"})
    assert list(job.rows.filter(ticked=False).values_list("number", flat=True)) == [3, 4]
    client.post(page("tick", job), {"show": "new", "all": "tick", "q": "oslo"})
    assert list(job.rows.filter(ticked=False).values_list("number", flat=True)) == [3]


def test_refused_rows_cannot_be_ticked_and_nothing_can_once_it_is_applied(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = checked(client, "username,email\nada,nonsense\nbob,\n")
    assert 'name="ticked"' not in html(client, "change", job, show="refused")
    client.post(page("tick", job), {"show": "refused", "row": ["2"]})
    client.post(page("apply", job))
    client.post(page("tick", job), {"show": "new", "all": "untick"})
    assert not job.rows.filter(ticked=False).exists()


def test_a_search_finds_rows_by_name_value_and_number(browse: Browse, editor: User, make_person: Make) -> None:
    make_person("ada", first_name="Ada", last_name="Lovelace", location="Berlin")
    client = browse(editor)
    job = checked(client, "username,location,email\nada,Paris,\nbob,Rome,\ncarl,Oslo,nonsense\n")

    def found(show: str, words: str) -> list[int]:
        rows = client.get(page("change", job), {"show": show, "q": words}).context["rows"]
        return [row["number"] for row in rows]

    assert [found("changed", words) for words in ("lovelace", "ADA paris", "ada rome")] == [[2], [2], []]
    assert [found("new", words) for words in ("rome", "3", "99")] == [[3], [3], []]
    assert found("refused", "nonsense") == [4]
    assert "No row here has that in it." in html(client, "change", job, show="new", q="zzz")


def test_a_search_that_finds_too_much_shows_the_beginning_and_unticks_all(
    browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_search, "MOST_FOUND", 3)
    client = browse(editor)
    job = checked(client, "username\n" + "".join(f"person{at}\n" for at in range(5)) + "other\n")
    content = text(html(client, "change", job, show="new", q="person"))
    assert "The first 3 of more rows" in content
    assert "Untick all rows found" in content
    client.post(page("tick", job), {"show": "new", "all": "untick", "q": "person"})
    assert list(job.rows.filter(ticked=True).values_list("label", flat=True)) == ["other"]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ten rows were a million: each request looks through three of them."""
    monkeypatch.setattr(row_search, "FEW", 5)
    monkeypatch.setattr(row_search, "STRETCH", 3)
    monkeypatch.setattr(row_search, "SECONDS", 0)
    monkeypatch.setattr(row_search, "SECONDS_ON", 0)


@pytest.mark.usefixtures("many")
def test_a_search_of_very_many_rows_comes_so_far_says_so_and_goes_on_from_there(browse: Browse, editor: User) -> None:
    client = browse(editor)
    rows = "".join(f"p{at},{'Oslo' if at in {1, 8} else 'Rome'}\n" for at in range(10))
    job = checked(client, f"username,location\n{rows}")
    found: list[list[int]] = []
    address, said = f"{page('change', job)}?show=new&q=oslo", []
    while address:
        answer = client.get(address)
        found.append([row["number"] for row in answer.context["rows"]])
        said.append(" ".join(text(answer.content.decode()).split()))
        link = re.search(r'href="([^"]*after=\d+)"', answer.content.decode())
        address = f"{page('change', job)}{link[1].replace('&amp;', '&')}" if link else ""
    assert found == [[3], [], [10], []]
    assert "1 found from row 1 to 4" in said[0]
    assert "0 found from row 5 to 7" in said[1]
    assert "Nothing so far." in said[1]
    assert "Search on" in said[0]
    assert "Search on" not in said[3]
    assert "No row here has that in it." in said[3]


@pytest.mark.usefixtures("many")
def test_a_number_a_username_or_an_email_is_found_at_once_however_many_rows_there_are(
    browse: Browse, editor: User
) -> None:
    client = browse(editor)
    job = applied(client, "username,email\n" + "".join(f"p{at},P{at}@example.com\n" for at in range(10)))
    for asked, where in (("11", 11), ("P9", 11), ("p8@EXAMPLE.com", 10)):
        answer = client.get(page("change", job), {"show": "new", "q": asked})
        assert where in [row["number"] for row in answer.context["rows"]]
    assert client.get(page("invite", job), {"q": "p9"}).context["rows"][-1]["number"] == 11
    assert client.get(page("change", job), {"show": "new", "q": "editor"}).context["rows"] == []


@pytest.mark.usefixtures("many")
def test_a_page_full_of_what_was_found_ends_where_the_next_begins(
    browse: Browse, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_search, "PER_PAGE", 2)
    monkeypatch.setattr(row_search, "SECONDS", 60)
    monkeypatch.setattr(row_search, "SECONDS_ON", 60)
    client = browse(editor)
    job = checked(client, "username\n" + "".join(f"p{at}\n" for at in range(7)))
    after, found = 0, []
    while after is not None:
        context = client.get(page("change", job), {"show": "new", "q": "p", "after": after}).context
        found.append([row["number"] for row in context["rows"]])
        after = context["through"]
    assert found == [[2, 3], [4, 5], [6, 7], [8]]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "²"])
def test_where_a_search_goes_on_cannot_be_nonsense(browse: Browse, editor: User, after: str, many: None) -> None:
    client = browse(editor)
    job = checked(client, "username\n" + "".join(f"p{at}\n" for at in range(7)))
    assert client.get(page("change", job), {"show": "new", "q": "p1", "after": after}).status_code == 200


def test_a_search_for_nonsense_finds_nothing_and_breaks_nothing(browse: Browse, editor: User) -> None:
    client = browse(editor)
    job = applied(client, "username\nada\n")
    for words in ("\x00", "%", "_", "' OR 1=1", "9" * 400, "\\"):
        for name in ("change", "invite"):
            assert client.get(page(name, job), {"show": "new", "q": words}).status_code == 200


def test_the_rows_of_an_import_are_never_counted_one_by_one(browse: Browse, editor: User) -> None:
    """With a million of them that takes longer than all the rest of the page; the import knows how many it has."""
    client = browse(editor)
    job = checked(client, "username\n" + "".join(f"user{at}\n" for at in range(120)))
    for query in ({"show": "new"}, {"show": "new", "page": "3"}, {"show": "refused"}):
        with CaptureQueriesContext(connection) as captured:
            rows = client.get(page("change", job), query).context["rows"]
        counted = [found["sql"] for found in captured if "COUNT(" in found["sql"] and "importrow" in found["sql"]]
        assert all("ticked" in sql for sql in counted)
        assert len(rows) == {"3": 20}.get(query.get("page", ""), 50 if query["show"] == "new" else 0)


# What is too much to overlook ---------------------------------------------------------------------------------------


@pytest.fixture
def crowd(make_person: Make) -> list[User]:
    """Enough people that two of them are not many."""
    return [make_person(f"person{at}", location="Berlin") for at in range(25)]


def test_a_few_changes_need_no_warning_and_many_cannot_be_overlooked(
    browse: Browse, editor: User, crowd: list[User]
) -> None:
    client = browse(editor)
    few = checked(client, "username,location\n" + "".join(f"person{at},Paris\n" for at in range(2)))
    assert 'name="understood"' not in html(client, "change", few)
    many = checked(client, "username,location\n" + "".join(f"person{at},Paris\n" for at in range(3)))
    assert "3 people of 26 would change. That is more than a tenth of all people." in text(html(client, "change", many))
    answer = client.post(page("apply", many), follow=True)
    assert messages_of(answer) == ["Nothing was imported. Tick the box to say that you have read the warning."]
    many.refresh_from_db()
    assert many.state == "checked"
    client.post(page("tick", many), {"show": "changed", "row": "2"})
    client.post(page("apply", many))
    many.refresh_from_db()
    assert (many.state, many.updated, many.left_out) == ("done", 2, 1)


def test_a_single_deactivation_cannot_be_overlooked(browse: Browse, admin: User, crowd: list[User]) -> None:
    client = browse(admin)
    job = checked(client, "username,active\nperson1,no\nperson2,yes\n")
    assert "1 person would be deactivated and could not sign in any more." in text(html(client, "change", job))
    client.post(page("apply", job))
    assert User.objects.get(username="person1").is_active
    client.post(page("apply", job), {"understood": "yes"})
    assert not User.objects.get(username="person1").is_active


def test_deactivations_are_counted_once_and_follow_the_ticks(browse: Browse, admin: User, crowd: list[User]) -> None:
    client = browse(admin)
    job = checked(client, "username,active\nperson1,no\nperson2,no\nperson3,yes\n")
    found = [import_rows.weigh(job).deactivates]
    for ticked in ([], ["3"], ["2", "3"]):
        client.post(page("tick", job), {"show": "changed", "row": ["2", "3"], "ticked": ticked})
        found.append(import_rows.weigh(job).deactivates)
    assert found == [2, 0, 1, 2]
    choose(client, job, column_1="")  # checked anew with other columns: what was counted before is void
    job.refresh_from_db()
    assert import_rows.weigh(job).deactivates == 0


def test_new_people_are_shown_with_the_role_and_access_they_will_get(browse: Browse, admin: User) -> None:
    job = checked(browse(admin), "username,role,active\nada,,\nbob,Editor,no\n")
    rows = browse(admin).get(page("change", job), {"show": "new"}).context["rows"]
    assert [[value["text"] for value in row["values"]] for row in rows] == [
        ["ada", "yes", "Member"],
        ["bob", "no", "Editor"],
    ]


def test_new_people_who_are_inactive_are_nobodys_deactivation(browse: Browse, editor: User) -> None:
    job = checked(browse(editor), "username,active\nada,no\n")
    assert not import_rows.weigh(job).must_tick


def test_a_roster_is_reviewed_and_above_a_share_its_number_is_typed(
    browse: Browse, admin: User, crowd: list[User]
) -> None:
    client = browse(admin)
    present = "username\n" + "".join(f"person{at}\n" for at in range(20))
    job = checked(client, present, roster="location", roster_location="Berlin")
    content = html(client, "change", job, show="missing")
    assert "Import: add 0, change 0, deactivate 5" in content
    assert "Type 5, the number of people to deactivate" in text(content)
    assert "<del>yes</del> → <ins>no</ins>" in content
    for wrong in ({}, {"understood": "yes"}, {"understood": "yes", "typed": "4"}, {"typed": "5"}):
        client.post(page("apply", job), wrong)
    assert User.objects.filter(is_active=True).count() == 26
    spared = job.rows.get(label="person24")
    client.post(page("tick", job), {"show": "missing", "row": spared.number})
    client.post(page("apply", job), {"understood": "yes", "typed": "5"})
    assert User.objects.filter(is_active=True).count() == 26
    client.post(page("apply", job), {"understood": "yes", "typed": " 4 "})
    gone = User.objects.filter(is_active=False).values_list("username", flat=True)
    assert sorted(gone) == ["person20", "person21", "person22", "person23"]
    assert "4 people who are not in the file were deactivated." in text(html(client, "change", job))


def test_few_missing_people_need_a_tick_but_no_number(browse: Browse, admin: User, crowd: list[User]) -> None:
    client = browse(admin)
    present = "username\n" + "".join(f"person{at}\n" for at in range(24))
    job = checked(client, present, roster="everybody")
    assert 'name="typed"' not in html(client, "change", job)
    client.post(page("apply", job), {"understood": "yes"})
    assert list(User.objects.filter(is_active=False).values_list("username", flat=True)) == ["person24"]


def test_an_editor_is_not_offered_a_roster_and_cannot_ask_for_one(browse: Browse, editor: User, admin: User) -> None:
    client = browse(editor)
    upload(client, b"username\nada\n")
    job = Import.objects.get()
    assert 'name="roster"' not in html(client, "columns", job)
    choose(client, job, roster="everybody")
    job.refresh_from_db()
    assert (job.state, job.missing, job.options["roster"]) == ("checked", 0, "")
    upload(browse(admin), b"username\nada\n")
    assert 'name="roster"' in html(browse(admin), "columns", Import.objects.latest("pk"))
