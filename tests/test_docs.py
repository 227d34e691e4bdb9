"""The papers: what they tell people to type exists, and what can be set is documented."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from users_profiles import roles
from users_profiles.models import Role

ROOT = settings.BASE_DIR
PAPERS = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "fixtures/README.md"),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
LOOK_UPS = {
    "text",
    "flag",
    "number",
    "words",
    "choice",
    "hosts",
    "origins",
    "address",
    "optional_address",
    "pairs",
    "folder",
    "database",
    "cache",
    "email",
    "queue",
    "replica",
}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def settings_read() -> set[str]:
    """The first argument of every look-up in settings.py, such as ``env.flag("DEBUG", ...)``."""
    calls = [node for node in ast.walk(ast.parse(text_of("backoffice/settings.py"))) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOOK_UPS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_picture_is_shown_in_the_light_and_in_the_dark_and_none_lies_about() -> None:
    shown = {name for paper in PAPERS for name in re.findall(r"screenshots/([\w-]+\.png)", text_of(paper))}
    assert shown == {path.name for path in (ROOT / "docs" / "screenshots").iterdir()}
    assert {name.replace(".png", "-dark.png") for name in shown if "-dark" not in name} < shown


def test_the_example_documents_exactly_the_settings_that_are_read() -> None:
    assert len(settings_read()) > 20
    documented = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text_of(".env.example"), re.MULTILINE))
    assert documented == settings_read()


def test_every_setting_in_the_example_is_explained() -> None:
    explained = False
    for line in text_of(".env.example").splitlines():
        if re.match(r"(?:# )?[A-Z][A-Z0-9_]+=", line):
            assert explained, f"{line} has no explanation above it"
        else:
            explained = line.startswith("#")


def test_the_example_sets_nothing_but_debug() -> None:
    assert re.findall(r"^\w+=.*", text_of(".env.example"), re.MULTILINE) == ["DEBUG=on"]


@pytest.mark.parametrize("paper", PAPERS)
def test_the_make_targets_named_exist(paper: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    assert {"run", "test", "lint", "help"} <= targets
    assert set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", text_of(paper), re.MULTILINE)) <= targets


@pytest.mark.parametrize("paper", PAPERS)
def test_the_management_commands_named_exist(paper: str) -> None:
    named = re.findall(r"(?:manage\.py|^backoffice|`backoffice) ([a-z_]+)", text_of(paper), re.MULTILINE)
    assert set(named) <= set(get_commands())


@pytest.mark.parametrize("paper", PAPERS)
def test_the_settings_named_exist(paper: str) -> None:
    elsewhere = {"ADMIN_PASSWORD", "ENV_FILE", "TEST_DATABASE_URL"}
    elsewhere |= {"USERS_PROFILES_ROLES", "PROFILE_FIELDS", "PRIVATE_FIELDS", "FIELDS_OF_PROFILE"}  # in the code
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)[=`]", text_of(paper)))
    assert named - elsewhere <= settings_read()


@pytest.mark.parametrize("paper", PAPERS)
def test_the_files_linked_exist(paper: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text_of(paper))
    missing = [link for link in links if not (ROOT / Path(paper).parent / link).exists()]
    assert missing == []


def test_requirements_are_pinned_and_agree_with_the_constraints() -> None:
    constraints = dict(re.findall(r"^([\w.-]+)==([\w.]+)", text_of("constraints.txt").lower(), re.MULTILINE))
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in text_of(name).lower().splitlines():
            wanted = line.split("#")[0].strip()
            if wanted and not wanted.startswith("-"):
                match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([\w.]+)", wanted)
                assert match, f"{name}: {wanted} is not pinned"
                assert constraints[match[1]] == match[2], f"{name}: {wanted} is not what constraints.txt says"


def commands_in(paper: str) -> list[str]:
    """What a paper says to type behind ``manage.py``, in its blocks of commands and within sentences."""
    blocks = re.findall(r"(?:manage\.py|^backoffice) ([a-z_]+(?: [^\n`]*)?)", text_of(paper), re.MULTILINE)
    return [re.split(r"\s+#|\)|, | lets | gives | has | says | and `", command)[0].strip(" .") for command in blocks]


@pytest.mark.parametrize("paper", ["README.md", "docs/administrators.md", "docs/developers.md", "docs/tour.md"])
def test_every_command_is_one_that_its_program_understands(paper: str) -> None:
    for command in commands_in(paper):
        name, *arguments = shlex.split(command)
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)  # type: ignore[arg-type]
        parser.called_from_command_line = False
        parser.parse_args(arguments)  # type: ignore[arg-type]


def test_the_table_of_roles_is_the_one_that_holds() -> None:
    permissions = (None, "view_private_fields", "export_user", "import_user", "grant_role")
    for role in Role.values:
        row = re.search(rf"^\| {role} \| (.*) \|$", text_of("docs/administrators.md"), re.MULTILINE)
        assert row, role
        for cell, permission in zip(row[1].split(" | "), permissions, strict=True):
            allowed = permission is None or permission in roles.TABLE[role].permissions
            assert cell.startswith("yes" if allowed else "no"), f"{role}: {permission}"


@pytest.mark.parametrize("paper", ["docs/tour.md", "docs/administrators.md"])
def test_what_is_to_be_pressed_is_called_so_on_the_pages(paper: str) -> None:
    apps = [ROOT / app for app in ("backoffice", "users_profiles")]
    pages = "".join(path.read_text(encoding="utf-8") for app in apps for path in app.rglob("*.html"))
    code = "".join(path.read_text(encoding="utf-8") for app in apps for path in app.rglob("*.py"))
    own = {"Groups"}  # named by Django
    for name in re.findall(r"\*\*(.+?)\*\*", " ".join(text_of(paper).split())):
        assert name in own or f'"{name}' in pages + code or f">{name}" in pages, name
