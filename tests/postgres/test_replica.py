"""A replica that is behind, on purpose: a copy from before somebody was renamed shows what is read from where."""

from __future__ import annotations

import logging
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import OperationalError, connection, connections, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.admin_pages import USERS, user_page
from tests.people import Browse
from tests.reporting import saved
from users_profiles import replica
from users_profiles.figures import store
from users_profiles.models import Export, Snapshot, User
from users_profiles.transfer import lease, tasks
from users_profiles.transfer.export import formats

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

OLD, NEW = "Byron", "Lovelace"


def _run(statement: str) -> None:
    """A statement about databases, from beside ours: one that is copied has nobody in it."""
    beside = connection.copy()
    beside.settings_dict["NAME"] = "postgres"
    with beside.cursor() as cursor:
        cursor.execute(statement)
    beside.close()


def _connect(self: Any) -> None:
    """As Django connects when no test is watched; there, it knows of no database that has come since it began."""
    if self.connection is None:
        with self.wrap_database_errors:
            self.connect()


@pytest.fixture
def behind(settings: Any, admin: User, ada: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a copy in which Ada has her old name, and will for ever."""
    User.objects.filter(pk=ada.pk).update(last_name=OLD)
    name = f"{connection.settings_dict['NAME']}_replica"
    own = connections.settings["default"]
    connections.close_all()
    _run(f'DROP DATABASE IF EXISTS "{name}"')
    _run(f'CREATE DATABASE "{name}" TEMPLATE "{own["NAME"]}"')
    connections.settings["replica"] = {**own, "NAME": name, "OPTIONS": {"connect_timeout": 3}}
    settings.DATABASE_ROUTERS = ["users_profiles.replica.Router"]
    monkeypatch.setattr(replica, "_rests_until", 0.0)
    monkeypatch.setattr(type(connection.copy()), "ensure_connection", _connect, raising=False)
    User.objects.filter(pk=ada.pk).update(last_name=NEW)
    cache.clear()
    yield name
    connections["replica"].close()
    del connections["replica"], connections.settings["replica"]
    _run(f'DROP DATABASE "{name}"')


def postgres(*words: str) -> str:
    script = django_settings.BASE_DIR / ".ci/postgres"
    return subprocess.run([script, *words], capture_output=True, text=True, check=True).stdout.strip()


def address_of(folder: str) -> str:
    return (Path(folder) / "url").read_text().strip()


@pytest.fixture
def streaming(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The folder of a PostgreSQL of our own, of which a second one is the replica; that one is asked as nobody much."""
    running = [postgres("start")]
    try:
        running.append(postgres("standby", running[0]))
        with psycopg.connect(address_of(running[0]), autocommit=True) as primary:
            # What is written returns when the replica has it: nobody here waits by the clock.
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.execute("SELECT pg_reload_conf()")
        with psycopg.connect(address_of(running[0]), options="-c synchronous_commit=remote_apply") as primary:
            primary.execute("CREATE ROLE plain LOGIN")
        place = {"HOST": "127.0.0.1", "PORT": address_of(running[1]).rpartition(":")[2].split("/")[0]}
        own = {**connections.settings["default"], **place, "NAME": "postgres", "USER": "plain"}
        connections.settings["replica"] = {**own, "OPTIONS": {"connect_timeout": 3}}
        monkeypatch.setattr(replica, "_rests_until", 0.0)
        monkeypatch.setattr(type(connection.copy()), "ensure_connection", _connect, raising=False)
        yield running[0]
        connections["replica"].close()
    finally:
        with suppress(AttributeError, KeyError):
            del connections["replica"]
        connections.settings.pop("replica", None)
        for folder in running:
            if Path(folder).exists():
                postgres("stop", folder)


def name_in(html: str) -> str:
    """The one of her names that a page or file has."""
    [found] = [name for name in (OLD, NEW) if name in html]
    return found


def listed(client: Client, query: str = "") -> str:
    return name_in(client.get(f"{USERS}?q=ada{query}").content.decode())


def exported(owner: User) -> str:
    export = Export.objects.create(owner=owner, columns=["username", "last_name"], format="csv", total=2)
    export.start_making()
    tasks.make(export)
    export.refresh_from_db()
    assert export.state == "done", export.failure
    return name_in(export.file.open().read().decode())


def sent(client: Client) -> str:
    answer = client.post(
        reverse("admin:users_profiles_user_export"), {"columns": "last_name", "format": "csv", "scope": "all"}
    )
    return name_in(b"".join(answer.streaming_content).decode())


def test_lists_exports_and_reports_are_read_from_it(behind: str, browse: Browse, admin: User) -> None:
    client = browse(admin)
    report = saved(admin, columns=["username", "last_name"])
    assert listed(client) == OLD
    assert name_in(client.get(reverse("admin:users_profiles_report_change", args=[report.pk])).content.decode()) == OLD
    assert exported(admin) == OLD
    assert sent(client) == OLD
    assert exported(admin) == OLD  # to ask for an export is to write nothing that anybody would miss


def test_a_person_is_read_where_they_are_written(behind: str, browse: Browse, admin: User, ada: User) -> None:
    page = browse(admin).get(user_page(ada)).content.decode()
    assert (NEW in page, OLD in page) == (True, False)


def test_who_has_just_written_reads_what_they_wrote_and_others_go_on_as_before(
    behind: str, browse: Browse, admin: User, editor: User, ada: User
) -> None:
    client = browse(admin)
    assert listed(client) == OLD
    client.post(USERS, {"action": "deactivate", "_selected_action": [ada.pk], "confirmed": "1"})
    assert listed(client) == NEW
    assert exported(admin) == NEW
    assert exported(editor) == OLD
    cache.clear()  # as after some seconds
    assert listed(client) == OLD


def test_what_an_import_has_changed_everybody_sees(behind: str, admin: User, editor: User) -> None:
    store.people_changed()
    assert exported(admin) == exported(editor) == NEW


def test_figures_are_counted_there_and_nothing_is_written_there(behind: str, admin: User) -> None:
    User.objects.create_user("late")
    store.refresh.func()
    assert Snapshot.objects.get().counts["numbers"]["people"] == User.objects.using("replica").count()
    assert User.objects.count() == User.objects.using("replica").count() + 1


def test_within_a_transaction_and_in_what_is_sent_everything_is_read_where_it_is_written(
    behind: str, admin: User
) -> None:
    assert replica.alias_for(admin.pk) == "replica"
    with transaction.atomic():
        assert replica.alias_for(admin.pk) == "default"
    request = RequestFactory().post("/")
    request.user = admin
    assert replica.alias_for_request(request) == "default"


def test_one_that_is_down_is_done_without_and_left_alone_for_a_while(
    behind: str, browse: Browse, admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    connections["replica"].close()
    connections["replica"].settings_dict.update(PORT=nobody)
    caplog.set_level(logging.WARNING)
    client = browse(admin)
    for _ in range(2):
        assert listed(client) == NEW
    assert exported(admin) == NEW
    assert caplog.text.count("The replica does not answer") == 1


def test_one_that_is_too_far_behind_is_done_without(
    behind: str, browse: Browse, admin: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replica, "_LAG", "SELECT 3600::float")
    assert listed(browse(admin)) == NEW
    assert "The replica is 3600 seconds behind" in caplog.text


def test_one_that_is_cut_off_from_its_primary_is_done_without(
    streaming: str, admin: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It has all that it ever received, and for ever: two servers, of which the first one goes."""
    assert replica.alias_for(admin.pk) == "replica"
    postgres("stop", streaming)
    receiver = psycopg.connect(**connections["replica"].get_connection_params(), autocommit=True)
    with receiver:
        while receiver.execute("SELECT FROM pg_stat_wal_receiver").fetchone():
            pass
    assert replica.alias_for(admin.pk) == "default"
    assert "The replica gets nothing from its primary" in caplog.text


def test_an_export_that_it_has_ended_is_made_again_from_the_primary(
    behind: str, admin: User, browse: Browse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def ended(wanted: Any, reading: Any) -> Iterator[Any]:
        yield from () if reading.settings_dict["NAME"] == behind else blocks_of(wanted, reading)
        if reading.settings_dict["NAME"] == behind:
            raise OperationalError("canceling statement due to conflict with recovery")

    blocks_of = formats.blocks_of
    monkeypatch.setattr(formats, "blocks_of", ended)
    monkeypatch.setattr(lease, "DELAYS", (0,))
    assert exported(admin) == NEW
    assert "The replica did not last" in caplog.text
    cache.clear()
    with pytest.raises(OperationalError):
        sent(browse(admin))
    assert sent(browse(admin)) == NEW


def test_the_table_of_the_cache_is_read_where_it_is_written(behind: str) -> None:
    entry = BaseDatabaseCache("backoffice_cache", {}).cache_model_class
    with replica.reading():
        assert replica.Router().db_for_read(User) == "replica"
        assert replica.Router().db_for_read(entry) == "default"


def test_a_list_with_counts_asks_it_once_how_far_behind_it_is(
    behind: str, browse: Browse, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(replica, "_answers", lambda: not asked.append("again"))
    assert listed(browse(admin), "&_facets=True") == OLD
    assert asked == ["again"]
