"""A file of our own exports that has been overtaken: what somebody changed here since stays, unless staff say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin_pages import queries_of, save, user_page
from tests.importing import apply, check, exported, take_in
from users_profiles.models import Import, ImportRow, Profile, User
from users_profiles.transfer import importer, undo_import

pytestmark = pytest.mark.django_db
Outcome = ImportRow.Outcome


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person("ada", first_name="Ada", location="London")


@pytest.fixture
def bob(make_person: Callable[..., User]) -> User:
    return make_person("bob", first_name="Bob", location="London")


def move(person: User, location: str) -> None:
    person = User.objects.get(pk=person.pk)
    person.profile.location = location
    person.save()


def places() -> dict[str, str]:
    return dict(Profile.objects.values_list("user__username", "location"))


def test_a_row_that_was_overtaken_makes_a_roster_like_any_other(ada: User, make_person: Callable[..., User]) -> None:
    file = exported().replace("London", "Oslo")
    make_person("gone")
    move(ada, "Rome")
    job = apply(file, roster="everybody")
    assert (job.missing, places()) == (1, {"ada": "Rome", "gone": ""})
    assert not User.objects.get(username="gone").is_active


def test_an_export_that_comes_back_at_once_changes_nothing(ada: User, bob: User) -> None:
    job = apply(exported())
    assert (job.unchanged, job.updated, job.overtaken) == (2, 0, 0)


def test_the_first_file_from_the_list_comes_back_with_whoever_was_changed_since_flagged(
    browse: Callable[..., Client], editor: User, ada: User, bob: User
) -> None:
    client, address = browse(editor), reverse("admin:users_profiles_user_export")
    form = client.get(address).context["form"]
    ticked = [name for name, _label, is_ticked in form.listed if is_ticked]
    answer: Any = client.post(address, {"format": "csv", "columns": ticked})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "last_login" in text.splitlines()[0]  # the list's own columns
    move(ada, "Rome")
    job = check(text.replace("London", "Paris"))
    assert (job.updated, job.overtaken) == (1, 1)
    assert job.rows.get(outcome=Outcome.OVERTAKEN).label == "Ada"


@pytest.mark.parametrize("change", ["profile", "person", "role", "import"])
def test_whoever_was_changed_since_is_flagged_and_stays(ada: User, bob: User, change: str) -> None:
    edited = exported().replace("London", "Paris")
    if change == "profile":
        move(ada, "Rome")
    elif change == "person":
        User.objects.get(pk=ada.pk).save(update_fields=["first_name"])
    elif change == "role":
        from users_profiles import roles

        roles.assign([User.objects.get(pk=ada.pk)], "Reader")
    else:
        apply("username,bio\nada,Mathematician\n")
    kept = places()["ada"]

    job = check(edited)
    assert (job.updated, job.overtaken) == (1, 1)
    row = job.rows.get(outcome=Outcome.OVERTAKEN)
    assert (row.label, row.ticked) == ("Ada", False)
    assert row.changes["location"] == [kept, "Paris"]

    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.updated, job.left_out, job.overtaken) == (1, 1, 0)
    assert places() == {"ada": kept, "bob": "Paris"}


def test_a_ticked_row_wins_over_what_was_changed_since(ada: User, bob: User) -> None:
    edited = exported().replace("London", "Paris")
    move(ada, "Rome")
    job = check(edited)
    job.rows.filter(outcome=Outcome.OVERTAKEN).update(ticked=True)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.updated, job.left_out) == (2, 0)
    assert places() == {"ada": "Paris", "bob": "Paris"}


def test_somebody_changed_between_the_check_and_the_import_stays(ada: User, bob: User) -> None:
    job = check(exported().replace("London", "Paris"))
    assert (job.updated, job.overtaken) == (2, 0)
    move(ada, "Rome")
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.updated, job.left_out) == (1, 1)
    assert places() == {"ada": "Rome", "bob": "Paris"}


def test_a_sign_in_is_no_change(ada: User, bob: User) -> None:
    from django.contrib.auth.models import update_last_login

    edited = exported().replace("London", "Paris")
    update_last_login(User, User.objects.get(pk=ada.pk))
    assert check(edited).overtaken == 0


def test_a_file_may_be_told_to_win(ada: User, bob: User) -> None:
    edited = exported().replace("London", "Paris")
    move(ada, "Rome")
    assert apply(edited, overtakes=True).updated == 2
    assert places() == {"ada": "Paris", "bob": "Paris"}


def test_a_version_in_somebody_elses_file_is_of_something_else(ada: User) -> None:
    move(ada, "Rome")
    job = check("username,location,laptop,version\nada,Paris,X1,1\n")
    assert (job.updated, job.overtaken) == (1, 0)


@pytest.mark.parametrize("cell", ["", "x", "٣", "-1", "99999999999999999999", "0"])
def test_a_version_that_is_none_is_passed_over(ada: User, cell: str) -> None:
    move(ada, "Rome")
    job = check(f"username,location,version\nada,Paris,{cell}\n")
    assert (job.updated, job.overtaken, job.refused) == (1, 0, 0)


def test_the_page_shows_both_sides_and_asks(ada: User, bob: User, admin: User, browse: Callable[..., Any]) -> None:
    edited = exported().replace("London", "Paris")
    move(ada, "Rome")
    job = check(edited, admin)
    client = browse(admin)
    address = reverse("admin:users_profiles_import_change", args=[job.pk])
    page = client.get(address).content.decode()
    assert "was changed here after this file was exported" in page
    assert "Import: add 0, change 1" in page
    rows = client.get(f"{address}?show=stale").content.decode()
    assert "Rome" in rows
    assert "Paris" in rows
    number = job.rows.get(outcome=Outcome.OVERTAKEN).number
    tick = reverse("admin:users_profiles_import_tick", args=[job.pk])
    client.post(tick, {"row": [number], "ticked": [number], "show": "stale"})
    assert "Import: add 0, change 2" in client.get(address).content.decode()
    assert Import.objects.get(pk=job.pk).rows.get(number=number).ticked


def sides(client: Any, job: Import) -> list[dict[str, Any]]:
    address = reverse("admin:users_profiles_import_change", args=[job.pk])
    rows: list[dict[str, Any]] = client.get(address, {"show": "stale"}).context["rows"]
    return rows


def test_the_page_says_who_has_changed_our_side(
    ada: User, bob: User, admin: User, browse: Callable[..., Any], make_person: Callable[..., User]
) -> None:
    """The last change of a field that the file would change too, whoever made it and by whichever road."""
    carl = make_person("carl", first_name="Carl", location="London")
    edited = exported().replace("London", "Paris")
    move(ada, "Rome")
    client = browse(make_person("olga", role="Admin", first_name="Olga"))
    save(client, user_page(ada), first_name="Adah")
    for person, place in ((bob, "Oslo"), (carl, "Bonn")):
        apply(f"username,location\n{person.username},{place}\n", admin)
    undone = Import.objects.latest("pk")
    assert undone.start_undo(admin, write=True)
    undo_import.run(undone)
    move(carl, "Kiel")
    told = {row["label"]: row["last"] for row in sides(browse(admin), check(edited, admin))}
    assert (told["Adah"]["who"], told["Adah"]["what"]) == ("Olga", "Changed First name")
    assert (told["Bob"]["who"], told["Bob"]["what"]) == ("Alice Admin", "Changed Location")
    assert told["Bob"]["job"].filename == "staff.csv"
    assert (told["Carl"]["job"], told["Carl"]["what"]) == (None, "Changed Location")


def test_a_change_of_what_the_file_leaves_alone_is_told_where_there_is_no_other(
    admin: User, browse: Callable[..., Any], make_person: Callable[..., User]
) -> None:
    dora, eve = make_person("dora", first_name="Dora"), make_person("eve", first_name="Eve")
    edited = exported().replace("Dora", "Dorothea").replace("Eve", "Eva")
    dora.last_name = "Byron"
    dora.save()
    eve.save(update_fields=["first_name"])  # a new version, and nothing to tell
    told = {row["label"]: row.get("last") for row in sides(browse(admin), check(edited, admin))}
    assert told["Dora Byron"]["what"] == "Changed Last name"
    assert told["Eve"] is None


def test_more_people_on_the_page_cost_no_more_queries(
    admin: User, browse: Callable[..., Any], make_person: Callable[..., User]
) -> None:
    people = [make_person(f"p{at}", location="London") for at in range(8)]
    edited = exported().replace("London", "Paris")
    counts = []
    for moved in (people[:2], people):
        for person in moved:
            move(person, f"Rome {len(counts)}")
        job = check(edited, admin)
        client = browse(admin)
        assert len(sides(client, job)) == len(moved)
        counts.append(queries_of(client, reverse("admin:users_profiles_import_change", args=[job.pk]) + "?show=stale"))
    assert counts[0] == counts[1]


def test_all_rows_take_one_side_at_once(ada: User, bob: User, admin: User, browse: Callable[..., Any]) -> None:
    edited = exported().replace("London", "Paris")
    for person in (ada, bob):
        move(person, "Rome")
    job = check(edited, admin)
    client = browse(admin)
    address = reverse("admin:users_profiles_import_change", args=[job.pk])
    content = client.get(address, {"show": "stale"}).content.decode()
    assert "Keep ours in all 2 rows" in content
    assert "There is nothing to import" not in content
    tick = reverse("admin:users_profiles_import_tick", args=[job.pk])
    client.post(tick, {"all": "tick", "show": "stale"})
    assert "Import: add 0, change 2" in client.get(address).content.decode()
    client.post(tick, {"all": "untick", "show": "stale"})
    assert "Import: add" not in client.get(address).content.decode()


def test_the_columns_step_says_what_the_version_is_for(ada: User, admin: User, browse: Callable[..., Any]) -> None:
    job = take_in(exported(), admin)
    page = browse(admin).get(reverse("admin:users_profiles_import_columns", args=[job.pk])).content.decode()
    assert page.count("Tells who was changed since") == 1
