"""Several things at once, each in a thread with connections of its own; what goes wrong in one fails the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connections

# Seconds; nothing here takes as long, but a deadlock would for ever.
PATIENCE = 60


def all_at_once(*doings: Callable[[], object]) -> None:
    """Start all of these at the same moment, and wait for them."""
    gate = threading.Barrier(len(doings), timeout=PATIENCE)
    threads = [_Doing(doing, gate) for doing in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.end()


@contextmanager
def meanwhile(doing: Callable[[], object]) -> Iterator[None]:
    """Do this again and again while the block runs."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            doing()

    thread = _Doing(go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.end()


class _Doing(threading.Thread):
    def __init__(self, doing: Callable[[], object], gate: threading.Barrier | None = None) -> None:
        super().__init__(daemon=True)
        self._doing = doing
        self._gate = gate
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            if self._gate is not None:
                self._gate.wait()
            self._doing()
        except Exception as error:
            self._error = error
        finally:
            connections.close_all()

    def end(self) -> None:
        self.join(PATIENCE)
        assert not self.is_alive()
        if self._error is not None:
            raise self._error
