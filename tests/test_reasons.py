"""Why rows are refused: stored as codes, and said to each reader in their own language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from tests.import_pages import page
from tests.importing import check, reasons, take_in
from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.transfer import importer
from users_profiles.transfer.reasons import REASONS, say, with_word

FILE = "username,Mail\nada,nonsense\n" + "b" * 151 + ",b@example.com\nbob,bob@example.com\n"
ENGLISH = "This is not an e-mail address. Write it like name@example.com."
GERMAN = "Das ist keine E-Mail-Adresse."


def speaks(person: User, language: str) -> User:
    person.language = language
    person.save()
    return person


def checked_by(person: User) -> Import:
    """A file with mistakes, checked by somebody in their language."""
    return check(FILE, person)


@pytest.mark.django_db
def test_each_reader_reads_in_their_own_language_why_a_row_is_refused(
    browse: Browse, superuser: User, admin: User
) -> None:
    job = checked_by(speaks(superuser, "de"))
    german = browse(superuser).get(page("change", job)).content.decode()
    english = browse(speaks(admin, "en")).get(page("change", job)).content.decode()
    assert GERMAN in german
    assert ENGLISH not in german
    assert ENGLISH in english
    assert GERMAN not in english
    assert "Das hat 151 Zeichen; kürzen Sie es auf 150." in german
    assert "This has 151 characters; shorten it to 150." in english


@pytest.mark.django_db
def test_the_download_speaks_the_language_of_who_downloads_it(browse: Browse, superuser: User, admin: User) -> None:
    job = checked_by(speaks(superuser, "de"))

    def downloaded(person: User) -> str:
        answer = browse(person).get(page("refused", job))
        return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    assert f"Zeile 2. Mail: {GERMAN}" in downloaded(superuser)
    assert f"Row 2. Mail: {ENGLISH}" in downloaded(speaks(admin, "en"))


@pytest.mark.django_db
def test_the_command_speaks_the_language_it_is_run_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    for language, sentence in (("de", GERMAN), ("en", ENGLISH)):
        with translation.override(language), pytest.raises(SystemExit):
            call_command("import_users", str(path), "--dry-run")
        assert f"Row 2: Mail: {sentence}" in capsys.readouterr().err


@pytest.mark.django_db
def test_what_is_stored_is_a_code_and_no_sentence() -> None:
    job = check(FILE)
    assert list(job.rows.filter(outcome="refused").values_list("number", "errors")) == [
        (2, [{"column": "email", "value": "nonsense", "reason": "email"}]),
        (3, [{"column": "username", "value": "b" * 151, "reason": "long", "details": {"length": 151, "longest": 150}}]),
    ]


@pytest.mark.django_db
def test_a_column_without_a_name_is_called_by_its_place_in_every_language() -> None:
    with translation.override("de"):
        job = take_in("ada,nonsense\n", None, header_row=0, headers=["#1", "#2"], mapping=["username", "email"])
        job.start_check()
        importer.run(job)
    job.refresh_from_db()
    assert reasons(job) == {1: [("#2", ENGLISH)]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "word", "found"),
    [("en", "ADDRESS", "nonsense"), ("de", "Adresse", "nonsense"), ("de", "address", ""), ("en", "mail", "nonsense")],
)
def test_refused_rows_are_found_by_what_is_said_of_them(
    browse: Browse, superuser: User, language: str, word: str, found: str
) -> None:
    job = checked_by(superuser)
    client = browse(speaks(superuser, language))
    answer = client.get(page("change", job), {"show": "refused", "q": word}).content.decode()
    assert ("nonsense" in answer) is bool(found)


def test_words_are_looked_for_in_what_is_said_and_not_in_the_names_of_its_details() -> None:
    assert "email" in with_word("e-mail")
    assert with_word("longest") == []


# The table and the code ---------------------------------------------------------------------------------------------


def refusals() -> Iterator[tuple[str, str, set[str]]]:
    """Where in the code something is refused by a code that stands there, and with which details."""
    for path in sorted((settings.BASE_DIR / "users_profiles" / "transfer").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = next((arg for arg in node.args if isinstance(arg, ast.Constant)), None)
            if name in {"Refused", "refuse", "_refuse"} and first is not None and path.name != "reasons.py":
                yield f"{path.name}:{node.lineno}", str(first.value), {str(word.arg) for word in node.keywords}


def test_every_refusal_has_its_sentence_with_all_it_needs() -> None:
    for place, code, details in refusals():
        assert code in REASONS, place
        assert set(re.findall(r"%\((\w+)\)", str(REASONS[code]))) == details, place


def test_every_sentence_is_used() -> None:
    by_other_means = {"pixels", "unreadable"}  # by the code of the form field
    assert set(REASONS) == {code for _place, code, _details in refusals()} | by_other_means


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_sentence_can_be_said_in_every_language(language: str) -> None:
    with translation.override(language):
        for code, text in REASONS.items():
            names = re.findall(r"%\((\w+)\)", str(text))
            assert "%(" not in say(code, dict.fromkeys(names, 1))


def test_what_was_stored_as_a_sentence_is_said_as_it_is() -> None:
    assert say("Das ist zu 100 % falsch.", {}) == "Das ist zu 100 % falsch."
