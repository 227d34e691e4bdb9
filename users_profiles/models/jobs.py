"""An import of people from a file, and what became of each of its rows."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users_profiles.models.leases import LEASE, LeasedJob, LeasedQuerySet, fresh_start
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.sentences import keep, say, sentence


def upload_name(job: Import, filename: str) -> str:
    """A name nobody can guess and no client chose."""
    return f"imports/{secrets.token_hex(16)}"


class ImportQuerySet(LeasedQuerySet["Import"]):
    def visible_to(self, actor: Any) -> Self:
        """Keep the imports somebody may look at: their own, or all of them for who may grant roles."""
        if not actor.has_perm("users_profiles.import_user"):
            return self.none()
        found = self if actor.has_perm("users_profiles.grant_role") else self.filter(owner=actor)
        return found if actor.has_perm("users_profiles.view_private_fields") else found._without_private_columns()

    def _without_private_columns(self) -> Self:
        """Leave out those that bring private fields: their rows, and the file itself, are full of them."""
        found = self.alias(columns=Cast("options__mapping", models.TextField()))
        for name in PRIVATE_FIELDS:
            found = found.exclude(columns__contains=f'"{name}"')
        return found

    def writing(self) -> Self:
        """Keep those that change people, of which only one at a time may have a worker."""
        return self.filter(state__in=Import.WRITING)


class Import(LeasedJob):
    """One file on its way in. Where a worker was killed, its successor goes on after the last whole chunk."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked, not applied")
        APPLYING = "applying", _("Being applied")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    UNDER_WAY = frozenset({State.CHECKING, State.APPLYING, State.UNDOING})
    WRITING = frozenset({State.APPLYING, State.UNDOING})

    class Subject(models.TextChoices):
        PEOPLE = "people", _("People")
        PICTURES = "pictures", _("Pictures")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="imports",
        verbose_name=_("imported by"),
    )
    subject = models.CharField(_("what it brings"), max_length=8, choices=Subject, default=Subject.PEOPLE)
    file = models.FileField(_("file"), upload_to=upload_name)
    filename = models.CharField(_("file name"), max_length=255)
    digest = models.CharField(_("SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    # How the file is read and what is done with it: transfer.options.Options as a dict.
    options = models.JSONField(_("options"), default=dict)
    # Of the column names, so that the next file with the same ones is mapped as this one was.
    headers_digest = models.CharField(max_length=64, blank=True, db_index=True)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    # People who are not in the file and were to be deactivated for it.
    missing = models.PositiveIntegerField(_("not in the file"), default=0)
    # People whom somebody has changed since the file was exported, and whom the file would change otherwise.
    overtaken = models.PositiveIntegerField(_("changed since the export"), default=0)
    # The number of the last row that was written: rows after it only say what would have become of them.
    applied_through = models.PositiveIntegerField(default=0)

    # How many people an undo has removed, deactivated, restored and kept; ``plan`` has what it would do.
    undo = models.JSONField(_("undone"), default=dict)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("undone by")
    )

    # Whom else to invite, of those it created: by the name of a group, through which row it has been seen to and how
    # many are left.
    inviting = models.JSONField(default=dict, db_default={})
    # How many of those it created have been invited, came in, and so on, and when that was counted; kept of many.
    tally = models.JSONField(null=True)
    # Whether the worker is to count them anew.
    tally_wanted = models.BooleanField(default=False, db_default=False)

    # When people were first written. From then on its rows say what was there before, and are kept.
    applied_at = models.DateTimeField(null=True)
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-uploaded_at"]
        indexes = [models.Index(fields=["-uploaded_at"], name="import_uploaded")]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.filename

    def ahead(self) -> Import | None:
        """The import that writes at this moment, which this one has to wait for."""
        if self.state not in self.WRITING:
            return None
        return Import.objects.writing().held().exclude(pk=self.pk).first()

    @property
    def began_at(self) -> datetime | None:
        """When the present state was begun; an undo leaves ``started_at`` to the import."""
        return datetime.fromisoformat(self.undo["started"]) if self.state == self.State.UNDOING else self.started_at

    def _begin(self, sources: set[str], target: str, **values: Any) -> bool:
        fresh: dict[str, Any] = {
            "cursor": 0,
            "created": 0,
            "updated": 0,
            "unchanged": 0,
            "refused": 0,
            "left_out": 0,
            "missing": 0,
            "overtaken": 0,
        }
        fresh |= {"applied_through": 0, "failure": ""}
        return self._move(sources, target, **fresh_start(), **fresh, **values)

    def start_check(self) -> bool:
        """Begin, or begin again, to compare the file with what we know; nothing is written to people.

        Never after a part was written: the rows are then all that says what was there before.
        """
        if self.applied_at is not None:
            return False
        return self._begin({self.State.UPLOADED, self.State.CHECKED, self.State.FAILED}, self.State.CHECKING)

    def reopen(self) -> bool:
        """Go back to the columns: what was checked is not what would be written any more."""
        sources: set[str] = {self.State.UPLOADED, self.State.CHECKED, self.State.FAILED}
        return self.applied_at is None and self._move(sources, self.State.UPLOADED)

    def finish_check(self) -> bool:
        return self._move({self.State.CHECKING}, self.State.CHECKED, finished_at=timezone.now())

    def start_apply(self, unchecked: bool = False) -> bool:
        """Begin to write; only ever once, and only what was checked, unless whoever asks has read it through."""
        sources: set[str] = {self.State.UPLOADED} if unchecked else {self.State.CHECKED}
        return self._begin(sources, self.State.APPLYING, applied_at=timezone.now())

    def resume_apply(self) -> bool:
        """Go on after a failure where it stopped, with the rows already written counted once."""
        if not self.can_be_resumed:
            return False
        return self._move({self.State.FAILED}, self.State.APPLYING, failure="", **fresh_start())

    @property
    def can_be_resumed(self) -> bool:
        """Whether it failed while it wrote people, and nobody has begun to take that back."""
        return self.state == self.State.FAILED and self.applied_at is not None and not self.undo.get("begun")

    def finish_apply(self) -> bool:
        return self._move({self.State.APPLYING}, self.State.DONE, finished_at=timezone.now())

    @property
    def can_be_undone(self) -> bool:
        """Whether it wrote people, and stands still."""
        return self.applied_at is not None and self.state in {self.State.DONE, self.State.CANCELLED, self.State.FAILED}

    @property
    def taken_back(self) -> int:
        """How many people an undo has made as they were before."""
        return sum(self.undo.get(fate, 0) for fate in ImportRow.TAKEN_BACK)

    @property
    def is_planned(self) -> bool:
        """Whether it has been found out what an undo would do."""
        return bool(self.undo.get("planned"))

    def start_undo(self, actor: Any, write: bool) -> bool:
        """Begin to find out what an undo would do, or to do it; without an actor it is the operator of the host.

        When it began and what it took stay those of the import: they are its history.
        """
        if not self.can_be_undone:
            return False
        note = {**self.undo, "from": self.state, "write": write, "operator": actor is None}
        note |= {"failure": keep(self.failure), "cursor": self.cursor, "started": timezone.now().isoformat()}
        note["begun"] = write or bool(self.undo.get("begun"))
        note |= {} if write else {"plan": {}, "planned": False}
        if "seconds" not in note:
            note["seconds"] = self.seconds
        begin = {**fresh_start(), "started_at": self.started_at, "finished_at": self.finished_at, "failure": ""}
        return self._move({self.state}, self.State.UNDOING, undo=note, undone_by=actor, cursor=0, **begin)

    def finish_undo(self) -> bool:
        """Everything is undone that can be; or, when nothing was to be written, it is known what that would be."""
        if not self.undo.get("write"):
            return self._leave_undo(undo={**self.undo, "planned": True})
        note = {**self.undo, "finished": timezone.now().isoformat()}
        return self._move({self.State.UNDOING}, self.State.UNDONE, undo=note, cursor=self.total)

    def _leave_undo(self, **values: Any) -> bool:
        """Be again what it was before somebody asked for an undo, but for what that has done."""
        before = {"failure": say(self.undo.get("failure", "")), "cursor": self.undo.get("cursor", self.cursor)}
        return self._move({self.State.UNDOING}, self.undo.get("from", self.State.DONE), **{**before, **values})

    def cancel(self) -> bool:
        """Stop where it stands; rows already written stay written, and what an undo has not reached stays."""
        sources: set[str] = {self.State.CHECKING, self.State.APPLYING}
        return self._leave_undo() or self._move(sources, self.State.CANCELLED, finished_at=timezone.now())

    def sorry(self) -> str:
        return sentence("Something went wrong on our side. What is counted here is stored, the rest is not; try again.")

    def fail(self, reason: str) -> bool:
        """Give up, with a sentence for the person who started it. An undo that failed can be begun again."""
        under_way: set[str] = {self.State.UPLOADED, self.State.CHECKING, self.State.APPLYING}
        return self._leave_undo(failure=reason) or self._move(
            under_way, self.State.FAILED, failure=reason, finished_at=timezone.now()
        )

    def _has_turn(self) -> bool:
        """Whether no other import writes, when this one is to.

        Two that ask at once both see the one that began to write earlier, so they wait for each other on its row, and
        the look at who writes comes in a statement of its own, after the waiting.
        """
        if self.state not in self.WRITING:
            return True
        list(Import.objects.writing().select_for_update().order_by("pk").values_list("pk"))
        return self.ahead() is None

    def advance(self, holder: str, cursor: int, **values: Any) -> bool:
        """Called inside the transaction of the chunk it accounts for: a chunk and its cursor commit together or not."""
        return super().advance(holder, cursor, attempts=0, **values)


class UndoNote(NamedTuple):
    """What an undo has noted on a row, or plans to: the row's fate, why, and the fields it left as they are."""

    fate: str
    reason: str
    kept: list[str]

    @classmethod
    def read(cls, text: str) -> UndoNote:
        fate, reason, names = f"{text.removeprefix(ImportRow.PLAN)}::".split(":")[:3]
        return cls(fate, reason, names.split(",") if names else [])


class ImportRow(models.Model):
    """What one row of a file would do (once checked) or did (once applied)."""

    class Outcome(models.TextChoices):
        CREATED = "new", _("New")
        UPDATED = "changed", _("Changed")
        UNCHANGED = "same", _("Unchanged")
        REFUSED = "refused", _("Refused")
        LEFT_OUT = "left", _("Left out")
        MISSING = "missing", _("Not in the file")
        OVERTAKEN = "stale", _("Changed since your export")

    # What an import does to people; the other outcomes left them as they were.
    WRITTEN = (Outcome.CREATED, Outcome.UPDATED, Outcome.MISSING)

    class Fate(models.TextChoices):
        """What becomes of a person when what was done to them is undone."""

        REMOVED = "removed", _("Removed")
        DEACTIVATED = "deactivated", _("Deactivated")
        RESTORED = "restored", _("Restored")
        KEPT = "kept", _("Kept")

    # The fates of those whom an undo has done something about.
    TAKEN_BACK = (Fate.REMOVED, Fate.DEACTIVATED, Fate.RESTORED)
    # Before the fate of a row for as long as it is only a plan.
    PLAN = "plan:"

    class Invited(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Could not be sent")

    # What is nearly always the same, the database fills in: bulk writers need not name it a million times.
    # Neither key is checked by the database: for PostgreSQL that is a query, and a lock on the person, for each of a
    # million rows. Deleting by the ORM keeps both in order. The first needs no index either: the constraint below
    # begins with it.
    job = models.ForeignKey(
        Import,
        on_delete=models.CASCADE,
        related_name="rows",
        db_index=False,
        db_constraint=False,
        verbose_name=_("import"),
    )
    # As a spreadsheet numbers it: the header is row 1.
    number = models.PositiveIntegerField(_("row"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="import_rows",
        db_constraint=False,
        verbose_name=_("person"),
    )
    label = models.CharField(_("who"), max_length=320, blank=True)
    # Staff untick rows that are not to be applied.
    ticked = models.BooleanField(_("apply"), default=True, db_default=True)
    # {field: [old, new]} as text; old is null for somebody new.
    changes = models.JSONField(_("changes"), default=dict)
    # One entry for each mistake: its column (our field), value (the text), reason (a code of transfer/reasons.py) and
    # the details of that, each left out where there is none.
    errors = models.JSONField(_("errors"), default=list, db_default=[])
    # What an undo did to this row or plans to, as ``note`` reads it: fate, reason and kept fields, parted by colons.
    undone = models.CharField(_("undone"), max_length=200, blank=True, db_default="")
    # The invitation of somebody new.
    invited = models.CharField(_("invited"), max_length=6, blank=True, choices=Invited, db_default="")
    invited_at = models.DateTimeField(_("invited"), null=True)

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["job", "outcome", "number"], name="import_row_outcome"),
            # Few are unticked, invited or undone among many, and a page asks for their number each time it is shown.
            models.Index(fields=["job", "outcome"], condition=models.Q(ticked=False), name="import_row_unticked"),
            models.Index(fields=["job", "invited"], condition=~models.Q(invited=""), name="import_row_invited"),
            models.Index(fields=["job", "undone"], condition=~models.Q(undone=""), name="import_row_undone"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.number}: {self.label}"

    @property
    def note(self) -> UndoNote:
        return UndoNote.read(self.undone)


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self) -> Self:
        """Keep those that have said something lately."""
        return self.filter(seen_at__range=(Now() - LEASE, Now() + LEASE))


class Worker(models.Model):
    """A background worker and when it was last heard of, so that a page can say truthfully that there is none."""

    name = models.CharField(primary_key=True, max_length=128)
    seen_at = models.DateTimeField(default=timezone.now)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
