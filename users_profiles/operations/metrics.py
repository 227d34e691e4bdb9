"""The figures that Prometheus collects: requests as each web process counted them, and jobs as the database has them.

The processes of one web server put their counts into files in METRICS_DIR, which are added up for whoever asks, so that
the sums are right whichever process answers, and however often processes were replaced. Jobs are counted where they are
stored: nothing is lost when a worker is killed, and each machine gives the same figures.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import Error, connection
from django.db.models import Count, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_prometheus.middleware import PrometheusAfterMiddleware
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from users_profiles import queueing
from users_profiles.models import Export, Import, Worker
from users_profiles.models.leases import LeasedJob
from users_profiles.operations import health

logger = logging.getLogger(__name__)

# The process whose file has what those that are gone have counted; no real one has this number.
NOBODY = 0
KINDS: dict[str, type[LeasedJob]] = {"import": Import, "export": Export}
OUTCOMES = ("created", "updated", "unchanged", "refused", "left_out")


class CountRequests(PrometheusAfterMiddleware):
    """Counts requests by page, method and status. A method that somebody made up becomes no series of its own."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)


def page() -> HttpResponse:
    """All figures in the form that Prometheus reads."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    registry.register(Jobs())
    # Who adds up while somebody else folds would count twice, or not at all.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _fold_the_dead(folder)
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _fold_the_dead(folder: Path) -> None:
    """Add what processes that are gone have counted to one file: they are replaced all day, and each leaves two."""
    for kind in ("counter", "histogram"):
        dead = [path for path in folder.glob(f"{kind}_*.db") if not _is_running(int(path.stem.rpartition("_")[2]))]
        if not dead:
            continue
        together = MmapedDict(str(folder / f"{kind}_{NOBODY}.db"))
        for path in dead:
            for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(path)):
                together.write_value(key, together.read_value(key)[0] + value, timestamp)
            path.unlink()
        together.close()


def _is_running(pid: int) -> bool:
    """Whether there is such a process; of somebody else's we are told that it is not ours to ask about."""
    if pid == NOBODY:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class Jobs(Collector):
    """Imports, exports and the queue, in a fixed number of queries."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("backoffice_database_up", "1 when the database answered, else 0.")
        try:
            found = [*_jobs(), *_rows(), *_queue(), *_people()]
        except Error:
            logger.warning("jobs cannot be counted", exc_info=True)
            connection.close_if_unusable_or_obsolete()
            found = []
        up.add_metric([], 1 if found else 0)
        yield up
        yield from found


def _jobs() -> Iterator[Metric]:
    """How many imports and exports there are in each state, and how long the first of those waiting has waited."""
    jobs = GaugeMetricFamily("backoffice_jobs", "Imports and exports in each state.", labels=["kind", "state"])
    waiting = GaugeMetricFamily("backoffice_jobs_waiting", "Jobs begun that nobody works on.", labels=["kind"])
    since = GaugeMetricFamily("backoffice_jobs_waiting_seconds", "For how long the first of them has.", labels=["kind"])
    for kind, model in KINDS.items():
        for state, count in model.all_jobs().order_by().values_list("state").annotate(count=Count("pk")):
            jobs.add_metric([kind, state], count)
        adrift = model.all_jobs().adrift().aggregate(count=Count("pk"), first=Min("started_at"))
        waiting.add_metric([kind], adrift["count"])
        first = adrift["first"]
        since.add_metric([kind], max(0.0, (timezone.now() - first).total_seconds()) if first else 0.0)
    yield from (jobs, waiting, since)


def _rows() -> Iterator[Metric]:
    """What imports have made of their rows, and how many rows exports have; such jobs are never deleted."""
    imported = CounterMetricFamily("backoffice_imported_rows", "Rows of imports applied.", labels=["outcome"])
    sums = Import.objects.exclude(applied_at=None).aggregate(**{name: Sum(name, default=0) for name in OUTCOMES})
    for outcome, count in sums.items():
        imported.add_metric([outcome], count)
    exported = CounterMetricFamily("backoffice_exported_rows", "Rows of exports.", labels=["format"])
    done = Export.objects.filter(state=Export.State.DONE).order_by()
    for kind, count in done.values_list("format").annotate(count=Sum("cursor")):
        exported.add_metric([kind], count)
    yield from (imported, exported)


def _queue() -> Iterator[Metric]:
    """What waits in the queue, what failed lately, and who is there to do it."""
    tasks = GaugeMetricFamily("backoffice_tasks", "Background tasks in the queue.", labels=["status"])
    for status, count in queueing.count().items():
        tasks.add_metric([status], count)
    workers = GaugeMetricFamily("backoffice_workers", "Background workers heard of lately.")
    workers.add_metric([], Worker.objects.alive().count())
    yield from (tasks, workers)


def _people() -> Iterator[Metric]:
    lost = GaugeMetricFamily("backoffice_people_without_profile", "People without a profile, as counted last.")
    found, _ = health.people_without_profile()
    if found is not None:
        lost.add_metric([], found)
    yield lost
