"""What the pages of an import show of its rows: tabs with counts, ticks, and what is too much to overlook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from users_profiles import roles, trail
from users_profiles.admin import import_mending, overtaken, row_search
from users_profiles.admin.columns import EMPTY
from users_profiles.admin.row_search import PER_PAGE
from users_profiles.admin.transfer_pages import open_tab
from users_profiles.keys import read_number
from users_profiles.models import Import, ImportRow, User
from users_profiles.moments import ago
from users_profiles.trail.entries import moment_text, written_rows
from users_profiles.transfer import columns, reconcile, undo_import
from users_profiles.transfer.options import Options

State = Import.State
Outcome = ImportRow.Outcome
# More than this share of all people changed at once must not be overlooked.
MANY = 0.1
# How many of the rows that made somebody what they are a person's page names.
NAMED = 5
# What new people are where their row does not say it.
UNSAID = {
    name: columns.PersonResource().fields[name].widget.render(value)
    for name, value in (("role", roles.MEMBER), ("is_active", True))
}
TICKABLE = (*ImportRow.WRITTEN, Outcome.OVERTAKEN)


def rows_of(job: Import) -> QuerySet[ImportRow]:
    """The rows there is something to say about: once it writes, not those it never came to."""
    return job.rows.all() if job.applied_at is None else job.rows.filter(number__lte=job.applied_through)


def tabs(job: Import) -> list[dict[str, Any]]:
    """One tab for each outcome with how many rows it has, and how many of them are unticked."""
    applied = job.applied_at is not None
    unticked = {} if applied else _unticked(job)
    found = [
        (Outcome.CREATED, _("Added") if applied else _("New"), job.created),
        (Outcome.UPDATED, _("Changed"), job.updated),
        (Outcome.UNCHANGED, _("Unchanged"), job.unchanged),
        (Outcome.REFUSED, _("Refused"), job.refused),
    ]
    if Options.from_json(job.options).roster:
        found.insert(2, (Outcome.MISSING, _("Deactivated") if applied else _("Not in the file"), job.missing))
    if job.overtaken:
        found.insert(2, (Outcome.OVERTAKEN, _("Changed since your export"), job.overtaken))
    if job.left_out:
        found.append((Outcome.LEFT_OUT, _("Left out"), job.left_out))
    return [
        {"outcome": outcome.value, "label": label, "count": count, "unticked": unticked.get(outcome, 0)}
        for outcome, label, count in found
    ]


def _unticked(job: Import) -> dict[str, int]:
    rows = job.rows.filter(ticked=False).order_by().values_list("outcome")
    return dict(rows.annotate(count=Count("pk")))


def shown(request: HttpRequest, job: Import) -> dict[str, Any]:
    """The context of the tab that is open: its rows, a page at a time."""
    found = tabs(job)
    tab = open_tab(found, request.GET.get("show", ""), _urgency)
    looked = row_search.look(job, rows_of(job), tab["count"], request.GET, tab["outcome"])
    found_rows = looked.context(request.GET.get("page"))
    page = found_rows["page"]
    labels = columns.labels()
    options = Options.from_json(job.options)
    filled = options.fields
    fields = [name for name in columns.NAMES if name in filled]
    rows = [readable(row, labels, fields) for row in page]
    if tab["outcome"] == Outcome.OVERTAKEN:
        overtaken.add_last_changes(rows, list(page), request.user)
    if tab["outcome"] == Outcome.REFUSED:
        own = job.owner_id == request.user.pk
        rows = [row | found for row, found in zip(rows, import_mending.mistakes(job, page, own), strict=True)]
    return {
        "tabs": found,
        "shown": tab,
        "text": row_search.asked(request.GET),
        **found_rows,
        "rows": rows,
        "fields": [labels[name] for name in fields],
        "tickable": job.state == State.CHECKED and tab["outcome"] in TICKABLE,
        "mendable": any(field for row in rows for _problem, field in row.get("problems", [])),
    }


def _urgency(tab: dict[str, Any]) -> int:
    """What somebody should see first: what they must mend, then what others would lose, and only then what is new."""
    order = [Outcome.REFUSED, Outcome.OVERTAKEN, Outcome.MISSING, Outcome.UPDATED, Outcome.CREATED]
    return order.index(tab["outcome"]) if tab["outcome"] in order else len(order)


def readable(row: ImportRow, labels: dict[str, str], fields: list[str]) -> dict[str, Any]:
    """A row for the page, with our fields by the names people know; ``values`` has one for each of ``fields``."""
    texts = {name: (_shown(name, old), _shown(name, new)) for name, (old, new) in row.changes.items()}
    changes = [{"label": labels.get(name, name), "old": old, "new": new} for name, (old, new) in texts.items()]
    return {
        "number": row.number,
        "label": row.label,
        # Two people of one name are told apart by it.
        "username": row.user.username if row.user and row.user.username != row.label else "",
        "person": reverse("admin:users_profiles_user_change", args=[row.user_id]) if row.user_id else "",
        "changes": changes,
        "values": [
            {"label": labels[name], "text": texts.get(name, (None, UNSAID.get(name, "")))[1]} for name in fields
        ],
        "ticked": row.ticked,
        "undone": undo_import.explain(row),
        "back": [change for change, name in zip(changes, row.changes, strict=True) if name not in row.note.kept],
    }


def _shown(name: str, text: str | None) -> str | None:
    """A value as its file has it; a moment, which files write in many ways, as the reader does."""
    return moment_text(text) if name == "date_joined" and text else text


@dataclass(frozen=True)
class Weight:
    """How much an import would do, with the unticked rows left out: what its button says, and what holds it back."""

    adds: int
    changes: int
    missing: int
    deactivates: int  # the missing and those the file itself deactivates
    everybody: int
    must_type: bool  # the number of the missing

    @property
    def anything(self) -> int:
        return self.adds + self.changes + self.missing

    @property
    def changes_many(self) -> bool:
        return self.changes + self.missing > MANY * self.everybody

    @property
    def must_tick(self) -> bool:
        return self.changes_many or self.deactivates > 0

    @property
    def touched(self) -> int:
        return self.changes + self.missing

    def objection(self, request: HttpRequest) -> str:
        """Why a request to apply is not followed; empty when nothing holds it back."""
        if self.must_tick and request.POST.get("understood") != "yes":
            return _("Nothing was imported. Tick the box to say that you have read the warning.")
        typed = "".join(filter(str.isdecimal, request.POST.get("typed", "")))
        if self.must_type and typed != str(self.missing):
            return _("Nothing was imported. Type the number of people to deactivate: %(number)s.") % {
                "number": self.missing
            }
        return ""


def weigh(job: Import) -> Weight:
    """Weigh a checked import as it is ticked."""
    unticked = _unticked(job)
    options = Options.from_json(job.options)
    missing = job.missing - unticked.get(Outcome.MISSING, 0)
    return Weight(
        adds=job.created - unticked.get(Outcome.CREATED, 0),
        changes=sum(
            count - unticked.get(outcome, 0)
            for outcome, count in ((Outcome.UPDATED, job.updated), (Outcome.OVERTAKEN, job.overtaken))
        ),
        missing=missing,
        deactivates=missing + _deactivated(job, options),
        everybody=User.objects.count(),
        must_type=bool(missing) and reconcile.is_many(missing, options),
    )


def _deactivated(job: Import, options: Options) -> int:
    """How many changed rows end somebody's access; only asked where the file can.

    All rows are looked through once for each check, and after that only the unticked ones, which an index knows.
    """
    if "is_active" not in options.mapping or not job.updated + job.overtaken:
        return 0
    rows = job.rows.filter(outcome__in=(Outcome.UPDATED, Outcome.OVERTAKEN), changes__is_active__1="no")
    key = f"import-deactivates-{job.pk}-{job.finished_at:%Y%m%d%H%M%S%f}"
    return int(cache.get_or_set(key, rows.count, timeout=24 * 3600) or 0) - rows.filter(ticked=False).count()


def tick(job: Import, request: HttpRequest) -> None:
    """Take over the ticks of a page, or one for all rows that a tab shows under its search."""
    rows = job.rows.filter(job__state=State.CHECKED, outcome__in=TICKABLE)
    everything = request.POST.get("all", "")
    if everything in {"tick", "untick"}:
        found = row_search.search(job, rows, request.POST.get("show", ""), row_search.asked(request.POST))
        found.update(ticked=everything == "tick")
        return
    ticked = _numbers(request, "ticked")
    rows.filter(number__in=_numbers(request, "row") - ticked).update(ticked=False)
    rows.filter(number__in=ticked).update(ticked=True)


def _numbers(request: HttpRequest, name: str) -> set[int]:
    texts = request.POST.getlist(name)[: 2 * PER_PAGE]
    return {number for text in texts if (number := read_number(text)) is not None}


def rows_about(person: User, actor: Any) -> dict[str, Any]:
    """The rows of imports that made or changed a person, the latest first; links only for who may see the import."""
    rows = written_rows().filter(user=person)
    found = list(rows.order_by("-job__applied_at", "number")[: NAMED + 1])
    visible = set(Import.objects.visible_to(actor).filter(pk__in=[row.job_id for row in found]).values_list("pk"))
    return {
        "import_rows": [_line_about(row, (row.job_id,) in visible) for row in found[:NAMED]],
        "more_import_rows": len(found) > NAMED,
    }


def _line_about(row: ImportRow, visible: bool) -> dict[str, Any]:
    job = row.job
    address = reverse("admin:users_profiles_import_change", args=[job.pk]) if visible else ""
    words = {
        Outcome.CREATED.value: _("Added by row %(row)s of %(file)s"),
        Outcome.UPDATED.value: _("Changed by row %(row)s of %(file)s"),
        Outcome.MISSING.value: _("Deactivated, not in %(file)s"),
    }
    return {
        "text": words[row.outcome] % {"row": row.number, "file": job.filename},
        "address": f"{address}?show={row.outcome}&q={row.number}" if visible else "",
        "who": trail.owner(job),
        "ago": ago(job.applied_at),
        "undone": undo_import.explain(row) if job.state == State.UNDONE else None,
    }


def seconds(job: Import) -> float:
    """How long the import itself took, in seconds, whatever came after it."""
    return float(job.undo.get("seconds", job.seconds))


def step(job: Import) -> int:
    """The step of the line on top of the page, from 1 (file) to 5 (done); what stopped early is where it stopped.

    What is taken back goes no such way any more: 0.
    """
    if job.state in {State.UNDOING, State.UNDONE}:
        return 0
    if job.state == State.DONE:
        return 5
    if job.applied_at is not None:
        return 4
    return 3 if job.started_at is not None and job.state != State.UPLOADED else 2


def in_time(amount: float) -> str:
    """A duration as people say it."""
    if amount < 60:
        return _("%s s") % number_format(amount, decimal_pos=1)
    minutes, rest = divmod(round(amount), 60)
    return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": rest}


def number(amount: int) -> str:
    """A count with its thousands apart, for a column of figures; nothing is worth no ink."""
    return format_html('<span class="num">{}</span>', intcomma(amount)) if amount else EMPTY
