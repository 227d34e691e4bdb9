"""What programs that watch are told: that it is alive, whether it is ready, and nothing that is not for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.buckets import BUCKET, Service
from tests.production import printed
from users_profiles.management.commands.worker import say_alive
from users_profiles.models import Profile, Snapshot, User, Worker
from users_profiles.operations import health, probes


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_given", {})


@pytest.fixture
def all_well(db: None, settings: Any) -> None:
    """Everything is there that is needed."""
    Path(settings.MEDIA_ROOT).mkdir()
    say_alive("worker")


def ask(path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    response = Client().get(path)
    return response.status_code, response.json()


def wrong(found: dict[str, Any]) -> dict[str, str]:
    return {name: part["detail"] for name, part in found["parts"].items() if not part["ok"]}


def test_being_alive_is_answered_without_a_look_at_anything() -> None:
    assert ask("/healthz") == (200, {"alive": True})  # and no database here: this test has none


def test_it_is_ready_when_every_part_is(all_well: None) -> None:
    status, found = ask()
    assert (status, found["ready"], wrong(found)) == (200, True, {})
    assert set(found["parts"]) == {"database", "migrations", "storage", "cache", "worker", "profiles"}


def test_a_storage_folder_that_is_gone(all_well: None, settings: Any) -> None:
    Path(settings.MEDIA_ROOT).rmdir()
    status, found = ask()
    assert (status, wrong(found)) == (503, {"storage": "does not answer"})
    assert not Path(settings.MEDIA_ROOT).exists()  # a mount point, perhaps: nothing is made in its place


def test_the_look_at_the_storage_leaves_nothing_behind(all_well: None, settings: Any) -> None:
    ask()
    assert list(Path(settings.MEDIA_ROOT).iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_bucket_that_is_gone_or_does_not_answer(bucket: Service) -> None:
    assert ask("/readyz?parts=storage")[0] == 200
    for breaks in (bucket.is_down, lambda: bucket.client().delete_bucket(Bucket=BUCKET)):
        breaks()
        probes._given.clear()
        status, found = ask("/readyz?parts=storage")
        assert (status, wrong(found)) == (503, {"storage": "does not answer"})
        bucket.works()
    bucket.client().create_bucket(Bucket=BUCKET)
    probes._given.clear()
    assert ask("/readyz?parts=storage")[0] == 200


def test_a_cache_that_refuses(all_well: None, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(tmp_path / "file" / "below"),
        }
    }
    assert wrong(ask()[1]) == {"cache": "does not answer"}
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    probes._given.clear()
    assert wrong(ask()[1]) == {"cache": "does not keep what it is given"}


def test_no_worker_has_said_anything_lately(all_well: None) -> None:
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    status, found = ask()
    assert (status, set(wrong(found))) == (503, {"worker"})


def test_a_balancer_asks_for_the_parts_that_a_web_process_needs(all_well: None) -> None:
    Worker.objects.all().delete()
    status, found = ask("/readyz?parts=database,migrations,storage,cache")
    assert (status, len(found["parts"])) == (200, 4)


def test_a_part_that_does_not_exist_is_a_mistake_and_not_well() -> None:
    status, found = ask("/readyz?parts=databse")
    assert status == 400
    assert "database" in found["error"]


def test_the_same_parts_in_another_order_are_not_looked_at_again(all_well: None) -> None:
    ask("/readyz?parts=cache,database")
    with CaptureQueriesContext(connection) as queries:
        assert ask("/readyz?parts=database,cache,database")[0] == 200
    assert len(queries) == 0


def test_a_migration_that_is_not_applied(all_well: None) -> None:
    [latest] = [name for app, name in health._latest_migrations() if app == "users_profiles"]
    MigrationRecorder(connection).record_unapplied("users_profiles", latest)
    status, found = ask()
    assert status == 503
    assert "users_profiles; run manage.py migrate" in wrong(found)["migrations"]


def test_somebody_without_a_profile(all_well: None, editor: User) -> None:
    Profile.objects.filter(user=editor).delete()
    assert "ensure_profiles" in wrong(ask()[1])["profiles"]
    call_command("ensure_profiles", verbosity=0)
    probes._given.clear()
    assert ask()[0] == 200


def test_with_many_people_the_worker_counts_and_the_probe_reads_one_row(
    all_well: None, editor: User, settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.FIGURES_SYNC_PEOPLE = 0
    assert ask()[1]["parts"]["profiles"] == {"ok": True, "detail": "not counted yet"}
    Profile.objects.filter(user=editor).delete()
    with django_capture_on_commit_callbacks(execute=True):
        health.count_now_and_then()
    probes._given.clear()
    with CaptureQueriesContext(connection) as queries:
        assert set(wrong(ask()[1])) == {"profiles"}
    assert not [query for query in queries if "COUNT" in query["sql"]]
    counted_at = Snapshot.objects.get(name=health.WITHOUT_PROFILE).counted_at
    health.count_now_and_then()  # not again so soon
    assert Snapshot.objects.get(name=health.WITHOUT_PROFILE).counted_at == counted_at


def test_the_price_of_an_answer_does_not_grow_with_the_people(all_well: None, settings: Any) -> None:
    settings.FIGURES_SYNC_PEOPLE = 0
    ask()
    prices = []
    for start_at in (0, 100):
        User.objects.bulk_create([User(username=f"p{start_at + at}") for at in range(100)])
        probes._given.clear()
        with CaptureQueriesContext(connection) as queries:
            ask()
        prices.append(len(queries))
    assert prices[0] == prices[1] <= 8


def test_asking_without_end_costs_the_database_nothing(
    all_well: None, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "STANDS", 600.0)  # however busy the machine is
    ask()
    with django_assert_num_queries(0):
        ask()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_neither_sent_to_https_nor_asked_for_a_host(all_well: None, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get(path, headers={"host": "10.1.2.3:8000"})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_what_is_wrong_is_logged_once_and_mailed_to_nobody(
    all_well: None, settings: Any, mailoutbox: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Operator", "operator@example.com")]
    Worker.objects.all().delete()
    assert ask()[0] == 503
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert mailoutbox == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_nothing_can_be_sent_to_a_probe(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_with_everything_down_it_says_so_and_nothing_else(tmp_path: Path) -> None:
    script = """
from django.conf import settings
from django.test import Client
for path in ("/healthz", "/readyz", "/metrics"):
    response = Client().get(path, headers={"host": "10.0.0.1", "Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    print(response.status_code, response.content.decode())
"""
    token = "k3yf0rth3c0ll3ct0r0ff1gur3s"
    shown = printed(tmp_path, script, DATABASE_URL="postgres://user:hunter2@127.0.0.1:1/people", METRICS_TOKEN=token)
    assert "backoffice_database_up 0.0" in shown
    assert "hunter2" not in shown
    (alive, _), (ready, body) = (line.split(" ", 1) for line in shown.splitlines()[:2])
    assert (alive, ready) == ("200", "503")
    down = ("database", "migrations", "storage", "cache", "worker", "profiles")
    assert wrong(json.loads(body)) == dict.fromkeys(down, "does not answer")
    assert not [word for word in ("hunter2", "Traceback", "psycopg", "Error", str(tmp_path)) if word in body]


def test_migrate_makes_all_that_a_web_process_needs_and_nothing_is_counted_unasked(tmp_path: Path) -> None:
    script = """
import sys
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
print(Client().get("/readyz").content.decode())
print("prometheus_client" in sys.modules)
"""
    found, counts = printed(tmp_path, script).splitlines()
    assert set(wrong(json.loads(found))) == {"worker"}
    assert counts == "False"
