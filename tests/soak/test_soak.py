"""The soak for a short while, and whether its oracle would notice what it is there to notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from tests.importing import take_in
from tests.soak import oracle, report, run
from tests.soak.actors import Attempt, Memory, Round
from tests.soak.browser import AWAY, NONE, OK, Timed
from tests.workers import environment
from users_profiles.models import Export, Import, Profile, User
from users_profiles.transfer import importer
from users_profiles.transfer.export.sending import Sending
from users_profiles.transfer.export.wanted import Wanted

SEED = 6


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_or_doubled_while_web_processes_workers_and_connections_are_killed(tmp_path: Path) -> None:
    url = environment(Path(settings.MEDIA_ROOT))["DATABASE_URL"]
    connection.close()
    found = run.run(run.Plan(SEED, seconds=15, people=600, every=1.2, hurry=True, patience=60), url, tmp_path)
    print(found)
    assert found.wrong == [], str(found)
    assert set(found.broken) >= {"kill a web server", "kill a worker", "cut every connection"}
    assert found.happened["edits answered"] > 0
    assert found.happened["imports done"] > 0
    assert found.happened["files downloaded"] > 0
    assert found.requests["all"]["errors"] == 0


# The oracle ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def company(editor: User, ada: User) -> Memory:
    """An import, an export and an edit that went well, and the memory of having asked for them."""
    lines = [f"one{at},one{at}@example.com,Rome {at}" for at in range(3)]
    job = take_in("\n".join(["username,email,location", *lines]), editor)
    assert job.start_apply(unchecked=True)
    importer.run(job)
    export = Wanted(editor, columns=["username"]).entry(1)
    sent = b"".join(Sending(export))
    Export.objects.update(file=default_storage.save("exports/one", ContentFile(sent)))
    person = User.objects.get(username="one0")
    return Memory(
        added=[],
        rounds=[Round("one", 3, [job.pk], {job.pk})],
        downloads=[hashlib.sha256(sent).hexdigest()],
        edits={person.pk: []},
    )


def lose_a_profile(memory: Memory) -> None:
    Profile.objects.filter(user__username="one1")._raw_delete("default")


def double_a_person(memory: Memory) -> None:
    User.objects.create(username="one1b", email="one1b@example.com")


def write_a_row_twice(memory: Memory) -> None:
    Profile.objects.filter(user__username="one2").update(version=2)


def lose_a_row(memory: Memory) -> None:
    Import.objects.get().rows.filter(number=3).delete()


def count_a_row_twice(memory: Memory) -> None:
    Import.objects.update(created=4)


def forget_an_answered_edit(memory: Memory) -> None:
    next(iter(memory.edits.values())).append(Attempt("Oslo", answered=True))


def write_an_edit_past_the_trail(memory: Memory) -> None:
    Profile.objects.filter(user__in=list(memory.edits)).update(version=2)


def forget_somebody_who_was_added(memory: Memory) -> None:
    memory.added.append(Attempt("nobody", answered=True))


def leave_a_job_half_done(memory: Memory) -> None:
    Import.objects.update(state="applying")


def fail_without_a_reason(memory: Memory) -> None:
    Import.objects.update(state="failed")


def spoil_a_file(memory: Memory) -> None:
    name = str(Export.objects.get().file.name)
    default_storage.delete(name)
    with default_storage.open(name, "wb") as file:
        file.write(b"half of")


def send_what_is_not_in_the_ledger(memory: Memory) -> None:
    memory.downloads.append("0" * 64)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        lose_a_profile,
        double_a_person,
        write_a_row_twice,
        lose_a_row,
        count_a_row_twice,
        forget_an_answered_edit,
        write_an_edit_past_the_trail,
        forget_somebody_who_was_added,
        leave_a_job_half_done,
        fail_without_a_reason,
        spoil_a_file,
        send_what_is_not_in_the_ledger,
    ],
)
def test_the_oracle_notices(wrong: Callable[[Memory], None], company: Memory) -> None:
    assert oracle.check(company) == []
    wrong(company)
    assert oracle.check(company) != []


# The report ---------------------------------------------------------------------------------------------------------


def test_the_report_says_how_many_failed_and_how_long_the_others_took() -> None:
    requests = [Timed("edit", at / 1_000, OK) for at in range(1, 100)]
    requests += [Timed("edit", 60.0, NONE), Timed("list", 0.1, AWAY)]
    found = report.figures(requests)
    assert found["edit"] == {
        "count": 100, "no_answer": 1, "told_to_try_again": 0, "errors": 0, "failed_percent": 1.0,
        "median": 50.0, "p95": pytest.approx(94.1), "p99": pytest.approx(98, abs=0.1),
    }  # fmt: skip
    assert found["all"]["failed_percent"] == pytest.approx(1.98)
    whole: dict[str, Any] = report.Report(7, 1.0, {"kill a worker": 1}, {}, found, ["lost"]).to_json()
    assert json.loads(json.dumps(whole)) == {**whole, "seed": 7, "wrong": ["lost"], "requests": ANY}
