"""What the pages of imports and exports have in common: how far one is, which tab is open, and files that are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase

from users_profiles.models.leases import LeasedJob
from users_profiles.transfer import tasks

Tab = dict[str, Any]


def progress(job: LeasedJob) -> dict[str, Any]:
    """What a progress bar shows of an import or export; ``left`` is in seconds, or None while nobody can tell."""
    pace = job.pace
    return {
        "under_way": job.is_under_way,
        "percent": job.percent,
        "cursor": job.cursor,
        "total": job.total,
        "per_second": round(pace.per_second),
        "left": None if pace.left is None else round(pace.left),
        "no_worker": tasks.needs_worker(job),
        "queues": tasks.waits_for_turn(job),
    }


def open_tab(tabs: list[Tab], wanted: str, urgency: Callable[[Tab], int] | None = None) -> Tab:
    """The tab that was asked for; else of those with something behind them the most urgent one, or the first."""
    asked = next((tab for tab in tabs if tab["outcome"] == wanted), None)
    filled = [tab for tab in tabs if tab["count"]] or tabs[:1]
    return asked or (min(filled, key=urgency) if urgency else filled[0])


def as_attachment(response: HttpResponseBase, filename: str) -> HttpResponseBase:
    """The headers of a file, mostly with personal data: not to be opened, guessed at, or kept on the way."""
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
