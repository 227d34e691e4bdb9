"""Brings the translations in step with the code: ``make messages``. translating.md has the rest.

Babel and not Django's makemessages, which needs gettext's programs: this runs wherever the tests do. What is compiled
is kept in the repository, because a fresh checkout must speak every language before anything is built.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
APPS = ("backoffice", "users_profiles")
LANGUAGES = ("de", "fr", "es")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "sentence": None,
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def catalogue(app: str, language: str) -> Path:
    """Where the translations of an app into a language are written."""
    return ROOT / app / "locale" / language / "LC_MESSAGES" / "django.po"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def messages_of(app: str) -> Catalog:
    """Every text of an app that is marked for translation, and the files it is in."""
    found = Catalog(fuzzy=False)
    for path, source in _sources(ROOT / app):
        place = [(path.relative_to(ROOT).as_posix(), 1)]
        lines = io.BytesIO(source.encode())
        for _line, text, comments, context in extract("python", lines, KEYWORDS, comment_tags=("Translators",)):
            found.add(text, locations=place, auto_comments=comments, context=context)
    return found


def _sources(folder: Path) -> Iterator[tuple[Path, str]]:
    """Python as it is; of templates what Django makes of them for this purpose, which is nearly Python."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".py" and "migrations" not in path.parts:
            yield path, path.read_text()
        elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
            # Without indents, which would mean something.
            yield path, "\n".join(map(str.strip, templatize(path.read_text()).splitlines()))


def updated(app: str, language: str) -> Catalog:
    """The catalogue of a language with the texts the code has today: new ones are empty, old ones are gone."""
    path = catalogue(app, language)
    known = read(path) if path.exists() else Catalog(locale=language, fuzzy=False)
    template = messages_of(app)
    # Dates would change with every run and be all that two people's changes collide in.
    template.creation_date = known.creation_date
    known.update(template, no_fuzzy_matching=True)
    known.obsolete.clear()
    known.header_comment = "# Translations of Backoffice; docs/translating.md has the words we use."
    known.project, known.version, known.msgid_bugs_address = "Backoffice", "1", ""
    known.last_translator, known.language_team = "", ""
    return known


def main(*languages: str) -> None:
    """Bring all languages in step, or those that are named."""
    for app in APPS:
        for language in languages or LANGUAGES:
            path, made = catalogue(app, language), updated(app, language)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                write_po(file, made, width=0, include_lineno=False, sort_by_file=True)
            missing = [message for message in made if message.id and not is_translated(message.string)]
            for message in missing:
                message.string = ""  # else a plural without a translation would be compiled, to nothing
            with path.with_suffix(".mo").open("wb") as file:
                write_mo(file, made)
            print(f"{path.relative_to(ROOT)}: {len(made)} texts, {len(missing)} not translated")


def is_translated(text: object) -> bool:
    """Whether a text, or each of its plural forms, says something."""
    return all(text) if isinstance(text, tuple | list) else bool(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
