"""From bytes to rows."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data import images
from tests.importing import SHEET, book, read, rewritten, saved
from users_profiles.transfer import reader
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.options import DateOrder, Kind

HEADER = "username,email,first_name\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_separator_is_found(delimiter: str) -> None:
    """C7."""
    options, rows = read(f"username{delimiter}email\nada{delimiter}ada@example.com\n".encode())
    assert options.delimiter == delimiter
    assert rows == [(2, ["ada", "ada@example.com"])]


def test_commas_inside_cells_do_not_mislead() -> None:
    options, rows = read(b'Username;Location\nada;"Berlin, Mitte, DE"\nbob;"Paris, FR, 2"\n')
    assert options.delimiter == ";"
    assert rows[0][1] == ["ada", "Berlin, Mitte, DE"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_every_usual_encoding_is_found(encoding: str) -> None:
    """C9."""
    _options, rows = read("username,first_name\njose,José Müller\n".encode(encoding))
    assert rows == [(2, ["jose", "José Müller"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(end: str) -> None:
    """C9."""
    _options, rows = read(end.join(["username,email", "ada,a@example.com", "bob,b@example.com", ""]).encode())
    assert [number for number, _row in rows] == [2, 3]


def test_line_breaks_inside_a_cell_belong_to_it() -> None:
    """C9."""
    _options, rows = read(b'username,bio\nada,"one\ntwo"\nbob,x\n')
    assert rows == [(2, ["ada", "one\ntwo"]), (3, ["bob", "x"])]


def test_blank_rows_are_left_out_but_counted() -> None:
    _options, rows = read(b"username,email\n\nada,a@example.com\n,\nbob,\n")
    assert [number for number, _row in rows] == [3, 5]


def test_the_header_is_found_below_a_preamble() -> None:
    options, rows = read(b"Staff list\nas of 2026-01-01\n\nUsername,E-mail\nada,a@example.com\n")
    assert options.header_row == 4
    assert options.mapping == ["username", "email"]
    assert rows == [(5, ["ada", "a@example.com"])]


def test_an_unclosed_quotation_mark_is_named_and_not_swallowed() -> None:
    """C10."""
    with pytest.raises(FileRefused, match="quotation mark"):
        read((HEADER + 'ada,"a@example.com,Ada\n' + "bob,b@example.com,Bob\n" * 5).encode())


def test_a_cell_without_end_is_named_and_never_held_in_memory() -> None:
    with pytest.raises(FileRefused, match="Row 2: a cell is longer than anything we read"):
        read((HEADER + 'ada,"' + "x" * 200_000 + "\n").encode())


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileRefused, match="empty"):
        read(b"")
    with pytest.raises(FileRefused, match="no rows"):
        read(b"\n\n \n".replace(b" ", b""))


def test_an_old_excel_file_is_refused_with_a_cure() -> None:
    with pytest.raises(FileRefused, match=r"Save it as \.xlsx"):
        read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)


def test_a_column_nobody_may_set_is_named() -> None:
    for header in ("password", "is_superuser", "is_staff", "user_permissions", "Passwort", "Superuser Status"):
        with pytest.raises(FileRefused, match=header):
            read(f"username,{header}\nada,x\n".encode())


def test_too_many_rows_or_columns_are_refused(settings: Any) -> None:
    settings.IMPORT_MAX_ROWS = 2
    with pytest.raises(FileRefused, match="more than 2 rows"):
        read((HEADER + "a,,\n" * 3).encode())
    settings.IMPORT_MAX_COLUMNS = 2
    with pytest.raises(FileRefused, match="more than 2 columns"):
        read(HEADER.encode())


def test_an_excel_file_is_read_as_people_see_it() -> None:
    data = book(
        ["Username", "Birth date", "Phone", "Active", "Location"],
        ["ada", datetime(1815, 12, 10), 4930123456, True, None],
        ["bob", date(1990, 1, 2), 4930123456.0, False, "=1+1"],
    )
    options, rows = read(data)
    assert options.kind is Kind.XLSX
    assert rows[0] == (2, ["ada", "1815-12-10", "4930123456", "yes"])
    assert rows[1][1][:4] == ["bob", "1990-01-02", "4930123456", "no"]


def test_a_lone_cell_in_the_last_row_costs_nothing() -> None:
    """C2."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["username", "email"])
    workbook.active.cell(1_048_576, 1, "ada")
    file = io.BytesIO(saved(workbook))
    options = reader.examine(file)
    # The library's own iteration would yield a million invented rows between these two.
    assert list(reader._all_rows(file, options)) == [(1, ["username", "email"]), (1_048_576, ["ada"])]


def test_a_cell_in_the_last_column_is_refused() -> None:
    """C3."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["username"])
    workbook.active.cell(2, 16_384, "x")
    with pytest.raises(FileRefused, match="columns"):
        read(saved(workbook))


def test_a_file_that_unpacks_to_hundreds_of_megabytes_is_refused_before_it_is_parsed(settings: Any) -> None:
    """C3."""
    settings.IMPORT_MAX_UNPACKED_BYTES = 20 * 1024 * 1024
    bomb = rewritten(book(["username"], ["ada"]), {SHEET: lambda content: content + b" " * 30 * 1024 * 1024})
    assert len(bomb) < 100_000
    with pytest.raises(FileRefused, match="unpacks to more than 20 MB"):
        read(bomb)


@pytest.mark.parametrize(
    "prolog",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_entities_in_an_excel_file_are_refused(prolog: bytes) -> None:
    """C4."""
    for part in (SHEET, "xl/workbook.xml"):
        hostile = rewritten(book(["username"], ["ada"]), {part: lambda content: prolog + content})
        with pytest.raises(FileRefused, match="damaged"):
            read(hostile)


def test_a_false_dimension_hides_no_row() -> None:
    """C5."""
    data = book(["username", "email"], *[[f"user{at}", f"u{at}@example.com"] for at in range(20)])
    liar = rewritten(data, {SHEET: lambda content: content.replace(b'ref="A1:B21"', b'ref="A1:A2"')})
    assert liar != data
    _options, rows = read(liar)
    assert len(rows) == 20
    assert rows[-1] == (21, ["user19", "u19@example.com"])


@pytest.mark.parametrize("cut", [10, 100, 1_000])
def test_a_damaged_excel_file_is_refused(cut: int) -> None:
    with pytest.raises(FileRefused):
        read(book(["username"], ["ada"])[:-cut])


def test_a_zip_that_is_no_table_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FileRefused, match="ZIP archive"):
        read(out.getvalue())


def test_the_estimate_is_near_the_truth() -> None:
    for data in ((HEADER + "a,,\n" * 50).encode(), book(["username"], *[["a"]] * 50)):
        file = io.BytesIO(data)
        options = reader.examine(file)
        assert 49 <= reader.estimate_rows(file, options) <= 51


def sheets(**tables: list[list[Any]]) -> bytes:
    """An Excel file with a sheet for each table."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, table in tables.items():
        sheet = workbook.create_sheet(title)
        for row in table:
            sheet.append(row)
    return saved(workbook)


def test_the_sheet_with_people_is_found_behind_a_cover() -> None:
    data = sheets(Cover=[["Staff 2026"], ["secret"]], Empty=[], Staff=[["username", "email"], ["ada", "a@example.com"]])
    options, rows = read(data)
    assert (options.sheet, options.sheets) == ("Staff", ["Cover", "Empty", "Staff"])
    assert rows == [(2, ["ada", "a@example.com"])]


def test_another_sheet_can_be_chosen_and_one_that_is_not_there_is_refused() -> None:
    file = io.BytesIO(sheets(One=[["username"], ["ada"]], Two=[["username", "Ort"], ["bob", "Rome"], ["eve", "Bonn"]]))
    options = reader.examine(file)
    options.sheet = "Two"
    reader.reread(file, options)
    assert options.mapping == ["username", "location"]
    assert list(reader.rows(file, options)) == [(2, ["bob", "Rome"]), (3, ["eve", "Bonn"])]
    assert reader.estimate_rows(file, options) == 2
    options.sheet = "Three"
    with pytest.raises(FileRefused, match="no sheet with that name"):
        reader.reread(file, options)


def test_hidden_sheets_come_last() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title = "Lists"
    workbook.active.append(["username"])
    workbook.active.sheet_state = "hidden"
    workbook.create_sheet("Staff").append(["username"])
    options, _rows = read(saved(workbook))
    assert (options.sheet, options.sheets) == ("Staff", ["Staff", "Lists"])


def test_another_delimiter_encoding_and_header_row_can_be_chosen() -> None:
    file = io.BytesIO("Liste;x\nusername;Ort\njosé;Köln\n".encode("latin-1"))
    options = reader.examine(file)
    assert (options.delimiter, options.header_row) == (";", 2)
    options.delimiter, options.header_row = ",", 1
    reader.reread(file, options)
    assert options.headers == ["Liste;x"]
    options.delimiter, options.header_row = ";", 0
    reader.reread(file, options)
    assert options.headers == ["#1", "#2"]
    assert list(reader.rows(file, options))[2] == (3, ["josé", "Köln"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-8-sig"])
def test_a_wrong_encoding_is_refused_in_words(encoding: str) -> None:
    """C9: or it is read as nonsense that people see, but it never is an error of ours."""
    file = io.BytesIO("username;Ort\njosé;Köln\n".encode("cp1252"))
    options = reader.examine(file)
    options.encoding = encoding
    with pytest.raises(FileRefused, match="cannot be read in this encoding"):
        reader.reread(file, options)


@pytest.mark.parametrize("row", [3, 400])
def test_a_header_row_that_is_empty_is_refused(row: int) -> None:
    file = io.BytesIO(b"username,Ort\nada,Rome\n,\n")
    options = reader.examine(file)
    options.header_row = row
    with pytest.raises(FileRefused, match=f"Row {row} is empty"):
        reader.reread(file, options)


@pytest.mark.parametrize(
    "data", [images.picture(), images.picture("JPEG"), bytes(range(256)) * 4, b"username\n" + b"\x00" * 20]
)
def test_what_is_no_text_is_refused_whatever_it_is(data: bytes) -> None:
    with pytest.raises(FileRefused, match="neither text nor an Excel file"):
        read(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'[{"username": "ada"}]', "This is JSON"),
        (b'\xef\xbb\xbf[\n  {\n    "username": "ada"\n  }\n]', "This is JSON"),
        (b'{"username": "ada"}\n{"username": "bob"}\n', "This is JSON"),
        (b'[["username"], ["ada"]]', "This is JSON"),
        (b"<!DOCTYPE html><table><tr><td>username</td></tr></table>", "This is a web page or XML"),
        (b'\n<html xmlns:x="urn:schemas-microsoft-com:office:excel">', "This is a web page or XML"),
        (b'<?xml version="1.0"?><people/>', "This is a web page or XML"),
    ],
)
def test_a_text_that_is_no_table_is_called_what_it_is(data: bytes, sentence: str) -> None:
    with pytest.raises(FileRefused, match=sentence):
        read(data)


@pytest.mark.parametrize("header", [b"[username],{e-mail}", b"<username>,e-mail", b'"{""username""}",e-mail'])
def test_a_table_may_begin_with_any_sign(header: bytes) -> None:
    assert read(header + b"\nada,ada@example.com\n")[1] == [(2, ["ada", "ada@example.com"])]


def test_a_few_control_characters_do_not_make_a_table_something_else() -> None:
    assert read(b"username,first_name\nada,A\x00da\nbob,B\x07ob\n")[1][0] == (2, ["ada", "A\x00da"])


def test_utf_32_is_refused_with_a_cure() -> None:
    """C9."""
    with pytest.raises(FileRefused, match="Save it as CSV in UTF-8"):
        read("username\nada\n".encode("utf-32"))


def test_a_column_of_dates_says_itself_which_comes_first() -> None:
    german, american, unsure = (
        read(f"username,dob\na,{first}\nb,03/04/1990\n".encode())[0].date_order
        for first in ("25/12/1990", "12/25/1990", "01/02/1990")
    )
    assert (german, american, unsure) == (DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST, DateOrder.ASK)


# Without control characters: so many of them on so few lines make it no text.
_cells = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\t\n"), min_size=1, max_size=20
)


@given(st.lists(st.lists(_cells, min_size=2, max_size=2), min_size=1, max_size=20), st.sampled_from(",;\t|"))
def test_whatever_the_csv_module_writes_is_read_back(table: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["username", "email"], *table])
    options, rows = read(out.getvalue().encode())
    assert options.delimiter == delimiter
    if options.header_row == 1:
        assert [row for _number, row in rows] == table


@given(st.binary(max_size=300))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    for content in (data, b"username,email\n" + data, b"PK\x03\x04" + data):
        # Anything but rows or a FileRefused fails the test.
        with contextlib.suppress(FileRefused):
            read(content)
