"""New people get what their rows do not say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

from tests.importing import apply, check, reasons, take_in
from users_profiles.models import Import, User
from users_profiles.transfer import importer, newcomers

pytestmark = pytest.mark.django_db

HEADER = "First name,Last name,E-mail\n"
ADAS = HEADER + "".join(f"Ada,Lovelace,ada{at}@example.com\n" for at in range(7))
NAMES = {"username_pattern": "{first}.{last}"}


def shown(job: Import) -> list[str]:
    """The usernames that the preview shows, by row."""
    return [changes["username"][1] for changes in job.rows.values_list("changes", flat=True)]


def stored() -> list[str]:
    return list(User.objects.order_by("pk").values_list("username", flat=True))


def test_usernames_are_made_shown_and_then_given() -> None:
    job = check(HEADER + "Ada,Lovelace,ada@example.com\nJürgen,Groß,jg@example.com\n", **NAMES)
    assert shown(job) == ["ada.lovelace", "jurgen.gross"]
    assert not User.objects.exists()
    assert job.start_apply()
    importer.run(job)
    assert stored() == ["ada.lovelace", "jurgen.gross"]


def test_people_of_one_name_are_numbered_past_those_we_have(make_person: Callable[..., User]) -> None:
    for name in ("Ada.Lovelace", "ada.lovelace3"):
        make_person(name)
    job = check(ADAS, **NAMES)
    assert shown(job) == [f"ada.lovelace{number}" for number in (2, 4, 5, 6, 7, 8, 9)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's driver takes any number of parameters")
def test_more_people_than_a_query_takes_parameters_are_looked_for_by_name(make_person: Callable[..., User]) -> None:
    ada = make_person("Ada")
    names = ["ada", *(f"nobody{number}" for number in range(200))]
    connection.ensure_connection()
    limit = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)
    try:
        assert newcomers.unused("ada") == "ada2"
        assert newcomers._taken(names) == {"ada"}
        found = User.objects.all()._keys([User(username=name) for name in ("Ada", *names[1:])])
        assert found == {"Ada": ada.pk}
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, limit)


def test_the_same_file_gives_the_same_names_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shown(check(ADAS, **NAMES))
    monkeypatch.setattr(importer, "CHUNK", 2)
    assert shown(check(ADAS, **NAMES)) == whole == ["ada.lovelace", *(f"ada.lovelace{at}" for at in range(2, 8))]


def test_what_was_shown_is_given_unless_somebody_took_it_meanwhile(
    monkeypatch: pytest.MonkeyPatch, make_person: Callable[..., User]
) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check(HEADER + "Ada,Lovelace,a@example.com\nBob,Stone,b@example.com\nCarl,Bell,c@example.com\n", **NAMES)
    make_person("bob.stone")
    assert job.start_apply()
    importer.run(job)
    assert set(stored()) == {"bob.stone", "ada.lovelace", "bob.stone2", "carl.bell"}


@pytest.mark.parametrize("phase", ["check", "apply"])
def test_an_import_that_was_cut_short_goes_on_with_the_same_names(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    expected = ["ada.lovelace", *(f"ada.lovelace{at}" for at in range(2, 8))]
    job = take_in(ADAS, **NAMES)
    assert job.start_check()
    if phase == "apply":
        importer.run(job)
        assert job.start_apply()
    record, calls = importer._Run._record, []

    def die_at_the_third_chunk(self: Any, candidates: Any) -> None:
        record(self, candidates)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(importer._Run, "_record", die_at_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        importer.run(job)
    monkeypatch.setattr(importer._Run, "_record", record)
    Import.objects.filter(pk=job.pk).update(lease_until=None)
    importer.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert shown(job) == expected
    if phase == "apply":
        assert (job.state, stored()) == ("done", expected)


def test_a_chunk_that_is_decided_twice_gives_its_names_once(monkeypatch: pytest.MonkeyPatch) -> None:
    record, calls = importer._Run._record, []

    def stumble_once(self: Any, candidates: Any) -> None:
        record(self, candidates)
        calls.append(1)
        if len(calls) == 1:
            raise IntegrityError

    monkeypatch.setattr(importer._Run, "_record", stumble_once)
    assert shown(check(ADAS, **NAMES)) == ["ada.lovelace", *(f"ada.lovelace{at}" for at in range(2, 8))]


def test_a_made_username_never_is_one_that_a_row_before_has() -> None:
    job = check(
        "Username,First name,Last name,E-mail\n"
        "ada.lovelace,Augusta,King,king@example.com\n"
        ",Ada,Lovelace,ada@example.com\n",
        **NAMES,
    )
    assert shown(job) == ["ada.lovelace", "ada.lovelace2"]


def test_an_empty_username_is_made_only_where_an_email_says_who_it_is(make_person: Callable[..., User]) -> None:
    make_person("grace", email="grace@example.com")
    job = check(
        "Username,First name,Last name,E-mail\n"
        ",Ada,Lovelace,\n"
        ",Grace,Hopper,grace@example.com\n"
        ",Bob,Stone,b@example.com\n",
        match="username",
        **NAMES,
    )
    assert reasons(job)[2] == [("Username", "This row does not say who it is about, because this cell is empty.")]
    assert reasons(job)[3] == [("E-mail", "This already belongs to grace.")]
    assert job.created == 1


def test_people_we_have_keep_their_usernames(make_person: Callable[..., User]) -> None:
    make_person("grace", email="grace@example.com")
    job = apply(HEADER + "Grace,Hopper,grace@example.com\n", **NAMES)
    assert (job.updated, stored()) == (1, ["grace"])


def test_names_that_give_no_letters_are_refused_with_a_cure() -> None:
    job = check("Vorname,Nachname,E-mail\n太郎,山田,_@example.com\n", **NAMES)
    [[column, why]] = reasons(job)[2]
    assert column == "Username"
    assert "No username can be made from this row." in why


def test_queries_do_not_grow_with_the_people_of_one_name(django_assert_max_num_queries: Callable[..., Any]) -> None:
    for rows in (10, 400):
        file = HEADER + "".join(f"Same{rows},Name,same{rows}x{at}@example.com\n" for at in range(rows))
        job = take_in(file, **NAMES)
        assert job.start_check()
        with django_assert_max_num_queries(25):
            importer.run(job)
        job.refresh_from_db()
        assert job.created == rows


# Defaults -----------------------------------------------------------------------------------------------------------


def test_defaults_fill_missing_columns_and_empty_cells_of_new_people_only(make_person: Callable[..., User]) -> None:
    make_person("grace", location="New York")
    apply(
        "username,location\nada,\nbob,Rome\ngrace,\n",
        defaults={"location": "Berlin", "role": "Reader", "is_active": "no"},
    )
    places = dict(User.objects.values_list("username", "profile__location"))
    assert places == {"ada": "Berlin", "bob": "Rome", "grace": "New York"}
    ada, grace = User.objects.get(username="ada"), User.objects.get(username="grace")
    assert (ada.role, ada.is_active) == ("Reader", False)
    assert (grace.role, grace.is_active) == ("", True)


def test_what_a_row_says_goes_before_the_default() -> None:
    apply(
        "username,role,is_active,location\nada,Member,yes,\n",
        defaults={"role": "Editor", "is_active": "no", "location": "Rome"},
        blank_clears=True,
    )
    ada = User.objects.get()
    assert (ada.role, ada.is_active, ada.profile.location) == ("", True, "Rome")


def test_an_editors_default_gives_no_role(editor: User) -> None:
    job = check("username\nada\n", editor, defaults={"role": "Admin"})
    assert reasons(job) == {2: [("Role", "You may not give this role.")]}


@pytest.mark.parametrize(
    ("defaults", "why"),
    [
        ({"email": "x@example.com"}, "There can be no default for E-mail."),
        ({"is_superuser": "yes"}, "There can be no default for is_superuser."),
        ({"role": "Boss"}, "The default for Role cannot be taken"),
    ],
)
def test_a_default_that_cannot_be_is_refused_before_anything_is_read(defaults: dict[str, str], why: str) -> None:
    job = take_in("username\nada\n", defaults=defaults)
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == "failed"
    assert why in job.failure


# Look-alikes --------------------------------------------------------------------------------------------------------


def test_a_username_that_looks_like_somebody_elses_is_refused(make_person: Callable[..., User]) -> None:
    """C8: every letter Cyrillic, and yet it reads like one we have."""
    make_person("poppe")
    job = check("username\nрорре\nиван\n")
    [[column, why]] = reasons(job)[2]
    assert (column, job.created) == ("username", 1)
    assert "looks just like poppe, which somebody else has" in why


@pytest.mark.parametrize("chunk", [1, 1000])
def test_two_usernames_in_one_file_never_look_the_same(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """C8: whichever comes first is kept."""
    monkeypatch.setattr(importer, "CHUNK", chunk)
    assert reasons(check("username\npoppe\nрорре\n")).keys() == {3}
    assert len(reasons(check("username\nрорре\npoppe\n"))) == 1


def test_a_person_we_have_is_not_refused_for_their_own_name(make_person: Callable[..., User]) -> None:
    make_person("рорре")
    assert check("username,location\nрорре,Rome\n").updated == 1
