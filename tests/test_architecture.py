"""Which module may import which: the arrows of the design go one way, and this walks the code to see that they do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.conf import settings

APP = settings.BASE_DIR / "users_profiles"

# Each line may import from the lines above it, and nothing beside it: admin and views, above all, know nothing of each
# other, and the transfer engine runs without either.
LEVELS = (
    {"sentences"},
    {"folding", "room", "storage"},
    {"avatars", "keys", "logs", "moments", "phones", "queueing", "replica", "speaking"},
    {"models"},
    {"search"},
    {"recorder"},
    {"signals", "roles", "superusers"},
    {"accounts", "criteria", "trail"},
    {"selection"},
    {"checks", "demo", "figures", "invitations", "templatetags"},
    {"transfer", "conflicts"},
    {"forms", "account_forms", "operations", "privacy", "reports"},
    {"admin", "views"},
    {"urls", "apps", "management"},
)
LEVEL_OF = {unit: level for level, units in enumerate(LEVELS) for unit in units}


def sources() -> list[Path]:
    """Every module of the app but its migrations, which nobody writes by hand, and its own empty ``__init__``."""
    return [
        path for path in sorted(APP.rglob("*.py")) if "migrations" not in path.parts and path != APP / "__init__.py"
    ]


def unit_of(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """What a module imports of our app, wherever in it the import stands: ``users_profiles.roles.may``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("users_profiles."))


def module_of(name: str) -> Path:
    """The file that a name comes from: a module, or the front of a room."""
    path = APP.parent.joinpath(*name.split("."))
    while not path.is_dir() and not path.with_suffix(".py").is_file():
        path = path.parent
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(APP)))
def test_the_arrows_go_one_way(path: Path) -> None:
    unit = unit_of(path)
    assert unit in LEVEL_OF, f"give {unit} its place in LEVELS"
    others = {name.split(".")[1] for name in imported(path)} - {unit}
    wrong = {other for other in others if LEVEL_OF.get(other, 99) >= LEVEL_OF[unit]}
    assert not wrong, f"{unit} must not import {', '.join(sorted(wrong))}"


def test_inside_a_room_too_no_modules_need_each_other() -> None:
    needed = {path: {module_of(name) for name in imported(path)} - {path} for path in sources()}
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        pytest.fail(" needs ".join(str(path.relative_to(APP)) for path in reversed(error.args[1])))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(APP)))
def test_the_app_knows_nothing_of_the_project_around_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "import backoffice" not in text
    assert "from backoffice" not in text


@pytest.mark.parametrize(
    "path",
    [*sources(), *(settings.BASE_DIR / "backoffice").rglob("*.py")],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_imports_are_absolute_and_never_of_everything(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.names[0].name != "*"
