"""The papers and files for those who run it: what they tell people to type is typed here, and works."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as django_settings
from django.core.management import get_commands

from users_profiles.operations import health, metrics, probes

ROOT = django_settings.BASE_DIR
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
# What belongs to the machine and not to us: noted, and taken for done.
NOTED = ("apt-get", "useradd", "chgrp", "systemctl", "nginx", "curl", "journalctl")
# What stands in for commands that would touch this machine; $SANDBOX is the root of the one they see.
STANDINS = {
    "sudo": 'while [ "${1#-}" != "$1" ]; do shift; shift; done\nexec "$@"',
    "git": '[ "$1" != clone ] || cp -R "$SANDBOX/checkout" "$3"',
    "python3": 'if [ "$2" = venv ]; then exec cp -R "$SANDBOX/venv" "$3"; fi\nexec "$PYTHON" "$@"',
    "install": 'for word do shift; case "$word" in --owner|--group) skip=1;; *) '
    '[ -n "${skip:-}" ] && skip= || set -- "$@" "$word";; esac; done\nexec /usr/bin/install "$@"',
    **{name: f'echo "{name} $*" >> "$SANDBOX/noted"' for name in NOTED},
}

# Every collection of static files takes seconds, and the papers have three; that of the image, below, is a real one.
COLLECTS_NOTHING = 'case "$*" in *collectstatic*) set -- "$@" --dry-run -v0;; esac\n'


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def commands(paper: str) -> str:
    """All that a paper tells people to type, but for what is for containers."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", text_of(paper), re.MULTILINE | re.DOTALL))


class Machine:
    """A machine of one's own below a folder: what is typed there finds /opt, /etc and /var in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("bin", "opt", "etc/systemd/system", "etc/nginx/sites-available", "etc/nginx/sites-enabled"):
            (root / name).mkdir(parents=True)
        for name in ("var/lib", "var/backups", "usr/local/bin", "venv/bin", "checkout"):
            (root / name).mkdir(parents=True)
        for name, script in STANDINS.items():
            self._program(root / "bin" / name, script)
        self._program(root / "venv/bin/python", COLLECTS_NOTHING + 'exec "$PYTHON" "$@"')
        self._program(root / "venv/bin/pip", '[ "$1 $2" = "install --requirement" ] && [ -f "$3" ]')
        for name in ("manage.py", "requirements.txt"):
            (root / "checkout" / name).symlink_to(ROOT / name)
        shutil.copytree(DEPLOY, root / "checkout/deploy")
        for path in (root / "checkout/deploy").iterdir():
            path.write_text(self._here(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _program(self, path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def _here(self, text: str) -> str:
        return re.sub(r"(?<![\w.])/(opt|etc|var|usr/local)/", rf"{self.root}/\1/", text)

    def type(self, script: str, **given: str) -> subprocess.CompletedProcess[str]:
        """Run what a paper says, one line after the other, until one fails."""
        path = f"{self.root}/bin:{self.root}/usr/local/bin:/usr/bin:/bin"
        own = {"PATH": path, "SANDBOX": str(self.root), "PYTHON": sys.executable, "HOME": str(self.root), **given}
        typed = f"set -eux\n{self._here(script)}"
        return subprocess.run(["bash", "-c", typed], cwd=self.root, env=own, capture_output=True, text=True)

    def noted(self, program: str) -> list[str]:
        """How a program of the machine was called."""
        lines = (self.root / "noted").read_text(encoding="utf-8").splitlines()
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]


def test_what_the_papers_tell_people_to_type_works_from_the_first_line_to_the_restored_copy(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    installed = machine.type(commands("docs/deploy.md"), REPOSITORY="here", VERSION="v2", VERSION_BEFORE="v1")
    assert installed.returncode == 0, installed.stderr
    [backup] = (tmp_path / "var/backups/backoffice").iterdir()
    looked_after = machine.type(commands("docs/operations.md"), BACKUP=str(backup))
    assert looked_after.returncode == 0, looked_after.stderr
    assert (tmp_path / "var/lib/backoffice/backoffice.sqlite3").exists()
    assert (tmp_path / "etc/backoffice/env").stat().st_mode & 0o777 == 0o640
    for call in machine.noted("curl"):
        address = urlsplit(shlex.split(call)[-1])
        assert address.path in probes.PAGES
        assert set(parse_qs(address.query).get("parts", ["database"])[0].split(",")) <= health.PARTS.keys()
    installed_units = {path.name for path in (tmp_path / "etc/systemd/system").iterdir()}
    assert installed_units == {path.name for path in (*UNITS, DEPLOY / "backoffice-backup.timer")}
    for call in machine.noted("systemctl"):
        for unit in re.findall(r"backoffice-[\w@*.-]+", call):
            name = re.sub(r"@.*", "@", unit)
            assert {f"{name}.service", name} & installed_units, unit


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_service_starts_what_there_is_as_nobody_special(path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(path)
    service = dict(unit["Service"])
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).parts[:4] == ("/", "opt", "backoffice", ".venv")
    assert (Path(sys.executable).parent / Path(program).name).exists()
    if arguments[0] == "manage.py":
        assert arguments[1] in get_commands()
    else:
        assert importlib.util.find_spec(arguments[0])
    assert service["User"] == "backoffice"
    assert service["ProtectSystem"] == "strict"
    assert "ENV_FILE=/etc/backoffice/env" in path.read_text(encoding="utf-8")


def instructions() -> list[tuple[str, str]]:
    """The lines of the Containerfile: what to do, and with what."""
    text = re.sub(r"\\\n\s*", "", text_of("deploy/Containerfile"))
    found = [line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, rest in found]


def test_the_image_has_all_the_code_it_needs(tmp_path: Path) -> None:
    """Nothing is built here; what would be copied is, and what would be run on it runs."""
    for word, rest in instructions():
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                place = tmp_path / "app" / target
                copied = ROOT / source
                if copied.is_dir():
                    shutil.copytree(copied, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    place.mkdir(parents=True, exist_ok=True)
                    shutil.copy(copied, place)
    environment = dict(pair.split("=", 1) for word, rest in instructions() if word == "ENV" for pair in rest.split())
    own = {
        **environment,
        "STATIC_DIR": str(tmp_path / "static"),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    [collect] = [rest for word, rest in instructions() if word == "RUN" and "collectstatic" in rest]
    collect = collect.replace("DATA_DIR=/tmp", f"DATA_DIR={tmp_path}")
    done = subprocess.run(["sh", "-c", collect], cwd=tmp_path / "app", env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "static/staticfiles.json").exists()


def test_the_image_starts_what_the_service_starts() -> None:
    [start] = [rest for word, rest in instructions() if word == "CMD"]
    words = [word for word in re.findall(r'"(.*?)"', start) if ":8000" not in word]
    service = next(line for line in text_of("deploy/backoffice-web.service").splitlines() if "ExecStart" in line)
    assert [word for word in shlex.split(service) if ":8000" not in word][1:] == words[1:]
    [base] = [rest for word, rest in instructions() if word == "FROM"]
    assert tuple(map(int, re.findall(r"python:(\d+)\.(\d+)", base)[0])) >= (3, 11)
    assert [rest for word, rest in instructions() if word == "USER"] == ["backoffice"]


def test_the_proxy_and_the_service_agree() -> None:
    proxy, service = text_of("deploy/nginx.conf"), text_of("deploy/backoffice-web.service")
    [port] = re.findall(r"proxy_pass http://(\S+);", proxy)
    assert f"--bind {port}" in service
    [megabytes] = re.findall(r"client_max_body_size (\d+)m", proxy)
    assert int(megabytes) * 1024 * 1024 == django_settings.IMPORT_MAX_BYTES
    for header in ("Host", "X-Forwarded-Proto", "X-Forwarded-For", "X-Request-ID"):
        assert f"proxy_set_header {header} $" in proxy
    assert "access_log off" in proxy


def test_the_parts_and_figures_in_the_paper_are_those_there_are(db: None) -> None:
    paper = text_of("docs/operations.md")
    assert set(re.findall(r"^\| `([a-z]+)` \|", paper, re.MULTILINE)) == health.PARTS.keys()
    figures = set()
    for family in metrics.Jobs().collect():
        figures.add(f"{family.name}_total" if family.type == "counter" else family.name)
    assert set(re.findall(r"^\| `(backoffice_\w+)` \|", paper, re.MULTILINE)) == figures


def write_settings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_settings", ROOT / "docs/write_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_of_settings_is_up_to_date() -> None:
    page = write_settings().page(text_of(".env.example"))
    assert page == text_of("docs/settings.md"), "run `make settings`"
    documented = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text_of(".env.example"), re.MULTILINE))
    assert set(re.findall(r"`([A-Z][A-Z0-9_]+)`", page)) >= documented
