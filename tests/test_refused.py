"""The refused rows as a file to mend: it has the shape of the uploaded one, and comes back."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest

from tests.import_pages import applied, choose, page, upload
from tests.importing import apply, book, check, read, reasons
from tests.people import Browse
from users_profiles.models import Import, ImportRow, User
from users_profiles.transfer import refused

pytestmark = pytest.mark.django_db


def file_of(job: Import) -> bytes:
    return b"".join(refused.blocks(job, refused.suffix(job)))


def lines(content: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content), delimiter=delimiter))


def test_an_excel_file_comes_back_as_one_is_mended_and_taken(browse: Browse, editor: User) -> None:
    rows = [["ada", "a@example.com", date(1990, 12, 31), 4930123456], ["bob", "nonsense", date(1991, 1, 2), "+49301"]]
    client = browse(editor)
    upload(client, book(["Staff"], ["Username", "E-mail", "Birth date", "Shoe size"], *rows), "staff.xlsx")
    job = Import.objects.get()
    choose(client, job)
    answer = client.get(page("refused", job))
    assert answer["Content-Disposition"] == 'attachment; filename="refused-rows.xlsx"'
    workbook = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    header, row = ([cell for cell in cells if cell] for cells in workbook.active.values)
    assert header == ["Username", "E-mail", "Birth date", "Shoe size", "error"]
    assert row[:4] == ["bob", "nonsense", "1991-01-02", "+49301"]
    assert row[4].startswith("Row 4. E-mail: This is not an e-mail address.")

    workbook.active["B2"] = "bob@example.com"
    out = io.BytesIO()
    workbook.save(out)
    upload(client, out.getvalue(), "refused-rows.xlsx")
    mended = Import.objects.latest("pk")
    choose(client, mended)
    client.post(page("apply", mended))
    bob = User.objects.get(username="bob")
    assert (bob.email, bob.profile.birth_date) == ("bob@example.com", date(1991, 1, 2))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_is_a_formula_and_each_comes_back_as_it_was(kind: str) -> None:
    texts = [
        "=1+1",
        "'=1+1",
        "+49 30",
        "-1",
        "@x",
        "'quoted'",
        "<b>&amp;",
        "tab\there",
        'say "so"',
        "_x0041_",
        "two\nlines",
    ]
    header, rows = ["username", "=cmd()", "note"], [[f"p{at}", "", text] for at, text in enumerate(texts)]
    if kind == "xlsx":
        content = book([*header, "email"], *([*row, "nonsense"] for row in rows))
    else:
        out = io.StringIO()
        csv.writer(out).writerows([[*header, "email"], *([*row, "nonsense"] for row in rows)])
        content = out.getvalue().encode()
    job = check(content, name=f"x.{kind}") if kind == "csv" else check(content)
    assert job.refused == len(texts)
    file = file_of(job)
    if kind == "xlsx":
        cells = [cell for row in openpyxl.load_workbook(io.BytesIO(file)).active.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells if cell.value} == {"s"}
    else:
        assert not [cell for row in lines(file.decode("utf-8-sig")) for cell in row if cell[:1] in {*"=+-@"}]
    once = [row[2] for _number, row in read(file)[1]]
    again = check(file)
    assert [row[2] for _number, row in read(file_of(again))[1]] == once


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_keeps_its_separator_and_its_encoding(encoding: str, delimiter: str) -> None:
    content = delimiter.join(["username", "e-mail", "place"]) + "\n" + delimiter.join(["ada", "nonsense", "Größe"])
    job = check(content.encode(encoding))
    assert refused.suffix(job) == ("tsv" if delimiter == "\t" else "csv")
    found = {"utf-8": "utf-8-sig", "utf-16-le": "utf-16"}.get(encoding, encoding)
    header, row = lines(file_of(job).decode(found), delimiter)
    assert header == ["username", "e-mail", "place", "error"]
    assert row[:3] == ["ada", "nonsense", "Größe"]
    options, _rows = read(file_of(job))
    assert (options.encoding, options.delimiter) == (found, delimiter)


def test_where_an_encoding_has_not_all_letters_of_a_reason_it_is_unicode(make_person: Callable[..., User]) -> None:
    make_person("łukasz", email="l@example.com")
    job = check("username,email,place\nada,l@example.com,Größe\n".encode("cp1252"))
    [_header, row] = lines(file_of(job).decode("utf-8-sig"))
    assert row[2] == "Größe"
    assert "This already belongs to łukasz." in row[3]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_row_with_a_stray_separator_is_not_taken_shifted_when_it_comes_back(kind: str) -> None:
    rows = [["username", "first_name", "location"], ["ada", "Ada", "x", "London", "tail"], ["bob", "Bob", "Rome"]]
    content = book(*rows) if kind == "xlsx" else "\n".join(",".join(row) for row in rows).encode()
    job = apply(content)
    assert (job.created, job.refused) == (1, 1)
    again = apply(file_of(job))
    assert (again.created, again.refused) == (0, 1)
    assert "This row has 5 cells where the header has 4" in reasons(again)[2][0][1]
    [header, row] = [row for _number, row in [(1, read(file_of(again))[0].headers), *read(file_of(again))[1]]]
    assert header == ["username", "first_name", "location", "error"]
    assert [row[0], row[1], row[2], row[4]] == ["ada", "Ada", "x", "London,tail"]


def test_a_file_that_is_refused_twice_has_one_column_of_reasons(browse: Browse, editor: User) -> None:
    job = apply("username,email\nada,nonsense\nbob,b@example.com\n")
    again = apply(file_of(job))
    [header, row] = lines(file_of(again).decode("utf-8-sig"))
    assert (header, row[:2]) == (["username", "email", "error"], ["ada", "nonsense"])
    mended = file_of(again).decode("utf-8-sig").replace("nonsense", "ada@example.com")
    assert applied(browse(editor), mended).created == 1


def test_many_refused_rows_take_no_more_memory_than_few() -> None:
    def peak(count: int) -> int:
        content = book(["username", "email"], *([f"p{at}", "nonsense"] for at in range(count)))
        job = check(content)
        assert job.rows.filter(outcome=ImportRow.Outcome.REFUSED).count() == count
        tracemalloc.start()
        size = sum(len(block) for block in refused.blocks(job, "xlsx"))
        assert size > 1_000
        found: Any = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(4_000) < 1.3 * peak(2_000)


def test_many_refused_rows_take_no_more_queries_than_few(django_assert_max_num_queries: Any) -> None:
    job = check("username,email\n" + "".join(f"p{at},nonsense\n" for at in range(30)))
    with django_assert_max_num_queries(2):
        assert file_of(job).count(b"This is not") == 30
