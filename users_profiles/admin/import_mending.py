"""Refused rows, mended where they are shown and checked again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from users_profiles.models import Import, ImportRow
from users_profiles.transfer import mending, tasks
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import problems_of

CHANGE = "admin:users_profiles_import_change"
# What an input for a cell is called: after its row and its field.
_CELL = re.compile(r"cell-([0-9]{1,9})-([a-z_]{1,30})")


def mistakes(job: Import, rows: Iterable[ImportRow], own: bool) -> list[dict[str, Any]]:
    """What is wrong with each row: every problem with the field to write anew, and the import it was mended in."""
    options = Options.from_json(job.options)
    offered = own and mending.is_offered(job)
    mended = mending.mended_rows(job)
    found = []
    for row in rows:
        problems = problems_of(row.errors, options)
        to_mend = mending.fields_of(row, options) if offered and row.number not in mended else [""] * len(problems)
        found.append({"problems": list(zip(problems, to_mend, strict=True)), "mended": mended.get(row.number)})
    return found


class MendingMixin:
    """Mending refused rows, for the owner of an import."""

    @method_decorator(require_POST)
    def mend_view(self, request: HttpRequest, key: Any) -> HttpResponse:
        """Check the rows again in which a cell was changed, as an import of their own, and go on to that."""
        job = self._job(request, key)  # type: ignore[attr-defined]
        try:
            mended = mending.follow_up(job, _edits(request), request.user)  # type: ignore[arg-type]
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            mended = None
        else:
            if mended is None:
                messages.warning(request, _("Nothing was checked again: change a cell first."))
        if mended is None:
            place = {name: request.POST[name] for name in ("show", "q", "page") if request.POST.get(name)}
            return redirect(f"{reverse(CHANGE, args=[job.pk])}?{urlencode(place)}")
        if mended.start_check():
            tasks.start(mended)
        return redirect(CHANGE, mended.pk)


def _edits(request: HttpRequest) -> mending.Edits:
    """What was written into which cell."""
    found: mending.Edits = {}
    for name, text in request.POST.items():
        cell = _CELL.fullmatch(name)
        if cell:
            found.setdefault(int(cell[1]), {})[cell[2]] = str(text)
    return found
