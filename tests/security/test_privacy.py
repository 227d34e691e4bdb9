"""Private fields stay private by every road, and who is erased is gone from everywhere (security checks E3 and E4)."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.admin_pages import USERS, act, listed, save, user_page
from tests.archives import RED, zipped
from tests.data import images
from tests.importing import apply, check
from tests.people import Browse
from users_profiles import invitations
from users_profiles.models import Export, Import, Role, User
from users_profiles.privacy import erasing
from users_profiles.transfer import importer, intake

EXPORT = reverse("admin:users_profiles_user_export")
PHONE, SPOKEN = "+442079460000", "+44 20 7946 0000"
BORN = date(1990, 12, 10)
# As any page or file could spell them.
PRIVATE = (PHONE, SPOKEN, "79460000", "1990-12-10", "10 Dec 1990", "10 December 1990", "Dec. 10, 1990")


def body(response: Any) -> str:
    data = b"".join(response.streaming_content) if response.streaming else response.content
    return data.decode("utf-8", "replace")


# E3: every road by which somebody could look for a phone number or a birth date ------------------------------------


def report_of(client: Client, **values: Any) -> Any:
    return client.post(EXPORT, {"format": "csv", **values})


ROADS: dict[str, Callable[[Client, User], Any]] = {
    "the list": lambda client, ada: client.get(USERS),
    "the list with more columns": lambda client, ada: client.get(f"{USERS}?columns=phone_number,birth_date"),
    "the page": lambda client, ada: client.get(user_page(ada)),
    "the history": lambda client, ada: client.get(f"{user_page(ada)}../history/"),
    "the dashboard": lambda client, ada: client.get(reverse("admin:index")),
    "the export page": lambda client, ada: client.get(EXPORT),
    "an export": lambda client, ada: report_of(client, columns=["username", "location"]),
    "an export that asks for them": lambda client, ada: report_of(
        client, columns=["username", "phone_number", "birth_date"]
    ),
    "a save that sends them": lambda client, ada: client.post(user_page(ada), {"profile-0-phone_number": "x"}),
    "the page that asks before an action": lambda client, ada: act(client, "export", [ada]),
    "all that is held": lambda client, ada: client.post(reverse("admin:users_profiles_user_held", args=[ada.pk])),
    "the page that erases": lambda client, ada: client.get(reverse("admin:users_profiles_user_erase", args=[ada.pk])),
    "a filter by birthday": lambda client, ada: client.get(f"{USERS}?birthday=month", follow=True),
    "a search": lambda client, ada: client.get(f"{USERS}?q=ada"),
    "sorting by phone": lambda client, ada: client.get(f"{USERS}?o=phone_number"),
}


@pytest.mark.parametrize("road", ROADS)
def test_e3_a_reader_is_shown_neither_phone_nor_birth_date_by(
    browse: Browse, reader: User, admin: User, ada: User, road: str
) -> None:
    save(browse(admin), user_page(ada), **{"profile-0-bio": "Poet's daughter"})
    apply(f"username,birth_date,phone_number\nada,{BORN},{PHONE}\n", admin)
    text = body(ROADS[road](browse(reader), ada))
    assert [value for value in PRIVATE if value in text] == []


@pytest.mark.parametrize("road", ["the page", "the list with more columns", "an export that asks for them"])
def test_e3_an_editor_is_shown_both_by(browse: Browse, editor: User, ada: User, road: str) -> None:
    text = body(ROADS[road](browse(editor), ada))
    assert any(value in text for value in PRIVATE[:2])
    assert any(value in text for value in PRIVATE[3:])


GUESSES = {
    "searching for the number": f"{USERS}?q=79460000",
    "searching for all of it": f"{USERS}?q=%2B442079460000",
    "a filter by birthday": f"{USERS}?birthday=month",
}
FORGED = [
    f"{USERS}?profile__birth_date__year=1990",
    f"{USERS}?profile__phone_number__startswith=%2B44",
    f"{USERS}?profile__birth_date__gte=1990-01-01",
]


@pytest.mark.parametrize("guess", GUESSES)
def test_e3_a_reader_learns_nothing_from_who_is_found_by(
    browse: Browse, reader: User, ada: User, make_person: Callable[..., User], guess: str
) -> None:
    """Whoever has other values than Ada is found just as she is, or just as little."""
    make_person("bob", phone_number="+4930123456", birth_date=date(1950, 5, 5))
    response = browse(reader).get(GUESSES[guess], follow=True)
    found = {person.username for person in response.context["cl"].result_list}
    assert ("ada" in found) == ("bob" in found)


@pytest.mark.parametrize("url", FORGED)
def test_e3_a_filter_that_no_page_offers_is_refused(browse: Browse, reader: User, ada: User, url: str) -> None:
    assert browse(reader).get(url).status_code == 400


@pytest.mark.parametrize("guess", ["searching for the number", "searching for all of it"])
def test_e3_an_editor_finds_by_the_number(browse: Browse, editor: User, ada: User, guess: str) -> None:
    assert listed(browse(editor), GUESSES[guess]) == {"ada"}


def test_e3_imports_that_bring_them_are_hidden_from_who_may_not_see_them(
    browse: Browse, make_person: Callable[..., User], admin: User, ada: User
) -> None:
    """Somebody who sees the imports of others, because their role was tuned so, and still no private fields."""
    clerk = make_person("clerk", role=Role.READER)
    clerk.user_permissions.add(
        *Permission.objects.filter(codename__in=["import_user", "view_import", "change_user", "grant_role"])
    )
    private = check(f"username,birth_date,phone_number\nada,1991-01-02,{PHONE}1\n", admin)
    plain = check("username,location\nada,Paris\n", admin)
    pages = {job: reverse("admin:users_profiles_import_change", args=[job.pk]) for job in (private, plain)}
    assert browse(admin).get(pages[private]).status_code == 200
    assert browse(clerk).get(pages[plain]).status_code == 200
    assert browse(clerk).get(pages[private]).status_code == 404
    for name in ("refused", "columns"):
        url = reverse(f"admin:users_profiles_import_{name}", args=[private.pk])
        assert browse(clerk).get(url).status_code == 404
    assert set(Import.objects.visible_to(User.objects.get(pk=clerk.pk))) == {plain}


def test_e3_nobody_imports_what_they_may_not_see(make_person: Callable[..., User], ada: User) -> None:
    clerk = make_person("clerk", role=Role.READER)
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=["import_user", "change_user"]))
    job = intake.receive(ContentFile(f"username,birth_date\nada,{BORN}\n".encode()), "staff.csv", clerk)
    job.options["mapping"] = ["username", "birth_date"]
    job.save()
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert job.failure == "You may not import Birth date. Ignore those columns."


# E4: erased means erased --------------------------------------------------------------------------------------------

USERNAME, EMAIL, OLD_EMAIL = "zebulonq", "zebulon.quatermain@example.com", "zq-before@example.com"
FIRST, LAST = "Zebulon", "Quatermain"
MARKS = (USERNAME, EMAIL, OLD_EMAIL, LAST, PHONE, SPOKEN)


def everything_stored() -> Iterator[tuple[str, str]]:
    """Every value of every table, and every file, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", readable(value)
    for path in Path(django_settings.MEDIA_ROOT).rglob("*"):
        yield str(path), path.name
        if path.is_file():
            data = path.read_bytes()
            yield str(path), data.decode("utf-8", "replace")
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from (
                        (str(path), archive.read(name).decode("utf-8", "replace")) for name in archive.namelist()
                    )
                    yield str(path), " ".join(archive.namelist())


def readable(value: Any) -> str:
    """Also what is in JSON, whose letters may be escaped."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def found_in(places: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(place, mark) for place, text in places for mark in MARKS if mark.casefold() in text.casefold()]


@pytest.fixture
def zeb(
    browse: Browse, make_person: Callable[..., User], superuser: User, admin: User, editor: User, tmp_path: Path
) -> User:
    """Somebody who has been here for a while, and has left traces wherever one can."""
    zeb = make_person(USERNAME, role=Role.EDITOR, first_name=FIRST, last_name=LAST, email=OLD_EMAIL)
    staff = browse(admin)
    save(staff, user_page(zeb), **{"email": EMAIL, "profile-0-phone_number": SPOKEN, "profile-0-bio": "Hunts lions"})
    own = browse(zeb)
    own.get(reverse("admin:index"))
    own.get(reverse("account_email"))
    save(own, user_page(editor), first_name="Edgar Allan")
    save(own, user_page(zeb), **{"profile-0-avatar": images.upload(images.picture())})
    apply(f"username,email,last_name,phone\n{USERNAME},{EMAIL},{LAST},{SPOKEN}\nbob,bob@example.com,Bob,\n", zeb)
    check(f"username,email\n{USERNAME}2,{EMAIL}\ncarl,carl@example.com\n", admin)  # refused: the address is taken
    check(f"username,notes\ndora,reports to {FIRST} {LAST}\n", admin)  # in a column nobody reads
    intake.receive(ContentFile(f"username\n{USERNAME}\n".encode()), f"{USERNAME}.csv", admin)
    archive = tmp_path / "pictures.zip"
    archive.write_bytes(zipped({f"{USERNAME}.png": RED}))
    call_command("import_pictures", str(archive), stdout=io.StringIO())
    staff.get(f"{USERS}?q={LAST}")
    staff.post(f"{EXPORT}?q={USERNAME}", {"format": "csv", "columns": ["username"]}).getvalue()
    export = Export.objects.create(owner=admin, columns=["username"], query=f"q={EMAIL}")
    assert export.start_making()
    export.file.storage.save(str(export.file.name), ContentFile(EMAIL.encode()))
    export.finish(1, 1, "")
    invitations.invite([zeb])
    Client().post(reverse("account_reset_password"), {"email": EMAIL})
    return User.objects.with_profile().get(pk=zeb.pk)


@pytest.mark.django_db(transaction=True)
def test_e4_nothing_is_left_of_somebody_who_is_erased(browse: Browse, admin: User, editor: User, zeb: User) -> None:
    places = {place.split(".")[0] for place, _mark in found_in(everything_stored())}
    assert len(places) >= 6, "the test must have something to look for"
    own = browse(zeb)
    erasing.erase(zeb, admin)
    assert found_in(everything_stored()) == []
    assert not User.objects.filter(pk=zeb.pk).exists()
    assert own.get(reverse("profile"))["Location"].startswith(reverse("account_login"))


@pytest.mark.django_db(transaction=True)
def test_e4_that_something_happened_stays_under_a_number(browse: Browse, admin: User, editor: User, zeb: User) -> None:
    erasing.erase(zeb, admin)
    label = f"Erased person {zeb.pk}"
    history = reverse("admin:users_profiles_user_history", args=[editor.pk])
    assert label in body(browse(admin).get(history))
    everything = body(browse(admin).get(reverse("admin:users_profiles_trailentry_changelist")))
    assert label in everything
    assert "Deleted" in everything
    assert "Alice Admin" in everything


@pytest.mark.django_db(transaction=True)
def test_e4_nobody_else_loses_anything(browse: Browse, admin: User, editor: User, ada: User, zeb: User) -> None:
    kept = apply("username,location\nada,Paris\n", admin)
    counts = {model: model._base_manager.count() for model in apps.get_models() if model is not User}
    erasing.erase(zeb, admin)
    assert User.objects.filter(pk__in=[ada.pk, editor.pk, admin.pk]).count() == 3
    assert User.objects.get(username="bob").last_name == "Bob"
    kept.refresh_from_db()
    assert kept.file
    assert kept.rows.get().changes == {"location": ["London", "Paris"]}
    for model in (Import, Export):
        assert model._base_manager.count() == counts[model]


# Files and headers --------------------------------------------------------------------------------------------------


def test_what_is_held_is_a_download_that_nobody_keeps(browse: Browse, admin: User, ada: User) -> None:
    response = browse(admin).post(reverse("admin:users_profiles_user_held", args=[ada.pk]))
    assert response["Content-Type"] == "application/zip"
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"].startswith("attachment;")


def test_an_export_names_its_columns_in_the_ledger(browse: Browse, editor: User, ada: User) -> None:
    rows = list(csv.reader(io.StringIO(body(ROADS["an export"](browse(editor), ada)))))
    assert rows[0][0].lstrip("\ufeff") == "username"
    assert Export.objects.get(owner=editor).columns == ["username", "location"]
