"""The engine, from a file to people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile

from users_profiles.models import Import, Profile, User
from users_profiles.transfer import importer, intake
from users_profiles.transfer.options import Options

SAMPLE = Path(__file__).parent / "data" / "snipe-it-users.csv"


def take_in(content: bytes | str, owner: User | None = None, name: str = "staff.csv", **options: Any) -> Import:
    """Receive a file, with options that staff would have chosen."""
    data = content if isinstance(content, bytes) else content.encode()
    job = intake.receive(ContentFile(data, name=name), name, owner)
    job.options = {**job.options, **options}
    job.save()
    return job


def check(content: bytes | str, owner: User | None = None, **options: Any) -> Import:
    job = take_in(content, owner, **options)
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED, job.failure
    return job


def apply(content: bytes | str, owner: User | None = None, **options: Any) -> Import:
    job = check(content, owner, **options)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    return job


@pytest.mark.django_db
def test_the_sample_from_another_system_imports_whole() -> None:
    job = apply(SAMPLE.read_bytes())

    assert (job.created, job.updated, job.unchanged, job.refused) == (100, 0, 0, 0)
    assert User.objects.count() == Profile.objects.count() == 100
    assert User.objects.filter(email="").count() == 5
    assert User.objects.filter(is_active=True).count() == 55
    reagen = User.objects.get(username="rtenant0")
    assert reagen.profile.phone_number == "+18951372034"
    assert reagen.profile.location == "Braun, Ullrich and O'Hara"
    assert not reagen.has_usable_password()
