"""What must be true afterwards. Every check yields a sentence for each thing that is not.

What was answered has happened, exactly once. What was not answered has happened or has not, but never half of it, and
never twice. What was begun is over, and where it failed it says why.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from django.core.files.storage import default_storage
from django.db.models import Count
from django_tasks_db.models import DBTaskResult

from tests.soak.actors import BAD, Attempt, Memory, Round
from users_profiles.models import Export, Import, Profile, TrailEntry, User
from users_profiles.transfer.importer import COUNTERS

Wrongs = Iterator[str]


def check(memory: Memory) -> list[str]:
    """Everything that is not as it should be."""
    wrong = [*everybody_has_a_profile(), *nothing_is_left_over(), *files_are_what_the_ledger_says(memory)]
    wrong += [*edits(memory), *added(memory)]
    for this in memory.rounds:
        wrong += imported(this)
    return wrong


def everybody_has_a_profile() -> Wrongs:
    without = User.objects.filter(profile=None).count()
    if without:
        yield f"{without} people have no profile"
    if (people := User.objects.count()) != (profiles := Profile.objects.count()):
        yield f"there are {people} people and {profiles} profiles"


def nothing_is_left_over() -> Wrongs:
    """Every job is over, and says why where it failed; nothing waits in the queue."""
    for job in Import.objects.under_way():
        yield f"import {job.pk} is still {job.state}: {job.lease_holder!r} until {job.lease_until}"
    for export in Export.objects.filter(state__in=[Export.State.MAKING, Export.State.SENDING]):
        yield f"export {export.pk} is still {export.state}"
    for kind in (Import, Export):
        for key in kind._default_manager.filter(state="failed", failure="").values_list("pk", flat=True):
            yield f"{kind.__name__} {key} failed and does not say why"
    for status, path in DBTaskResult.objects.exclude(finished_at__isnull=False).values_list("status", "task_path"):
        yield f"the queue has {path} {status.lower()}"


# Edits and additions ------------------------------------------------------------------------------------------------


def edits(memory: Memory) -> Wrongs:
    """Each answered edit is in the trail once, others once or not at all; the profile counts them, and has the last."""
    profiles = Profile.objects.in_bulk(list(memory.edits))
    told: dict[int | None, list[str]] = {}
    entries = TrailEntry.objects.filter(object_id__in=list(memory.edits), action=TrailEntry.Action.UPDATE)
    for key, changes in entries.order_by("pk").values_list("object_id", "changes"):
        if "location" in changes:
            told.setdefault(key, []).append(changes["location"][1])
    for key, attempts in memory.edits.items():
        written, profile = told.get(key, []), profiles[key]
        yield from _each_once(attempts, Counter(written), f"person {key}")
        if profile.version != 1 + len(written):
            yield f"person {key} is version {profile.version} after {len(written)} edits"
        if written and profile.location != written[-1]:
            yield f"person {key} is in {profile.location!r}, the last edit was {written[-1]!r}"


def added(memory: Memory) -> Wrongs:
    names = [attempt.value for attempt in memory.added]
    there = Counter(User.objects.filter(username__in=names).values_list("username", flat=True))
    yield from _each_once(memory.added, there, "adding people")
    entries = TrailEntry.objects.filter(object_repr__in=names, action=TrailEntry.Action.CREATE)
    told = Counter(entries.values_list("object_repr", flat=True))
    if told != there:
        yield f"who was added is not who the trail says was added: {told - there} {there - told}"


def _each_once(attempts: list[Attempt], found: Counter[str], where: str) -> Wrongs:
    for attempt in attempts:
        count = found[attempt.value]
        if count > 1:
            yield f"{where}: {attempt.value!r} happened {count} times"
        elif attempt.answered and not count:
            yield f"{where}: {attempt.value!r} was answered and is lost"
    if strangers := found.keys() - {attempt.value for attempt in attempts}:
        yield f"{where}: nobody asked for {strangers}"


# Imports ------------------------------------------------------------------------------------------------------------


def imported(this: Round) -> Wrongs:
    """The people of one importer are exactly what the imports that are done, and not undone, have made of them."""
    jobs = {job.pk: job for job in Import.objects.filter(pk__in=this.jobs)}
    states = [jobs[key].state for key in this.jobs]
    for key in this.seen_done - this.seen_undone:
        if jobs[key].state not in {"done", "undone"}:
            yield f"import {key} was said to be done and is {jobs[key].state}"
    for key in this.seen_undone:
        if jobs[key].state != "undone":
            yield f"import {key} was said to be undone and is {jobs[key].state}"
    for job in jobs.values():
        if job.state in {"checked", "done", "undone"}:
            yield from _rows(job, this)
    if "failed" not in states and not _is_open(this, jobs):
        yield from _people(this, states)


def _is_open(this: Round, jobs: dict[int, Import]) -> bool:
    """Whether an undo was begun for a look only, or ended with a reason: its own rows tell what happened then."""
    return any(job.state == "cancelled" or (job.state == "done" and job.failure) for job in jobs.values())


def _rows(job: Import, this: Round) -> Wrongs:
    """Each row of the file has one record, and the counters count them."""
    numbers = list(job.rows.order_by("number").values_list("number", flat=True))
    if numbers != list(range(2, this.rows + 2)):
        yield f"import {job.pk} has {len(numbers)} rows of {this.rows}, or not each once"
    counted = dict(job.rows.order_by().values_list("outcome").annotate(count=Count("pk")))
    for outcome, name in COUNTERS.items():
        if counted.get(outcome.value, 0) != getattr(job, name):
            yield f"import {job.pk} counts {getattr(job, name)} {name}, of {counted.get(outcome.value, 0)}"
    if job.cursor != this.rows:
        yield f"import {job.pk} is at row {job.cursor} of {this.rows}"


def _people(this: Round, states: list[str]) -> Wrongs:
    taken = this.rows - this.rows // BAD
    people = User.objects.filter(username__startswith=this.prefix)
    versions = Counter(people.values_list("profile__location", "profile__version"))
    by_place: Counter[tuple[str, int]] = Counter()
    for (location, version), count in versions.items():
        by_place[str(location).partition(" ")[0], version] += count
    match states:
        case ["done"]:
            expected = {("Rome", 1): taken}
        case ["done", "done"]:
            expected = {("Oslo", 2): taken}
        case ["done", "undone"]:
            expected = {("Rome", 3): taken}
        case ["done", _]:  # the second never wrote anything
            expected = {("Rome", 1): taken}
        case _:  # the first was undone, or never wrote anything
            expected = {}
    if by_place != expected:
        yield f"{this.prefix} after {states}: {dict(by_place)} instead of {expected}"


# Files --------------------------------------------------------------------------------------------------------------


def files_are_what_the_ledger_says(memory: Memory) -> Wrongs:
    for export in Export.objects.filter(state=Export.State.DONE).exclude(file=""):
        with default_storage.open(str(export.file.name)) as file:
            content = file.read()
        if (hashlib.sha256(content).hexdigest(), len(content)) != (export.digest, export.size):
            yield f"the file of export {export.pk} is not what the ledger says"
    known = Counter(Export.objects.filter(state=Export.State.DONE).values_list("digest", flat=True))
    for digest in memory.downloads:
        if not known[digest]:
            yield f"somebody has a whole file {digest[:12]} that the ledger does not know as sent"
    for job in Import.objects.exclude(file=""):
        with default_storage.open(str(job.file.name)) as file:
            if hashlib.sha256(file.read()).hexdigest() != job.digest:
                yield f"the file of import {job.pk} is not what was uploaded"


def happened(memory: Memory) -> dict[str, int]:
    """How much of what was tried there is to show for."""
    return {
        "edits answered": sum(attempt.answered for tried in memory.edits.values() for attempt in tried),
        "edits without an answer": sum(not attempt.answered for tried in memory.edits.values() for attempt in tried),
        "people added": sum(attempt.answered for attempt in memory.added),
        "imports done": Import.objects.filter(state__in=["done", "undone"]).count(),
        "imports undone": Import.objects.filter(state="undone").count(),
        "imports failed": Import.objects.filter(state="failed").count(),
        "exports done": Export.objects.filter(state=Export.State.DONE).count(),
        "exports failed or broken off": Export.objects.filter(state__in=["failed", "broken"]).count(),
        "files downloaded": len(memory.downloads),
        "people": User.objects.count(),
    }
