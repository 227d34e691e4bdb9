"""A file as a roster: whoever it leaves out is found, reviewed and deactivated, with every brake there is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.importing import apply, check, outcomes, reasons, take_back, take_in
from tests.people import Make
from users_profiles import roles
from users_profiles.models import Import, User
from users_profiles.transfer import importer, reconcile
from users_profiles.transfer.options import Options

pytestmark = pytest.mark.django_db


def active() -> list[str]:
    return sorted(User.objects.filter(is_active=True).values_list("username", flat=True))


def missing(job: Import) -> list[str]:
    return sorted(job.rows.filter(outcome="missing").values_list("label", flat=True))


def test_who_is_not_in_the_file_is_deactivated(make_person: Make) -> None:
    for name in ("ada", "bob", "carl"):
        make_person(name)
    make_person("dora", is_active=False)
    job = check("username\nADA\nnova\n", roster="everybody")
    assert (job.missing, missing(job), active()) == (2, ["bob", "carl"], ["ada", "bob", "carl"])
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.created, job.unchanged, job.missing, job.total) == ("done", 1, 1, 2, 4)
    assert active() == ["ada", "nova"]
    assert job.rows.filter(outcome="missing").first().changes == {"is_active": ["yes", "no"]}


def test_only_people_within_the_filter_can_be_missing(make_person: Make) -> None:
    make_person("ada", location="Berlin")
    make_person("bob", location="BERLIN")
    make_person("carl", location="Paris", role="Reader")
    file = "username\nada\n"
    assert missing(check(file, roster="location", roster_location="berlin")) == ["bob"]
    assert missing(check(file, roster="role", roster_role="Reader")) == ["carl"]
    assert missing(check(file, roster="role", roster_role=reconcile.NO_ROLE)) == ["bob"]
    assert missing(check(file)) == []


def test_superusers_oneself_and_people_above_are_never_missing(
    superuser: User, admin: User, editor: User, stranger: User, make_person: Make
) -> None:
    make_person("other", role="Admin")
    job = apply("username\nnova\n", admin, roster="everybody")
    assert missing(job) == ["Edgar Editor", "Stan Stranger", "other"]
    assert active() == ["alice", "nova", "root"]
    User.objects.update(is_active=True)
    assert missing(apply("username\nnova\n", roster="everybody"))  # the operator of the host
    assert active() == ["nova", "root"]


def test_an_editor_may_not_take_a_file_for_a_roster(editor: User, stranger: User) -> None:
    job = take_in("username\nnova\n", editor, roster="everybody")
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, active()) == ("failed", ["edgar", "stan"])
    assert job.failure == "You may not deactivate people who are not in the file. Leave them alone."


def test_who_is_in_a_refused_row_is_not_missing(make_person: Make) -> None:
    make_person("ada")
    make_person("bob", email="bob@example.com")
    make_person("carl")
    job = apply("username,email,phone\nada,,nonsense\nnova,BOB@example.com,\nfine,,\n", roster="everybody")
    assert sorted(reasons(job)) == [2, 3]
    assert missing(job) == ["carl"]


def test_a_file_without_a_good_row_is_no_roster(make_person: Make) -> None:
    make_person("ada")
    job = take_in("username,phone\nbob,nonsense\n", roster="everybody")
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, active()) == ("failed", ["ada"])
    assert job.failure.startswith("No row of this file could be used")


def test_a_file_whose_rows_are_all_refused_at_the_end_deactivates_nobody(admin: User, make_person: Make) -> None:
    ada, stan = make_person("ada"), make_person("stan")
    job = check("username,first_name\nada,Ada\n", admin, roster="everybody")
    roles.assign([admin], "Admin")
    User.objects.filter(pk=ada.pk).update(is_superuser=True)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, User.objects.get(pk=stan.pk).is_active) == ("failed", True)


def test_unticked_people_stay_and_so_do_those_promoted_since(admin: User, make_person: Make) -> None:
    for name in ("bob", "carl", "dora", "emil"):
        make_person(name)
    job = check("username\nada\n", admin, roster="everybody")
    job.rows.filter(label="bob").update(ticked=False)
    User.objects.filter(username="carl").update(is_superuser=True)
    User.objects.filter(username="dora").update(is_active=False)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert outcomes(job) == [(2, "new"), (3, "left"), (4, "refused"), (5, "same"), (6, "missing")]
    assert (job.left_out, job.refused, job.unchanged, job.missing) == (1, 1, 1, 1)
    assert active() == ["ada", "alice", "bob", "carl"]


@pytest.mark.parametrize("dies_in", ["_find", "_deactivate"])
def test_a_roster_that_was_cut_short_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, make_person: Make, dies_in: str
) -> None:
    for at in range(7):
        make_person(f"user{at}")
    monkeypatch.setattr(reconcile, "CHUNK", 2)
    step = {"_find": "_store", "_deactivate": "_deal_with"}[dies_in]
    original, calls = getattr(reconcile.Roster, step), []

    def die_after_the_second_chunk(self: Any, rows: Any) -> bool:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return bool(original(self, rows))

    job = take_in("username\nuser0\n", roster="everybody")
    assert job.start_check()
    if dies_in == "_deactivate":
        importer.run(job)
        assert job.start_apply()
    monkeypatch.setattr(reconcile.Roster, step, die_after_the_second_chunk)
    with pytest.raises(KeyboardInterrupt):
        importer.run(job)
    monkeypatch.setattr(reconcile.Roster, step, original)
    Import.objects.filter(pk=job.pk).update(lease_until=None)
    job = Import.objects.get(pk=job.pk)
    importer.run(job)
    job.refresh_from_db()
    assert (job.missing, job.total) == (6, 7)
    assert [number for number, _outcome in outcomes(job)] == list(range(2, 9))
    assert len(active()) == (7 if dies_in == "_find" else 1)


def test_an_undo_reactivates_whom_the_roster_deactivated(make_person: Make) -> None:
    for name in ("ada", "bob"):
        make_person(name)
    job = apply("username\nada\n", roster="everybody")
    assert active() == ["ada"]
    assert take_back(job) == {"restored": 1}
    assert active() == ["ada", "bob"]


def test_many_is_more_than_the_set_share_of_those_within_the_filter(make_person: Make, settings: Any) -> None:
    for at in range(20):
        make_person(f"user{at}", location="Berlin" if at < 10 else "Paris")
    everybody = Options(roster="everybody")
    berlin = Options(roster="location", roster_location="Berlin")
    assert [reconcile.is_many(count, everybody) for count in (2, 3)] == [False, True]
    assert [reconcile.is_many(count, berlin) for count in (1, 2)] == [False, True]
    settings.IMPORT_RECONCILE_SHARE = 0.5
    assert not reconcile.is_many(5, berlin)


@pytest.mark.parametrize(
    ("chosen", "wrong"),
    [
        ({"roster": ""}, None),
        ({"roster": "everybody"}, None),
        ({"roster": "location", "roster_location": "berlin"}, None),
        ({"roster": "location"}, "roster_location"),
        ({"roster": "location", "roster_location": "Atlantis"}, "roster_location"),
        ({"roster": "role"}, "roster_role"),
        ({"roster": "role", "roster_role": "Reader"}, None),
        ({"roster": "nonsense"}, "roster"),
    ],
)
def test_the_choice_names_somebody(make_person: Make, chosen: dict[str, str], wrong: str | None) -> None:
    make_person("ada", location="Berlin")
    form = reconcile.RosterFields(chosen)
    assert list(form.errors) == ([wrong] if wrong else [])
