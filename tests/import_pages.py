"""Goes through the pages of an import as a browser does, as far as a test needs it."""

from __future__ import annotations

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from users_profiles.models import Import

UPLOAD = reverse("admin:users_profiles_user_import")
HISTORY = reverse("admin:users_profiles_import_changelist")
DEFAULTS = {"mode": "upsert", "match": "username", "region": "US", "date_order": ""}


def upload(client: Client, content: bytes, name: str = "staff.csv") -> HttpResponse:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def choose(client: Client, job: Import, **changes: Any) -> HttpResponse:
    """Confirm the columns as they were recognised, but for the changes."""
    mapping = {f"column_{at}": name for at, name in enumerate(job.options["mapping"])}
    address = reverse("admin:users_profiles_import_columns", args=[job.pk])
    return client.post(address, {**DEFAULTS, **mapping, **changes}, follow=True)


def page(name: str, job: Import) -> str:
    return reverse(f"admin:users_profiles_import_{name}", args=[job.pk])


def checked(client: Client, content: str, **choices: Any) -> Import:
    """Upload a file and let it be checked."""
    upload(client, content.encode())
    job = Import.objects.order_by("pk").last()
    assert job is not None
    choose(client, job, **choices)
    job.refresh_from_db()
    assert job.state == "checked", job.failure
    return job


def applied(client: Client, content: str, **choices: Any) -> Import:
    """Upload a file, check and apply it, having read every warning."""
    job = checked(client, content, **choices)
    client.post(page("apply", job), {"understood": "yes", "typed": job.missing})
    job.refresh_from_db()
    assert job.state == "done"
    return job


def html(client: Client, name: str, job: Import, **query: Any) -> str:
    answer = client.get(page(name, job), query)
    assert answer.status_code == 200
    return answer.content.decode()


def text(content: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", content).split())
