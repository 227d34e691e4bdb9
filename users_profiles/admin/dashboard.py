"""The dashboard: turns the figures of reports.py into what the page shows, with a link to the list behind each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from users_profiles import reports, roles
from users_profiles.models import User


def people_url(params: Mapping[str, str] | None = None) -> str:
    """The address of the list of people, filtered."""
    query = f"?{urlencode(params)}" if params else ""
    return reverse("admin:users_profiles_user_changelist") + query


def dashboard(actor: User | AnonymousUser) -> dict[str, Any]:
    """What the front page shows to ``actor``: nothing that they may not look up."""
    context: dict[str, Any] = {
        "figures": [],
        "by_role": [],
        "by_location": [],
        "joined": [],
        "recent": [_happening(item) for item in reports.recent(actor)],
        "shortcuts": list(_shortcuts(actor)),
    }
    if roles.may(actor, roles.Action.VIEW):
        today = timezone.localdate()
        context |= {
            "figures": [
                {"label": item.label, "value": item.value, "note": item.note, "url": people_url(item.params)}
                for item in reports.figures(today)
            ],
            "by_role": [_bar(bar) for bar in reports.by_role()],
            "by_location": [_bar(bar) for bar in reports.by_location()],
            "joined": [{**_bar(bar), "month": bar.month} for bar in reports.joined(today)],
        }
    return context


def _bar(bar: reports.Bar) -> dict[str, Any]:
    return {"label": bar.label, "count": bar.count, "share": bar.share, "url": people_url(bar.params)}


def _happening(item: reports.Happening) -> dict[str, Any]:
    url = page_of(item.model, item.pk) if item.model else ""
    return {"when": item.when, "who": item.who, "what": item.what, "url": url}


def page_of(model: type[Model], pk: str) -> str:
    """The address of an object's page, or nothing where it has none."""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""


def _shortcuts(actor: User | AnonymousUser) -> Iterable[dict[str, str]]:
    """The three things staff come for, as far as ``actor`` may do them."""
    if roles.may(actor, roles.Action.VIEW):
        edits = roles.may(actor, roles.Action.EDIT)
        yield {
            "label": _("Find or edit a person") if edits else _("Find a person"),
            "help": _("Search by name, e-mail or place"),
            "url": people_url(),
            "icon": "people",
        }
    if roles.may(actor, roles.Action.IMPORT):
        yield {
            "label": _("Import people"),
            "help": _("From a CSV or Excel file, with a preview"),
            "url": reverse("admin:users_profiles_user_import"),
            "icon": "import",
        }
    if roles.may(actor, roles.Action.EXPORT):
        yield {
            "label": _("Export people"),
            "help": _("To a CSV or Excel file"),
            "url": reverse("admin:users_profiles_user_export"),
            "icon": "export",
        }
