"""Writes docs/settings.md from .env.example, so that no setting is described twice: ``make settings``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "settings.md"
SECTION = re.compile(r"# --- (.+?) -+$")
SETTING = re.compile(r"(?:# )?([A-Z][A-Z0-9_]+)=(.*)$")

TOP = """\
# Settings

Every setting there is; `make settings` writes this page from [.env.example](../.env.example). They are read from the
environment, or from a file: `.env` beside `manage.py`, or the one that `ENV_FILE` names. The environment wins. A value
that makes no sense stops the start with a sentence. Without `DEBUG`, the four marked * must be set.
"""


@dataclass
class Entry:
    """Settings that are explained together, each with the values shown for it."""

    explained: str
    values: dict[str, list[str]] = field(default_factory=dict)


def entries(text: str) -> Iterator[tuple[str, Entry]]:
    """The sections of .env.example and what is in them, in its order."""
    section, words, entry = "", [], None
    for line in text.splitlines():
        if found := SECTION.match(line):
            section, words, entry = found[1], [], None
        elif found := SETTING.match(line):
            if entry is None:
                entry = Entry(" ".join(words))
                yield section, entry
            entry.values.setdefault(found[1], []).append(found[2])
        elif line.startswith("#"):
            words, entry = ([] if entry else words) + [line.lstrip("# ").strip()], None
        else:
            words, entry = [], None


def page(text: str) -> str:
    """The whole page."""
    parts, last = [TOP], ""
    for section, entry in list(entries(text)):
        if section != last:
            parts.append(f"\n## {section}\n| setting | default, or an example | what it is |\n|-|-|-|\n")
            last = section
        names = "<br>".join(f"`{name}`" for name in entry.values)
        values = "<br>".join(f"`{value}`" for shown in entry.values.values() for value in shown if value)
        parts.append(f"| {names} | {values} | {entry.explained.replace('|', chr(92) + '|')} |\n")
    return "".join(parts)


if __name__ == "__main__":
    TARGET.write_text(page((ROOT / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
