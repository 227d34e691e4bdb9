"""The log: every line says which request and job it belongs to, and none says anything about people."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import IntegrityError
from django.test import Client
from django_tasks import task

from tests.people import Browse
from tests.workers import environment
from users_profiles import logs
from users_profiles.models import Import, User
from users_profiles.transfer import importer, intake, tasks


def formatter() -> logs.Line:
    own = django_settings.LOGGING["formatters"]["line"]
    return logs.Line(own["format"], style=own["style"])


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Read what was logged, as objects."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logs.Json())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield lambda: [json.loads(line) for line in handler.stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def record(message: str, error: Exception | None = None) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            raise error
        except Exception:
            exc_info = sys.exc_info()
    return logging.LogRecord("users_profiles", logging.ERROR, "", 0, message, (), exc_info)


def test_an_answer_has_the_id_that_its_lines_have(browse: Browse, editor: User, log: Any) -> None:
    response = browse(editor).get("/profile/?q=secret")
    [line] = [line for line in log() if line["logger"] == "users_profiles.logs"]
    assert line["request"] == response["X-Request-ID"]
    assert (line["method"], line["page"], line["status"]) == ("GET", "profile", 200)
    assert "secret" not in str(log())


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["6f2b1c9e-8a4d-4e0f-9b2a-1c3d5e7f9a0b", "Root=1-67891233-abcdef012345678912345678"])
def test_the_id_of_a_proxy_is_kept(client: Client, sent: str) -> None:
    assert client.get("/", headers={"X-Request-ID": sent})["X-Request-ID"] == sent


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sent", ["", "short", "a" * 65, "two words here", "ada@example.com", "<script>alert", "ä" * 20]
)
def test_an_id_that_is_none_is_not_taken_over(client: Client, sent: str) -> None:
    given = client.get("/", headers={"X-Request-ID": sent})["X-Request-ID"]
    assert given != sent
    assert len(given) == 32


def test_each_request_has_another_id_and_leaves_none_behind(client: Client, db: None) -> None:
    assert client.get("/")["X-Request-ID"] != client.get("/")["X-Request-ID"]
    assert logs.known() == {}


def test_an_error_of_ours_is_logged_with_its_traceback_and_the_id_of_the_request(
    browse: Browse, editor: User, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users_profiles.views.ProfileView.get_context_data", lambda *args, **kwargs: 1 / 0)
    client = browse(editor)
    client.raise_request_exception = False
    response = client.get("/profile/")
    [line] = [line for line in log() if "error" in line]
    assert response.status_code == 500
    assert line["request"] == response["X-Request-ID"]
    assert "ZeroDivisionError" in line["error"]


def test_what_is_said_while_a_file_is_sent_still_belongs_to_its_request(browse: Browse, editor: User, log: Any) -> None:
    response = browse(editor).post("/admin/users_profiles/user/export/", {"format": "csv", "columns": ["username"]})
    logging.getLogger("somewhere").warning("half way")
    b"".join(response.streaming_content)
    [line] = [line for line in log() if line["message"] == "half way"]
    assert line["request"] == response["X-Request-ID"]
    response.close()
    assert logs.known() == {}


@pytest.mark.django_db
def test_all_that_is_said_about_a_job_has_its_id(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = intake.receive(ContentFile(b"username\nada\n", name="staff.csv"), "staff.csv", None)
    assert job.start_apply(unchecked=True)
    monkeypatch.setattr(importer._Run, "_decide", lambda *args: 1 / 0)
    tasks.run_import.enqueue(job.pk)
    job.refresh_from_db()
    assert job.state == Import.State.FAILED
    lines = [line for line in log() if line["logger"].startswith("users_profiles.transfer")]
    assert [line["message"] for line in lines] == ["begun in state applying after row 0", "failed after row 0"]
    assert {line["job"] for line in lines} == {f"import:{job.pk}"}
    assert len({line["task"] for line in lines}) == 1
    assert "ZeroDivisionError" in lines[1]["error"]
    assert logs.known() == {}


@task()
def break_down() -> None:
    raise ValueError("it went wrong")


@pytest.mark.django_db
def test_a_task_that_breaks_down_is_in_the_log_with_its_id(log: Any) -> None:
    result = break_down.enqueue()
    [line] = [line for line in log() if "error" in line]
    assert line["task"] == result.id
    assert "it went wrong" in line["error"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_in_a_process_of_its_own_writes_objects_when_told_to(tmp_path: Path) -> None:
    job = intake.receive(ContentFile(b"username\nada\n", name="staff.csv"), "staff.csv", None)
    assert job.start_apply(unchecked=True)
    own = environment(Path(django_settings.MEDIA_ROOT)) | {"LOG_LEVEL": "INFO", "LOG_FORMAT": "json"}
    worker = [sys.executable, "manage.py", "worker", "--batch"]
    done = subprocess.run(worker, cwd=django_settings.BASE_DIR, env=own, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    ours = [line for line in lines if line.get("job") == f"import:{job.pk}" and "task" in line]
    assert [line["message"] for line in ours] == [
        "begun in state applying after row 0",
        "left in state done after row 1",
    ]
    assert "ada" not in done.stderr


@pytest.mark.parametrize("form", [formatter(), logs.Json()], ids=["line", "json"])
def test_no_line_says_what_the_database_says_about_people(form: logging.Formatter) -> None:
    said = (
        'duplicate key value violates unique constraint "user_email"\n'
        "DETAIL:  Key (lower(email))=(ada@example.com) already exists.\n"
        "LINE 1: INSERT INTO users VALUES ('Lovelace')\n"
        'CONTEXT:  COPY people, line 3, column birth_date: "1815-12-10"'
    )
    line = form.format(record("The row for ada@example.com at postgres://user:hunter2@db/people", IntegrityError(said)))
    assert "unique constraint" in line
    assert not [word for word in ("ada@", "Lovelace", "1815", "hunter2") if word in line]


def test_nothing_that_a_library_hangs_on_a_record_gets_out() -> None:
    made = record("Not Found: /people/")
    made.request = "<WSGIRequest: GET '/people/?q=ada'>"
    assert set(json.loads(logs.Json().format(made))) == {"time", "level", "logger", "message"}
    assert "ada" not in formatter().format(made)


def test_a_line_break_in_a_message_makes_no_second_object() -> None:
    assert "\n" not in logs.Json().format(record("one\ntwo", ValueError("three\nfour")))
