"""People who are not in the file: found after its last row, reviewed like rows, deactivated when staff say so.

The file is then a roster, and whoever it leaves out has left. That is a strong thing to conclude from a file, so who is
in it in any way (in a refused row, by username or by e-mail) is not missing; superusers, oneself and people above
oneself never are; and a file without a single good row is no roster at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy

from users_profiles import roles
from users_profiles.among import among
from users_profiles.models import Import, ImportRow, Role, User
from users_profiles.roles import Action
from users_profiles.sentences import sentence as _
from users_profiles.transfer import lease
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.gate import Gate
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import Outcome, Problem
from users_profiles.transfer.seen import Seen

CHUNK = 1_000
# What deactivation looks like as a change record, so that it is shown and undone like any other change.
DEACTIVATION = {"is_active": ["yes", "no"]}
# A person without a role, in the choice of roles: the empty text is "no choice".
NO_ROLE = "-"


ROSTER_FIELDS = ("roster", "roster_location", "roster_role")


class Among(StrEnum):
    """Whom the file should name all of."""

    NOBODY = ""
    EVERYBODY = "everybody"
    LOCATION = "location"
    ROLE = "role"


class RosterFields(forms.Form):
    """The choice of step 2: leave alone who is not in the file, or take the file for a roster."""

    roster = forms.ChoiceField(
        label=gettext_lazy("What to do with them"),
        required=False,
        choices=[
            (Among.NOBODY.value, gettext_lazy("Leave them alone")),
            (Among.EVERYBODY.value, gettext_lazy("Deactivate them")),
            (Among.LOCATION.value, gettext_lazy("Deactivate those at one location")),
            (Among.ROLE.value, gettext_lazy("Deactivate those with one role")),
        ],
        help_text=gettext_lazy("You see who they are, and can leave any of them alone, before anything is changed."),
    )
    roster_location = forms.CharField(label=gettext_lazy("Only at this location"), required=False, max_length=150)
    roster_role = forms.ChoiceField(
        label=gettext_lazy("Only with this role"),
        required=False,
        choices=[("", gettext_lazy("Choose a role")), (NO_ROLE, gettext_lazy("Member")), *Role.choices],
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        among_whom = cleaned.get("roster")
        if among_whom == Among.LOCATION:
            location = cleaned.get("roster_location", "")
            if not location:
                self.add_error("roster_location", _("Say which location the file is about."))
            elif not User.objects.filter(is_active=True, profile__location__iexact=location).exists():
                self.add_error("roster_location", _("Nobody active is at this location."))
        if among_whom == Among.ROLE and not cleaned.get("roster_role"):
            self.add_error("roster_role", _("Choose the role the file is about."))
        return cleaned

    def offer_roster(self, actor: Any) -> None:
        """Take the choice away from who may deactivate nobody."""
        if not roles.may(actor, Action.DEACTIVATE):
            for name in ROSTER_FIELDS:
                del self.fields[name]

    def save_roster(self, options: Options) -> None:
        """Keep the choice with the other options."""
        for name in ROSTER_FIELDS:
            setattr(options, name, self.cleaned_data.get(name, ""))


def people_among(options: Options) -> Any:
    """The active people whom a roster should name all of; superusers are not up to any file."""
    found = User.objects.filter(is_active=True, is_superuser=False)
    if options.roster == Among.LOCATION:
        return found.filter(profile__location__iexact=options.roster_location)
    if options.roster == Among.ROLE:
        return found.in_role(roles.MEMBER if options.roster_role == NO_ROLE else options.roster_role)
    return found


def is_many(missing: int, options: Options) -> bool:
    """Whether so many would be deactivated that the number must be typed."""
    return missing > settings.IMPORT_RECONCILE_SHARE * people_among(options).count()


class Roster:
    """The second phase of a check or an apply: goes on where the rows of the file end."""

    def __init__(self, job: Import, holder: str, gate: Gate, seen: Seen) -> None:
        self.job = job
        self.holder = holder
        self.gate = gate
        self.seen = seen
        self.options = Options.from_json(job.options)

    def go(self) -> bool:
        """Find who is missing, or deactivate them; False when the job is no longer ours.

        Raises ``FileRefused`` when the file has no good row or the actor may deactivate nobody.
        """
        job = self.job
        if not job.created + job.updated + job.unchanged + job.overtaken + job.left_out:
            raise FileRefused(
                _("No row of this file could be used, so it does not say who has left. Nobody is deactivated.")
            )
        self.gate.check_roster()
        return self._deactivate() if self.job.state == Import.State.APPLYING else self._find()

    # The check finds who is missing

    def _find(self) -> bool:
        so_far = self.job.rows.aggregate(number=Max("number"))["number"]
        last = self.job.rows.filter(outcome=Outcome.MISSING).aggregate(key=Max("user_id"))["key"] or 0
        everybody = people_among(self.options).with_role().order_by("pk")
        while found := list(everybody.filter(pk__gt=last).only(*_NEEDED)[:CHUNK]):
            last = found[-1].pk
            missing = [person for person in found if self._is_missing(person)]
            rows = [self._row(person, so_far + at) for at, person in enumerate(missing, 1)]
            so_far += len(rows)
            if not self._store(rows) or lease.is_stopping():
                return False
        return True

    def _is_missing(self, person: User) -> bool:
        if self.seen.has("username", person.username.lower()):
            return False
        if person.email and self.seen.has("email", person.email.lower()):
            return False
        return self.gate.may_deactivate(person)

    def _row(self, person: User, number: int) -> ImportRow:
        return ImportRow(
            job=self.job,
            number=number,
            outcome=Outcome.MISSING,
            user_id=person.pk,
            label=str(person)[:320],
            changes=DEACTIVATION,
        )

    def _store(self, rows: Sequence[ImportRow]) -> bool:
        with transaction.atomic():
            ImportRow.objects.bulk_create(rows)
            if self.job.advance(self.holder, self.job.cursor + len(rows), missing=self.job.missing + len(rows)):
                return True
            transaction.set_rollback(True)
        return False

    # The apply deactivates them

    def _deactivate(self) -> bool:
        rows = self.job.rows.filter(outcome=Outcome.MISSING).order_by("number")
        while chunk := list(rows.filter(number__gt=self.job.applied_through)[:CHUNK]):
            if not self._deal_with(chunk) or lease.is_stopping():
                return False
        return True

    def _deal_with(self, rows: Sequence[ImportRow]) -> bool:
        with transaction.atomic():
            keys = among([row.user_id for row in rows if row.ticked and row.user_id], "bigint")
            people: Any = User.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
            found = {person.pk: person for person in people.with_role().only(*_NEEDED)}
            for row in rows:
                self._judge(row, found)
            leaving = [row.user_id for row in rows if row.outcome == Outcome.MISSING]
            User.objects.filter(pk__in=among(leaving, "bigint")).update(is_active=False)
            ImportRow.objects.bulk_update(
                [row for row in rows if row.outcome != Outcome.MISSING],
                ["outcome", "changes", "errors"],
                batch_size=200,
            )
            if self._advance(rows):
                return True
            transaction.set_rollback(True)
        return False

    def _judge(self, row: ImportRow, found: dict[int, User]) -> None:
        """What is to become of somebody missing, now that it is meant: much may have happened since the check."""
        person = found.get(row.user_id or 0)
        if not row.ticked:
            row.outcome = Outcome.LEFT_OUT
        elif person is None:
            self._refuse(row, "deleted")
        elif not person.is_active:
            row.outcome, row.changes = Outcome.UNCHANGED, {}
        elif not self.gate.may_deactivate(person):
            self._refuse(row, "may_not_activate")

    def _refuse(self, row: ImportRow, code: str) -> None:
        row.outcome, row.changes = Outcome.REFUSED, {}
        row.errors = [Problem("", "", code).to_json()]

    def _advance(self, rows: Sequence[ImportRow]) -> bool:
        found = Counter(row.outcome for row in rows)
        return self.job.advance(
            self.holder,
            self.job.cursor + len(rows),
            missing=self.job.missing + found[Outcome.MISSING],
            unchanged=self.job.unchanged + found[Outcome.UNCHANGED],
            refused=self.job.refused + found[Outcome.REFUSED],
            left_out=self.job.left_out + found[Outcome.LEFT_OUT],
            applied_through=rows[-1].number,
        )


_NEEDED = ("pk", "username", "email", "first_name", "last_name", "is_active", "is_superuser")
