"""Which module may import which: the arrows of the design go one way, and this walks the code to see that they do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

APP = settings.BASE_DIR / "users_profiles"

# Each line may import from the lines above it, and nothing beside it: admin and views, above all, know nothing of each
# other, and the transfer engine runs without either.
LEVELS = (
    {"room", "storage"},
    {"avatars", "keys", "logs", "phones", "queueing", "replica", "speaking"},
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


def imported_units(tree: ast.AST) -> Iterator[str]:
    """The units of our app that a module imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("users_profiles."))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(APP)))
def test_the_arrows_go_one_way(path: Path) -> None:
    unit = unit_of(path)
    assert unit in LEVEL_OF, f"give {unit} its place in LEVELS"
    imported = set(imported_units(ast.parse(path.read_text(encoding="utf-8")))) - {unit}
    wrong = {other for other in imported if LEVEL_OF.get(other, 99) >= LEVEL_OF[unit]}
    assert not wrong, f"{unit} must not import {', '.join(sorted(wrong))}"


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
