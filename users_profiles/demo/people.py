"""Makes one person up at a time: the same seed and number give the same person, whoever asks and however often."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from users_profiles.demo.places import PLACES, Place
from users_profiles.demo.words import ASIDES, JOBS
from users_profiles.folding import fold
from users_profiles.models import Role
from users_profiles.roles import MEMBER

COMPANY_SIZE = 200  # as many people as the demo company has: these have plain usernames, and most have a portrait
DOMAIN = "tidewater.example"  # a domain that can never exist, so that no mail reaches a stranger
_WEIGHTS = [place.weight for place in PLACES]
_ROLES = (Role.ADMIN.value, Role.EDITOR.value, Role.READER.value, MEMBER)
_ROLE_WEIGHTS = (2, 6, 10, 82)


@dataclass(frozen=True)
class MadeUp:
    """Somebody who does not exist. ``joined``, ``seen`` and ``left`` are counted back from the day asked for."""

    username: str
    email: str
    first_name: str
    last_name: str
    role: str
    is_active: bool
    joined: datetime
    seen: datetime | None
    location: str
    phone_number: str
    birth_date: date | None
    bio: str
    has_portrait: bool
    left: datetime | None


def make_up(number: int, seed: int, today: date) -> MadeUp:
    """Return person ``number`` (from 0) of the company ``seed``.

    Everything about a person but three dates is fixed by seed and number; when they joined, were last seen and left
    moves with ``today``, so that a fresh demo always has newcomers and people who were in this morning.
    """
    dice = _dice(number, seed)
    place, (first_name, first_plain), (last_name, last_plain) = _who(dice)
    username = f"{first_plain}.{last_plain}{number}"
    if number < COMPANY_SIZE:
        username = _company_usernames(seed)[number]
    is_active = dice.random() < 0.92
    joined, seen = _dates(dice, today, is_active)
    return MadeUp(
        username=username,
        email=f"{username}@{DOMAIN}" if dice.random() < 0.93 else "",
        first_name=first_name,
        last_name=last_name,
        role=dice.choices(_ROLES, _ROLE_WEIGHTS)[0] if is_active else MEMBER,
        is_active=is_active,
        joined=joined,
        seen=seen,
        location=_city(dice, place) if dice.random() < 0.94 else "",
        phone_number=_phone(dice, place) if dice.random() < 0.83 else "",
        birth_date=date(1958, 1, 1) + timedelta(days=dice.randrange(46 * 365)) if dice.random() < 0.8 else None,
        bio=f"{dice.choice(JOBS)}. {dice.choice(ASIDES)}" if dice.random() < 0.65 else "",
        has_portrait=number < COMPANY_SIZE and dice.random() < 0.6,
        left=None if is_active else _left(dice, today, seen or joined),
    )


def _name(entry: str) -> tuple[str, str]:
    """A name as it is written, and as it stands in a username."""
    name, _, plain = entry.partition("|")
    return name, re.sub(r"[^a-z-]", "", fold(plain or name))


@lru_cache(maxsize=4)
def _company_usernames(seed: int) -> list[str]:
    """The usernames in the company proper: plain ones, with a number behind a namesake's."""
    usernames: list[str] = []
    for number in range(COMPANY_SIZE):
        _, (_, first), (_, last) = _who(_dice(number, seed))
        plain = f"{first}.{last}"
        usernames.append(f"{plain}{number}" if plain in usernames else plain)
    return usernames


def _dice(number: int, seed: int) -> random.Random:
    return random.Random(f"{seed}/{number}")  # noqa: S311  (nothing secret is drawn)


def _who(dice: random.Random) -> tuple[Place, tuple[str, str], tuple[str, str]]:
    """Where somebody is from and what they are called there."""
    place = dice.choices(PLACES, _WEIGHTS)[0]
    return place, _name(dice.choice(place.given)), _name(dice.choice(place.family))


def _city(dice: random.Random, place: Place) -> str:
    """Three in four work from the office."""
    return place.cities[0] if dice.random() < 0.75 else dice.choice(place.cities)


def _phone(dice: random.Random, place: Place) -> str:
    return re.sub("#", lambda _: str(dice.randrange(10)), place.phone)


def _dates(dice: random.Random, today: date, is_active: bool) -> tuple[datetime, datetime | None]:
    """When somebody joined (the company is nine years old and grows) and was last seen, if ever."""
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    days = int(9 * 365 * dice.random() ** 1.25)
    joined = midnight - timedelta(days=days, minutes=dice.randrange(240))
    if dice.random() < 0.12:
        return joined, None
    since = min(days * 24.0, dice.expovariate(1 / 90) if is_active else 24 * dice.uniform(60, 400))
    return joined, max(joined, midnight - timedelta(seconds=int(since * 3600) + 3600))


def _left(dice: random.Random, today: date, last: datetime) -> datetime:
    """When somebody was deactivated whom nobody has seen after ``last``: rather lately than soon after."""
    midnight = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return last + (midnight - last) * dice.random() ** 0.5
