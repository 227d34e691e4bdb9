"""Backing up while people work, and restoring on an empty host: the same rows, the same files (security check F8)."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from tests.buckets import Service
from tests.data import images
from tests.threads import meanwhile
from tests.workers import environment
from users_profiles import storage
from users_profiles.models import Export, Import, Profile, User
from users_profiles.operations import backups, dumps
from users_profiles.transfer import importer, intake

pytestmark = pytest.mark.django_db(transaction=True)

ELSEWHERE = "backoffice_restored"


@pytest.fixture
def office(admin: User, editor: User, stranger: User) -> User:
    """People, one with a picture, and an import that has a file and rows."""
    content = b"username,location\nada,S\xc3\xa3o Paulo\nben,\ncem,\x01\n"
    job = intake.receive(ContentFile(content, name="staff.csv"), "staff.csv", admin)
    assert job.start_apply(unchecked=True)
    importer.run(job)
    editor.profile.avatar = images.upload(images.picture())
    editor.profile.save()
    return editor


@pytest.fixture
def backup(tmp_path: Path) -> Callable[[], Path]:
    """Make a backup; return its path."""

    def make() -> Path:
        folder = tmp_path / "backups"
        folder.mkdir(exist_ok=True)
        call_command("backup", str(folder), verbosity=0, stdout=io.StringIO())
        [path] = folder.iterdir()
        return path

    return make


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run a command on another host: an empty folder and an empty database."""
    own = connection.settings_dict
    given = environment(tmp_path / "elsewhere" / "media")
    if connection.vendor == "sqlite":
        given["DATABASE_URL"] = f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    else:
        _in_server(f"DROP DATABASE IF EXISTS {ELSEWHERE}_{own['NAME']}", f"CREATE DATABASE {ELSEWHERE}_{own['NAME']}")
        given["DATABASE_URL"] = given["DATABASE_URL"].replace(f"/{own['NAME']}", f"/{ELSEWHERE}_{own['NAME']}")

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        started = [sys.executable, "manage.py", *command]
        return subprocess.run(started, cwd=django_settings.BASE_DIR, env=given, capture_output=True, text=True)

    yield run
    if connection.vendor == "postgresql":
        _in_server(f"DROP DATABASE {ELSEWHERE}_{own['NAME']}")


def _in_server(*statements: str) -> None:
    with _connect("postgres") as server:
        for statement in statements:
            server.execute(statement)


def _connect(database: str) -> psycopg.Connection:
    own = connection.settings_dict
    address = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    return psycopg.connect(**address, dbname=database, autocommit=True)


def rows(database: str) -> dict[str, list[str]]:
    """Every row of every table of a database, asked past all of our code."""
    statements = {table: f'SELECT * FROM "{table}"' for table in connection.introspection.table_names()}
    with closing(sqlite3.connect(database) if connection.vendor == "sqlite" else _connect(database)) as there:
        return {table: sorted(map(repr, there.execute(statement))) for table, statement in statements.items()}


def digests(media: Path) -> dict[str, str]:
    paths = (path for path in media.rglob("*") if path.is_file())
    return {str(path.relative_to(media)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_f8_a_backup_restored_on_an_empty_host_has_equal_rows_and_files_and_serves(
    office: User, backup: Callable[[], Path], elsewhere: Any, tmp_path: Path
) -> None:
    here = str(connection.settings_dict["NAME"])
    there = str(tmp_path / "elsewhere.sqlite3") if connection.vendor == "sqlite" else f"{ELSEWHERE}_{here}"
    before, files = rows(here), digests(Path(django_settings.MEDIA_ROOT))
    assert {name.split("/")[0] for name in files} == {"avatars", "imports", "thumbnails"}
    assert len(before["users_profiles_importrow"]) == 3
    path = str(backup())
    restored = elsewhere("restore", path)
    assert restored.returncode == 0, restored.stderr
    assert rows(there) == before == rows(here)
    assert digests(tmp_path / "elsewhere" / "media") == files
    assert elsewhere("migrate", "-v0").returncode == 0
    script = f"""
from django.test import Client
from users_profiles.models import User
client = Client()
client.force_login(User.objects.get(pk={office.pk}))
for page in ("/profile/", "/people/{office.pk}/avatar-64.webp", "/readyz?parts=database,migrations,storage,profiles"):
    print(client.get(page, headers={{"host": "127.0.0.1"}}).status_code)
"""
    served = elsewhere("shell", "-v0", "-c", script)
    assert served.stdout.split() == ["200", "200", "200"], served.stderr
    again = elsewhere("restore", path)
    assert again.returncode == 1
    assert "The database is not empty" in again.stderr
    assert "Traceback" not in again.stderr


def test_f8_a_backup_made_while_people_are_added_has_none_of_them_in_half(
    office: User, backup: Callable[[], Path], elsewhere: Any
) -> None:
    numbers = count()
    with meanwhile(lambda: User.objects.create_user(f"busy{next(numbers)}", password=None)):
        path = backup()
    made = backups.check(path)
    assert made.tables["users_profiles_user"] == made.tables["users_profiles_profile"] <= User.objects.count()


def test_files_that_come_go_and_grow_meanwhile_are_in_as_the_database_knows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stays", "goes", "grows"):
        default_storage.save(f"imports/{name}", ContentFile(name.encode()))
    taken = dumps.take

    def take(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
        default_storage.delete("imports/goes")
        default_storage.save("imports/comes", ContentFile(b"comes"))
        with open(default_storage.path("imports/grows"), "ab") as file:
            file.write(b" and is whole")
        return taken(path, each_file)

    monkeypatch.setattr(dumps, "take", take)
    path = tmp_path / "backup.tar"
    with path.open("wb") as out:
        assert backups.make(out, tmp_path).files == 4
    with tarfile.open(path) as tar:
        read = {name: tar.extractfile(f"media/imports/{name}").read() for name in ("stays", "goes", "comes", "grows")}
    assert read == {"stays": b"stays", "goes": b"goes", "comes": b"comes", "grows": b"grows and is whole"}
    assert backups.check(path).files == 4


@pytest.fixture
def replacing(monkeypatch: pytest.MonkeyPatch, editor: User) -> Callable[[int], list[list[str]]]:
    """So many times that the database is copied, a picture has just come that is gone when files are read again.

    Gives the names that each copy knows of.
    """

    def begin(times: int) -> list[list[str]]:
        known: list[list[str]] = []
        taken = dumps.take

        def take(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
            known.append([])

            def note(name: str) -> None:
                known[-1].append(name)
                each_file(name)

            if len(known) > times:
                return taken(path, note)
            editor.profile.avatar = images.upload(images.picture())
            editor.profile.save()
            tables = taken(path, note)
            editor.profile.avatar = images.upload(images.picture())
            editor.profile.save()
            return tables

        monkeypatch.setattr(dumps, "take", take)
        return known

    return begin


def test_a_picture_that_was_there_only_while_the_database_was_copied_has_it_copied_again(
    replacing: Callable[[int], list[list[str]]], backup: Callable[[], Path]
) -> None:
    known = replacing(1)
    with tarfile.open(backup()) as tar:
        within = tar.getnames()
    first, last = ({f"media/{name}" for name in names} for names in known)
    assert not first & set(within)
    assert last
    assert last <= set(within)
    assert within.count("database") == 1


def test_where_that_does_not_end_it_says_so_and_leaves_no_backup(
    replacing: Callable[[int], list[list[str]]], tmp_path: Path
) -> None:
    replacing(backups.MOST_COPIES)
    with pytest.raises(CommandError, match="files came and went, such as avatars/"):
        call_command("backup", str(tmp_path), stdout=io.StringIO())
    assert list(tmp_path.glob("*.tar")) == []


def test_the_files_of_an_export_that_is_yet_to_be_made_and_of_one_that_is_lost_are_no_reason_to_begin_again(
    office: User, admin: User, monkeypatch: pytest.MonkeyPatch, backup: Callable[[], Path]
) -> None:
    Export.objects.create(owner=admin, columns=["username"], format="csv", file="exports/later.csv")
    default_storage.delete(office.profile.avatar.name)
    copied, taken = [], dumps.take
    monkeypatch.setattr(dumps, "take", lambda *given: copied.append("once") or taken(*given))
    backups.check(backup())
    assert copied == ["once"]


def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four megabytes of names, and their digests."""
    monkeypatch.setattr(storage, "all_names", lambda _where: (f"imports/{at}{'n' * 2_000}" for at in range(2_000)))
    monkeypatch.setattr(FileSystemStorage, "size", lambda self, name: 1)
    monkeypatch.setattr(FileSystemStorage, "open", lambda self, name: io.BytesIO(b"1"))
    path = tmp_path / "backup.tar"
    peaks = []
    with path.open("wb") as out:
        for work in (lambda: backups.make(out, tmp_path), lambda: backups.check(path)):
            tracemalloc.start()
            assert work().files == 2_000
            out.flush()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert max(peaks) < 3.5 * 1024**2, peaks


def test_a_backup_can_be_opened_and_checked_without_us(
    office: User, backup: Callable[[], Path], tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    opened.mkdir()
    subprocess.run(["tar", "--extract", "--file", backup()], cwd=opened, check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=opened, check=True)


def test_a_backup_is_for_its_owner_only_and_the_oldest_go(office: User, backup: Callable[[], Path]) -> None:
    path = backup()
    assert path.stat().st_mode & 0o777 == 0o600
    for day in ("2020-01-01", "2020-01-02"):
        (path.parent / f"backoffice-{day}-000000.tar").touch()
    (path.parent / "holiday.tar").touch()
    path.unlink()
    call_command("backup", str(path.parent), keep=2, stdout=io.StringIO())
    left = {file.name for file in path.parent.iterdir()}
    assert {"backoffice-2020-01-02-000000.tar", "holiday.tar"} < left
    assert len(left) == 3


def test_a_backup_goes_into_a_pipe(office: User, tmp_path: Path) -> None:
    own = environment(Path(django_settings.MEDIA_ROOT))
    path = tmp_path / "piped.tar"
    with path.open("wb") as out:
        started = [sys.executable, "manage.py", "backup", "-"]
        subprocess.run(started, cwd=django_settings.BASE_DIR, env=own, stdout=out, check=True)
    said = io.StringIO()
    call_command("restore", str(path), dry_run=True, stdout=said)
    files = digests(Path(django_settings.MEDIA_ROOT))
    assert f"{User.objects.count()} people and {len(files)} files" in said.getvalue()


@pytest.mark.parametrize("where", ["database", "media/", "SHA256SUMS"])
def test_a_single_changed_byte_is_found(office: User, backup: Callable[[], Path], where: str) -> None:
    path = backup()
    with tarfile.open(path) as tar:
        [part, *_] = [part for part in tar.getmembers() if part.name.startswith(where)]
    with path.open("r+b") as file:
        file.seek(part.offset_data + 20)
        byte = file.read(1)
        file.seek(part.offset_data + 20)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(CommandError, match="not as it was when the backup was made"):
        call_command("restore", str(path), dry_run=True)


@pytest.mark.parametrize("part", ["", "database", "SHA256SUMS"])
def test_a_backup_that_was_cut_short_is_none(office: User, backup: Callable[[], Path], part: str) -> None:
    path = backup()
    with tarfile.open(path) as tar:
        end = tar.getmember(part).offset_data + 20 if part else 0
    os.truncate(path, end)
    with pytest.raises(CommandError, match="not whole"):
        call_command("restore", str(path), dry_run=True)


def test_what_fails_half_way_leaves_nothing_that_looks_like_a_backup(
    office: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    def full(path: Path, each_file: Callable[[str], object]) -> dict[str, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dumps, "take", full)
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(folder))
    assert list(folder.iterdir()) == []


def test_files_in_a_bucket_are_in_it_too(bucket: Service, office: User, backup: Callable[[], Path]) -> None:
    assert backups.check(backup()).files == len(bucket.files()) > 1


@pytest.mark.postgres
def test_without_the_programs_of_postgresql_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="pg_dump is not installed"):
        call_command("backup", str(tmp_path))


def test_a_backup_is_not_restored_over_anything(office: User, backup: Callable[[], Path]) -> None:
    path, people = backup(), User.objects.count()
    with pytest.raises(CommandError, match="database is not empty"):
        call_command("restore", str(path), stdout=io.StringIO())
    assert (User.objects.count(), Profile.objects.count(), Import.objects.count()) == (people, people, 1)
