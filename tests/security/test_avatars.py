"""Security checks B1 to B11: what people try with pictures."""

from __future__ import annotations

import base64
import errno
import io
import re
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.test import Client
from django.urls import reverse
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from tests.admin_pages import save, user_page
from tests.archives import files_of, give_picture, kept_in, redrawn, stored_files
from tests.data import images
from tests.people import Browse
from users_profiles import avatars, roles
from users_profiles.avatars import NotStored
from users_profiles.models import Profile, TrailEntry, User


def send(client: Client, data: bytes, name: str = "me.png") -> Any:
    return client.post(reverse("profile_edit"), {"avatar": images.upload(data, name)})


def refusal(response: Any) -> str:
    assert response.status_code == 200, "the picture was accepted"
    return " ".join(response.context["form"].errors["avatar"])


def avatar_url(person: User, edge: int = 64) -> str:
    return reverse("avatar", args=[person.pk, edge])


# B1


@pytest.mark.parametrize("side", [4500, 12_000, 20_000])
def test_b1_too_many_pixels_are_refused_without_decoding_them(
    stranger: User, browse: Browse, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(image: ImageFile.ImageFile) -> None:
        raise AssertionError("400 megapixels would be decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)
    assert "20 megapixels" in refusal(send(browse(stranger), images.bomb(side, side)))
    assert stored_files() == set()


def test_b1_a_gif_whose_frame_is_larger_than_it_says_is_refused(stranger: User, browse: Browse) -> None:
    data = bytearray(images.picture("GIF", (10, 10)))
    frame = data.index(b"\x2c")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"  # the first frame: 65535 x 65535
    assert "20 megapixels" in refusal(send(browse(stranger), bytes(data)))


def test_b1_a_file_above_10_mb_is_refused_unread(stranger: User, browse: Browse) -> None:
    data = images.picture() + b"\0" * (avatars.MAX_BYTES + 1)
    assert "larger than 10 MB" in refusal(send(browse(stranger), data))


# B2


@pytest.mark.parametrize("format_", ["JPEG", "GIF", "PNG", "WEBP"])
def test_b2_a_truncated_picture_is_refused_and_the_old_one_stays(stranger: User, browse: Browse, format_: str) -> None:
    name = give_picture(stranger)
    noise = Image.effect_noise((300, 300), 80).convert("RGB")
    data = images.encoded(noise, format_)
    assert "not a picture we can read" in refusal(send(browse(stranger), data[: len(data) // 2]))
    assert stored_files() == files_of(name)
    assert Profile.objects.get(pk=stranger.pk).avatar.name == name


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\0\0\0\0WEBP"]
)
def test_b2_the_beginning_of_a_picture_is_no_picture(stranger: User, browse: Browse, data: bytes) -> None:
    assert refusal(send(browse(stranger), data))


def test_b2_randomly_damaged_pictures_never_crash_the_page() -> None:
    """Every damaged file is either drawn or refused with a sentence; nothing else may come out of Pillow."""
    dice = Random(7)
    originals = [images.picture(format_, (60, 60)) for format_ in avatars.FORMATS]
    originals += [images.from_a_camera(6), images.animated("GIF"), images.animated("PNG"), images.animated("WEBP")]
    outcomes = set()
    for _ in range(400):
        data = bytearray(dice.choice(originals))
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            outcomes.add(redrawn(bytes(data)).format)
        except ValidationError as error:
            outcomes.add(error.code)
    assert {"WEBP", "unreadable"} <= outcomes <= {"WEBP", "unreadable", "pixels"}


# B3


@pytest.mark.parametrize("format_", ["EPS", "TIFF", "PCX", "BMP", "ICO", "PPM", "TGA", "PDF", "JPEG2000", "AVIF"])
def test_b3_other_formats_are_refused_whatever_they_are_called(stranger: User, browse: Browse, format_: str) -> None:
    try:
        data = images.picture(format_)
    except (KeyError, OSError):
        pytest.skip(f"this Pillow cannot write {format_}")
    assert "not a picture we can read" in refusal(send(browse(stranger), data, "me.png"))


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n(/etc/passwd) (r) file",
    ],
)
def test_b3_text_that_a_browser_or_a_printer_would_run_is_refused(stranger: User, browse: Browse, data: bytes) -> None:
    assert "not a picture we can read" in refusal(send(browse(stranger), data))


# B4


@pytest.mark.parametrize("format_", ["GIF", "PNG", "JPEG", "WEBP"])
def test_b4_nothing_that_was_hidden_behind_a_picture_is_stored(stranger: User, browse: Browse, format_: str) -> None:
    payload = b"<script>alert('hidden')</script><?php system('id') ?>"
    assert send(browse(stranger), images.picture(format_) + payload).status_code == 302
    for name in stored_files():
        with default_storage.open(name) as file:
            data = file.read()
        assert b"script" not in data
        assert b"<?php" not in data
    assert len(stored_files()) == 3


# B5


def test_b5_neither_place_nor_camera_nor_any_metadata_is_kept(stranger: User, browse: Browse) -> None:
    assert send(browse(stranger), images.from_a_camera(6)).status_code == 302
    for name in stored_files():
        with default_storage.open(name) as file:
            data = file.read()
        assert b"SECRET" not in data
        image = images.opened(data)
        assert not dict(image.getexif())
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(image.info)


def test_b5_text_chunks_profiles_and_comments_are_dropped() -> None:
    notes = PngInfo()
    notes.add_text("Comment", "SECRET", zip=True)
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SECRET</x:xmpmeta>")
    marked = [
        images.picture("PNG", pnginfo=notes, icc_profile=b"SECRET" * 40),
        images.picture("JPEG", comment=b"SECRET", icc_profile=b"SECRET" * 40, xmp=b"SECRET"),
        images.picture("GIF", comment=b"SECRET"),
        images.picture("WEBP", icc_profile=b"SECRET" * 40, xmp=b"SECRET"),
    ]
    for data in marked:
        assert b"SECRET" not in avatars.redraw(io.BytesIO(data)).read()


# B6


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP"])
def test_b6_of_an_animation_the_first_frame_is_kept(format_: str) -> None:
    data = images.animated(format_)
    assert images.opened(data).n_frames > 1  # type: ignore[attr-defined]
    image = redrawn(data)
    assert getattr(image, "n_frames", 1) == 1
    assert images.near(image.getpixel((20, 20)), images.RED)


def test_b6_five_hundred_frames_cost_no_more_than_one() -> None:
    assert redrawn(images.animated("GIF", 500)).size == (40, 40)


# B7


@pytest.mark.parametrize(
    ("format_", "mode"),
    [("JPEG", "CMYK"), ("PNG", "P"), ("GIF", "P"), ("PNG", "RGBA"), ("WEBP", "RGBA"), ("PNG", "RGB")],
)
def test_b7_every_colour_mode_keeps_its_colour(format_: str, mode: str) -> None:
    image = redrawn(images.picture(format_, mode=mode))
    assert image.mode in {"RGB", "RGBA"}
    assert images.near(image.getpixel((20, 15)), images.RED, 40)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_b7_grey_pictures_stay_grey(mode: str) -> None:
    grey = Image.new("L", (40, 30), 255).convert(mode)
    assert images.near(redrawn(images.encoded(grey)).getpixel((20, 15)), (255, 255, 255), 4)


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (20_000, 78), (40_000, 156), (65_535, 255)])
def test_b7_sixteen_bits_are_scaled_and_not_clipped(value: int, expected: int) -> None:
    data = images.encoded(Image.new("I;16", (40, 30), value))
    assert images.near(redrawn(data).getpixel((20, 15)), (expected, expected, expected), 4)


def test_b7_what_is_transparent_stays_transparent() -> None:
    clear = Image.new("RGBA", (40, 30), (*images.RED, 0))
    palette = Image.new("P", (40, 30), 0)
    palette.putpalette([*images.RED, *images.BLUE])
    for data in (images.encoded(clear), images.encoded(palette, "PNG", transparency=0)):
        image = redrawn(data)
        assert image.mode == "RGBA"
        assert image.getpixel((5, 5))[3] == 0  # type: ignore[index]


# B8


@pytest.mark.parametrize(
    "name", ["../../evil.png", "a.php.png", "me\u202egnp.exe", "x" * 300 + ".png", ".htaccess", "a.svg"]
)
def test_b8_the_clients_file_name_is_dropped_whole(stranger: User, browse: Browse, name: str) -> None:
    assert send(browse(stranger), images.picture(), name).status_code == 302
    stored = Profile.objects.get(pk=stranger.pk).avatar.name
    assert re.fullmatch(r"avatars/[0-9a-f]{32}\.webp", stored)
    assert stored_files() == files_of(stored)


# B9


def test_b9_nobody_sees_a_picture_without_signing_in(stranger: User, browse: Browse) -> None:
    give_picture(stranger)
    response = browse(None).get(avatar_url(stranger))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def test_b9_people_see_their_own_picture(stranger: User, browse: Browse) -> None:
    give_picture(stranger)
    response = browse(stranger).get(avatar_url(stranger))
    assert response.status_code == 200
    assert images.opened(response.content).size == (64, 64)


def test_b9_staff_who_may_view_people_see_their_pictures(stranger: User, reader: User, browse: Browse) -> None:
    give_picture(stranger)
    assert browse(reader).get(avatar_url(stranger, 192)).status_code == 200


def test_b9_a_member_learns_nothing_about_other_peoples_pictures(
    stranger: User, editor: User, reader: User, browse: Browse
) -> None:
    give_picture(editor)
    client = browse(stranger)
    answers = {client.get(avatar_url(person)).status_code for person in (editor, reader)}
    assert answers == {404}
    assert client.get(reverse("avatar", args=[999_999, 64])).status_code == 404


def test_b9_staff_without_the_permission_to_view_people_see_none(stranger: User, reader: User, browse: Browse) -> None:
    give_picture(stranger)
    reader.groups.get(name="Reader").permissions.clear()
    assert not roles.may(User.objects.get(pk=reader.pk), roles.Action.VIEW)
    assert browse(reader).get(avatar_url(stranger)).status_code == 404


def test_b9_a_picture_is_served_as_nothing_but_a_picture(stranger: User, browse: Browse) -> None:
    name = give_picture(stranger)
    response = browse(stranger).get(f"{avatar_url(stranger)}?v={avatars.version(name)}")
    assert response["Content-Type"] == "image/webp"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'inline; filename="avatar.webp"'
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"


def test_b9_without_its_token_a_picture_is_asked_for_again_each_time(stranger: User, browse: Browse) -> None:
    give_picture(stranger)
    client = browse(stranger)
    first = client.get(avatar_url(stranger))
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get(avatar_url(stranger), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    give_picture(User.objects.get(pk=stranger.pk))
    changed = client.get(avatar_url(stranger), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_b9_a_picture_whose_file_is_gone_is_not_an_error_of_the_server(stranger: User, browse: Browse) -> None:
    for name in files_of(give_picture(stranger)):
        default_storage.delete(name)
    assert browse(stranger).get(avatar_url(stranger)).status_code == 404


@pytest.mark.parametrize("edge", [0, 1, 63, 512, 100_000])
def test_b9_other_sizes_do_not_exist(stranger: User, browse: Browse, edge: int) -> None:
    give_picture(stranger)
    assert browse(stranger).get(avatar_url(stranger, edge)).status_code == 404


def test_b9_the_stored_file_has_no_address_of_its_own(stranger: User, browse: Browse) -> None:
    name = give_picture(stranger)
    client = browse(stranger)
    for path in (f"/media/{name}", f"/{name}", f"/static/{name}"):
        assert client.get(path).status_code == 404
    assert name.rpartition("/")[2] not in stranger.profile.avatar.url


# B10


@pytest.mark.django_db(transaction=True)
def test_b10_replacing_a_picture_removes_the_old_files(stranger: User, browse: Browse) -> None:
    old = give_picture(stranger)
    assert send(browse(stranger), images.picture("GIF")).status_code == 302
    new = Profile.objects.get(pk=stranger.pk).avatar.name
    assert new != old
    assert stored_files() == files_of(new)


@pytest.mark.django_db(transaction=True)
def test_b10_removing_a_picture_removes_its_files(stranger: User, browse: Browse) -> None:
    give_picture(stranger)
    assert browse(stranger).post(reverse("profile_edit"), {"avatar-clear": "on"}).status_code == 302
    assert not Profile.objects.get(pk=stranger.pk).avatar
    assert stored_files() == set()


@pytest.mark.django_db(transaction=True)
def test_b10_deleting_a_person_removes_their_files(stranger: User) -> None:
    give_picture(stranger)
    User.objects.filter(pk=stranger.pk).delete()
    assert stored_files() == set()


@pytest.mark.django_db(transaction=True)
def test_b10_the_old_files_are_there_until_the_change_is_committed(stranger: User) -> None:
    old = give_picture(stranger)
    with transaction.atomic():
        new = give_picture(User.objects.get(pk=stranger.pk))
        assert stored_files() == files_of(old) | files_of(new)
    assert stored_files() == files_of(new)


@pytest.mark.django_db(transaction=True)
def test_b10_a_change_that_is_rolled_back_leaves_the_old_picture(stranger: User) -> None:
    old = give_picture(stranger)
    with transaction.atomic():
        User.objects.get(pk=stranger.pk).delete()
        transaction.set_rollback(True)
    assert stored_files() == files_of(old)
    assert Profile.objects.get(pk=stranger.pk).avatar.name == old


# B11


def fill_disk(monkeypatch: pytest.MonkeyPatch, fails_at: str) -> None:
    """From now on, files in this folder are written in part and fail, as on a full disk."""
    store = FileSystemStorage._save

    def full(self: FileSystemStorage, name: str, content: Any) -> str:
        if name.startswith(fails_at):
            content.file.truncate(10)
            store(self, name, content)
            raise OSError(errno.ENOSPC, "No space left on device")
        return store(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails_at", ["avatars/", "thumbnails/64/", "thumbnails/192/"])
def test_b11_when_the_disk_is_full_everything_stays_as_it_was(
    stranger: User, browse: Browse, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    old = give_picture(stranger)
    fill_disk(monkeypatch, fails_at)
    response = browse(stranger).post(
        reverse("profile_edit"), {"avatar": images.upload(images.picture("GIF")), "first_name": "Stanley"}
    )
    assert "could not be stored" in refusal(response)
    assert stored_files() == files_of(old)
    person = User.objects.with_profile().get(pk=stranger.pk)
    assert person.profile.avatar.name == old
    assert person.first_name == "Stan"
    assert 'value="Stanley"' in response.content.decode()
    assert images.opened(base64.b64decode(kept_in(response))).size == (40, 30)  # to be sent again when there is room


@pytest.mark.django_db(transaction=True)
def test_b11_on_the_page_of_staff_too(
    stranger: User, editor: User, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = give_picture(stranger)
    fill_disk(monkeypatch, "avatars/")
    picture = images.upload(images.picture("GIF"))
    typed = {"first_name": "Stanley", "profile-0-location": "Berlin", "profile-0-avatar": picture}
    response = save(browse(editor), user_page(stranger), **typed)
    html = response.content.decode()
    assert str(NotStored()) in html
    for value in ("Stanley", "Berlin"):
        assert f'value="{value}"' in html
    assert images.opened(base64.b64decode(kept_in(response))).size == (40, 30)
    assert stored_files() == files_of(old)
    person = User.objects.with_profile().get(pk=stranger.pk)
    assert (person.profile.avatar.name, person.profile.location, person.first_name) == (old, "", "Stan")
    assert not TrailEntry.objects.filter(road="admin", action=TrailEntry.Action.UPDATE).exists()
