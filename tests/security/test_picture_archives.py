"""ZIP archives that were made to hurt: each is refused with a sentence, or taken without harm."""

from __future__ import annotations

import io
import resource
import stat
import struct
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.archives import RED, check, outcomes, picture_of, reasons, take_in, zipped
from tests.archives import apply as apply_archive
from users_profiles import avatars
from users_profiles.models import Import, User
from users_profiles.transfer import archive
from users_profiles.transfer.errors import FileRefused
from users_profiles.transfer.reasons import Refused

TOO_MANY = "This archive has more than 10000 files. Split it into smaller ones."


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def refusal(data: bytes) -> str:
    """The sentence with which an archive is turned away at the door; nothing is kept of it."""
    with pytest.raises(FileRefused) as refused:
        take_in(data)
    assert not Import.objects.exists()
    return str(refused.value)


def entry(name: bytes, data: bytes, packed: bytes | None = None, *, size: int | None = None, **more: int) -> bytes:
    """One file as an archive holds it: local header and contents, followed by nothing."""
    return _header(b"PK\3\4", name, data, packed, size, **more) + name + (packed if packed is not None else data)


def _header(
    mark: bytes, name: bytes, data: bytes, packed: bytes | None, size: int | None, flags: int = 0, method: int = 0
) -> bytes:
    body = packed if packed is not None else data
    made_by = b"" if mark == b"PK\3\4" else struct.pack("<H", 20)
    sizes = struct.pack("<LLL", zlib.crc32(data), len(body), len(data) if size is None else size)
    return mark + made_by + struct.pack("<HHHHH", 20, flags, method, 0, 0x21) + sizes + struct.pack("<HH", len(name), 0)


def single(name: bytes, data: bytes, packed: bytes | None = None, size: int | None = None, **more: int) -> bytes:
    """An archive of one file whose headers say whatever a test wants them to say."""
    local = entry(name, data, packed, size=size, **more)
    central = _header(b"PK\1\2", name, data, packed, size, **more) + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    return local + central + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@pytest.fixture
def ada(make_person: Callable[..., User]) -> User:
    return make_person("ada")


# Sizes


@pytest.mark.django_db
def test_a_bomb_that_says_how_large_it_is_is_refused_at_the_door(settings: object) -> None:
    packed = deflated(b"\0" * 1_000_000)
    assert "unpacks to more than 1000 MB" in refusal(single(b"ada.png", b"", packed, size=2**31, method=8))


@pytest.mark.django_db
def test_a_bomb_that_lies_about_its_size_is_unpacked_no_further_than_it_said(ada: User) -> None:
    bomb = single(b"ada.png", b"", deflated(b"\0" * 300_000_000), size=1_000, method=8)
    before = peak_memory()
    assert reasons(check(bomb)) == {"ada.png": "This file is damaged in the archive. Pack it anew."}
    assert peak_memory() - before < 30_000_000


@pytest.mark.django_db
def test_many_files_that_share_one_bomb_are_refused_by_their_sum() -> None:
    data = b"\0" * avatars.MAX_BYTES
    local = entry(b"a", data, deflated(data), method=8)
    central = b"".join(
        _header(b"PK\1\2", name, data, deflated(data[:10]), None, method=8)
        + struct.pack("<HHHLL", 0, 0, 0, 0, 0)
        + name
        for name in (b"%d.png" % at for at in range(150))
    )
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 150, 150, len(central), len(local), 0)
    assert "unpacks to more than 1000 MB" in refusal(local + central + end)


@pytest.mark.django_db
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds_are_not_begun(ada: User, method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.writestr("ada.png", b"\0" * avatars.MAX_BYTES)
    before = peak_memory()
    assert reasons(check(out.getvalue())) == {
        "ada.png": "This file is packed in an unusual way. Pack it anew as a plain ZIP archive."
    }
    assert peak_memory() - before < 30_000_000


@pytest.mark.django_db
def test_a_hundred_thousand_entries_are_refused_before_they_are_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for at in range(100_000):
            made.writestr(f"{at}.png", b"")
    before, began = peak_memory(), time.monotonic()
    assert refusal(out.getvalue()) == TOO_MANY
    assert time.monotonic() - began < 1
    assert peak_memory() - before < 30_000_000


@pytest.mark.django_db
def test_a_second_table_of_contents_for_huge_archives_gets_around_no_limit() -> None:
    """The fields of the 64-bit end record win over the usual ones, so both must meet the limit."""
    central = 50_000_000
    end64 = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, central, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, central, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, 46, 0, 0)
    assert refusal(b"\0" * central + end64 + locator + end) == TOO_MANY


@pytest.mark.django_db
def test_one_file_more_than_allowed_is_too_many(settings: object, ada: User) -> None:
    settings.IMPORT_MAX_PICTURES = 2  # type: ignore[attr-defined]
    assert outcomes(check({"ada.png": RED, "b.png": RED}))["ada.png"] == "new"
    with pytest.raises(FileRefused, match="more than 2 files"):
        take_in(zipped({"ada.png": RED, "b.png": RED, "c.png": RED}))


# Names


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["../../../etc/ada.png", "/etc/ada.png", "C:\\Windows\\ada.png", "..\\ada.png", "./a/../ada.png"]
)
def test_a_path_that_climbs_out_writes_nowhere_but_where_pictures_go(ada: User, path: str, settings: object) -> None:
    media = Path(settings.MEDIA_ROOT)  # type: ignore[attr-defined]
    outside = {file for file in media.parent.rglob("*") if media not in file.parents}
    apply_archive({path: RED})
    assert picture_of(ada).startswith("avatars/")
    assert {file for file in media.parent.rglob("*") if media not in file.parents} - outside == {media}
    assert {file.relative_to(media).parts[0] for file in media.rglob("*")} == {"avatars", "thumbnails", "imports"}


@pytest.mark.django_db
def test_a_name_that_turns_the_reading_direction_is_shown_as_it_is_and_matches_nobody(ada: User) -> None:
    [(path, outcome)] = outcomes(
        check(
            {
                "a\u202egnp.da.png": RED,
            }
        )
    ).items()
    assert outcome == "refused"
    assert "\u202e" not in path


@pytest.mark.django_db
def test_what_systems_add_by_themselves_is_passed_over(ada: User) -> None:
    job = check(
        {
            "ada.png": RED,
            "__MACOSX/._ada.png": b"resource fork",
            "__MACOSX/team/._ada.png": b"resource fork",
            "team/._ada.png": b"resource fork",
            ".DS_Store": b"x",
            "team/Thumbs.db": b"x",
            "team/desktop.ini": b"x",
            "team/": b"",
        }
    )
    assert outcomes(job) == {"ada.png": "new"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "flags"),
    [
        ("Ærö.png".encode("cp437"), 0),
        ("Ærö.png".encode(), 0),  # as macOS writes it, without saying so
        ("Ærö.png".encode(), 0x800),
        (unicodedata.normalize("NFD", "Éa.png").encode(), 0x800),
    ],
    ids=["cp437", "unmarked UTF-8", "UTF-8", "decomposed"],
)
def test_names_are_read_in_the_encoding_they_were_written_in(
    make_person: Callable[..., User], raw: bytes, flags: int
) -> None:
    people = [make_person(name) for name in ("Ærö", "Éa")]
    apply_archive(single(raw, RED, flags=flags))
    assert sum(bool(picture_of(person)) for person in people) == 1


@pytest.mark.django_db
def test_a_name_that_is_no_utf8_although_it_says_so_is_refused() -> None:
    assert refusal(single(b"\xff\xfe.png", RED, flags=0x800)).startswith("This is not a ZIP archive.")


@pytest.mark.django_db
def test_an_entry_that_is_there_twice_counts_once(ada: User) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([("ada.png", RED), ("ada.png", b"something else")])
    job = check(data)
    assert list(job.rows.values_list("outcome", flat=True)) == ["new", "refused"]
    assert list(reasons(job).values())[-1] == "ada.png is for the same person. Keep one of the two."


@pytest.mark.django_db
def test_case_makes_no_second_person(ada: User) -> None:
    assert sorted(outcomes(check({"ADA.png": RED, "Ada.PNG": RED, "ada.jpg": RED})).values()) == [
        "new", "refused", "refused"
    ]  # fmt: skip


# Kinds


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["inner.zip", "ada.zip", "team/ada.tar.gz", "ada.7z"])
def test_an_archive_inside_the_archive_is_not_opened(ada: User, name: str) -> None:
    assert list(reasons(check({name: zipped({"ada.png": RED})})).values()) == [
        "This is an archive inside the archive. Put its pictures straight into the outer one."
    ]


@pytest.mark.django_db
def test_an_archive_that_calls_itself_a_picture_is_none(ada: User) -> None:
    [reason] = reasons(check({"ada.png": zipped({"ada.png": RED})})).values()
    assert reason.startswith("This file is not a picture we can read.")


@pytest.mark.django_db
def test_a_link_is_not_followed(ada: User) -> None:
    link = zipfile.ZipInfo("ada.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(link, "/etc/passwd")
    assert reasons(check(out.getvalue())) == {"ada.png": "This is a link to a file and not a file."}


@pytest.mark.django_db
def test_an_archive_with_a_password_is_refused_at_the_door() -> None:
    assert refusal(single(b"ada.png", RED, flags=0x1)) == "This archive is protected by a password. Make one without."


@pytest.mark.django_db
@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6", RED, b"username,email\nada,a@b.c\n", b"\0" * 100_000])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refusal(data) == "This is not a ZIP archive. Put the pictures into one, and choose that."


@pytest.mark.django_db
def test_an_archive_without_files_is_refused() -> None:
    assert refusal(zipped({})) == "There are no files in this archive."
    assert refusal(zipped({"__MACOSX/._a": b"x", "team/": b""})) == "There are no files in this archive."


@pytest.mark.django_db
def test_a_damaged_file_leaves_the_others_alone(ada: User, make_person: Callable[..., User]) -> None:
    make_person("bob")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr("ada.png", RED)
        made.writestr("bob.png", RED)
    data = bytearray(out.getvalue())
    data[60] ^= 0xFF
    job = check(bytes(data))
    assert reasons(job) == {"ada.png": "This file is damaged in the archive. Pack it anew."}
    assert outcomes(job)["bob.png"] == "new"


SOUND = zipped({"ada.png": RED, "team/bob.jpg": b"x" * 200, "carl.gif": b""})


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=8), st.integers(0, 40))
def test_no_damage_to_an_archive_is_more_than_a_refusal(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SOUND)
    for at, value in changes:
        data[at] = value
    with suppress(FileRefused), archive.opened(ContentFile(bytes(data[: len(data) - cut]))) as opened:
        for member in archive.members(opened):
            with suppress(Refused):
                assert len(archive.read(opened, member, 1_000)) <= 1_000
