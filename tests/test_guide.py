"""How importing works, as the tool explains it, and the sample files, which import as they are."""

from __future__ import annotations

import csv

import pytest
from django.urls import reverse

from tests.importing import apply
from tests.people import Browse
from users_profiles.models import User
from users_profiles.transfer import columns, guide

pytestmark = pytest.mark.django_db

HELP = reverse("admin:users_profiles_user_import_help")
UPLOAD = reverse("admin:users_profiles_user_import")


def sample(ending: str) -> str:
    return reverse("admin:users_profiles_user_import_sample", args=[ending])


@pytest.mark.parametrize("ending", guide.FORMATS)
@pytest.mark.parametrize("who", ["superuser", "editor"])
def test_a_sample_imports_as_it_is_for_whoever_it_was_made_for(
    browse: Browse, who: str, ending: str, request: pytest.FixtureRequest
) -> None:
    actor = request.getfixturevalue(who)
    answer = browse(actor).get(sample(ending))
    assert answer["Content-Disposition"] == f'attachment; filename="sample.{ending}"'
    job = apply(answer.content, actor, name=f"sample.{ending}")
    assert (job.created, job.refused) == (2, 0)
    assert [name for name in columns.NAMES if name in job.options["mapping"]] == guide.importable(actor)
    kim = User.objects.get(username="kim.example")
    assert kim.profile.phone_number == "+442079460000"
    assert kim.is_active == (who == "editor")  # who may not deactivate has no such column


def test_a_sample_has_nothing_but_what_one_would_type(browse: Browse, editor: User) -> None:
    text = browse(editor).get(sample("csv")).content.decode("utf-8-sig")
    assert "+49 30 123456" in text
    assert "'" not in text
    starts = {cell[:1] for row in csv.reader(text.splitlines()) for cell in row if not cell.startswith("+4")}
    assert not starts & set("=+-@\t\r")  # no spreadsheet runs any of it


def test_every_column_is_explained_and_has_a_cell_for_each_of_the_same_people() -> None:
    assert set(columns.FIELDS) == set(columns.NAMES)
    assert {len(field.samples) for field in columns.FIELDS.values()} == {2}
    assert all(str(field.takes).endswith(".") for field in columns.FIELDS.values())


def test_the_help_tells_what_one_may_import_and_what_not(browse: Browse, admin: User, editor: User) -> None:
    html = browse(admin).get(HELP).content.decode()
    assert all(f"{label}<span" in html for label in ("Username", "Role", "Birth date"))
    assert "not for your role" not in html
    html = " ".join(browse(editor).get(HELP).content.decode().split())
    assert "These columns are not for your role: Active, Role." in html
    assert "complete list" not in html


def test_the_first_step_of_an_import_leads_to_the_help_and_the_samples(browse: Browse, editor: User) -> None:
    html = browse(editor).get(UPLOAD).content.decode()
    assert all(f'href="{address}"' in html for address in (HELP, sample("csv"), sample("xlsx")))


def test_help_and_samples_are_for_who_may_import(browse: Browse, reader: User, editor: User) -> None:
    assert {browse(reader).get(address).status_code for address in (HELP, sample("csv"))} == {403}
    assert browse(editor).get(sample("exe")).status_code == 404
