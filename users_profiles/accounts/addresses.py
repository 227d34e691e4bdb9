"""Whose address is known, and whose must be proven first.

``User.email`` is the one address of a person. allauth keeps a table of addresses of its own; here it only remembers
that somebody who registered has not proven theirs yet, and which new address somebody wants to change to. Nobody is
ever found by it, so an address that staff replaced stops working at once.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse

from users_profiles.models import User
from users_profiles.models.user import has_email


def find_by_email(address: str) -> User | None:
    """The person with this address, without regard to case."""
    return User.objects.filter(has_email(address)).first() if address else None


def must_verify(person: User) -> bool:
    """Say whether somebody has to prove their address before they get in: who registered, until they have.

    Staff vouch for the addresses they enter or import, and some people have none. Only registration leaves a primary
    address unproven; an address that staff have replaced since does not count.
    """
    unproven = EmailAddress.objects.filter(user=person, primary=True, verified=False, email=person.email.lower())
    return bool(person.email) and unproven.exists()


def to_be_proven(person: User) -> EmailAddress | None:
    """The address that somebody was asked to prove and has not yet: of their registration, or one to change to."""
    return EmailAddress.objects.filter(user=person, verified=False).order_by("-pk").first()


def record_verified(person: User) -> None:
    """Note that this person's address is theirs, and forget every other one they or somebody else had noted."""
    address = person.email.lower()
    with transaction.atomic():
        EmailAddress.objects.filter(user=person).exclude(email=address).delete()
        if address:
            EmailAddress.objects.filter(email=address).exclude(user=person).delete()
            EmailAddress.objects.update_or_create(
                user=person, email=address, defaults={"primary": True, "verified": True}
            )


def settle_address(person: User) -> None:
    """Bring allauth's notes in line with ``User.email`` before it works with them, keeping a change under way.

    Whoever is signed in has an address that they proved or that staff vouch for.
    """
    notes = EmailAddress.objects.filter(user=person)
    current = person.email.lower()
    if current and not notes.filter(email=current, verified=True, primary=True).exists():
        record_verified(person)
    notes.exclude(email=current).filter(Q(verified=True) | Q(primary=True)).delete()


class VerificationStage(EmailVerificationStage):
    """Stops only those who must verify; allauth would stop everybody without a proven address."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        person = self.login.user
        if isinstance(person, User) and not self.login.signup and not must_verify(person):
            return None, True
        response, go_on = super().handle()
        return response, go_on
