"""What tests of imports begin with: files, an import as far as a test needs it, and what became of its rows."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from django.core.files.base import ContentFile

from users_profiles.models import Import, User
from users_profiles.transfer import columns, importer, intake, reader, tasks, undo_import
from users_profiles.transfer.export import formats
from users_profiles.transfer.options import Options
from users_profiles.transfer.people import problems_of

# A hundred people as another system writes them.
SAMPLE = Path(__file__).parent / "data" / "snipe-it-users.csv"
SHEET = "xl/worksheets/sheet1.xml"

# Imports ------------------------------------------------------------------------------------------------------------


def take_in(content: bytes | str, owner: User | None = None, name: str = "staff.csv", **options: Any) -> Import:
    """Receive a file, with options that staff would have chosen."""
    data = content if isinstance(content, bytes) else content.encode()
    job = intake.receive(ContentFile(data, name=name), name, owner)
    job.options = {**job.options, **options}
    job.save()
    return job


def check(content: bytes | str, owner: User | None = None, **options: Any) -> Import:
    job = take_in(content, owner, **options)
    assert job.start_check()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.CHECKED, job.failure
    return job


def apply(content: bytes | str, owner: User | None = None, **options: Any) -> Import:
    job = check(content, owner, **options)
    assert job.start_apply()
    importer.run(job)
    job.refresh_from_db()
    assert job.state == Import.State.DONE, job.failure
    return job


def crowd(count: int, first: int = 0) -> None:
    """So many people, from ``p00000`` on: an import makes them six times as quickly as Django does."""
    lines = (f"p{at:05},p{at:05}@example.com,{'N' * 30}\n" for at in range(first, first + count))
    job = take_in(f"username,email,first_name\n{''.join(lines)}")
    assert job.start_apply(unchecked=True)
    importer.run(job)
    job.refresh_from_db()
    assert job.created == count, job.failure


def outcomes(job: Import) -> list[tuple[int, str]]:
    return list(job.rows.values_list("number", "outcome"))


def reasons(job: Import) -> dict[int, list[tuple[str, str]]]:
    """The refused rows: which column, and why, as they are read."""
    options = Options.from_json(job.options)
    refused = {row.number: problems_of(row.errors, options) for row in job.rows.filter(outcome="refused")}
    return {number: [(problem.column, problem.reason) for problem in problems] for number, problems in refused.items()}


def take_back(job: Import, actor: User | None = None) -> dict[str, int]:
    """Undo an import; the figures that are not zero."""
    assert job.start_undo(actor, write=True)
    tasks.run(job)
    return figures(job)


def figures(job: Import) -> dict[str, int]:
    job.refresh_from_db()
    return {fate: count for fate, count in undo_import.counts(job).items() if count}


# Files --------------------------------------------------------------------------------------------------------------


def exported() -> str:
    """Everybody, as our own export gives them to a person who then edits the file."""
    names = [*columns.NAMES, "version"]
    blocks = formats.blocks(User.objects.order_by("username"), names, "csv")
    return b"".join(block for block, _rows in blocks).decode("utf-8-sig")


def read(data: bytes) -> tuple[Any, list[tuple[int, list[str]]]]:
    file = io.BytesIO(data)
    options = reader.examine(file)
    return options, list(reader.rows(file, options))


def book(*rows: list[Any]) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    return saved(workbook)


def saved(workbook: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def rewritten(data: bytes, changes: dict[str, Any]) -> bytes:
    """An Excel file with some of its parts replaced: what a hand that means harm would send."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, changes[name](content) if name in changes else content)
    return out.getvalue()
