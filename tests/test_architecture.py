"""Which module may import which: the arrows of the design go one way, and this walks the code to see that they do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.conf import settings

from tests.levels import APP, LEVELS

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


def test_no_test_module_is_a_shelf_for_others() -> None:
    """What several need is found where it is said to be: in conftest, or in a module that has no tests."""
    taken = {
        f"{path.name} takes {name} from {node.module}"
        for path in (settings.BASE_DIR / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and re.match(r"tests\.(\w+\.)*test_", node.module or "")
        for name in (alias.name for alias in node.names)
    }
    assert not taken
