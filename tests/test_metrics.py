"""The figures for Prometheus: right, and only for who knows the token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.production import printed
from users_profiles.management.commands.worker import say_alive
from users_profiles.models import Export, Import, User
from users_profiles.operations import metrics
from users_profiles.transfer import importer, intake

TOKEN = "k3yf0rth3c0ll3ct0r0ff1gur3s"


def sums() -> dict[str, float]:
    """Every figure about jobs by its name and labels, as Prometheus would read it."""
    found = {}
    for family in metrics.Jobs().collect():
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_without_a_token_there_are_no_figures(client: Client) -> None:
    assert django_settings.METRICS_TOKEN == ""
    for header in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert client.get("/metrics", headers=header).status_code == 404


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": TOKEN}]
)
def test_who_does_not_know_the_token_gets_nothing(client: Client, settings: Any, sent: dict[str, str]) -> None:
    settings.METRICS_TOKEN = TOKEN
    response = client.get("/metrics", headers=sent)
    assert (response.status_code, response.content) == (401, b"")


def test_a_superuser_is_no_collector(superuser: User, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    client.force_login(superuser)
    assert client.get("/metrics").status_code == 401


@pytest.mark.django_db
def test_imports_and_exports_are_counted_where_they_are_stored() -> None:
    job = intake.receive(
        ContentFile(b"username,email\nada,\nben,\ncem,nonsense\n", name="staff.csv"), "staff.csv", None
    )
    assert job.start_apply(unchecked=True)
    importer.run(job)
    waiting = intake.receive(ContentFile(b"username\ndov\n", name="staff.csv"), "staff.csv", None)
    assert waiting.start_apply(unchecked=True)
    Export.objects.create(state=Export.State.DONE, format="csv", cursor=40)
    Export.objects.create(state=Export.State.DONE, format="csv", cursor=2)
    say_alive("worker")
    found = sums()
    assert found["backoffice_imported_rows_total{created}"] == 2
    assert found["backoffice_imported_rows_total{refused}"] == 1
    assert found["backoffice_exported_rows_total{csv}"] == 42
    assert found["backoffice_jobs{import,done}"] == found["backoffice_jobs{import,applying}"] == 1
    assert found["backoffice_jobs_waiting{import}"] == 1
    assert found["backoffice_jobs_waiting_seconds{import}"] >= 0
    assert found["backoffice_jobs_waiting{export}"] == 0
    assert found["backoffice_workers"] == found["backoffice_database_up"] == 1
    assert found["backoffice_people_without_profile"] == 0


@pytest.mark.django_db
def test_the_price_does_not_grow_with_the_jobs() -> None:
    prices = []
    for _ in range(2):
        Import.objects.bulk_create([Import(size=1, state="done", applied_at=timezone.now()) for _ in range(10)])
        with CaptureQueriesContext(connection) as queries:
            sums()
        prices.append(len(queries))
    assert prices[0] == prices[1] <= 12


def test_the_counts_of_all_web_processes_are_added_up(tmp_path: Path) -> None:
    """Two processes answer requests, a third is asked; methods that somebody makes up are one series."""
    script = f"""
import os
from django.test import Client
for process in range(2):
    pid = os.fork()
    if pid == 0:
        for method in ("GET", "GET", "MADE", "UP"):
            Client().generic(method, "/", secure=True, headers={{"host": "people.example.com"}})
        os._exit(0)
    os.waitpid(pid, 0)
for time in range(2):
    shown = Client().get("/metrics", headers={{"Authorization": "Bearer {TOKEN}"}}).content.decode()
print(shown)
"""
    shown = printed(tmp_path, script, METRICS_TOKEN=TOKEN, METRICS_DIR=str(tmp_path / "counts"))
    lines = dict(line.rsplit(" ", 1) for line in shown.splitlines() if not line.startswith("#") and line)
    counted = "django_http_responses_total_by_status_view_method_total"
    assert lines[f'{counted}{{method="GET",status="302",view="home"}}'] == "4.0"
    assert "MADE" not in shown
    left = sorted(path.name for path in (tmp_path / "counts").glob("*_*.db"))
    assert left[0] == "counter_0.db", "those that are gone are one file"
    assert len(left) == 4
    assert lines["backoffice_database_up"] == "0.0"  # this one has no tables yet, which is a figure too
