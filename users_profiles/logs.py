"""What a line of the log says beside its message: which request, task and job it belongs to. And what it never says.

Lines hold keys and not names: who reads the log need not be who may read about people. What a library or the database
puts into an error is out of our hands, so what is known to hold values of people is taken out of every line.
"""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django_tasks.signals import task_finished, task_started

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# What proxies send as an id. Anything else would let a stranger write into the log what they like.
SANE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.=-]{7,63}")

_request: ContextVar[str] = ContextVar("request", default="")
_task: ContextVar[str] = ContextVar("task", default="")
_job: ContextVar[str] = ContextVar("job", default="")

ADDRESS = re.compile(r"[^\s@<>()\[\]{},:;='\"/|]+@[^\s@<>()\[\]{},:;='\"/|]+")
# What PostgreSQL adds to an error: the values of the row, the line of the file, the statement with its values.
VALUES = re.compile(r"^(\s*(?:DETAIL|CONTEXT|LINE \d+):).*$", re.MULTILINE)


def hide(text: str) -> str:
    """Take out of a text what is known to say something about people."""
    return VALUES.sub(r"\1 (left out)", ADDRESS.sub("(address)", text))


def known() -> dict[str, str]:
    """What is going on here: the ids of request, task and job, of those that there are."""
    found = {"request": _request.get(), "task": _task.get(), "job": _job.get()}
    return {name: value for name, value in found.items() if value}


@contextmanager
def about_job(job: Any) -> Iterator[None]:
    """All that is logged inside belongs to this import or export, such as ``import:57``."""
    token = _job.set(f"{job._meta.model_name}:{job.pk}")
    try:
        yield
    finally:
        _job.reset(token)


@receiver(task_started)
def _begin_task(task_result: Any, **kwargs: Any) -> None:
    _task.set(str(task_result.id))


@receiver(task_finished)
def _end_task(**kwargs: Any) -> None:
    _task.set("")


@receiver(request_finished)
def _end_request(**kwargs: Any) -> None:
    """Not in the middleware: a file is still being sent when that is done."""
    _request.set("")


def trace_requests(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the outermost: give every request an id, say it in the answer, and log one line when it is answered.

    The line names the page and not its address, which may hold names to search for and secrets of links.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        sent = request.headers.get(HEADER, "")
        identity = sent if SANE.fullmatch(sent) else uuid.uuid4().hex
        _request.set(identity)
        response = get_response(request)
        response.headers[HEADER] = identity
        match = request.resolver_match
        facts = {
            "method": request.method,
            "page": (match.view_name or "unnamed") if match else "none",
            "status": response.status_code,
            "ms": round((time.monotonic() - began) * 1000),
        }
        logger.info("%(method)s %(page)s %(status)s in %(ms)s ms", facts, extra={"facts": facts})
        return response

    return middleware


class Line(logging.Formatter):
    """One line for people to read; an error brings its traceback along."""

    def format(self, record: logging.LogRecord) -> str:
        record.known = "".join(f" {name}={value}" for name, value in known().items())
        return hide(super().format(record))


class Json(logging.Formatter):
    """One object a line for programs to read, with these members and no others.

    Libraries hang what they like on a record, such as the whole request: none of that gets out.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide(record.getMessage()),
            **known(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = hide(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = hide(record.stack_info)
        return json.dumps(line, ensure_ascii=False, default=str)
