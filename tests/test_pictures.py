"""Pictures from a ZIP archive: who they are of, what is drawn, given and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from tests.archives import (
    BLUE,
    RED,
    apply,
    check,
    files_of,
    give_picture,
    outcomes,
    picture_of,
    reasons,
    stored_files,
    take_in,
    zipped,
)
from tests.data import images
from users_profiles import avatars
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import pictures, retention


@pytest.mark.django_db
def test_pictures_find_their_people_by_username_or_email_in_any_case_and_folder(
    make_person: Callable[..., User],
) -> None:
    people = [make_person(name) for name in ("ada.lovelace", "bob", "carl", "dora", "Émile")]
    job = apply(
        {
            "ada.lovelace.jpg": RED,
            "Team/Berlin/BOB.PNG": RED,
            "team\\carl@Example.com.jpeg": RED,
            "dora": RED,
            "E\u0301mile.webp": RED,  # as macOS writes an É
        }
    )
    assert set(outcomes(job).values()) == {"new"}
    assert (job.created, job.updated, job.unchanged, job.refused) == (5, 0, 0, 0)
    for person in people:
        assert images.near(images.opened(default_storage.open(picture_of(person)).read()).getpixel((5, 5)), images.RED)


@pytest.mark.django_db
def test_a_username_wins_over_somebody_elses_email(make_person: Callable[..., User]) -> None:
    named = make_person("ada@example.com", email="other@example.com")
    make_person("ada", email="ada@example.com")
    apply({"ada@example.com.png": RED})
    assert picture_of(named)


@pytest.mark.django_db
def test_a_dot_in_a_name_is_no_extension(make_person: Callable[..., User]) -> None:
    make_person("ada")
    right = make_person("ada.lovelace")
    apply({"ada.lovelace": RED})
    assert picture_of(right)
    assert not picture_of(User.objects.get(username="ada"))


@pytest.mark.django_db
def test_added_replaced_unchanged_and_refused_are_told_apart(make_person: Callable[..., User]) -> None:
    give_picture(make_person("has_another"), BLUE)
    give_picture(make_person("has_it"), RED)
    make_person("has_none")
    job = check({"has_another.png": RED, "has_it.png": RED, "has_none.png": RED, "nobody.png": RED})
    assert outcomes(job) == {
        "has_another.png": "changed",
        "has_it.png": "same",
        "has_none.png": "new",
        "nobody.png": "refused",
    }
    assert (job.created, job.updated, job.unchanged, job.refused) == (1, 1, 1, 1)


@pytest.mark.django_db
def test_every_refusal_says_what_is_wrong(make_person: Callable[..., User]) -> None:
    for name in ("ada", "bob", "carl", "dora"):
        make_person(name)
    job = check(
        {
            "ada.jpg": RED,
            "old/ada.png": RED,
            "bob.heic": b"no picture that we read",
            "carl.png": b"\0" * (avatars.MAX_BYTES + 1),
            "dora.png": images.bomb(6000, 6000),
            "somebody.png": RED,
        }
    )
    assert outcomes(job)["ada.jpg"] == "new"
    found = reasons(job)
    assert found.pop("bob.heic").startswith("This file is not a picture we can read.")
    assert found == {
        "old/ada.png": "ada.jpg is for the same person. Keep one of the two.",
        "carl.png": "This file is larger than 10 MB.",
        "dora.png": "This picture is too large. Choose one of at most 20 megapixels.",
        "somebody.png": "Nobody has the username or e-mail somebody. Name the file after the person.",
    }


@pytest.mark.django_db
def test_a_picture_that_cannot_be_read_does_not_stand_in_the_way_of_one_that_can(
    make_person: Callable[..., User],
) -> None:
    make_person("ada")
    assert outcomes(check({"ada.heic": b"nothing", "ada.jpg": RED})) == {"ada.heic": "refused", "ada.jpg": "new"}


@pytest.mark.django_db
def test_two_pictures_of_one_person_are_noticed_across_chunks(
    make_person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "DRAWN_AT_ONCE", 1)
    make_person("ada")
    make_person("bob")
    job = check({"a/ada.png": RED, "b/bob.png": RED, "c/ADA@example.com.png": RED})
    assert list(reasons(job)) == ["c/ADA@example.com.png"]


@pytest.mark.django_db
def test_a_check_changes_nobody_and_leaves_nothing_behind_when_it_is_forgotten(
    make_person: Callable[..., User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    old = give_picture(ada, BLUE)
    job = check({"ada.png": RED})
    assert picture_of(ada) == old
    assert len(stored_files()) == 6  # two pictures with two thumbnails each
    with django_capture_on_commit_callbacks(execute=True):
        job.delete()
    assert stored_files() == files_of(old)


@pytest.mark.django_db
def test_what_is_given_is_drawn_anew(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    apply({"ada.jpg": images.from_a_camera(6) + b"<script>alert(1)</script>"})
    data = default_storage.open(picture_of(ada)).read()
    assert b"SECRET CAMERA" not in data
    assert b"script" not in data
    assert images.opened(data).size == (40, 80)  # upright
    assert picture_of(ada).endswith(".webp")


@pytest.mark.django_db
def test_the_old_picture_stays_until_it_can_no_longer_be_wanted_back(
    make_person: Callable[..., User], settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    old = give_picture(ada, BLUE)
    with django_capture_on_commit_callbacks(execute=True):
        job = apply({"ada.png": RED})
    assert stored_files() == files_of(old, picture_of(ada))

    Import.objects.update(applied_at="2000-01-01T00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        retention.prune()
    assert stored_files() == files_of(picture_of(ada))
    assert not pictures.can_be_undone(Import.objects.get(pk=job.pk))


@pytest.mark.django_db
def test_a_deleted_person_leaves_no_picture_behind(
    make_person: Callable[..., User], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ada = make_person("ada")
    give_picture(ada, BLUE)
    job = apply({"ada.png": RED})
    with django_capture_on_commit_callbacks(execute=True):
        ada.delete()
    assert stored_files() == set()
    assert job.rows.get().user_id is None


@pytest.mark.django_db
def test_a_given_picture_is_a_new_version_of_the_profile(make_person: Callable[..., User]) -> None:
    ada = make_person("ada", bio="Counts.")
    before = Profile.objects.get(pk=ada.pk)
    apply({"ada.png": RED})
    after = Profile.objects.get(pk=ada.pk)
    assert (after.version, after.bio) == (before.version + 1, "Counts.")
    assert after.updated_at > before.updated_at


@pytest.mark.django_db
def test_a_person_without_a_profile_gets_one(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    Profile.objects.all().delete()
    apply({"ada.png": RED})
    assert picture_of(ada)


@pytest.mark.django_db
def test_a_second_import_of_the_same_archive_changes_nothing(make_person: Callable[..., User]) -> None:
    make_person("ada")
    archive = zipped({"ada.png": RED})
    apply(archive)
    before = list(Profile.objects.values())
    assert apply(archive).unchanged == 1
    assert list(Profile.objects.values()) == before


# Who may


@pytest.mark.django_db
def test_an_editor_gives_no_pictures_to_people_above(
    editor: User, admin: User, superuser: User, stranger: User
) -> None:
    job = apply({f"{name}.png": RED for name in ("alice", "root", "stan", "edgar")}, editor)
    assert outcomes(job) == {"alice.png": "refused", "edgar.png": "new", "root.png": "refused", "stan.png": "new"}
    assert set(reasons(job).values()) == {"You may not change this person, whose role is above yours."}
    assert not picture_of(admin)
    assert not picture_of(superuser)


@pytest.mark.django_db
def test_permission_is_asked_again_when_pictures_are_given(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    stranger.is_superuser = True
    stranger.save()
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.created, job.refused, picture_of(stranger)) == (0, 1, "")


@pytest.mark.django_db
def test_who_may_not_import_any_more_gives_nobody_a_picture(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    editor.groups.clear()
    assert job.start_apply()
    pictures.run(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.state, job.failure) == ("failed", "You may not import people any more.")
    assert not picture_of(stranger)


@pytest.mark.django_db
def test_an_import_whose_owner_is_gone_does_not_get_the_operators_rights(editor: User, stranger: User) -> None:
    job = check({"stan.png": RED}, editor)
    editor.delete()
    job = Import.objects.get(pk=job.pk)
    assert job.start_apply()
    pictures.run(job)
    assert not picture_of(stranger)


@pytest.mark.django_db
def test_a_role_without_pictures_gets_none(stranger: User, settings: Any) -> None:
    settings.USERS_PROFILES_ROLES = {"": {"profile_fields": ["bio"], "required": []}}
    assert list(reasons(check({"stan.png": RED})).values()) == ["People in the role of this person have no picture."]


@pytest.mark.django_db
def test_a_person_who_was_deleted_after_the_check_is_refused(stranger: User) -> None:
    job = check({"stan.png": RED})
    stranger.delete()
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.refused) == ("done", 1)
    assert list(reasons(job).values()) == ["This person has been deleted since the check."]


@pytest.mark.django_db
def test_a_stored_archive_that_was_changed_is_not_read(stranger: User) -> None:
    job = take_in(zipped({"stan.png": RED}))
    Path(job.file.path).write_bytes(zipped({"stan.png": BLUE}))
    assert job.start_check()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.state, job.rows.count()) == ("failed", 0)


@pytest.mark.django_db
def test_pictures_that_staff_left_out_are_not_given(stranger: User, editor: User) -> None:
    job = check({"stan.png": RED, "edgar.png": RED})
    job.rows.filter(label="stan.png").update(ticked=False)
    assert job.start_apply()
    pictures.run(job)
    job.refresh_from_db()
    assert (job.created, job.left_out, picture_of(stranger)) == (1, 1, "")
