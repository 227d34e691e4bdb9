"""Stores made-up people, in chunks, beside whoever is there already."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.files import File
from django.db import reset_queries, transaction
from django.db.models.functions import Lower

from users_profiles import recorder, roles
from users_profiles.demo.people import MadeUp, make_up
from users_profiles.demo.portraits import portrait
from users_profiles.models import Profile, User

CHUNK = 2_000  # people per transaction: enough for speed, few enough to hold


@dataclass
class Seeded:
    """How many people were added, and how many were left alone because their username or e-mail is taken."""

    added: int = 0
    taken: int = 0


def seed_people(
    users: int, seed: int, today: date, after_chunk: Callable[[Seeded], object] = lambda seeded: None
) -> Seeded:
    """Add the first ``users`` people of the company ``seed`` to the database.

    Nobody who is there already is touched, so a second run adds nothing and a run for more people adds the rest.
    ``after_chunk`` is told how far it has come, every ``CHUNK`` people.
    """
    seeded = Seeded()
    for start in range(0, users, CHUNK):
        chunk = [make_up(number, seed, today) for number in range(start, min(start + CHUNK, users))]
        with transaction.atomic(), recorder.quietly():
            missing = _missing(chunk)
            _add(missing)
        reset_queries()  # with DEBUG on, Django keeps the text of every query: megabytes for each chunk
        seeded.added += len(missing)
        seeded.taken += len(chunk) - len(missing)
        after_chunk(seeded)
    return seeded


def _missing(chunk: list[MadeUp]) -> list[MadeUp]:
    """Those whose username and e-mail nobody has, in any spelling: the constraint's own comparison."""
    folded = User.objects.annotate(folded_username=Lower("username"), folded_email=Lower("email"))
    usernames = [made_up.username for made_up in chunk]
    emails = [made_up.email for made_up in chunk if made_up.email]
    taken = set(folded.filter(folded_username__in=usernames).values_list("folded_username", flat=True))
    taken |= set(folded.filter(folded_email__in=emails).values_list("folded_email", flat=True))
    return [made_up for made_up in chunk if made_up.username not in taken and made_up.email not in taken]


def _add(chunk: list[MadeUp]) -> None:
    people = User.objects.bulk_create([_person(made_up) for made_up in chunk], batch_size=500)
    for role in roles.RANKS:
        if role != roles.MEMBER:
            holders = [who for who, made_up in zip(people, chunk, strict=True) if made_up.role == role]
            roles.assign(holders, role)


def _person(made_up: MadeUp) -> User:
    """The rows of somebody made up. The password is no password: nobody signs in as them without a reset."""
    person = User(
        username=made_up.username,
        email=made_up.email,
        password=f"{UNUSABLE_PASSWORD_PREFIX}{made_up.username}",
        first_name=made_up.first_name,
        last_name=made_up.last_name,
        is_active=made_up.is_active,
        date_joined=made_up.joined,
        last_login=made_up.seen,
        deactivated_at=made_up.left,
    )
    person.profile = Profile(
        location=made_up.location,
        phone_number=made_up.phone_number,
        birth_date=made_up.birth_date,
        bio=made_up.bio,
        updated_at=made_up.joined,
    )
    if made_up.has_portrait:
        person.profile.avatar = File(io.BytesIO(portrait(made_up.username)), name="portrait.png")
    return person
