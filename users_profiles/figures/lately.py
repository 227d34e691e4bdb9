"""What is under way, and what happened lately: only as far as somebody may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from users_profiles import trail
from users_profiles.models import Export, Import, User

RECENT = 8
JOBS = 5
# For how long what failed is worth a look.
FAILED = timedelta(days=7)


@dataclass(frozen=True)
class Job:
    """Something that runs, or that failed; ``percent`` is how far it has come."""

    what: str
    state: str
    when: datetime
    model: type[Model]
    pk: str
    percent: int | None = None

    @property
    def has_failed(self) -> bool:
        return self.percent is None


@dataclass(frozen=True)
class Happening:
    """Something somebody did; ``model`` and ``pk`` say to what, where that still exists."""

    when: datetime
    who: str
    what: str
    model: type[Model] | None = None
    pk: str = ""


# What is under way --------------------------------------------------------------------------------------------------


def jobs(actor: User | AnonymousUser, limit: int = JOBS) -> list[Job]:
    """The imports and exports that run or failed lately, of those that ``actor`` may see, newest first."""
    found: list[Job] = []
    for model in (Import, Export):
        visible: Any = model._default_manager.all().visible_to(actor)
        failed = Q(state=model.State.FAILED, finished_at__gte=timezone.now() - FAILED)
        found += [_job(job) for job in visible.filter(Q(state__in=model.UNDER_WAY) | failed)[:limit]]
    return sorted(found, key=lambda job: job.when, reverse=True)[:limit]


def _job(job: Import | Export) -> Job:
    sentence = _("Import of %(file)s") if isinstance(job, Import) else _("Export of %(file)s")
    when = job.finished_at or job.began_at or timezone.now()
    percent = job.percent if job.is_under_way else None
    return Job(sentence % {"file": job.filename}, str(job.get_state_display()), when, type(job), str(job.pk), percent)


# What happened lately -----------------------------------------------------------------------------------------------


def recent(actor: User | AnonymousUser, limit: int = RECENT) -> list[Happening]:
    """The latest edits and imports that ``actor`` may know of, newest first."""
    happenings = _recent_edits(actor, limit) + _recent_imports(actor, limit)
    return sorted(happenings, key=lambda happening: happening.when, reverse=True)[:limit]


def _recent_edits(actor: User | AnonymousUser, limit: int) -> list[Happening]:
    return [
        Happening(
            when=entry.when,
            who=entry.who,
            what=_("%(person)s: %(change)s") % {"person": _whom(entry), "change": entry.summary},
            model=None if entry.is_deletion or entry.people > 1 else User,
            pk=str(entry.person),
        )
        for entry in trail.latest(actor, limit)
    ]


def _whom(entry: trail.Entry) -> str:
    many = ngettext("%(people)s person", "%(people)s people", entry.people)
    return entry.label if entry.people == 1 else many % {"people": number_format(entry.people, force_grouping=True)}


def _recent_imports(actor: User | AnonymousUser, limit: int) -> list[Happening]:
    jobs: Any = Import.objects.visible_to(actor).select_related("owner", "undone_by")
    return [_import_happening(job) for job in jobs[:limit]]


def _import_happening(job: Import) -> Happening:
    """The latest about an import; once it is undone, who undid it and when."""
    when, who = job.finished_at or job.started_at or job.uploaded_at, trail.owner(job)
    if job.state == Import.State.UNDONE:
        when, who = trail.undone_at(job), trail.undoer(job)
    return Happening(when, who, _describe(job), Import, str(job.pk))


def _describe(job: Import) -> str:
    pictures = job.subject == Import.Subject.PICTURES
    if job.state == Import.State.UNDONE:
        undone = job.taken_back
        sentence = _undid_pictures(undone) if pictures else _undid_people(undone)
        return sentence % {"file": job.filename, "count": undone}
    if job.state != Import.State.DONE:
        return _("Import of %(file)s: %(state)s") % {"file": job.filename, "state": job.get_state_display()}
    done = job.created + job.updated + job.missing
    sentence = _imported_pictures(done) if pictures else _imported_people(done)
    return sentence % {"file": job.filename, "count": done}


def _imported_people(count: int) -> str:
    return ngettext(
        "Imported %(file)s: %(count)s person new or changed",
        "Imported %(file)s: %(count)s people new or changed",
        count,
    )


def _imported_pictures(count: int) -> str:
    return ngettext(
        "Imported %(file)s: %(count)s picture new or replaced",
        "Imported %(file)s: %(count)s pictures new or replaced",
        count,
    )


def _undid_people(count: int) -> str:
    return ngettext(
        "Undid the import of %(file)s: %(count)s person as before",
        "Undid the import of %(file)s: %(count)s people as before",
        count,
    )


def _undid_pictures(count: int) -> str:
    return ngettext(
        "Undid the import of %(file)s: %(count)s picture as before",
        "Undid the import of %(file)s: %(count)s pictures as before",
        count,
    )
