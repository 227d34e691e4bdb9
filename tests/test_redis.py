"""A real Redis: one count of tries for all processes, and background tasks by another queue, by a setting."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.importing import take_in
from tests.signing_in import sign_in
from tests.workers import environment
from users_profiles import invitations, queueing
from users_profiles.models import Export, Import, Invitation, User, Worker
from users_profiles.operations import health, metrics
from users_profiles.transfer import tasks

REDIS = shutil.which("redis-server")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of our own."""
    if REDIS is None:
        assert not os.environ.get("CI"), "CI has a redis-server"
        pytest.skip("needs redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.fixture
def queued_there(redis: str, settings: Any) -> Iterator[str]:
    """Tasks are queued on Redis, as ``TASKS_URL`` would have it."""
    settings.TASKS = {"default": {"BACKEND": "backoffice.redis_queue.RedisQueue", "QUEUES": ["default"]}}
    settings.RQ_QUEUES = {"default": {"URL": redis, "DEFAULT_TIMEOUT": -1}}
    settings.TASKS_URL = redis
    yield redis
    from django_rq import get_connection

    get_connection().flushall()


def started(redis: str, media: Any, *arguments: str) -> subprocess.Popen[str]:
    """``manage.py worker`` in a process of its own."""
    there = {
        **environment(Path(media)),
        "TASKS_URL": redis,
        "EMAIL_URL": f"filemail:///{media}/mails",
        "LOG_LEVEL": "INFO",
    }
    command = [sys.executable, "manage.py", "worker", *arguments]
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(command, cwd=root, env=there, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> None:
    try:
        said, _nothing = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said


def test_all_processes_count_the_same_tries(db: None, redis: str, settings: Any, stranger: User) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis}}
    cache.clear()
    client = Client()
    for _ in range(5):
        sign_in("stan", "wrong", client)
    other = {
        **os.environ,
        "DEBUG": "on",
        "ENV_FILE": os.devnull,
        "CACHE_URL": redis,
        "DATA_DIR": str(settings.DATA_DIR),
    }
    count = "from django.core.cache import cache; print(cache.get('tries')); cache.incr('tries')"
    cache.set("tries", 6)
    printed = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", count],
        cwd=settings.BASE_DIR,
        env=other,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.stdout.strip() == "6", printed.stderr
    assert cache.get("tries") == 7
    # What this process counted by itself is not asked: the limit holds for one that has just begun.
    assert "Too many" in sign_in("stan", "wrong", Client()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_background_work_is_done_by_a_worker_on_redis(queued_there: str, settings: Any, admin: User, ada: User) -> None:
    job = take_in("username,email\nbob,bob@example.com\n", admin)
    assert job.start_check()
    assert tasks.queue(job)
    export = Export.objects.create(owner=admin, columns=["username"], format="csv", total=2)
    export.start_making()
    assert tasks.queue(export)
    invitations.invite([ada])
    assert not mail.outbox
    assert Import.objects.get().state == "checking"  # nobody has come by
    health.count_without_profile.enqueue("too much said")
    assert queueing.count() == {"ready": 4, "running": 0, "failed": 0}
    ended(started(queued_there, settings.MEDIA_ROOT, "--batch"))
    assert (Import.objects.get().state, Import.objects.get().created) == ("checked", 1)
    export.refresh_from_db()
    assert export.state == "done"
    assert Invitation.objects.get().state == "sent"
    assert len(list((Path(settings.MEDIA_ROOT) / "mails").iterdir())) == 1
    assert queueing.count() == {"ready": 0, "running": 0, "failed": 1}
    assert not Worker.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_such_a_worker_is_seen_by_pages_and_stops_when_told_to(queued_there: str, settings: Any, admin: User) -> None:
    process = started(queued_there, settings.MEDIA_ROOT)
    for line in process.stdout:
        if "cleaning registries" in line:  # it has begun to wait for tasks
            break
    assert Worker.objects.alive().count() == 1
    process.send_signal(signal.SIGTERM)
    ended(process)
    assert not Worker.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_down_loses_nothing_and_takes_no_page_with_it(
    queued_there: str, settings: Any, browse: Callable[[User | None], Client], admin: User, ada: User
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"
    settings.RQ_QUEUES = {"default": {"URL": nobody}}
    answer = browse(admin).post(reverse("admin:users_profiles_user_send_link", args=[ada.pk]))
    assert answer.status_code == 302
    assert invitations.is_anything_due()  # which is what a worker asks
    figures = {family.name: family.samples for family in metrics.Jobs().collect()}
    assert figures["backoffice_database_up"][0].value == 1
    assert figures["backoffice_tasks"] == [], "nobody is told that nothing waits"
    settings.RQ_QUEUES = {"default": {"URL": queued_there}}
    ended(started(queued_there, settings.MEDIA_ROOT, "--batch"))
