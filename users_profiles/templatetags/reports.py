"""The menu of reports beside the list's Export."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib.admin.views.main import ORDER_VAR
from django.urls import reverse
from django.utils.http import urlencode

from users_profiles import selection
from users_profiles.models import Report

register = template.Library()

# Where a session keeps the report whose filter somebody is changing in the list.
FILTERED = "filtered_report"
# So many are in the menu; all of them are on the page of reports.
SHOWN = 8


@register.inclusion_tag("admin/reports/menu.html", takes_context=True)
def reports_menu(context: template.Context) -> dict[str, Any]:
    """The reports to run, and what the list shows now as a new one or on paper."""
    changelist, request = context["cl"], context["request"]
    query = selection.address(request.GET)
    saved = urlencode({"query": query, "order": _order_of(changelist)})
    return {
        "filtered": _filtered(request),
        "query": saved,
        "reports": Report.objects.visible_to(request.user).only("pk", "name")[:SHOWN],
        "save": f"{reverse('admin:users_profiles_report_add')}?{saved}",
        "directory": f"{reverse('admin:users_profiles_directory')}?{query}".rstrip("?"),
    }


def _filtered(request: Any) -> Report | None:
    """The report whose filter is being changed here, as long as it is there and theirs to use."""
    key = request.session.get(FILTERED)
    return Report.objects.visible_to(request.user).filter(pk=key).first() if key else None


def _order_of(changelist: Any) -> str:
    """The order somebody has chosen, in words that mean the same outside of the list; empty when it is the usual."""
    if not changelist.params.get(ORDER_VAR):
        return ""
    return selection.order_of([changelist.model_admin.from_person(path) for path in changelist.queryset.query.order_by])
