"""Saved reports for tests: the owner, and whatever else matters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from users_profiles.models import Report, User

ADD = reverse("admin:users_profiles_report_add")


def saved(owner: User | None, name: str = "Editors", to: Iterable[User] = (), **values: Any) -> Report:
    """A report; one with recipients is due every day, and was a minute ago."""
    values.setdefault("columns", ["username", "email"])
    values.setdefault("format", "csv")
    if to:
        values = {"every": "day", "next_at": timezone.now() - timedelta(minutes=1), **values}
    report = Report.objects.create(name=name, owner=owner, **values)
    report.recipients.set(to)
    return report


def page(name: str, report: Report) -> str:
    return reverse(f"admin:users_profiles_report_{name}", args=[report.pk])


def form(**values: Any) -> dict[str, Any]:
    """What the form sends."""
    usual = {"name": "Mine", "kind": "people", "sharing": "mine", "format": "csv", "columns": ["username", "email"]}
    return {**usual, "weekday": "0", "monthday": "1", "hour": "6", **values}
