"""The figures that Prometheus collects: requests as each web process counted them, and jobs as the database has them.

The processes of one web server put their counts into files in METRICS_DIR, which are added up for whoever asks, so that
the sums are right whichever process answers. Jobs are counted where they are stored: nothing is lost when a worker is
killed, and each machine gives the same figures.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.db import Error, connection
from django.db.models import Count, Min, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_prometheus.middleware import PrometheusAfterMiddleware
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from users_profiles.models import Export, Import, Worker
from users_profiles.models.leases import LeasedJob
from users_profiles.operations import health

logger = logging.getLogger(__name__)

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
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(Jobs())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


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
    """What waits in the database's queue, what failed lately, and who is there to do it."""
    tasks = GaugeMetricFamily("backoffice_tasks", "Background tasks in the database's queue.", labels=["status"])
    statuses = (TaskResultStatus.READY, TaskResultStatus.RUNNING, TaskResultStatus.FAILED)
    counted = dict(DBTaskResult.objects.order_by().values_list("status").annotate(count=Count("pk")))
    for status in statuses:
        tasks.add_metric([str(status.value).lower()], counted.get(status, 0))
    workers = GaugeMetricFamily("backoffice_workers", "Background workers heard of lately.")
    workers.add_metric([], Worker.objects.alive().count())
    yield from (tasks, workers)


def _people() -> Iterator[Metric]:
    lost = GaugeMetricFamily("backoffice_people_without_profile", "People without a profile, as counted last.")
    found, _ = health.people_without_profile()
    if found is not None:
        lost.add_metric([], found)
    yield lost
