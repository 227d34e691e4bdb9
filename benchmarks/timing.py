"""What every contender prints at its end: how many rows, in what time, and with how much memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from django.conf import settings


def show(run: Callable[[], int]) -> None:
    """Run it, and print one JSON object."""
    settings.DEBUG = False  # with it on, Django keeps every query
    began = time.perf_counter()
    rows = run()
    seconds = time.perf_counter() - began
    from users_profiles.management.progress import peak_memory_mb  # not before: it brings all of our importer along

    figures = {"rows": rows, "seconds": round(seconds, 3), "rows_per_second": round(rows / seconds)}
    print(json.dumps({**figures, "peak_memory_mb": peak_memory_mb()}))
