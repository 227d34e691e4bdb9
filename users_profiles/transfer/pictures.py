"""Pictures of people from a ZIP archive, named by username or e-mail: checked, applied and taken back in chunks.

    archive -> match (who is it of?) -> draw anew and keep beside -> swap names (apply) -> swap them back (undo)

All drawing happens in the check, one picture at a time, so that what staff look through is what people will get, and to
apply is only a matter of the database. Jobs, rows, lease, cursor and history are those of any import.
"""

from __future__ import annotations

import io
import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone

from users_profiles import avatars, roles
from users_profiles.models import Import, ImportPicture, ImportRow, Profile, User
from users_profiles.roles import Action
from users_profiles.sentences import sentence as _
from users_profiles.transfer import archive, intake, lease
from users_profiles.transfer.archive import Member
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Problem, lowered, problems_of
from users_profiles.transfer.reasons import Refused

logger = logging.getLogger(__name__)

Outcome = ImportRow.Outcome
Fate = ImportRow.Fate
COUNTERS = {
    Outcome.CREATED: "created",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.REFUSED: "refused",
    Outcome.LEFT_OUT: "left_out",
}
# To draw a picture takes up to a second, to swap two names next to nothing.
DRAWN_AT_ONCE, SWAPPED_AT_ONCE = 20, 500
# Somebody may be deleted between our look and our write; then the chunk is looked at again.
ATTEMPTS = 3
# What is not part of a name. Pictures we cannot read are here too: better say so than "nobody is called that".
EXTENSIONS = frozenset(
    "jpg jpeg jpe jfif png webp gif heic heif avif bmp tif tiff svg ico psd raw eps pdf jp2 jxl".split()
)


def receive(file: File[bytes], filename: str, owner: User | None) -> Import:
    """Store an uploaded archive as a new import of pictures. Raises ``FileRefused``, and keeps nothing then.

    Without an owner it is the operator of the host who imports, with full rights over people.
    """
    intake.refuse_too_large(file)
    with archive.opened(file) as opened:
        total = len(archive.members(opened))
    job = Import(
        owner=owner,
        by_operator=owner is None,
        subject=Import.Subject.PICTURES,
        filename=intake.plain_name(filename),
        digest=intake.digest(file),
        size=file.size,
        total=total,
    )
    intake.store(job, file)
    return job


def run(job: Import, after_chunk: Callable[[Import], object] | None = None) -> None:
    """Check, apply or undo a job, from wherever it stands, until it is done, cancelled, or fails with a reason."""

    def go(holder: str) -> None:
        if job.state == Import.State.APPLYING:
            _Apply(job, holder, after_chunk).go()
        elif job.state == Import.State.UNDOING:
            _Undo(job, holder, after_chunk).go()
        else:
            with intake.opened(job) as file:
                _Check(job, holder, after_chunk).go(file)

    lease.work(job, go)


def undo_plan(job: Import) -> dict[str, int]:
    """How many pictures an undo would put back, take away, and leave because they were changed again since."""
    given = job.pictures.exclude(given="")
    untouched = given.filter(user__profile__avatar=F("given"))
    removed = untouched.filter(file="").count()
    restored = untouched.count() - removed
    return {"restored": restored, "removed": removed, "kept": given.count() - restored - removed}


def reason(row: ImportRow) -> str:
    """Why a picture is refused; empty for one that is not."""
    return "".join(map(str, problems_of(row.errors, Options())))


def can_be_undone(job: Import) -> bool:
    """Whether it gave anybody a picture, and what was there before is still kept."""
    return job.can_be_undone and job.pictures.exclude(given="").exists()


class _Run:
    """One go at a job by one process."""

    def __init__(self, job: Import, holder: str, after_chunk: Callable[[Import], object] | None) -> None:
        self.job = job
        self.holder = holder
        self.after_chunk = after_chunk
        self.actor = job.undone_by if job.state == Import.State.UNDOING else job.owner
        if job.state != Import.State.UNDOING and job.owner is None and not job.by_operator:
            raise FileRefused(_("Whoever started this import has been deleted, so nobody answers for it."))
        if self.actor is not None and not roles.may(self.actor, Action.IMPORT):
            raise FileRefused(_("You may not import people any more."))

    def _may_edit(self, person: User) -> bool:
        return self.actor is None or roles.may(self.actor, Action.EDIT, person)

    def _advance(self, cursor: int, **values: Any) -> bool:
        """Commit the chunk with the cursor; False, and nothing is committed, when the job is no longer ours."""
        if self.job.advance(self.holder, cursor, **values):
            return True
        transaction.set_rollback(True)
        return False

    def _counted(self, rows: Iterable[ImportRow]) -> dict[str, int]:
        found = Counter(row.outcome for row in rows)
        return {name: getattr(self.job, name) + found[outcome] for outcome, name in COUNTERS.items()}

    def _goes_on(self) -> bool:
        if self.after_chunk is not None:
            self.after_chunk(self.job)
        return not lease.is_stopping()


# Check --------------------------------------------------------------------------------------------------------------


class _Check(_Run):
    """Finds out who each picture is of, and draws it anew; nothing about people is written."""

    def go(self, file: IO[bytes]) -> None:
        if intake.digest(file) != self.job.digest:
            raise FileRefused(_("The stored file is not the one that was uploaded. Upload it again."))
        if self.job.cursor == 0:
            self.job.rows.all().delete()
        with archive.opened(file) as self.archive:
            members = archive.members(self.archive)
            done = self.job.rows.exclude(outcome=Outcome.REFUSED)
            self.first = dict(done.values_list("user_id", "label"))
            while chunk := members[self.job.cursor :][:DRAWN_AT_ONCE]:
                if not self._deal_with(chunk) or not self._goes_on():
                    return
        self.job.finish_check()

    def _deal_with(self, members: Sequence[Member]) -> bool:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                # What a predecessor drew and did not live to count; or we, at the attempt before.
                self.job.pictures.filter(number__gt=self.job.cursor).delete()
                first = dict(self.first)
                people = _matched(members)
                rows = [self._row(member, people.get(_key(member)), first) for member in members]
                with transaction.atomic():
                    ImportRow.objects.bulk_create(rows)
                    going_on = self._advance(members[-1].number, **self._counted(rows))
            except IntegrityError:
                if attempt == ATTEMPTS:
                    raise
                logger.warning("import %s: pictures after %s are looked at again", self.job.pk, self.job.cursor)
            else:
                self.first = first
                return going_on
        return False

    def _row(self, member: Member, person: User | None, first: dict[int, str]) -> ImportRow:
        row = ImportRow(job=self.job, number=member.number, label=member.path[-320:], user=person)
        try:
            row.outcome = self._outcome(member, self._checked(member, person, first))
        except Refused as refused:
            row.outcome = Outcome.REFUSED
            row.errors = [Problem("", member.name, refused.code, refused.details).to_json()]
        else:
            first[row.user_id] = row.label  # type: ignore[index]
        return row

    def _checked(self, member: Member, person: User | None, first: Mapping[int, str]) -> User:
        """The person, when there is one who may be given this picture. Costs next to nothing, so it comes first."""
        if person is None:
            if member.is_archive:
                archive.refuse_unusual(member, avatars.MAX_BYTES)
            raise Refused("nobody", name=_key(member))
        if not self._may_edit(person):
            raise Refused("above")
        if "avatar" not in roles.spec_of(person).profile_fields:
            raise Refused("no_pictures")
        if person.pk in first:
            raise Refused("second_picture", path=first[person.pk])
        return person

    def _outcome(self, member: Member, person: User) -> str:
        data = archive.read(self.archive, member, avatars.MAX_BYTES)
        try:
            drawn = avatars.redraw(io.BytesIO(data))
        except ValidationError as error:
            raise Refused(str(error.code)) from error
        profile = getattr(person, "profile", None)
        stored = profile.avatar if profile is not None else None
        if stored and _is_same(stored, drawn):
            return Outcome.UNCHANGED
        self._keep(member.number, person, drawn)
        return Outcome.UPDATED if stored else Outcome.CREATED

    def _keep(self, number: int, person: User, drawn: avatars.Redrawn) -> None:
        """Store a picture beside the one in use. Its name is committed first, so no file is ever unaccounted for."""
        picture = ImportPicture(job=self.job, number=number, user=person)
        name = avatars.random_name(picture, "")
        picture.file = name
        picture.save()
        try:
            picture.file.save(name, drawn, save=False)
        except avatars.NotStored as error:
            raise FileRefused(_("The pictures could not be stored. Try again later.")) from error


def _key(member: Member) -> str:
    """Who a picture is of, as the name of the file says it: without the extension, in one form of Unicode."""
    stem, dot, extension = member.name.rpartition(".")
    name = stem if dot and extension.lower() in EXTENSIONS else member.name
    return unicodedata.normalize("NFKC", name).strip()


def _matched(members: Sequence[Member]) -> dict[str, User]:
    """The people that a chunk of pictures is of, by ``_key``: one query by username, one by e-mail."""
    keys = {_key(member) for member in members}
    wanted = lowered(keys)
    people = User.objects.with_profile().with_role()
    found: dict[str, User] = {}
    for person in people.annotate(key=Lower("email")).exclude(email="").filter(key__in=wanted):
        found[person.email.lower()] = person
    for person in people.annotate(key=Lower("username")).filter(key__in=wanted):
        found[person.username.lower()] = person
    return {key: found[key.lower()] for key in keys if key.lower() in found}


def _is_same(stored: Any, drawn: avatars.Redrawn) -> bool:
    """Whether somebody has this picture already: what we draw depends on nothing but the picture."""
    with suppress(FileNotFoundError), stored.storage.open(stored.name) as file:
        same: bool = file.read() == drawn.read()
        drawn.seek(0)
        return same
    return False


# Apply and undo -----------------------------------------------------------------------------------------------------


class _Swap(_Run):
    """Exchanges the pictures of people with those kept beside; see ``ImportPicture``."""

    def _load(self, pictures: Sequence[ImportPicture]) -> None:
        """The people of a chunk, and their profiles locked: what is swapped out must be what was there."""
        keys = [picture.user_id for picture in pictures]
        self.people = User.objects.with_role().in_bulk(keys)
        # Raw SQL can leave people without a profile.
        without = User.objects.without_profile().filter(pk__in=keys)
        Profile.objects.bulk_create([Profile(user=person) for person in without], ignore_conflicts=True)
        profiles = Profile.objects.select_for_update().filter(pk__in=keys).order_by("pk")
        self.profiles = {profile.pk: profile for profile in profiles}

    def _swap(self, picture: ImportPicture) -> None:
        profile = self.profiles[picture.user_id]
        profile.avatar, picture.file = picture.file.name or "", profile.avatar.name or ""
        profile.version = F("version") + 1
        profile.updated_at = timezone.now()

    def _store(self, pictures: Sequence[ImportPicture]) -> None:
        """Write both sides by statements that send no signals: django-cleanup must not remove what was swapped out."""
        profiles = [self.profiles[picture.user_id] for picture in pictures]
        Profile.objects.bulk_update(profiles, ["avatar", "version", "updated_at"])
        ImportPicture.objects.bulk_update(pictures, ["file", "given"])


class _Apply(_Swap):
    """Gives people the pictures that the check has drawn. Whether one may is asked again."""

    def go(self) -> None:
        while rows := list(self.job.rows.filter(number__gt=self.job.cursor).order_by("number")[:SWAPPED_AT_ONCE]):
            last = rows[-1].number
            with transaction.atomic():
                self._apply([row for row in rows if row.outcome in {Outcome.CREATED, Outcome.UPDATED}])
                going_on = self._advance(last, applied_through=last, **self._counted(rows))
            if not going_on or not self._goes_on():
                return
        self.job.finish_apply()

    def _apply(self, rows: Sequence[ImportRow]) -> None:
        found = self.job.pictures.filter(number__in=[row.number for row in rows])
        pictures = {picture.number: picture for picture in found}
        self._load(list(pictures.values()))
        swapped = [picture for row in rows if (picture := self._decided(row, pictures.get(row.number))) is not None]
        self._store(swapped)
        ImportRow.objects.bulk_update(rows, ["outcome", "errors"])

    def _decided(self, row: ImportRow, picture: ImportPicture | None) -> ImportPicture | None:
        """Settle what becomes of a row; return its picture where it was swapped in."""
        if not row.ticked:
            row.outcome = Outcome.LEFT_OUT
        elif picture is None or picture.user_id not in self.profiles:
            self._refuse(row, "deleted")
        elif not self._may_edit(self.people[picture.user_id]):
            self._refuse(row, "above")
        else:
            picture.given = picture.file.name or ""
            self._swap(picture)
            row.outcome = Outcome.UPDATED if picture.file else Outcome.CREATED
            return picture
        return None

    def _refuse(self, row: ImportRow, code: str) -> None:
        row.outcome = Outcome.REFUSED
        row.errors = [Problem("", row.label[-200:], code).to_json()]


class _Undo(_Swap):
    """Gives people back what they had, unless their picture was changed again since; or only counts what it would."""

    def go(self) -> None:
        self.writing = bool(self.job.undo.get("write"))
        given = self.job.pictures.exclude(given="").order_by("number")
        if self.job.cursor == 0 and not given.exists():
            raise FileRefused(_("The pictures from before this import are not kept any more, so it stays."))
        while pictures := list(given.filter(number__gt=self.job.cursor)[:SWAPPED_AT_ONCE]):
            with transaction.atomic():
                note = self._noted(Counter(self._undo(pictures)))
                going_on = self._advance(pictures[-1].number, undo=note)
            if not going_on or not self._goes_on():
                return
        self.job.finish_undo()
        if self.writing:
            forget(self.job)

    def _noted(self, counts: Counter[str]) -> dict[str, Any]:
        """What the job notes of its undo, with these counts added where ``undo_import`` has them."""
        note: dict[str, Any] = {**self.job.undo}
        before = note if self.writing else note.get("plan", {})
        after = {fate.value: before.get(fate, 0) + counts[fate] for fate in (Fate.RESTORED, Fate.REMOVED, Fate.KEPT)}
        return {**note, **after} if self.writing else {**note, "plan": after}

    def _undo(self, pictures: Sequence[ImportPicture]) -> list[str]:
        self._load(pictures)
        fates = {picture.number: self._fate(picture) for picture in pictures}
        if self.writing:
            self._write(pictures, fates)
        return [fate.partition(":")[0] for fate in fates.values()]

    def _write(self, pictures: Sequence[ImportPicture], fates: Mapping[int, str]) -> None:
        swapped = [picture for picture in pictures if fates[picture.number] in ImportRow.TAKEN_BACK]
        for picture in swapped:
            self._swap(picture)
            picture.given = ""
        self._store(swapped)
        rows = list(self.job.rows.filter(number__in=list(fates)))
        for row in rows:
            row.undone = fates[row.number]
        ImportRow.objects.bulk_update(rows, ["undone"])

    def _fate(self, picture: ImportPicture) -> str:
        """What becomes of somebody's picture, in the words that ``undo_import`` notes on rows."""
        if self.profiles[picture.user_id].avatar.name != picture.given:
            return "kept:changed"
        if not self._may_edit(self.people[picture.user_id]):
            return "kept:forbidden"
        return (Fate.RESTORED if picture.file else Fate.REMOVED).value


def forget(job: Import) -> None:
    """Remove the pictures that an import keeps beside those in use, and their files; it cannot be undone any more."""
    while keys := list(job.pictures.values_list("pk", flat=True)[:SWAPPED_AT_ONCE]):
        ImportPicture.objects.filter(pk__in=keys).delete()
