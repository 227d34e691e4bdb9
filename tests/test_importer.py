"""The engine, from a file to people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.importing import SAMPLE, apply, check, outcomes, reasons, take_in
from tests.people import reader_made_anew
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import importer
from users_profiles.transfer.options import Options


@pytest.mark.django_db
def test_the_sample_from_another_system_imports_whole() -> None:
    job = apply(SAMPLE.read_bytes())

    assert (job.created, job.updated, job.unchanged, job.refused) == (100, 0, 0, 0)
    assert User.objects.count() == Profile.objects.count() == 100
    assert User.objects.filter(email="").count() == 5
    assert User.objects.filter(is_active=True).count() == 55
    reagen = User.objects.get(username="rtenant0")
    assert reagen.profile.phone_number == "+18951372034"
    assert reagen.profile.location == "Braun, Ullrich and O'Hara"
    assert not reagen.has_usable_password()


@pytest.mark.django_db
def test_a_check_writes_nothing_to_people(superuser: User) -> None:
    job = check("username,email\nada,ada@example.com\nroot,new@example.com\n", superuser)
    assert (job.created, job.updated) == (1, 1)
    assert list(User.objects.values_list("username", "email")) == [("root", "root@example.com")]


@pytest.mark.django_db
def test_new_people_have_what_the_file_says_and_no_usable_password() -> None:
    apply(
        "Username;E-mail;Vorname;Nachname;Aktiv;Rolle;Telefon;Standort;Geburtsdatum;Bio\n"
        "ada;ada@example.com;Ada;Lovelace;ja;Editor;030 123456;Berlin;10.12.1990;Counts.\n",
        region="DE",
    )
    ada = User.objects.get()
    assert (ada.username, ada.email, ada.get_full_name()) == ("ada", "ada@example.com", "Ada Lovelace")
    assert (ada.is_active, ada.role, ada.is_staff) == (True, "Editor", True)
    assert (ada.profile.phone_number, ada.profile.location) == ("+4930123456", "Berlin")
    assert (str(ada.profile.birth_date), ada.profile.bio) == ("1990-12-10", "Counts.")
    assert not ada.has_usable_password()


@pytest.mark.django_db
def test_a_second_import_of_the_same_file_changes_nothing() -> None:
    apply(SAMPLE.read_bytes())
    before = list(Profile.objects.values())
    job = apply(SAMPLE.read_bytes())
    assert (job.created, job.updated, job.unchanged, job.refused) == (0, 0, 100, 0)
    assert list(Profile.objects.values()) == before


@pytest.mark.django_db
def test_only_what_changed_is_written_and_shown(make_person: Callable[..., User]) -> None:
    ada = make_person("ada", first_name="Ada", location="Berlin", bio="Counts.")
    before = ada.profile.version
    job = apply("username,first_name,location\nADA,Ada,Paris\n")
    ada.refresh_from_db()
    assert job.rows.get().changes == {"location": ["Berlin", "Paris"]}
    assert (ada.username, ada.profile.location, ada.profile.bio) == ("ada", "Paris", "Counts.")
    assert ada.profile.version == before + 1
    assert ada.check_password("correct-horse-battery")


@pytest.mark.django_db
def test_an_absent_column_never_overwrites_and_a_blank_cell_only_when_asked(make_person: Callable[..., User]) -> None:
    ada = make_person("ada", email="ada@example.com", location="Berlin", phone_number="+4930123456")
    file = "username,email,location,role,is_active\nada,,,,\n"
    assert apply(file).unchanged == 1
    job = apply(file, blank_clears=True)
    ada = User.objects.get(pk=ada.pk)
    assert job.rows.get().changes == {"email": ["ada@example.com", ""], "location": ["Berlin", ""]}
    assert (ada.email, ada.profile.location, ada.profile.phone_number) == ("", "", "+4930123456")
    assert ada.is_active


@pytest.mark.django_db
def test_a_blank_email_for_root_erases_nothing(superuser: User) -> None:
    job = apply("username,email\nroot,\n", superuser)
    superuser.refresh_from_db()
    assert job.unchanged == 1
    assert superuser.email == "root@example.com"


@pytest.mark.django_db
def test_every_mistake_is_refused_by_row_column_and_reason(make_person: Callable[..., User]) -> None:
    make_person("taken", email="taken@example.com")
    job = apply(
        "username,email,role,is_active,birth_date,phone_number\n"
        "ada,nonsense,,,,\n"
        "bob,,boss,maybe,03/04/2020,abc\n"
        ",nobody@example.com,,,,\n"
        "carl,TAKEN@example.com,,,,\n"
        "dora,dora@example.com,,,,\n"
        "DORA,other@example.com,,,,\n"
        "emil,DORA@example.com,,,,\n"
        "fritz,f@example.com,Editor,yes,2000-01-01,+4930123456,stray\n"
        "good,good@example.com,,,,\n"
    )
    found = reasons(job)
    assert (job.created, job.refused) == (2, 7)
    assert [column for column, _why in found[3]] == ["role", "is_active", "birth_date", "phone_number"]
    assert found[2][0][0] == "email"
    assert found[4][0] == ("username", "This row does not say who it is about, because this cell is empty.")
    assert found[5][0] == ("email", "This already belongs to taken.")
    assert found[7] == [("username", "Row 6 has the same. Keep one of the two rows.")]
    assert found[8] == [("email", "Row 6 has the same. Keep one of the two rows.")]
    assert "7 cells where the header has 6" in found[9][0][1]
    assert User.objects.filter(username__in=["ada", "bob", "carl", "emil", "fritz"]).count() == 0


@pytest.mark.django_db
def test_the_same_person_twice_is_noticed_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = apply("username\na\nb\nc\nd\nA\n")
    assert reasons(job) == {6: [("username", "Row 2 has the same. Keep one of the two rows.")]}


@pytest.mark.django_db
def test_people_are_found_by_email_when_staff_say_so(make_person: Callable[..., User]) -> None:
    ada = make_person("ada", email="ada@example.com")
    job = apply("E-mail,Location\nADA@example.com,Paris\nnew@example.com,Rome\n")
    ada = User.objects.get(pk=ada.pk)
    assert ada.profile.location == "Paris"
    assert reasons(job) == {3: [("Username", "A new person needs a username. Add one in this row.")]}


@pytest.mark.django_db
def test_only_adding_leaves_people_we_have_alone_and_only_changing_adds_nobody(
    make_person: Callable[..., User],
) -> None:
    make_person("ada", location="Berlin")
    file = "username,location\nada,Paris\nbob,Rome\n"
    assert outcomes(apply(file, mode="create")) == [(2, "same"), (3, "new")]
    User.objects.get(username="bob").delete()
    assert outcomes(apply(file, mode="update")) == [(2, "changed"), (3, "refused")]


@pytest.mark.django_db
def test_an_editors_file_gives_no_roles_and_touches_nobody_above(
    editor: User, admin: User, superuser: User, stranger: User
) -> None:
    job = apply(
        "username,location,role,is_active\n"
        "alice,Paris,,\n"  # an admin
        "root,Paris,,\n"
        "stan,Paris,,\n"
        "newbie,Paris,Admin,\n"
        "edgar,Rome,Admin,\n"
        "member,Rome,Member,no\n",
        editor,
    )
    assert outcomes(job) == [
        (2, "refused"), (3, "refused"), (4, "changed"), (5, "refused"), (6, "refused"), (7, "new")
    ]  # fmt: skip
    assert not Profile.objects.filter(user__username__in=["alice", "root", "edgar"]).exclude(location="").exists()
    assert User.objects.get(username="edgar").role == "Editor"


@pytest.mark.django_db
def test_to_a_file_who_is_in_two_role_groups_is_what_they_are_on_their_page(editor: User, admin: User) -> None:
    admin.groups.add(reader_made_anew())
    assert outcomes(apply("username,location\nalice,Paris\n", editor)) == [(2, "refused")]


@pytest.mark.django_db
def test_an_editors_file_deactivates_nobody(editor: User, stranger: User) -> None:
    job = apply("username,active\nstan,no\n", editor)
    assert reasons(job) == {2: [("active", "You may not activate or deactivate this person.")]}


@pytest.mark.django_db
def test_an_admins_file_grants_up_to_admin_and_deactivates_but_never_himself_or_a_superuser(
    admin: User, stranger: User, superuser: User
) -> None:
    job = apply("username,role,active\nstan,Admin,no\nalice,Reader,no\nroot,Editor,no\n", admin)
    assert outcomes(job) == [(2, "changed"), (3, "refused"), (4, "refused")]
    stranger = User.objects.get(pk=stranger.pk)
    assert (stranger.role, stranger.is_staff, stranger.is_active) == ("Admin", True, False)
    assert User.objects.get(pk=superuser.pk).is_active


@pytest.mark.django_db
def test_a_superuser_stays_one_and_nobody_becomes_one_by_a_file(superuser: User, stranger: User) -> None:
    file = "username,role\nroot,Superuser\nstan,Superuser\nnew,Superuser\n"
    for owner in (superuser, None):
        job = check(file, owner)
        assert outcomes(job) == [(2, "same"), (3, "refused"), (4, "refused")]
        assert reasons(job)[3] == reasons(job)[4] == [("role", "Nobody becomes a superuser by a file.")]


@pytest.mark.django_db
def test_not_even_the_operator_deactivates_a_superuser_by_file(superuser: User) -> None:
    assert apply("username,active\nroot,no\n").refused == 1


@pytest.mark.django_db
def test_permission_is_asked_again_when_the_rows_are_written(editor: User) -> None:
    job = check("username\nada\n", editor)
    editor.groups.clear()
    assert job.start_apply()
    importer.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.state, job.failure) == ("failed", "You may not import people any more.")
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.django_db
def test_an_import_whose_owner_is_gone_does_not_get_the_operators_rights(editor: User) -> None:
    job = check("username,role\nada,Admin\n", editor)
    editor.delete()
    job.refresh_from_db()
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == "failed"
    assert User.objects.count() == 0


@pytest.mark.django_db
def test_a_stored_file_that_was_changed_is_not_applied() -> None:
    job = check("username\nada\n")
    Path(job.file.path).write_text("username\nmallory\n")
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == "failed"
    assert User.objects.count() == 0


@pytest.mark.django_db
def test_an_import_that_was_cut_short_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check("username\n" + "".join(f"user{at}\n" for at in range(7)) + "USER0\n")
    assert job.start_apply()
    record, calls = importer._Run._record, []

    def die_at_the_third_chunk(self: Any, candidates: Any) -> None:
        record(self, candidates)
        calls.append(len(candidates))
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(importer._Run, "_record", die_at_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        importer.run(job)
    job.refresh_from_db()
    assert (job.cursor, job.created, User.objects.count()) == (4, 4, 4)

    monkeypatch.setattr(importer._Run, "_record", record)
    Import.objects.filter(pk=job.pk).update(lease_until=None)
    importer.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.state, job.created, job.refused, User.objects.count()) == ("done", 7, 1, 7)


@pytest.mark.django_db
def test_a_job_that_another_worker_holds_is_left_alone() -> None:
    job = take_in("username\nada\n")
    assert job.start_check()
    assert job.take_lease("another")
    importer.run(job)
    job.refresh_from_db()
    assert (job.state, job.cursor) == ("checking", 0)


@pytest.mark.django_db
def test_a_cancelled_import_stops_and_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check("username\n" + "".join(f"user{at}\n" for at in range(6)))
    assert job.start_apply()
    importer.run(job, after_chunk=lambda running: running.cancel())
    job.refresh_from_db()
    assert (job.state, job.created, User.objects.count()) == ("cancelled", 2, 2)


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_rows_of_a_chunk(
    django_assert_max_num_queries: Callable[..., Any], make_person: Callable[..., User]
) -> None:
    for rows in (10, 200):
        job = check("username,location\n" + "".join(f"u{rows}x{at},Paris\n" for at in range(rows)))
        assert job.start_apply()
        with django_assert_max_num_queries(24):  # of which PostgreSQL needs four for itself
            importer.run(job)


@pytest.mark.django_db
def test_a_person_without_a_profile_gets_one_by_import(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    Profile.objects.all().delete()
    apply("username,location\nada,Paris\n")
    assert Profile.objects.get(user_id=ada.pk).location == "Paris"


@pytest.mark.django_db
def test_two_columns_for_one_field_are_named_before_anything_is_read() -> None:
    job = take_in("username,Phone,Mobile\nada,1,2\n")
    assert Options.from_json(job.options).mapping == ["username", "phone_number", "phone_number"]
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "Phone / Mobile" in job.failure


@pytest.mark.django_db
def test_rows_that_staff_untick_are_left_out(make_person: Callable[..., User]) -> None:
    make_person("ada", location="Berlin")
    job = check("username,location\nada,Paris\nbob,Rome\ncarl,Rome\n")
    job.rows.filter(number__in=[2, 3]).update(ticked=False)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert (job.created, job.updated, job.left_out) == (1, 0, 2)
    assert outcomes(job) == [(2, "left"), (3, "left"), (4, "new")]
    assert Profile.objects.get(user__username="ada").location == "Berlin"


@pytest.mark.django_db
def test_a_username_beyond_ascii_is_found_again(make_person: Callable[..., User]) -> None:
    """SQLite lowers ASCII only; matching must not look for what the database would never write."""
    make_person("Ärger", email="", location="Berlin")
    assert apply("username,location\nÄrger,Paris\n").updated == 1
    assert apply("username,location\nÄrger,Paris\n").unchanged == 1


@pytest.mark.django_db
def test_another_spelling_with_another_email_is_not_taken_for_the_same_person(make_person: Callable[..., User]) -> None:
    """A refused duplicate that is uploaded again must not overwrite the person it duplicated (C8)."""
    make_person("ada", email="ada@example.com", first_name="Ada")
    job = apply("username,email,first_name\nADA,other@example.com,Mallory\n")
    assert reasons(job) == {
        2: [("username", "ada is somebody else, with another e-mail. Write their username just so, or choose another.")]
    }
    assert apply("username,email,first_name\nADA,ADA@example.com,Augusta\n").updated == 1
    assert apply("username,email\nada,new@example.com\n").updated == 1
