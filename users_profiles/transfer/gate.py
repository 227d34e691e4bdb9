"""Whether the person behind an import may do what a row asks for. Asked at the preview and again when it is written."""

from __future__ import annotations

from users_profiles import roles
from users_profiles.models import User
from users_profiles.models.profile import PRIVATE_FIELDS
from users_profiles.roles import Action
from users_profiles.sentences import sentence as _
from users_profiles.transfer import columns
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.people import Candidate


class Gate:
    """Refuses rows. Without an actor it speaks for the operator of the host, who has full rights over people."""

    def __init__(self, actor: User | None) -> None:
        self._actor = actor

    def check_columns(self, mapping: list[str]) -> None:
        """Raise ``FileRefused`` when the actor may not import at all, or not these columns."""
        if self._actor is None:
            return
        if not roles.may(self._actor, Action.IMPORT):
            raise FileRefused(_("You may not import people any more."))
        hidden = [name for name in mapping if name in PRIVATE_FIELDS]
        if hidden and not roles.may(self._actor, Action.VIEW_PRIVATE):
            names = ", ".join(columns.labels()[name] for name in hidden)
            raise FileRefused(_("You may not import %(columns)s. Ignore those columns.") % {"columns": names})

    def check_roster(self) -> None:
        """Raise ``FileRefused`` when the actor may not take a file for a roster, which deactivates people."""
        if self._actor is not None and not roles.may(self._actor, Action.DEACTIVATE):
            raise FileRefused(_("You may not deactivate people who are not in the file. Leave them alone."))

    def may_deactivate(self, person: User) -> bool:
        """Whether somebody who is not in the file may be deactivated for that: never a superuser, never oneself."""
        if person.is_superuser:
            return False
        return self._actor is None or roles.may(self._actor, Action.DEACTIVATE, person)

    def check_new(self, candidate: Candidate) -> None:
        """Refuse a new person that the actor may not add, or not with that role."""
        role = candidate.values.get("role", roles.MEMBER)
        if role == roles.SUPERUSER_WORD:
            candidate.refuse("superuser_made", "role", role)
        if self._actor is None:
            return
        if not roles.may(self._actor, Action.ADD):
            candidate.refuse("may_not_add")
        elif role not in {roles.MEMBER, roles.SUPERUSER_WORD} and not roles.may_grant(self._actor, role):
            candidate.refuse("may_not_give", "role", role)

    def check_change(self, candidate: Candidate) -> None:
        """Refuse changes to people above the actor, and to roles and activity without the permission for it."""
        known, changes = candidate.known, candidate.changes
        assert known is not None  # noqa: S101
        if known.is_superuser and ("is_active" in changes or "role" in changes):
            candidate.refuse("superuser_kept")
        elif changes.get("role", ("", ""))[1] == roles.SUPERUSER_WORD:
            candidate.refuse("superuser_made", "role", roles.SUPERUSER_WORD)
            return
        if self._actor is None:
            return
        if not roles.may(self._actor, Action.EDIT, known):
            candidate.refuse("above")
            return
        if "role" in changes and not roles.may_grant(self._actor, changes["role"][1], known):
            candidate.refuse("may_not_regrade", "role", changes["role"][1])
        if "is_active" in changes and not roles.may(self._actor, Action.DEACTIVATE, known):
            candidate.refuse("may_not_activate", "is_active")
