"""docs/developers.md: its map is what is there, and every field of the profile has been through all of its steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from tests.levels import APP, LEVELS
from users_profiles.forms import ProfileForm
from users_profiles.models.profile import BLANKS, PROFILE_FIELDS
from users_profiles.transfer import columns
from users_profiles.transfer.export.cells import cell
from users_profiles.views import WISHES

PAGE = (settings.BASE_DIR / "docs" / "developers.md").read_text(encoding="utf-8")
MAP, ARROWS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]


def mapped(indent: str) -> set[str]:
    """The names in the map at this depth, each with its slash where it is a folder."""
    rows = [row.removeprefix(indent) for row in MAP.splitlines() if row.startswith(indent)]
    return {name for row in rows if not row.startswith(" ") for name in re.split(r" {2,}", row)[0].split()}


def rooms(folder: Path) -> set[str]:
    return {f"{path.name}{'/' * path.is_dir()}" for path in folder.iterdir() if not path.name.startswith(("_", "."))}


def test_the_map_has_all_rooms_of_the_app_and_no_others() -> None:
    assert mapped("  ") == rooms(APP)


def test_the_map_has_all_folders_of_the_project_and_no_others() -> None:
    folders = {name for name in rooms(settings.BASE_DIR) if name.endswith("/")}
    assert mapped("") == folders - {"var/"} | {".ci/"}  # var/ holds the data of whoever tries it out


def test_the_arrows_are_those_that_hold() -> None:
    assert [set(line.split(", ")) for line in ARROWS.splitlines()] == [set(level) for level in LEVELS]


@pytest.mark.parametrize("name", PROFILE_FIELDS)
def test_a_field_of_the_profile_has_been_through_every_step(name: str) -> None:
    page = get_template("profile/index.html").template.source  # type: ignore[attr-defined]
    assert name in WISHES, "step 4: a sentence in WISHES"
    assert name in ProfileForm.field_order, "step 4: a place in ProfileForm.field_order"
    assert name == "avatar" or f"profile.{name}" in page, "step 4: a line in profile/index.html"
    if name in BLANKS:
        assert name in columns.NAMES, "step 2: a column"
        assert name in columns.SYNONYMS, "step 2: its names in other people's files"
        assert cell(name, "csv"), "step 2: an expression"


# What the steps name, and in which of their files that is.
NAMED = {
    "models/profile.py": ("PROFILE_FIELDS", "PRIVATE_FIELDS"),
    "transfer/columns.py": ("PersonResource", "SYNONYMS", "LineField"),
    "search/texts.py": ("FIELDS_OF_PROFILE",),
    "forms.py": ("ProfileForm", "field_order"),
    "views.py": ("WISHES",),
    "roles.py": ("required", "own_fields"),
    "selection.py": ("ORDERS",),
    "criteria.py": ("Parameter",),
}


def test_the_steps_name_what_there_is_where_it_is() -> None:
    steps = PAGE[PAGE.index("## Add a field") :]
    for path in set(re.findall(r"`((?:users_profiles|tests|docs)/[\w/]+\.\w+)`", steps)):
        assert (settings.BASE_DIR / path).is_file(), path
    for path, names in NAMED.items():
        assert f"`users_profiles/{path}`" in steps, path
        code = (APP / path).read_text(encoding="utf-8")
        for name in names:
            assert name in steps, name
            assert re.search(rf"^\s*(?:class )?{name}\b", code, re.MULTILINE), f"{name} is not in {path}"
