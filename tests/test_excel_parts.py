"""The cells of an Excel file and their texts, as Excel and other programs write them, and as a hostile hand does."""

from __future__ import annotations

import io
import itertools
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from tests.importing import SHEET, book, read, rewritten, saved
from users_profiles.transfer import excel, excel_parts, reader
from users_profiles.transfer.errors import FileRefused

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRINGS = "xl/sharedStrings.xml"


def with_shared_texts(rows: list[list[str]]) -> bytes:
    """An Excel file as Excel writes it: all texts in one table, and their numbers in the cells."""
    texts = "".join(f"<si><t>{text}</t></si>" for row in rows for text in row)
    numbers = itertools.count()
    cells = "".join("<row>" + "".join(f'<c t="s"><v>{next(numbers)}</v></c>' for _ in row) + "</row>" for row in rows)
    parts = {
        STRINGS: f"<sst {MAIN}>{texts}</sst>",
        SHEET: f"<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>",
    }
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    entry = f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(["x"]))) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in set(old.namelist()) - parts.keys():
            content = old.read(name)
            new.writestr(name, content.replace(b"</Types>", entry) if name == "[Content_Types].xml" else content)
        for name, text in parts.items():
            new.writestr(name, text)
    return out.getvalue()


def with_cells(cells: str, root: str = f"worksheet {MAIN}") -> bytes:
    """An Excel file with a header of two columns above these rows, as XML."""
    header = '<row r="1">{}</row>'.format(
        "".join(f'<c r="{at}1" t="str"><v>{name}</v></c>' for at, name in (("A", "username"), ("B", "email")))
    )
    sheet = f"<{root}><sheetData>{header}{cells}</sheetData></{root.split()[0]}>"
    return rewritten(book(["x"]), {SHEET: lambda _old: sheet.encode()})


def rows_of(cells: str) -> list[tuple[int, list[str]]]:
    return read(with_cells(cells))[1]


# Texts --------------------------------------------------------------------------------------------------------------


def test_texts_are_read_no_further_than_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million rows have millions of texts; whoever looks at the first three must not wait for all of them."""
    made: list[str] = []

    def noted(self: Any) -> Any:
        for block in blocks(self):
            made.extend(block)
            yield block

    blocks = excel_parts._Texts.blocks
    monkeypatch.setattr(excel_parts._Texts, "blocks", noted)
    monkeypatch.setattr(excel_parts, "BLOCK", 1_000)
    file = io.BytesIO(with_shared_texts([["username", "Ort"], *[[f"user{at}", f"Köln {at}"] for at in range(500)]]))
    options = reader.examine(file)
    made.clear()
    assert [row[1] for row in reader.sample(file, options)] == ["Köln 0", "Köln 1", "Köln 2"]
    assert 8 <= len(made) < 100
    assert list(reader.rows(file, options))[499] == (501, ["user499", "Köln 499"])


def test_texts_are_found_in_whatever_order_cells_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_parts, "BLOCK", 100)
    monkeypatch.setattr(excel_parts, "TEXTS_AT_HAND", 3)
    items = [f"Wörter {at}{'x' * (at % 300)}" for at in range(400)]
    xml = f"<sst {MAIN}>" + "".join(f"<si><t>{item}</t></si>" for item in items) + "</sst>"
    texts = excel_parts.Texts(io.BytesIO(xml.encode()))
    for number in (5, 399, 0, 5, 398, 200, 1, 2, 3, 4, 5, 399, *range(400), *reversed(range(400))):
        assert texts[number] == items[number]


def test_texts_of_several_looks_are_joined_and_their_pronunciation_left_out() -> None:
    runs = "<r><t>Tokyo </t></r><r><rPr><b/></rPr><t>東京</t></r><rPh sb='0' eb='2'><t>トウキョウ</t></rPh>"
    data = with_shared_texts([["username", "Ort"], ["ada", "MARK"], ["bob", "Rome"]])
    with_runs = rewritten(data, {STRINGS: lambda old: old.replace(b"<t>MARK</t>", runs.encode())})
    assert read(with_runs)[1] == [(2, ["ada", "Tokyo 東京"]), (3, ["bob", "Rome"])]
    inline = (
        f'<row r="2"><c r="A2" t="inlineStr"><is>{runs}</is></c><c r="B2" t="inlineStr"><is><t>b</t></is></c></row>'
    )
    assert rows_of(inline) == [(2, ["Tokyo 東京", "b"])]


def test_what_stands_between_texts_for_the_eye_is_not_read() -> None:
    data = with_shared_texts([["username", "email"], ["ada", "a@example.com"]])
    airy = rewritten(data, {name: lambda old: old.replace(b"><", b">\n  <") for name in (SHEET, STRINGS)})
    assert airy != data
    assert read(airy)[1] == [(2, ["ada", "a@example.com"])]


def test_characters_that_xml_does_not_have_are_read_as_excel_means_them() -> None:
    data = with_shared_texts([["username", "bio"], ["one_x000D_\ntwo", "_x005F_x000D_ _xD83D_ _xyz_"]])
    assert read(data)[1] == [(2, ["one\r\ntwo", "_x000D_ _xD83D_ _xyz_"])]
    inline = '<row><c t="inlineStr"><is><t>one_x000D_two</t></is></c></row>'
    assert rows_of(inline) == [(2, ["one\rtwo"])]


@pytest.mark.parametrize("number", [b"99", b"-1", b"x"])
def test_a_text_that_is_not_in_the_file_makes_it_a_damaged_one(number: bytes) -> None:
    good = with_shared_texts([["username"], ["ada"]])
    broken = rewritten(good, {SHEET: lambda content: content.replace(b"<v>1</v>", b"<v>" + number + b"</v>")})
    assert read(good)[1] == [(2, ["ada"])]
    with pytest.raises(FileRefused, match="damaged"):
        read(broken)


# Cells --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567890123456, "1234567890123456"),
        (-5, "-5"),
        (2.0, "2"),
        (2.5, "2.5"),
        (1e20, "100000000000000000000"),
        (True, "yes"),
        (False, "no"),
        (date(1990, 12, 31), "1990-12-31"),
        (datetime(1990, 12, 31, 12, 30), "1990-12-31T12:30:00"),
        (time(8, 15), "08:15:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
        ("a & <b>", "a & <b>"),
        ("#N/A", "#N/A"),
    ],
)
@pytest.mark.parametrize("epoch", [openpyxl.utils.datetime.WINDOWS_EPOCH, openpyxl.utils.datetime.MAC_EPOCH])
def test_every_kind_of_cell_is_read_as_people_see_it(value: Any, text: str, epoch: datetime) -> None:
    workbook = openpyxl.Workbook()
    workbook.epoch = epoch
    workbook.active.append(["username", "bio"])
    workbook.active.append(["ada", value])
    assert read(saved(workbook))[1] == [(2, ["ada", text])]


def test_a_formula_is_worth_its_result() -> None:
    cells = '<c r="A2" t="str"><f>LOWER("ADA")</f><v>ada</v></c><c r="B2"><f>1+1</f></c>'
    assert rows_of(f'<row r="2">{cells}</row>') == [(2, ["ada"])]


def test_a_number_that_is_no_day_is_shown_as_excel_does() -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["username", "bio"])
    workbook.active.append(["ada", date(1990, 12, 31)])
    data = rewritten(saved(workbook), {SHEET: lambda old: old.replace(b"<v>33238</v>", b"<v>99999999999</v>")})
    assert read(data)[1] == [(2, ["ada", "#VALUE!"])]


def test_cells_and_rows_that_do_not_say_where_they_are_follow_each_other() -> None:
    cells = '<row><c t="str"><v>ada</v></c><c/><c t="str"><v>x</v></c></row><row/><row><c><v>7</v></c></row>'
    assert rows_of(cells) == [(2, ["ada", "", "x"]), (4, ["7"])]


def test_names_with_a_prefix_are_read_and_counted() -> None:
    """As some programs write them all."""
    data = with_cells('<row r="2"><c r="A2" t="str"><v>ada</v></c></row>')
    main = MAIN.removeprefix("xmlns=")

    def prefixed(sheet: bytes) -> bytes:
        text = sheet.decode().replace(MAIN, f"xmlns:x={main}")
        return text.replace("</", "\0").replace("<", "<x:").replace("\0", "</x:").encode()

    file = io.BytesIO(rewritten(data, {SHEET: prefixed}))
    options = reader.examine(file)
    assert list(reader.rows(file, options)) == [(2, ["ada"])]
    assert reader.estimate_rows(file, options) == 1


# Made to hurt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["1", "0", "-3", "1048577", "99999999999999999999", "x"])
def test_a_row_that_cannot_stand_there_makes_a_damaged_file(row: str) -> None:
    with pytest.raises(FileRefused, match="damaged"):
        rows_of(f'<row r="{row}"><c r="A2"><v>7</v></c></row>')


@pytest.mark.parametrize("place", ["7", "AAAA2", "é2", "$2"])
def test_a_cell_that_cannot_stand_there_makes_a_damaged_file(place: str) -> None:
    with pytest.raises(FileRefused, match="damaged"):
        rows_of(f'<row r="2"><c r="{place}"><v>7</v></c></row>')


HOSTILE: dict[str, Callable[[], str]] = {
    "a text of 20 MB": lambda: f'<row r="2"><c r="A2" t="str"><v>{"x" * 20_000_000}</v></c></row>',
    "a text in millions of pieces": lambda: (
        f'<row r="2"><c r="A2" t="inlineStr"><is>{"<r><t>xyz</t></r>" * 1_000_000}</is></c></row>'
    ),
    "a text cut up by comments": lambda: f'<row r="2"><c r="A2" t="str"><v>{"x<!---->" * 2_000_000}</v></c></row>',
    "a tag of 20 MB": lambda: f'<row r="{" " * 20_000_000}2"/>',
    "a comment of 20 MB": lambda: f"<!--{'x' * 20_000_000}-->",
    "millions of tags within each other": lambda: "<c>" * 5_000_000,
    "millions of values within each other": lambda: "<v>" * 5_000_000,
    "millions of cells in a row": lambda: f"<row>{'<c><v>7</v></c>' * 1_000_000}</row>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_fill_the_memory_is_refused_before_it_does(name: str) -> None:
    file = io.BytesIO(with_cells(HOSTILE[name]()))
    with excel.opened(file) as opened:
        cells = excel_parts.Cells(opened.sheet("Sheet"), opened.texts, opened.dates)
        tracemalloc.start()
        with pytest.raises((FileRefused, ValueError)):
            for _row in cells.rows():
                pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8 * 1024**2


def test_styles_that_would_fill_the_memory_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "LARGEST_WHOLE", 100_000)
    data = rewritten(book(["username"], ["ada"]), {"xl/styles.xml": lambda old: old + b" " * 100_000})
    with pytest.raises(FileRefused, match="damaged"):
        read(data)
