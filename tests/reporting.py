"""Saved reports for tests: the owner, and whatever else matters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from users_profiles.models import Report, User


def saved(owner: User | None, name: str = "Editors", to: Iterable[User] = (), **values: Any) -> Report:
    """A report; one with recipients is due every day, and was a minute ago."""
    values.setdefault("columns", ["username", "email"])
    values.setdefault("format", "csv")
    if to:
        values = {"every": "day", "next_at": timezone.now() - timedelta(minutes=1), **values}
    report = Report.objects.create(name=name, owner=owner, **values)
    report.recipients.set(to)
    return report
