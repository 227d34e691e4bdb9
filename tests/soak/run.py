"""One run: people, processes, staff and chaos together, then the reckoning."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import close_old_connections, connection
from django.db.models import Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from tests.soak import actors, oracle, report
from tests.soak.browser import Diary
from tests.soak.chaos import Chaos
from tests.soak.site import Site
from users_profiles import roles
from users_profiles.models import Export, Import, User
from users_profiles.models.exports import SENDING_TAKES


@dataclass
class Plan:
    """How long, how many people, how often something breaks (seconds), and whether the dead are buried at once."""

    seed: int
    seconds: float = 60
    people: int = 2_000
    every: float = 1.5
    hurry: bool = False
    # How long what was begun may take to end once nothing breaks any more.
    patience: float = 180


def run(plan: Plan, database_url: str, folder: Path) -> report.Report:
    """Run it on a database that has our tables; the database this process is set up for must be the same."""
    diary, memory = Diary(), actors.Memory()
    with Site(database_url, folder) as site:
        staff, staff_roles = actors.cast(site.addresses, diary, memory, plan.seed, _people(plan.people))
        _hire(staff_roles)
        chaos = Chaos(site, plan.seed, plan.every, plan.hurry)
        began = time.monotonic()
        chaos.start()
        actors.work(staff, plan.seconds, memory)
        chaos.stop()
        seconds = time.monotonic() - began
        _wait_until_all_is_over(plan.patience)
    wrong = [*diary.troubles, *oracle.check(memory)]
    if chaos.error is not None:
        wrong.append(f"chaos itself broke: {chaos.error!r}")
    wrong += [f"{name} did not stop when it was asked to" for name in site.unwilling]
    return report.Report(
        seed=plan.seed,
        seconds=round(seconds, 1),
        broken=dict(sorted(chaos.done.items())),
        happened=oracle.happened(memory),
        requests=report.figures(diary.requests),
        wrong=wrong,
        complaints=site.complaints(),
    )


def _people(count: int) -> list[int]:
    """Make up so many; return their keys."""
    made = [
        User(username=f"soak{at}", email=f"soak{at}@example.com", first_name="Ada", last_name=f"Person {at}")
        for at in range(count)
    ]
    User.objects.bulk_create(made, batch_size=1_000)
    return list(User.objects.filter(username__startswith="soak").order_by("pk").values_list("pk", flat=True))


def _hire(staff_roles: dict[str, str]) -> None:
    password = make_password(actors.PASSWORD)
    for login, role in staff_roles.items():
        person = User.objects.create(username=login, email=f"{login}@example.org", password=password)
        roles.assign([person], role)
    connection.close()


def _wait_until_all_is_over(seconds: float) -> None:
    """Let the workers finish. What is not over by then is for the oracle to complain of."""
    end = time.monotonic() + seconds
    # As if the hour had passed after which it is clear that nobody sends them any more.
    Export.objects.filter(state=Export.State.SENDING).update(started_at=timezone.now() - 2 * SENDING_TAKES)
    sending = Q(state=Export.State.SENDING)
    while time.monotonic() < end:
        close_old_connections()
        open_tasks = DBTaskResult.objects.filter(finished_at=None).exists()
        open_exports = Export.objects.filter(sending | Q(state__in=Export.UNDER_WAY)).exists()
        if not open_tasks and not open_exports and not Import.objects.under_way().exists():
            return
        time.sleep(0.3)
