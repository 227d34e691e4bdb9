"""An import taken back: what it made goes, what it changed comes back, and what has lived on since is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.importing import apply, check, figures, take_back
from tests.people import Make, reader_made_anew
from users_profiles import roles
from users_profiles.models import Import, ImportRow, Profile, User
from users_profiles.transfer import importer, lease, tasks, undo_import

pytestmark = pytest.mark.django_db


def plan(job: Import, actor: User | None = None) -> dict[str, int]:
    """Find out what an undo would do; the figures that are not zero."""
    assert job.start_undo(actor, write=False)
    tasks.run(job)
    return figures(job)


def fates(job: Import) -> list[tuple[int, str]]:
    return list(job.rows.exclude(undone="").values_list("number", "undone"))


def why(row: ImportRow) -> str:
    explained = undo_import.explain(row)
    assert explained is not None
    return explained.why


def test_people_an_import_created_are_removed_and_those_it_changed_are_as_they_were(make_person: Make) -> None:
    make_person("ada", first_name="Ada", location="Berlin", birth_date="1990-12-10", role="Reader")
    before = list(User.objects.order_by("pk").values("username", "email", "first_name", "is_active", "is_staff"))
    profiles = list(Profile.objects.values("location", "birth_date", "bio", "phone_number"))
    job = apply(
        "username,email,first_name,role,active,location,birth_date\n"
        "ada,new@example.com,Augusta,Editor,no,Paris,1815-12-10\n"
        "bob,bob@example.com,Bob,,,Rome,\n".replace("1815", "1915")
    )
    assert take_back(job) == {"removed": 1, "restored": 1}
    assert (job.state, fates(job)) == ("undone", [(2, "restored"), (3, "removed")])
    assert (
        list(User.objects.order_by("pk").values("username", "email", "first_name", "is_active", "is_staff")) == before
    )
    assert list(Profile.objects.values("location", "birth_date", "bio", "phone_number")) == profiles
    assert User.objects.get().role == "Reader"


def test_a_plan_says_the_same_and_writes_nothing(make_person: Make) -> None:
    make_person("ada", location="Berlin")
    job = apply("username,location\nada,Paris\nbob,Rome\n")
    assert plan(job) == {"removed": 1, "restored": 1}
    assert (job.state, job.created, job.updated) == ("done", 1, 1)
    assert Profile.objects.get(user__username="ada").location == "Paris"
    assert [row.number for row in undo_import.rows_with(job, "removed")] == [3]
    assert take_back(job) == {"removed": 1, "restored": 1}


def test_a_person_without_a_birth_date_has_none_again(make_person: Make) -> None:
    ada = make_person("ada", phone_number="+4930123456")
    job = apply("username,birth_date,phone\nada,1990-12-10,+4930999999\n")
    take_back(job)
    profile = Profile.objects.get(user=ada)
    assert (profile.birth_date, profile.phone_number) == (None, "+4930123456")


def test_who_has_been_used_since_is_deactivated_with_the_reason() -> None:
    job = apply("username,location\nada,Paris\nbob,Rome\ncarl,Oslo\ndora,Bern\nemil,Wien\n")
    people = {person.username: person for person in User.objects.all()}
    User.objects.filter(username="ada").update(last_login=timezone.now())
    people["bob"].set_password("correct-horse-battery")
    people["bob"].save()
    people["carl"].profile.bio = "I live here."
    people["carl"].save()
    User.objects.filter(username="dora").update(first_name="Dora")
    assert take_back(job) == {"removed": 1, "deactivated": 4}
    assert not User.objects.filter(is_active=True).exists()
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "bob", "carl", "dora"]
    assert [why(row) for row in job.rows.all()] == [
        "has signed in since", "has chosen a password since", "the profile was edited since",
        "was changed again since", "",
    ]  # fmt: skip


def test_a_role_given_since_counts_as_use() -> None:
    job = apply("username\nada\n")
    roles.assign(User.objects.all(), "Editor")
    assert take_back(job) == {"deactivated": 1}


def test_what_was_changed_again_since_is_kept_and_said(make_person: Make) -> None:
    ada = make_person("ada", first_name="Ada", location="Berlin")
    make_person("bob", location="Berlin")
    job = apply("username,first_name,location\nada,Augusta,Paris\nbob,,Paris\n")
    Profile.objects.filter(user__username__in=["ada", "bob"]).update(location="Rome")
    assert take_back(job) == {"restored": 1, "kept": 1}
    ada.refresh_from_db()
    assert (ada.first_name, Profile.objects.get(user=ada).location) == ("Ada", "Rome")
    assert [why(row) for row in job.rows.all()] == ["Location: was changed again since"] * 2


def test_an_old_email_that_somebody_else_has_by_now_is_kept(make_person: Make) -> None:
    ada = make_person("ada", email="ada@example.com")
    job = apply("username,email,first_name\nada,new@example.com,Ada\n")
    make_person("thief", email="ADA@example.com")
    assert take_back(job) == {"restored": 1}
    ada.refresh_from_db()
    assert (ada.email, ada.first_name) == ("new@example.com", "")
    assert why(job.rows.get()) == "E-mail: the old value belongs to somebody else now"


def test_superusers_and_people_deleted_since_are_never_touched(superuser: User, make_person: Make) -> None:
    make_person("gone", location="Berlin")
    job = apply("username,location\nroot,Paris\ngone,Paris\nnova,Rome\n")
    User.objects.filter(username="nova").update(is_superuser=True)
    User.objects.get(username="gone").delete()
    assert take_back(job) == {"kept": 3}
    assert Profile.objects.get(user=superuser).location == "Paris"
    assert [why(row) for row in job.rows.all()] == ["is a superuser", "has been deleted since", "is a superuser"]


def test_an_editor_undoes_what_an_editor_may_and_nothing_above(editor: User, make_person: Make) -> None:
    climber = make_person("climber", location="Berlin")
    job = apply("username,location\nclimber,Paris\nused,Rome\nfresh,Rome\n", editor)
    roles.assign([climber], "Admin")
    User.objects.filter(username="used").update(last_login=timezone.now())
    assert take_back(job, editor) == {"removed": 1, "kept": 2}
    assert User.objects.get(username="used").is_active
    assert Profile.objects.get(user=climber).location == "Paris"


def test_to_an_undo_who_is_in_two_role_groups_is_what_they_are_on_their_page(editor: User, make_person: Make) -> None:
    climber = make_person("climber", location="Berlin")
    job = apply("username,location\nclimber,Paris\n", editor)
    roles.assign([climber], "Admin")
    climber.groups.add(reader_made_anew())
    assert take_back(job, editor) == {"kept": 1}


def test_an_editor_gives_no_role_back(admin: User, editor: User, make_person: Make) -> None:
    make_person("stan", role="Reader")
    job = apply("username,role,active,first_name\nstan,Member,no,Stan\n", admin)
    assert take_back(job, editor) == {"restored": 1}
    stan = User.objects.get(username="stan")
    assert (stan.role, stan.is_active, stan.first_name) == ("", False, "")


def test_nobody_is_undone_by_themselves(editor: User) -> None:
    job = apply("username\nada\n", editor)
    ada = User.objects.get(username="ada")
    roles.assign([ada], "Editor")
    assert take_back(job, ada) == {"kept": 1}
    assert why(job.rows.get()) == "is whoever undoes this"


def test_who_may_not_import_any_more_undoes_nothing(editor: User) -> None:
    job = apply("username\nada\n", editor)
    assert job.start_undo(editor, write=True)
    editor.groups.clear()
    tasks.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.state, job.failure) == ("done", "You may not import people any more.")
    assert User.objects.filter(username="ada").exists()


def test_an_undo_whose_starter_is_gone_does_not_get_the_operators_rights(admin: User, editor: User) -> None:
    job = apply("username\nada\n", editor)
    assert job.start_undo(admin, write=True)
    admin.delete()
    tasks.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert "nobody answers for it" in job.failure
    assert User.objects.filter(username="ada").exists()


def test_a_cancelled_import_is_undone_as_far_as_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check("username\n" + "".join(f"user{at}\n" for at in range(6)))
    assert job.start_apply()
    importer.run(job, after_chunk=lambda running: running.cancel())
    job.refresh_from_db()
    assert (job.state, User.objects.count()) == ("cancelled", 2)
    assert take_back(job) == {"removed": 2}
    assert User.objects.count() == 0


def test_a_check_cannot_be_undone() -> None:
    job = check("username\nada\n")
    assert not job.start_undo(None, write=True)
    job.cancel()
    assert not job.start_undo(None, write=True)


def test_an_undo_that_was_cut_short_goes_on_and_does_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_import, "CHUNK", 2)
    job = apply("username\n" + "".join(f"user{at}\n" for at in range(7)))
    assert job.start_undo(None, write=True)
    record, calls = undo_import.ImportUndo._record, []

    def die_at_the_third_chunk(self: undo_import.ImportUndo, decisions: Any) -> None:
        record(self, decisions)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(undo_import.ImportUndo, "_record", die_at_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        undo_import.run(job)
    assert User.objects.count() == 3
    monkeypatch.setattr(undo_import.ImportUndo, "_record", record)
    Import.objects.filter(pk=job.pk).update(lease_until=None)
    tasks.run(Import.objects.get(pk=job.pk))
    assert figures(job) == {"removed": 7}
    assert (job.state, User.objects.count()) == ("undone", 0)


def test_a_cancelled_undo_can_be_begun_again_and_counts_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_import, "CHUNK", 2)
    job = apply("username\n" + "".join(f"user{at}\n" for at in range(5)))
    took = job.seconds
    assert job.start_undo(None, write=True)
    undo_import.run(job, after_chunk=lambda running: running.cancel())
    job.refresh_from_db()
    assert (job.state, User.objects.count()) == ("done", 3)
    assert take_back(job) == {"removed": 5}
    assert User.objects.count() == 0
    assert job.undo["seconds"] == took


def test_a_chunk_is_undone_in_a_fixed_number_of_queries(django_assert_max_num_queries: Callable[..., Any]) -> None:
    apply("username,location\n" + "".join(f"old{at},Berlin\n" for at in range(150)))
    for rows in (10, 150):
        new = "".join(f"new{rows}x{at},Rome\n" for at in range(rows))
        job = apply("username,location\n" + "".join(f"old{at},Paris{rows}\n" for at in range(rows)) + new)
        assert job.start_undo(None, write=True)
        with django_assert_max_num_queries(60):
            undo_import.run(job)
        assert figures(job) == {"removed": rows, "restored": rows}


def test_an_undo_that_meets_an_error_says_so_and_leaves_the_import_done(monkeypatch: pytest.MonkeyPatch) -> None:
    job = apply("username\nada\n")

    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(undo_import.ImportUndo, "write", fail)
    monkeypatch.setattr(lease, "DELAYS", ())
    assert job.start_undo(None, write=True)
    undo_import.run(job)
    job.refresh_from_db()
    assert job.state == "done"
    assert job.failure.startswith("Something went wrong on our side.")
    assert User.objects.count() == 1
