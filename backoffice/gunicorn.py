"""How the web server runs: ``gunicorn backoffice.wsgi -c python:backoffice.gunicorn``. Words after that win over this.

Why gunicorn: every view here is synchronous, so a server for asynchronous ones would put them on threads as well; what
counts is processes that are replaced when they die, and threads for whoever downloads slowly.
"""

from __future__ import annotations

from pathlib import Path

from backoffice.settings import WEB_PROCESSES

# Not gunicorn's own WEB_CONCURRENCY, which it reads without a word about what is wrong, and not from ENV_FILE.
workers = WEB_PROCESSES
# Threads, because an export is streamed for as long as somebody's connection takes.
worker_class = "gthread"
threads = 4

# Load once, then fork: the processes share the memory, one that died is back at once, and a setting that is wrong ends
# the start with its sentence. New code therefore needs a restart, not a reload.
preload_app = True

# A process that has not said anything for so many seconds is replaced. It does so beside the requests, of which none is
# cut off for taking long.
timeout = 60
# When told to stop, for how many seconds requests under way may go on.
graceful_timeout = 30
# Longer than a proxy keeps a connection that nobody uses, or it would now and then send a request into a closed one.
keepalive = 75

# Processes are replaced after so many requests, each at another moment: whatever leaks memory, it is not for long.
max_requests = 5_000
max_requests_jitter = 500

# An address with all filters of a list in it may be long; the default ends it with an error that nobody understands.
limit_request_line = 8_190
# Signs of life are written into a file; on a slow disk a healthy process would look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
