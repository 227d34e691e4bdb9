"""Errands: one task in the queue is enough, however many ask for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from tests.levels import APP
from tests.reporting import saved
from users_profiles import invitations
from users_profiles.management.commands import worker
from users_profiles.models import Errand, Invitation, User
from users_profiles.models.errands import LOST
from users_profiles.reports import mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_once")]


@pytest.fixture(autouse=True)
def _in_the_queue(settings: Any) -> None:
    """What is queued stays there."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def queued() -> list[str]:
    """The tasks in the queue, by the last part of their name."""
    return sorted(path.rpartition(".")[2] for path in DBTaskResult.objects.values_list("task_path", flat=True))


def turns() -> Iterator[int]:
    for task in DBTaskResult.objects.order_by("enqueued_at"):
        yield from task.args_kwargs["args"]


def make_lost() -> None:
    Errand.objects.update(ordered_at=timezone.now() - LOST - timedelta(seconds=1))


def test_however_many_workers_beat_each_kind_is_queued_once(admin: User, editor: User, ada: User) -> None:
    saved(admin, to=[editor])
    Invitation.ask_for([ada.pk])
    for _ in range(5):
        worker.Reporting()()
    assert queued() == ["send_invitations", "send_reports"]


def test_a_task_goes_on_in_one_other_whoever_else_asks(
    make_person: Any, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    monkeypatch.setattr(invitations, "BATCH", 1)
    invitations.invite([make_person(f"person{number}") for number in range(3)])
    DBTaskResult.objects.all().delete()
    invitations.send_invitations.call(0)
    worker.Reporting()()
    assert len(mailoutbox) == 1
    assert list(turns()) == [1]


def test_one_that_seems_lost_is_queued_again_and_done_by_the_first_of_the_two(
    make_person: Any, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    monkeypatch.setattr(invitations, "BATCH", 1)
    invitations.invite([make_person(f"person{number}") for number in range(3)])
    make_lost()
    worker.Reporting()()
    assert list(turns()) == [0, 0]
    assert invitations.send_invitations.call(0)["sent"] == 1
    assert invitations.send_invitations.call(0) == {}  # and so they do not become more and more
    assert list(turns()) == [0, 0, 1]
    assert len(mailoutbox) == 1


def test_what_comes_after_a_task_has_begun_gets_another(ada: User) -> None:
    Errand.order(mailing.send_reports)
    assert Errand.begin(mailing.send_reports, 0)
    Errand.order(mailing.send_reports)
    assert list(turns()) == [0, 1]


def test_a_report_is_taken_on_although_the_queue_is_away(
    admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Task[..., Any], *args: Any) -> None:
        raise ConnectionError

    report = saved(admin, to=[editor])
    with monkeypatch.context() as patch:
        patch.setattr(Task, "enqueue", away)
        assert mailing.send_now(report)
    make_lost()
    worker.Reporting()()
    assert queued() == ["send_reports"]


def enqueuers(path: Path) -> list[int]:
    """The lines of a module that put something in the queue by themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"enqueue", "aenqueue"}
    ]


def test_nothing_is_queued_but_after_the_commit_and_at_no_risk_to_the_page() -> None:
    found = {str(path.relative_to(APP)) for path in APP.rglob("*.py") if enqueuers(path)}
    assert found == {"queueing.py"}
