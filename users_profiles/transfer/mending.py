"""Refused rows mended on the page: those in which a wrong cell was written anew become a small import of their own.

It is the way of the downloaded file without the download: the same columns, the same choices, the same check. The first
import stays as it is, and notes which of its rows have gone where, so that nobody mends a row twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from users_profiles.models import Import, ImportRow, User
from users_profiles.transfer import intake, reader, refused, values
from users_profiles.transfer.options import Kind, Options, Row

# Of a file with more rows than this, somebody would wait too long while the refused ones are looked up in it.
MOST_ROWS = 50_000
# A value as long as this may have been cut short when it was noted, so it is not one to begin from.
LONGEST = 200
# What can be wrong with a cell that is empty. Otherwise a mistake without its value is one of the whole row.
EMPTY = frozenset({"nameless", "no_username", "unmade"})

# What staff have written: the text of each field, by the number of its row.
Edits = dict[int, dict[str, str]]


def is_offered(job: Import) -> bool:
    """Whether refused rows of this import can be mended on the page."""
    ready = job.state in {Import.State.CHECKED, Import.State.DONE} and job.subject == Import.Subject.PEOPLE
    return ready and bool(job.file) and job.total <= MOST_ROWS


def fields_of(row: ImportRow, options: Options) -> list[str]:
    """For each mistake of a row the field whose cell can be written anew; empty where there is none, or has been."""
    found: list[str] = []
    for error in row.errors:
        name, value = error.get("column", ""), error.get("value", "")
        is_cell = name in options.mapping and (bool(value) or error["reason"] in EMPTY) and len(value) < LONGEST
        found.append(name if is_cell and name not in found else "")
    return found


def mended_rows(job: Import) -> dict[int, int]:
    """Which rows of an import have been mended, and in which other one; without those that are gone again."""
    noted = Options.from_json(job.options).mended
    there = set(Import.objects.filter(pk__in=set(noted.values())).values_list("pk", flat=True)) if noted else set()
    return {int(number): key for number, key in noted.items() if key in there}


def first_of(job: Import) -> Import | None:
    """The import in which the rows of this one were refused, if it is one of mended rows."""
    key = Options.from_json(job.options).mends
    return Import.objects.filter(pk=key).first() if key else None


def follow_up(job: Import, edits: Edits, actor: User) -> Import | None:
    """Make an import of the refused rows in which a wrong cell was changed; None when there is no such row.

    Asks nobody: who may is for the page to say, and for the check of what comes of it. Raises ``FileRefused`` when the
    file is gone.
    """
    with transaction.atomic():
        job = Import.objects.select_for_update().get(pk=job.pk)
        options = Options.from_json(job.options)
        changed = _changed(job, edits, options) if is_offered(job) else {}
        if not changed:
            return None
        data = b"".join(refused.text(options.headers, _rows(job, changed, options), ",", "utf-8"))
        mended = _store(job, data, len(changed), options, actor)
        options.mended |= {str(number): mended.pk for number in changed}
        Import.objects.filter(pk=job.pk).update(options=options.to_json())
    return mended


def _changed(job: Import, edits: Edits, options: Options) -> Edits:
    """Of what was sent, the cells that are wrong in a refused row which nobody has mended, and say something else."""
    done = mended_rows(job)
    rows = job.rows.filter(outcome=ImportRow.Outcome.REFUSED, number__in=edits.keys() - done.keys()).order_by("number")
    found: Edits = {}
    for row in rows:
        sent = edits[row.number]
        for error, name in zip(row.errors, fields_of(row, options), strict=True):
            if name in sent and _typed(sent[name]) != _typed(error.get("value", "")):
                found.setdefault(row.number, {})[name] = sent[name]
    return found


def _typed(text: str) -> str:
    """A text as an input on a page gives it back, untouched: on one line."""
    return text.replace("\r", "").replace("\n", "")


def _rows(job: Import, changed: Edits, options: Options) -> Iterator[tuple[str, ...]]:
    """These rows with their new cells, and nothing behind the last: a row that is too wide has no cell to be mended."""
    with intake.opened(job) as file:
        left = len(changed)
        for number, row in reader.rows(file, options):
            if number in changed:
                yield (*_with(row, changed[number], options), "")
                left -= 1
                if not left:
                    return


def _with(row: Row, cells: dict[str, str], options: Options) -> Row:
    """The row with its new cells, and no more cells than it needs for them: one that is not there empties nothing.

    But of an Excel file each cell is there, and those that it does not keep are empty.
    """
    found = [values.restore(cell) for cell in row]
    if options.kind is Kind.XLSX:
        found += [""] * (len(options.headers) - len(found))
    for name, text in cells.items():
        at = options.mapping.index(name)
        found += [""] * (at + 1 - len(found))
        found[at] = text
    return found


def _store(job: Import, data: bytes, rows: int, options: Options, actor: User) -> Import:
    """Keep the file as an import that is read and treated as the first one was, but for whom that one misses."""
    file = ContentFile(data)
    read = replace(options, kind=Kind.TEXT, encoding="utf-8", delimiter=",", header_row=1, sheet="", sheets=[])
    read = replace(read, roster="", roster_location="", roster_role="", hints={}, mends=job.pk, mended={})
    stem = PurePath(job.filename).stem
    mended = Import(
        owner=actor,
        filename=job.filename if options.mends else _("%(file)s, mended rows") % {"file": stem} + ".csv",
        digest=intake.digest(file),
        size=len(data),
        options=read.to_json(),
        total=rows,
    )
    intake.store(mended, file)
    return mended
