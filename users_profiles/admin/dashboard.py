"""The dashboard: turns the figures into what the page shows, with a link to the list behind each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from users_profiles import roles
from users_profiles.figures import lately, showing, store
from users_profiles.figures.counting import Params
from users_profiles.models import User

ROW = 28  # pixels of height for each bar of a chart whose bars lie
COLUMNS = 220  # pixels of height of a chart whose bars stand


def people_url(params: Params | None = None) -> str:
    """The address of the list of people, filtered."""
    query = f"?{urlencode(params)}" if params else ""
    return reverse("admin:users_profiles_user_changelist") + query


def dashboard(actor: User | AnonymousUser) -> dict[str, Any]:
    """What the front page shows to ``actor``: nothing that they may not look up."""
    context: dict[str, Any] = {
        "jobs": [_job(item) for item in lately.jobs(actor)],
        "recent": [_happening(item) for item in lately.recent(actor)],
        "shortcuts": list(_shortcuts(actor)),
    }
    return context | (_figures(actor) if roles.may(actor, roles.Action.VIEW) else {})


def _figures(actor: User | AnonymousUser) -> dict[str, Any]:
    known = store.known()
    shown: dict[str, Any] = {"counted_at": known.counted_at, "needs_worker": known.needs_worker}
    if known.counts is None:
        return {**shown, "is_counting": True}
    if known.counts["numbers"]["people"] <= 1:
        return {**shown, "is_empty": True}
    charts = [_chart(chart) for chart in showing.charts(known.counts, actor)]
    return {
        **shown,
        "figures": [_figure(figure) for figure in showing.figures(known.counts, actor)],
        "charts": {chart["name"]: chart for chart in charts},
        "drawn": [_drawn(chart) for chart in charts],
    }


def _figure(figure: showing.Figure) -> dict[str, Any]:
    shown = {"label": figure.label, "value": figure.value, "url": people_url(figure.params)}
    return {**shown, "aside": _aside(figure.aside)}


def _aside(aside: showing.Aside | None) -> dict[str, Any] | None:
    if aside is None:
        return None
    url = "" if aside.params is None else people_url(aside.params)
    return {"text": aside.text, "value": aside.value, "url": url}


def _chart(chart: showing.Chart) -> dict[str, Any]:
    """A chart as the page has it without script: a table of links, and a place of the right size to draw in."""
    is_tall = chart.shape is showing.Shape.COLUMNS
    return {
        "name": chart.name,
        "title": chart.title,
        "kind": chart.kind,
        "shape": chart.shape.value,
        "height": COLUMNS if is_tall else ROW * len(chart.bars),
        "aside": _aside(chart.aside),
        "sentence": chart.sentence,
        "bars": [{"label": bar.label, "count": bar.count, "url": people_url(bar.params)} for bar in chart.bars],
    }


def _drawn(chart: dict[str, Any]) -> dict[str, Any]:
    """What the script draws from."""
    return {name: chart[name] for name in ("name", "shape", "bars")}


def _job(item: lately.Job) -> dict[str, Any]:
    return {
        "what": item.what,
        "state": item.state,
        "when": item.when,
        "percent": item.percent,
        "has_failed": item.has_failed,
        "url": page_of(item.model, item.pk),
    }


def _happening(item: lately.Happening) -> dict[str, Any]:
    url = page_of(item.model, item.pk) if item.model else ""
    return {"when": item.when, "who": item.who, "what": item.what, "url": url}


def page_of(model: type[Model], pk: str) -> str:
    """The address of an object's page, or nothing where it has none."""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    except NoReverseMatch:
        return ""


def _shortcuts(actor: User | AnonymousUser) -> Iterable[dict[str, str]]:
    """What staff come for, as far as ``actor`` may do it. To find somebody, the search is in the bar above."""
    if roles.may(actor, roles.Action.EXPORT):
        yield {"label": _("Export people"), "url": reverse("admin:users_profiles_user_export"), "icon": "export"}
    if roles.may(actor, roles.Action.IMPORT):
        yield {"label": _("Import people"), "url": reverse("admin:users_profiles_user_import"), "icon": "import"}
    if roles.may(actor, roles.Action.ADD):
        yield {"label": _("Add person"), "url": reverse("admin:users_profiles_user_add"), "icon": "plus"}
