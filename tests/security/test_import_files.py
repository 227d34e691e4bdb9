"""Files that are broken, foreign or made to hurt, from upload to people (checks C1 to C14)."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.importing import SHEET, apply, book, check, outcomes, reasons, rewritten, take_in
from tests.people import Browse
from tests.workers import environment
from users_profiles.models import Import, Profile, User
from users_profiles.transfer import columns, retention
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.export import formats

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:users_profiles_user_import")


def uploaded(client: Client, content: bytes, name: str = "staff.csv") -> str:
    """Upload a file as staff do; return the page that answers."""
    answer = client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def refused(content: bytes) -> str:
    """The reason why a file is not even taken in."""
    with pytest.raises(FileRefused) as refusal:
        take_in(content)
    assert not Import.objects.exists()
    return str(refusal.value)


def failure(content: bytes, **options: Any) -> str:
    """The reason why the check of a file ends before its end."""
    with pytest.raises(AssertionError) as failed:
        check(content, **options)
    assert Import.objects.get().state == "failed"
    assert not User.objects.exists()
    return str(failed.value)


# C1 -----------------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+49301234", "-2", "@SUM(A1)", "'=quoted", "''-twice", "-", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_c1_formulas_leave_harmless_and_come_back_as_they_were(
    file_format: str, make_person: Callable[..., User]
) -> None:
    for at, formula in enumerate(FORMULAS):
        make_person(f"p{at}", last_name=formula, bio=formula, phone_number="+4930123456")
    before = list(Profile.objects.order_by("pk").values("bio", "phone_number", "user__last_name"))
    data = b"".join(
        part for part, _rows in formats.blocks(User.objects.order_by("pk"), list(columns.NAMES), file_format)
    )
    if file_format == "csv":
        cells = [cell for line in data.decode("utf-8-sig").splitlines() for cell in line.split(",")]
        assert not [cell for cell in cells if cell.strip('"')[:1] in {"=", "+", "-", "@"} and cell]
    job = apply(data)
    assert job.unchanged == len(FORMULAS)
    User.objects.update(last_name="")
    Profile.objects.update(bio="", phone_number="")
    assert apply(data).updated == len(FORMULAS)
    assert list(Profile.objects.order_by("pk").values("bio", "phone_number", "user__last_name")) == before


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_c1_a_cell_is_marked_whichever_sign_it_begins_with(start: str, make_person: Callable[..., User]) -> None:
    make_person("ada", bio=f"{start}1+1")
    data = b"".join(part for part, _rows in formats.blocks(User.objects.all(), ["username", "bio"], "csv"))
    assert [*csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))][1] == ["ada", f"'{start}1+1"]


# C2 to C5 -----------------------------------------------------------------------------------------------------------


def test_c2_a_lone_cell_in_the_last_row_of_a_sheet_takes_no_time() -> None:
    data = book(["username", "email"], ["ada", "ada@example.com"])
    far = b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>zoe</t></is></c></row></sheetData>'
    data = rewritten(data, {SHEET: lambda sheet: sheet.replace(b"</sheetData>", far)})
    start = time.process_time()
    job = apply(data)
    assert time.process_time() - start < 2
    assert outcomes(job) == [(2, "new"), (1_048_576, "new")]


def test_c3_a_file_that_unpacks_to_300_megabytes_is_refused_before_it_is_read(settings: Any) -> None:
    settings.IMPORT_MAX_UNPACKED_BYTES = 100 * 1024**2
    out = io.BytesIO(book(["username"]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/big.xml", "w") as member:
        for _block in range(300):
            member.write(b"0" * 1024**2)
    assert len(out.getvalue()) < 500_000
    assert "unpacks to more than 100 MB" in refused(out.getvalue())


def test_c3_a_cell_in_the_last_column_is_refused() -> None:
    far = b'<row r="2"><c r="XFD2" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    data = rewritten(book(["username"]), {SHEET: lambda sheet: sheet.replace(b"</sheetData>", far)})
    assert "more than 200 columns" in refused(data)


@pytest.mark.parametrize(
    "prolog",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
    ids=["external entity", "billion laughs"],
)
def test_c4_entities_are_refused_in_words(browse: Browse, editor: User, prolog: bytes) -> None:
    data = rewritten(
        book(["username"], ["ada"]), {SHEET: lambda sheet: sheet.replace(b"<worksheet", prolog + b"<worksheet", 1)}
    )
    assert "something in it we refuse to read" in uploaded(browse(editor), data, "staff.xlsx")
    assert not Import.objects.exists()


def test_c5_a_false_dimension_hides_no_row() -> None:
    data = book(["username"], *([f"p{at}"] for at in range(20)))
    data = rewritten(data, {SHEET: lambda sheet: sheet.replace(b'ref="A1:A21"', b'ref="A1:A2"')})
    assert b'ref="A1:A2"' in zipfile.ZipFile(io.BytesIO(data)).read(SHEET)
    assert apply(data).created == 20


# C6 to C10 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", ["\x00", "\x07", "\x1b", "\x7f", "\u202e", "\u2066", "\ufeff"])
def test_c6_what_cannot_be_seen_is_a_row_error(hidden: str) -> None:
    job = apply(f"username,first_name,location\na{hidden}b,Ada,\ncarl,C{hidden}arl,\nbob,Bob,x{hidden}\ngood,Good,x\n")
    assert outcomes(job) == [(2, "refused"), (3, "refused"), (4, "refused"), (5, "new")]
    found = reasons(job)
    assert all("invisible character" in found[row][0][1] for row in (3, 4))


def test_c6_a_zero_byte_in_a_column_name_or_file_name_breaks_no_page(browse: Browse, editor: User) -> None:
    assert "Goes to" in uploaded(browse(editor), b"username,No\x00tes\nada,x\n", "st\x00aff.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_c7_every_usual_separator_makes_people_and_never_one_without_a_name(delimiter: str) -> None:
    job = apply(f"username{delimiter}email\nada{delimiter}ada@example.com\nbob{delimiter}\n")
    assert (job.created, job.refused) == (2, 0)
    assert not User.objects.filter(username="").exists()


@pytest.mark.parametrize("name", ["ﬁona", "rооt", "x" * 400, "root‮", "ro\u200dot", "a b", "", "α𝒷c"])
def test_c8_a_name_that_only_looks_like_one_is_a_row_error(name: str) -> None:
    job = apply(f"username,email,first_name\n{name},,Ada\n")
    assert outcomes(job) == [(2, "refused")]


def test_c8_another_case_of_a_name_is_the_same_person(superuser: User) -> None:
    job = apply("username,first_name\nROOT,Ada\nRoot,Bob\n")
    assert outcomes(job) == [(2, "changed"), (3, "refused")]
    assert User.objects.get().first_name == "Ada"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_c9_every_usual_encoding_and_line_end_is_read_as_it_was_meant(encoding: str, end: str) -> None:
    text = end.join(["username,first_name,bio", 'jose,José,"one', 'two"', "zoe,Zoë,", ""])
    job = apply(text.encode(encoding))
    assert job.created == 2
    jose = User.objects.get(username="jose")
    assert (jose.first_name, jose.profile.bio) == ("José", "one\ntwo")
    assert User.objects.get(username="zoe").first_name == "Zoë"


def test_c10_a_column_twice_is_named_before_anything_is_written() -> None:
    assert "Mobile / Phone" in failure(b"username,Mobile,Phone\nada,1,2\n").replace("Phone / Mobile", "Mobile / Phone")


def test_c10_an_unknown_column_is_named_and_ignored(browse: Browse, editor: User) -> None:
    assert "Shoe size" in uploaded(browse(editor), b"username,Shoe size\nada,38\n")
    assert apply("username,Shoe size\nada,38\n").created == 1


def test_c10_an_unclosed_quotation_mark_is_named_before_anything_is_written() -> None:
    rows = "".join(f"p{at},x\n" for at in range(3_000))
    assert "Row 3002: a quotation mark is never closed" in failure(f'username,location\n{rows}"ada,x\n'.encode())


def test_c10_a_ragged_row_is_one_row_error() -> None:
    job = apply("username,email\nada,,extra\nbob\ncarl,\n")
    assert outcomes(job) == [(2, "refused"), (3, "new"), (4, "new")]
    assert "3 cells where the header has 2" in reasons(job)[2][0][1]


# C11 to C14 ---------------------------------------------------------------------------------------------------------


def test_c11_a_blank_cell_erases_nobodys_email(superuser: User) -> None:
    assert apply("username,email,first_name\nroot,,\n").unchanged == 1
    superuser.refresh_from_db()
    assert superuser.email == "root@example.com"


@pytest.mark.django_db(transaction=True)
def test_c12_a_long_file_is_left_to_the_worker_and_its_memory_does_not_grow_with_it(tmp_path: Path) -> None:
    """The bench does the same with a million rows; that it is queued, tests/test_tasks.py sees."""
    path = tmp_path / "staff.csv"
    filler = "x" * 900
    with path.open("w") as file:
        file.write("username,notes\n")
        file.writelines(f"p{at},{filler}\n" for at in range(60_000))
    assert path.stat().st_size > 50 * 1024**2
    done = subprocess.run(
        [sys.executable, "manage.py", "import_users", str(path), "--dry-run", "--json"],
        cwd=django_settings.BASE_DIR,
        env=environment(Path(django_settings.MEDIA_ROOT)),
        capture_output=True,
    )
    figures = json.loads(done.stdout)
    assert figures["created"] == 60_000
    assert figures["peak_memory_mb"] < 150


def test_c13_an_abandoned_preview_leaves_no_file_behind(settings: Any) -> None:
    job = check("username\nada\n")
    path = Path(job.file.path)
    assert path.exists()
    before = timezone.now() - timedelta(hours=settings.IMPORT_KEEP_PREVIEWS_HOURS + 1)
    Import.objects.update(uploaded_at=before)
    retention.prune()
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("word", "active"),
    [
        *((word, True) for word in ("yes", "ja", "x", "1", "TRUE", "Activated", "oui", "sí")),
        *((word, False) for word in ("no", "nein", "0", "FALSE", "Deactivated", "non")),
    ],
)
def test_c14_words_for_yes_and_no_are_understood(word: str, active: bool) -> None:
    apply(f"username,active\nada,{word}\n")
    assert User.objects.get().is_active is active


@pytest.mark.parametrize("word", ["maybe", "2", "yesno"])
def test_c14_unknown_words_are_row_errors(word: str) -> None:
    assert reasons(apply(f"username,active\nada,{word}\n"))[2][0][0] == "active"
