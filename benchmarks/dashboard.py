"""The dashboard with the people who are there: ``python -m benchmarks.dashboard``. Prints one JSON object.

``cold`` is what the worker takes to count everybody, in seconds; ``warm`` what the page then takes, in milliseconds.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
django.setup()

from django.conf import settings
from django.db import connection
from django.db.models import Case, DateTimeField, F, Value, When
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from users_profiles.figures import counting, store
from users_profiles.models import User

LOOKS = 20


def main() -> None:
    settings.DEBUG = False  # it keeps every query
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.FIGURES_SYNC_PEOPLE = 0
    settings.FIGURES_SECONDS = 3_600
    spread()
    began = time.perf_counter()
    store.refresh.call()
    cold = time.perf_counter() - began
    client = Client()
    client.force_login(User.objects.create_superuser(f"bench{time.time_ns()}"))
    looks = sorted(look(client) for _ in range(LOOKS))
    figures = {"people": User.objects.count(), "cold_seconds": round(cold, 2)}
    print(json.dumps({**figures, "warm_ms": round(statistics.median(looks), 1), "warm_worst_ms": round(looks[-1], 1)}))


def spread() -> None:
    """Have people join over the months that are drawn, and not all of them today."""
    now = timezone.now()
    months = [
        When(month=ago, then=Value(now - timedelta(days=30 * ago), DateTimeField())) for ago in range(counting.MONTHS)
    ]
    User.objects.annotate(month=F("pk") % counting.MONTHS).update(date_joined=Case(*months, default=F("date_joined")))
    if connection.vendor == "postgresql":  # which would clear away after so large a change by itself, but later
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def look(client: Client) -> float:
    """How long one look at the page takes, in milliseconds."""
    began = time.perf_counter()
    answer = client.get(reverse("admin:index"))
    if answer.status_code != 200 or b'id="counting"' in answer.content:
        raise SystemExit("the dashboard has nothing to show")
    return (time.perf_counter() - began) * 1_000


if __name__ == "__main__":
    main()
