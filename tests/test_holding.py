"""What is held about a person, in one archive: all of it, no secret, and nothing about anybody else."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.admin_pages import save, user_page
from tests.data import images
from tests.importing import apply, check
from tests.people import Browse
from users_profiles import roles
from users_profiles.models import Export, TrailEntry, User
from users_profiles.privacy import holding
from users_profiles.privacy.places import PLACES, relations

MINE = reverse("profile_data")


def of(person: User) -> str:
    return reverse("admin:users_profiles_user_held", args=[person.pk])


def opened(response: Any) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name)
            for name in archive.namelist()
        }


def test_every_table_that_refers_to_a_person_has_its_place() -> None:
    assert sorted(place.relation for place in PLACES) == sorted(set(relations()))


def test_every_place_is_given_out_or_says_why_it_is_not() -> None:
    assert [place.relation for place in PLACES if bool(place.file) == bool(place.why)] == []


def test_it_has_the_profile_the_history_the_imports_and_the_picture(browse: Browse, admin: User, ada: User) -> None:
    staff = browse(admin)
    save(staff, user_page(ada), **{"last_name": "King", "profile-0-location": "Paris"})
    save(staff, user_page(ada), **{"profile-0-avatar": images.upload(images.picture())})
    apply("username,first_name\nada,Augusta\n", admin)
    found = opened(staff.post(of(ada)))
    person = found["person.json"]
    assert (person["username"], person["first_name"], person["last_name"]) == ("ada", "Augusta", "King")
    assert (person["location"], person["birth_date"], person["phone_number"]) == (
        "Paris",
        "1990-12-10",
        "+442079460000",
    )
    told = [entry for entry in found["history.json"] if "last_name" in (entry["changes"] or {})]
    assert told[-1]["changes"]["last_name"] == ["Lovelace", "King"]
    assert told[-1]["who"] == "Alice Admin"
    assert found["imports.json"][0]["changes"] == {"first_name": ["Ada", "Augusta"]}
    assert found["picture.webp"][:4] == b"RIFF"
    assert b"Augusta King" in found["README.txt"]


def test_everybody_has_their_own(browse: Browse, ada: User) -> None:
    client = browse(ada)
    client.get(reverse("profile"))
    assert "All that is held about you" in client.get(reverse("profile")).content.decode()
    assert client.get(MINE).status_code == 200
    found = opened(client.post(MINE))
    assert found["person.json"]["username"] == "ada"
    assert {f"{place.file}.json" for place in PLACES if place.file} <= set(found)


def test_nobody_has_it_without_signing_in(browse: Browse, ada: User) -> None:
    for ask in (browse(None).get, browse(None).post):
        assert ask(MINE)["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("admin", "ada", 200),
        ("admin", "editor", 200),
        ("admin", "superuser", 403),
        ("admin", "admin", 200),
        ("superuser", "admin", 200),
        ("editor", "ada", 403),
        ("editor", "editor", 200),
        ("reader", "ada", 403),
        ("stranger", "ada", 403),
    ],
)
def test_admins_have_that_of_others_up_to_their_own_rank(
    request: pytest.FixtureRequest, browse: Browse, who: str, whose: str, status: int
) -> None:
    actor, person = request.getfixturevalue(who), request.getfixturevalue(whose)
    response = browse(actor).post(of(person))
    assert response.status_code == status
    assert Export.objects.exists() == (status == 200)


def test_it_is_in_the_ledger_with_its_digest(browse: Browse, admin: User, ada: User) -> None:
    client = browse(admin)
    response = client.post(of(ada))
    export = Export.objects.get()
    assert (export.owner, export.keys, export.state) == (admin, [ada.pk], Export.State.DONE)
    assert export.digest == hashlib.sha256(response.content).hexdigest()
    assert export.size == len(response.content)
    ledger = client.get(reverse("admin:users_profiles_export_changelist")).content.decode()
    assert "all that is held about one person" in ledger.lower()
    assert client.get(reverse("admin:users_profiles_export_change", args=[export.pk])).status_code == 200


def test_it_does_not_become_what_the_next_export_suggests(browse: Browse, admin: User, ada: User) -> None:
    client = browse(admin)
    client.post(of(ada))
    form = client.get(reverse("admin:users_profiles_user_export")).context["form"]
    assert form["format"].value() != "zip"


def test_no_secret_is_in_it(browse: Browse, ada: User) -> None:
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "TOTP-SECRET"})
    client = browse(ada)
    everything = json.dumps({name: str(data) for name, data in opened(client.post(MINE)).items()})
    for secret in (ada.password, "TOTP-SECRET", client.session.session_key):
        assert secret not in everything
    assert "totp" in everything


def test_what_they_did_is_in_it_without_whom_they_did_it_to(
    browse: Browse, editor: User, make_person: Callable[..., User]
) -> None:
    other = make_person("otherperson", first_name="Olga")
    save(browse(editor), user_page(other), first_name="Private", last_name="Matter")
    found = opened(browse(editor).post(MINE))
    assert {"first_name", "last_name"} <= set(found["did.json"][-1]["fields"])
    everything = json.dumps({name: str(data) for name, data in found.items()})
    for word in ("otherperson", "Olga", "Matter"):
        assert word not in everything


def test_who_looked_is_told_to_who_sees_the_whole_trail(browse: Browse, admin: User, editor: User, ada: User) -> None:
    TrailEntry.objects.forget()
    browse(editor).get(user_page(ada))
    looks = TrailEntry.Action.ACCESS
    assert TrailEntry.objects.filter(action=looks, object_id=ada.pk).exists()
    mine, theirs = opened(browse(ada).post(MINE)), opened(browse(admin).post(of(ada)))
    assert "Edgar Editor" not in json.dumps(mine["history.json"])
    assert "Edgar Editor" in json.dumps(theirs["history.json"])


def test_why_their_row_was_refused_is_said_in_a_sentence(browse: Browse, editor: User, admin: User) -> None:
    check("username,Mail\nanna,elsewhere@example.com\n".replace("anna", admin.username), editor)
    admin.language = "de"
    admin.save()
    (row,) = opened(browse(admin).post(MINE))["imports.json"]
    (mistake,) = row["errors"]
    assert mistake["reason"] == "Diese Person dürfen Sie nicht ändern: Ihre Rolle steht über Ihrer eigenen."


def test_a_lost_picture_is_left_out(browse: Browse, admin: User, ada: User) -> None:
    save(browse(admin), user_page(ada), **{"profile-0-avatar": images.upload(images.picture())})
    ada.profile.refresh_from_db()
    ada.profile.avatar.storage.delete(ada.profile.avatar.name)
    assert "picture.webp" not in opened(browse(admin).post(of(ada)))


@pytest.mark.django_db
def test_the_operator_has_it_too(ada: User, tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    call_command("export_person", "ADA", output=str(path))
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("person.json"))["email"] == "ada@example.com"
    assert path.stat().st_mode & 0o077 == 0
    assert Export.objects.get().by_operator
    with pytest.raises(CommandError, match="nobody with the username"):
        call_command("export_person", "nobody")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_person", "ada", output=str(tmp_path / "no" / "such"))


def test_who_may_have_what_is_one_question(admin: User, superuser: User, ada: User) -> None:
    assert holding.may_have(admin, ada)
    assert not holding.may_have(admin, superuser)
    assert holding.may_have(ada, ada)
    roles.assign([ada], "Editor")
    assert not holding.may_have(User.objects.get(pk=ada.pk), admin)
