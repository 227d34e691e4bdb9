"""The refused rows of an import as a file of the same shape, with one more column that says why: mend it, import it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.utils.translation import gettext as _

from users_profiles.models import Import, ImportRow
from users_profiles.transfer import intake, reader, values
from users_profiles.transfer.options import Options

Errors = list[dict[str, str]]

# Also what the column is known by when such a file, mended in part, comes back and has refused rows again.
REASON = "error"


def lines(job: Import) -> Iterator[str]:
    """Yield the file line by line; the rows come from the uploaded file, as they stood there."""
    options = Options.from_json(job.options)
    headers = options.headers[:-1] if options.headers[-1] == REASON else options.headers
    yield "\ufeff" + _line([*headers, REASON], options.delimiter)
    with intake.opened(job) as file:
        for number, row, errors in _refused(job, reader.rows(file, options)):
            cells = [values.defuse(values.restore(cell)) for cell in row[: len(headers)]]
            yield _line([*cells, *[""] * (len(headers) - len(cells)), _why(number, errors)], options.delimiter)


def _refused(job: Import, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str], Errors]]:
    """The refused among the rows of the file, with what is wrong with them; both come in the order of the file."""
    refused = job.rows.filter(outcome=ImportRow.Outcome.REFUSED).order_by("number")
    for wanted, errors in refused.values_list("number", "errors").iterator():
        for number, row in rows:
            if number == wanted:
                yield number, row, errors
                break


def _why(number: int, errors: Errors) -> str:
    """The reasons, after the row they are about: other rows are named by where they stood in that file, not in this."""
    found = " ".join(f"{problem['column']}: {problem['reason']}".removeprefix(": ") for problem in errors)
    return _("Row %(row)s. %(why)s") % {"row": number, "why": found}


def _line(cells: list[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow(cells)
    return out.getvalue()
