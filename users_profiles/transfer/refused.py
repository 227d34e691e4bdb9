"""The refused rows of an import as a file of the same shape, with one more column that says why: mend it, import it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from django.utils.translation import gettext as _

from users_profiles.models import Import, ImportRow
from users_profiles.transfer import intake, reader, values
from users_profiles.transfer.export import xlsx
from users_profiles.transfer.export.formats import CONTENT_TYPES as EXPORTED
from users_profiles.transfer.options import Kind, Options, Row
from users_profiles.transfer.people import problems_of

# Also what the column is known by when such a file, mended in part, comes back and has refused rows again.
REASON = "error"
CONTENT_TYPES = {"csv": "text/csv", "tsv": "text/tab-separated-values", "xlsx": EXPORTED["xlsx"]}
CHUNK = 1_000


def suffix(job: Import) -> str:
    """What the name of the file ends in, which is how it is written: as the uploaded one was."""
    options = Options.from_json(job.options)
    if options.kind is Kind.XLSX:
        return "xlsx"
    return "tsv" if options.delimiter == "\t" else "csv"


def blocks(job: Import, ending: str) -> Iterator[bytes]:
    """Yield the file, some bytes at a time; an Excel file where it is to end in xlsx, else text."""
    options = Options.from_json(job.options)
    headers = [*_headers(options), REASON]
    with intake.opened(job) as file:
        rows = _rows(job, reader.rows(file, options), options)
        if ending == "xlsx":
            chunks = iter(lambda: list(islice(rows, CHUNK)), [])
            # And one without a name, for what is too much of a row.
            yield from (data for data, _count in xlsx.blocks([""] * (len(headers) + 1), chunks, [*headers, ""]))
        else:
            yield from text(headers, rows, options.delimiter, _encoding(job, options))


def _headers(options: Options) -> list[str]:
    return options.headers[:-1] if options.headers[-1] == REASON else options.headers


def _rows(job: Import, rows: Iterator[tuple[int, Row]], options: Options) -> Iterator[tuple[str, ...]]:
    """The refused rows in one width: their cells, why they are refused, and what is behind the last column.

    What is there must not be lost, or a row that was refused for a stray separator would be taken, shifted, when it
    comes back; where it stands it has the row refused again until somebody has mended it.
    """
    width = len(_headers(options))
    for row, why in _refused(job, rows, options):
        cells = [values.restore(cell) for cell in row]
        padding = [""] * (width - len(cells))
        rest = options.delimiter.join(cells[len(options.headers) :]).strip(options.delimiter)
        yield (*cells[:width], *padding, why, rest)


def _refused(job: Import, rows: Iterator[tuple[int, Row]], options: Options) -> Iterator[tuple[Row, str]]:
    """The refused among the rows of the file, with what is wrong with them; both come in the order of the file."""
    for wanted, why in _reasons(job, options):
        for number, row in rows:
            if number == wanted:
                yield row, why
                break


def _reasons(job: Import, options: Options) -> Iterator[tuple[int, str]]:
    """Why each row is refused, after its number: other rows are named by where they stood in that file, not in this."""
    refused = job.rows.filter(outcome=ImportRow.Outcome.REFUSED).order_by("number")
    for number, errors in refused.values_list("number", "errors").iterator():
        why = " ".join(map(str, problems_of(errors, options)))
        yield number, _("Row %(row)s. %(why)s") % {"row": number, "why": why}


# Text ---------------------------------------------------------------------------------------------------------------


def text(headers: Row, rows: Iterable[tuple[str, ...]], delimiter: str, encoding: str) -> Iterator[bytes]:
    """Yield a table as text; each row has one more cell than the header, for what is behind the last column."""
    encoder = codecs.getincrementalencoder(encoding)()
    yield encoder.encode(_line(headers, delimiter))
    for *cells, rest in rows:
        yield encoder.encode(_line([*cells, rest] if rest else cells, delimiter))


def _line(cells: Row, delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow(map(values.defuse, cells))
    return out.getvalue()


def _encoding(job: Import, options: Options) -> str:
    """That of the uploaded file, if it has all letters of the reasons; Unicode always with its mark, as Excel needs."""
    if options.encoding.startswith("utf-16"):
        return "utf-16"
    if not options.encoding.startswith("utf-8"):
        try:
            "".join(options.headers).encode(options.encoding)
            for _number, why in _reasons(job, options):
                why.encode(options.encoding)
        except UnicodeEncodeError:
            return "utf-8-sig"
        return options.encoding
    return "utf-8-sig"
