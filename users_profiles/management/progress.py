"""Work at a job from the command line: with a bar on a terminal, and waiting where one has to wait."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any, Self

from django.core.management.base import CommandError

from users_profiles.models import Import
from users_profiles.models.leases import LeasedJob
from users_profiles.transfer import lease, tasks

WIDTH = 30
WAIT = 0.5  # seconds between looks at an import that somebody else is at work on


def work_through(job: Import, out: Any) -> None:
    """Work on a job until it is over; while another import writes, or a worker has taken this one, wait."""
    with lease.Heart(lease.renew), Progress(out, job.total) as progress:
        tasks.run(job, progress.show)
        job.refresh_from_db()
        while job.is_under_way:
            progress.wait(job)
            time.sleep(WAIT)
            if not job.is_held:
                tasks.run(job, progress.show)
            job.refresh_from_db()


def import_through(job: Import, out: Any) -> None:
    """Work on an import until it is over. Whatever keeps it from its end is an error, and so is Ctrl-C."""
    try:
        work_through(job, out)
    except KeyboardInterrupt as interrupt:
        job.cancel()
        job.refresh_from_db()
        reason = f"Stopped. {job.cursor:,} rows are dealt with, the others are not."
        raise CommandError(reason, returncode=130) from interrupt
    if job.state == Import.State.CANCELLED:
        raise CommandError(f"Cancelled by somebody. {job.cursor:,} rows are dealt with, the others are not.")
    if job.state == Import.State.FAILED:
        raise CommandError(job.failure)


class Progress:
    """A bar on a terminal; nothing at all in a pipe or a log, where the lines would pile up."""

    def __init__(self, out: Any, total: int) -> None:
        self._out = out
        self._total = max(total, 1)
        self._shown = out.isatty()
        self._start = time.monotonic()
        self._drawn = False
        self._waiting = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        if self._drawn:
            self._out.write("")

    def show(self, job: LeasedJob) -> None:
        """Draw the bar as far as the job is."""
        self.draw(job.cursor)

    def draw(self, done: int) -> None:
        """Draw the bar with so many rows done."""
        if not self._shown:
            return
        share = min(done / self._total, 1)
        bar = ("#" * round(share * WIDTH)).ljust(WIDTH, ".")
        per_second = done / max(time.monotonic() - self._start, 0.001)
        self._out.write(f"\r[{bar}] {share:4.0%}  {done:,} rows, {per_second:,.0f} a second   ", ending="")
        self._drawn = True

    def wait(self, job: Import) -> None:
        """Say once, on a terminal or not, why nothing happens."""
        other = job.ahead()
        if other is not None and not self._waiting:
            self._waiting = True
            self._out.write(f"Waiting for import {other.pk} ({other.filename}) to finish.")


def peak_memory_mb() -> float:
    """The most memory this process has used at once, in megabytes.

    Linux says it per process; ``getrusage`` would count what a parent held before it started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [peak] = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return round(int(peak) / 1024, 1)
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
