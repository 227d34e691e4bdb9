"""``manage.py ensure_profiles``: finds people without a profile and gives them one."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from users_profiles.management.commands import ensure_profiles
from users_profiles.models import Export, Profile, User
from users_profiles.transfer.export.formats import blocks_of
from users_profiles.transfer.export.wanted import Wanted

pytestmark = pytest.mark.django_db


def run(*options: str) -> str:
    out = StringIO()
    call_command("ensure_profiles", *options, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def three_without(make_person: Callable[..., User]) -> None:
    """Three people whom another program put into the table, beside one of ours."""
    make_person("ada", location="London")
    for number in range(3):
        User._base_manager.bulk_create([User(username=f"raw{number}")])


def test_f6_it_gives_a_profile_to_whoever_has_none(three_without: None) -> None:
    assert run() == "Profiles made: 3."
    assert not User.objects.without_profile().exists()
    assert run() == "Profiles made: 0."


def test_f6_somebody_from_raw_sql_is_found_and_given_a_profile(make_person: Callable[..., User]) -> None:
    ada = make_person("ada")
    names = ", ".join(
        field.column for field in User._meta.concrete_fields if field.name not in {"id", "username", "email"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO users_profiles_user (username, email, {names})"
            f" SELECT 'raw', 'raw@example.com', {names} FROM users_profiles_user WHERE id = %s",
            [ada.pk],
        )
    assert User.objects.without_profile().get().username == "raw"
    assert run() == "Profiles made: 1."
    assert User.objects.get(username="raw").profile.version == 1


def test_it_leaves_the_profiles_there_are_alone(three_without: None) -> None:
    before = Profile.objects.values().get()
    run()
    assert Profile.objects.filter(pk=before["user_id"]).values().get() == before


def test_a_dry_run_only_counts(three_without: None) -> None:
    assert run("--dry-run") == "People without a profile: 3."
    assert Profile.objects.count() == 1


def test_it_works_through_many_in_chunks(monkeypatch: pytest.MonkeyPatch, three_without: None) -> None:
    monkeypatch.setattr(ensure_profiles, "CHUNK", 2)
    assert run() == "Profiles made: 3."
    assert not User.objects.without_profile().exists()


@pytest.mark.parametrize("file_format", Export.Format.values)
def test_until_then_every_export_has_them_too(file_format: str, three_without: None) -> None:
    wanted = Wanted(None, columns=["username", "location", "birth_date", "version"], format=file_format)
    parts, people = zip(*blocks_of(wanted), strict=True)
    assert sum(people) == 4
    if file_format == Export.Format.XLSX:
        sheet = openpyxl.load_workbook(BytesIO(b"".join(parts))).active
        assert ("raw1", None, None, None) in list(sheet.values)
        assert ("ada", "London", None) in [row[:3] for row in sheet.values]


def test_more_people_take_no_more_queries() -> None:
    counts = []
    for size in (2, 40):
        User._base_manager.bulk_create([User(username=f"{size}-{number}") for number in range(size)])
        with CaptureQueriesContext(connection) as captured:
            run()
        counts.append(len(captured))
    assert counts[0] == counts[1]
