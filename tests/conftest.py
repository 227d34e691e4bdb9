"""The same people in every test: an admin, an editor, a reader, and a stranger who has no role at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone, translation

from tests.people import PASSWORD, Browse, Make
from tests.production import SOUND, manage
from tests.roads import World
from users_profiles import invitations, roles
from users_profiles.models import Profile, Role, User
from users_profiles.models.profile import PROFILE_FIELDS
from users_profiles.reports import mailing
from users_profiles.transfer import retention


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs PostgreSQL runs where TEST_DATABASE_URL names one; .ci/test says loudly when none does.

    There, what asks no database at all is left out: it has run beside SQLite.
    """
    if connection.vendor == "postgresql":
        aside = [item for item in items if not _asks_the_database(item)]
        config.hook.pytest_deselected(items=aside)
        items[:] = [item for item in items if _asks_the_database(item)]
        return
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: set TEST_DATABASE_URL"))


def _asks_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db")) or not fixtures.isdisjoint({"db", "transactional_db"})


def pytest_unconfigure() -> None:
    """The folder that tests/settings.py made for this process; the workers of xdist never reach its atexit."""
    shutil.rmtree(django_settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    """Every test stores its files in a folder of its own."""
    media = tmp_path / "media"
    settings.MEDIA_ROOT = media
    storages = {**settings.STORAGES}
    storages["default"] = {**storages["default"], "OPTIONS": {**storages["default"]["OPTIONS"], "location": media}}
    settings.STORAGES = storages


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and cached figures of one test are no business of the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A page leaves its language to whatever comes next in the same thread: to the next page, which chooses its own."""
    yield
    translation.deactivate()


@pytest.fixture
def make_person(db: None) -> Make:
    """Create a person with a role and profile fields: ``make_person("ada", role="Editor", location="Berlin")``."""

    def make(username: str, role: str = roles.MEMBER, **values: Any) -> User:
        own = {name: values.pop(name) for name in PROFILE_FIELDS if name in values}
        person = User(username=username, **{"email": f"{username}@example.com", **values})
        person.set_password(PASSWORD)
        person.profile = Profile(**own)
        person.save()
        if role:
            roles.assign([person], role)
        return person

    return make


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def admin(make_person: Make) -> User:
    return make_person("alice", role=Role.ADMIN, first_name="Alice", last_name="Admin")


@pytest.fixture
def editor(make_person: Make) -> User:
    return make_person("edgar", role=Role.EDITOR, first_name="Edgar", last_name="Editor")


@pytest.fixture
def reader(make_person: Make) -> User:
    return make_person("rita", role=Role.READER, first_name="Rita", last_name="Reader")


@pytest.fixture
def stranger(make_person: Make) -> User:
    return make_person("stan", first_name="Stan", last_name="Stranger")


@pytest.fixture
def ada(make_person: Make) -> User:
    """A member with a whole profile but for the picture."""
    return make_person(
        "ada",
        first_name="Ada",
        last_name="Lovelace",
        location="London",
        birth_date=date(1990, 12, 10),
        phone_number="+442079460000",
    )


@pytest.fixture
def browse() -> Browse:
    """Return a client that is signed in as somebody, or as nobody."""

    def as_(person: User | None) -> Client:
        client = Client()
        if person is not None:
            client.force_login(person)
        return client

    return as_


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the commit is done at once: the transaction around a test is never committed."""
    monkeypatch.setattr(transaction, "on_commit", lambda do, *args, **kwargs: do())


@pytest.fixture
def base_url(settings: Any) -> str:
    """The address that mails lead to, unlike the one that requests come to."""
    settings.BASE_URL = "https://people.example.com"
    return settings.BASE_URL


@pytest.fixture
def registration(settings: Any) -> None:
    """Registration is open."""
    settings.REGISTRATION_OPEN = True


@pytest.fixture
def world(
    browse: Browse,
    superuser: User,
    admin: User,
    editor: User,
    ada: User,
    tmp_path: Path,
    registration: None,
    base_url: str,
) -> World:
    """What it takes to go every road by which a person changes (tests/roads.py)."""
    return World(browse, superuser, admin, editor, ada, tmp_path)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with our tables, as ``migrate`` makes it in production; once for all who want a copy."""
    folder = tmp_path_factory.mktemp("migrated")
    done = manage(folder, "migrate", "-v0", **SOUND)
    assert done.returncode == 0, done.stderr
    return folder / "backoffice.sqlite3"


@pytest.fixture
def migrated(migrated_file: Path, tmp_path: Path) -> None:
    """There is a database for a process whose data is in the folder of the test."""
    shutil.copy(migrated_file, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Move the clocks of this host and of the database on: ``clock(minutes=5)``."""
    now, passed = timezone.now, [timedelta()]
    monkeypatch.setattr(timezone, "now", lambda: now() + passed[0])
    for module in (invitations, mailing, retention):
        monkeypatch.setattr(module, "shared_now", lambda: timezone.now())

    def move(**by: float) -> None:
        passed[0] += timedelta(**by)

    return move


@pytest.fixture
def let_time_pass(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock on: ``let_time_pass(300)`` makes what was done so far five minutes older."""
    passed = [0.0]
    now = time.time

    def by(seconds: float) -> None:
        passed[0] += seconds
        monkeypatch.setattr(time, "time", lambda: now() + passed[0])

    return by


@pytest.fixture(scope="session")
def _service() -> Iterator[Any]:
    from tests.buckets import Service  # moto is heavy, and few tests need it

    with Service() as service:
        yield service


@pytest.fixture
def bucket(_service: Any, settings: Any) -> Iterator[Any]:
    """Files are kept in a bucket that is empty at first, of a service that can be told to fail."""
    from tests.buckets import BUCKET

    client = _service.client()
    client.create_bucket(Bucket=BUCKET)
    store = {"BACKEND": "users_profiles.storage.bucket.PrivateBucket", "OPTIONS": _service.options()}
    settings.STORAGES = {**settings.STORAGES, "default": store}
    _service.calls.clear()
    yield _service
    _service.works()
    for name in _service.files():
        client.delete_object(Bucket=BUCKET, Key=name)
    client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(params=["disk", "bucket"])
def anywhere(request: pytest.FixtureRequest) -> str:
    """The test runs twice: files on disk, and files in a bucket."""
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    return str(request.param)
