"""Every text of ours says something in every language, says it with the same values, and the files are up to date."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format, number_format

from docs import update_messages as tool
from users_profiles import roles
from users_profiles.models import User
from users_profiles.moments import ago
from users_profiles.transfer import columns, values

FILES = [tool.catalogue(app, language) for app in tool.APPS for language in tool.LANGUAGES]
# What a translation has to bring back letter for letter: %(name)s, %s, %d, {name} and {}.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def named(path: Path) -> str:
    return f"{path.parts[-5]} {path.parts[-3]}"


catalogues = pytest.mark.parametrize("path", FILES, ids=named)


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def forms_of(text: Any) -> list[str]:
    return list(text) if isinstance(text, tuple | list) else [text]


def test_the_languages_that_are_offered_are_those_that_are_translated() -> None:
    assert [code for code, _name in settings.LANGUAGES] == ["en", *tool.LANGUAGES]


@catalogues
def test_every_text_is_translated(path: Path) -> None:
    missing = [message.id for message in messages(tool.read(path)) if not tool.is_translated(message.string)]
    assert not missing
    assert not [message.id for message in messages(tool.read(path)) if message.fuzzy]


@catalogues
def test_a_translation_keeps_the_placeholders(path: Path) -> None:
    wrong = []
    for message in messages(tool.read(path)):
        # The form for exactly one may say "one" instead of the number.
        sets = [set(PLACEHOLDER.findall(form)) for form in forms_of(message.id)]
        needed, wanted = set.intersection(*sets), set.union(*sets)
        for form in filter(None, forms_of(message.string)):
            has = set(PLACEHOLDER.findall(form))
            if not needed <= has <= wanted:
                wrong.append((message.id, form))
    assert not wrong


@catalogues
def test_a_translation_keeps_the_blanks_and_breaks_at_its_ends(path: Path) -> None:
    ends = re.compile(r"^\s*|\s*$")
    wrong = [
        message.id
        for message in messages(tool.read(path))
        for form in filter(None, forms_of(message.string))
        if ends.findall(form)[:2] != ends.findall(forms_of(message.id)[0])[:2]
    ]
    assert not wrong


@catalogues
def test_the_file_is_in_step_with_the_code(path: Path) -> None:
    """Say ``make messages`` when this fails."""
    known = {(message.context, message.id) for message in messages(tool.read(path))}
    wanted = {(message.context, message.id) for message in messages(tool.messages_of(path.parts[-5]))}
    assert known == wanted


@catalogues
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    written = {
        (message.context, str(forms_of(message.id)[0])): forms_of(message.string)
        for message in messages(tool.read(path))
        if tool.is_translated(message.string)
    }
    with path.with_suffix(".mo").open("rb") as file:
        compiled = {
            (message.context, str(forms_of(message.id)[0])): forms_of(message.string)
            for message in messages(read_mo(file))
        }
    assert compiled == written


@pytest.mark.parametrize("language", tool.LANGUAGES)
def test_both_apps_say_the_same_with_the_same_words(language: str) -> None:
    ours, theirs = (
        {message.id: message.string for message in messages(tool.read(tool.catalogue(app, language)))}
        for app in tool.APPS
    )
    assert not {text for text in ours.keys() & theirs.keys() if ours[text] != theirs[text]}


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_file_may_use_the_words_that_the_pages_use(language: str) -> None:
    """Roles, columns, yes and no: whoever reads them on a page writes them into a file."""
    with translation.override(language):
        assert [values.role(str(label)) for label in roles.LABELS.values()] == list(roles.LABELS)
        assert (values.flag(translation.gettext("yes")), values.flag(translation.gettext("no"))) == (True, False)
        labels = columns.labels()
        assert [columns.recognise([labels[name]])[0] for name in columns.NAMES] == [[name] for name in columns.NAMES]


# Dates and numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "day", "moment", "amount"),
    [
        ("en", "3 Mar 2026", "3 Mar 2026, 14:05", "1,234,567.5"),
        ("de", "03.03.2026", "03.03.2026, 14:05", "1.234.567,5"),
        ("fr", "3 mars 2026", "3 mars 2026, 14:05", "1\u202f234\u202f567,5"),
        ("es", "3 mar 2026", "3 mar 2026, 14:05", "1.234.567,5"),
    ],
)
def test_days_moments_and_numbers_are_written_as_the_language_writes_them(
    language: str, day: str, moment: str, amount: str
) -> None:
    with translation.override(language):
        assert date_format(date(2026, 3, 3), "DATE_FORMAT") == day
        assert date_format(datetime(2026, 3, 3, 14, 5), "DATETIME_FORMAT") == moment
        assert number_format(1234567.5, force_grouping=True) == amount
        assert intcomma(1234567.5) == amount


def test_no_page_writes_days_in_a_form_of_its_own() -> None:
    """But for ISO, which programs read, a format is asked for by its name, and each language has its own."""
    literal = re.compile(r"""\|date:["'](?!c["'])[^"']*[^A-Z_"'][^"']*["']""")
    pages = [path for app in tool.APPS for path in (tool.ROOT / app).rglob("*.html")]
    assert len(pages) > 100
    assert not [path.name for path in pages if literal.search(path.read_text())]


def test_nothing_that_programs_read_is_grouped_or_written_in_a_language(
    browse: Any, superuser: User, make_person: Any
) -> None:
    """Keys in addresses, the days of an export, a phone number in it: the same for everybody."""
    person = make_person("ada", pk=1_234_567, phone_number="+493012345678", birth_date=date(1990, 12, 10))
    superuser.language = "de"
    superuser.save(update_fields=["language"])
    client: Client = browse(superuser)
    page = client.get(reverse("admin:users_profiles_user_changelist")).content.decode()
    assert f"/{person.pk}/change/" in page
    assert "1.234.567" not in page
    address = reverse("admin:users_profiles_user_export")
    sent = client.post(f"{address}?q=ada", {"format": "csv", "columns": ["username", "birth_date", "phone_number"]})
    rows = b"".join(sent.streaming_content).decode("utf-8-sig").splitlines()
    assert rows[1] == "ada,1990-12-10,'+493012345678"  # the mark keeps it from being a formula


def test_how_long_ago_is_said_in_the_language_of_who_reads() -> None:
    with translation.override("de"):
        assert ago(None) == "Nie"
        assert "vor 2 Std." in ago(timezone.now() - timedelta(hours=2))
