"""Pictures: drawing them anew, storing and removing them with their thumbnails, showing them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.template import Context, Template
from PIL import Image

from tests.archives import files_of, give_picture, redrawn, stored_files
from tests.data import images
from users_profiles import avatars
from users_profiles.models import Profile, User
from users_profiles.templatetags.people import TONES, avatar_html, tone

# Drawing anew


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF"])
def test_every_accepted_format_becomes_webp(format_: str) -> None:
    image = redrawn(images.picture(format_))
    assert image.format == "WEBP"
    assert image.size == (40, 30)
    assert images.near(image.getpixel((20, 15)), images.RED)


def test_a_large_picture_shrinks_to_512_pixels_and_keeps_its_shape() -> None:
    assert redrawn(images.picture("JPEG", (3000, 1500))).size == (512, 256)


def test_a_small_picture_is_not_blown_up() -> None:
    assert redrawn(images.picture("PNG", (10, 7))).size == (10, 7)


def test_the_part_that_was_chosen_is_kept_square_and_sharp() -> None:
    data = images.encoded(images.two_halves((2000, 1000)), "JPEG")
    for left, colour in (("0", images.RED), ("0.5", images.BLUE), ("1", images.BLUE)):  # the last reaches over the edge
        cut = avatars.Cut.read(f"{left} 0 1")
        image = images.opened(avatars.redraw(images.upload(data), cut).read())
        assert image.size == (512, 512)
        assert images.near(image.getpixel((256, 256)), colour)
    small = images.opened(avatars.redraw(images.upload(data), avatars.Cut(0.1, 0.1, 0.1)).read())
    assert small.size == (100, 100)  # every pixel there is, and none made up


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_part_is_one_of_the_upright_picture(orientation: int) -> None:
    whole = redrawn(images.from_a_camera(orientation))
    part = avatars.Cut(left=0, top=0, side=0.5)  # of the corner at the top left as one sees it
    image = images.opened(avatars.redraw(images.upload(images.from_a_camera(orientation)), part).read())
    assert image.size == (20, 20)
    assert images.near(image.getpixel((3, 3)), whole.getpixel((3, 3)))


@pytest.mark.parametrize(
    "text", ["x", "0 0", "0 0 1 1", "-0.1 0 1", "0 2 1", "0 0 0.01", "0 0 2", "nan 0 1", "0 inf 1"]
)
def test_a_part_that_no_page_of_ours_sends_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="cannot be cut out"):
        avatars.Cut.read(text)
    assert avatars.Cut.read("") is None


def test_a_picture_of_exactly_20_megapixels_is_fine() -> None:
    assert redrawn(images.bomb(5000, 4000)).size == (512, 410)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_comes_out_upright(orientation: int) -> None:
    """Wherever the red half of the sensor was, the picture must show it where the camera saw it."""
    image = redrawn(images.from_a_camera(orientation))
    width, height = image.size
    assert (width > height) == (orientation <= 4)
    red_at = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}[orientation]
    spots = {
        "left": (2, height // 2),
        "right": (width - 3, height // 2),
        "top": (width // 2, 2),
        "bottom": (width // 2, height - 3),
    }
    for place, spot in spots.items():
        opposite = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[red_at]
        if place in {red_at, opposite}:
            assert images.near(image.getpixel(spot), images.RED if place == red_at else images.BLUE, 60)


def test_a_large_turned_photo_is_upright_too_although_it_is_decoded_smaller() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = redrawn(images.encoded(images.two_halves((4000, 2000)), "JPEG", exif=exif))
    assert image.size == (256, 512)
    assert images.near(image.getpixel((128, 20)), images.RED, 60)


def test_a_picture_with_broken_metadata_is_still_a_picture() -> None:
    good = images.from_a_camera(6)
    start = good.index(b"Exif\0\0") + 6
    for offset in range(4, 60, 3):
        broken = bytearray(good)
        broken[start + offset : start + offset + 2] = b"\xff\xff"
        assert max(redrawn(bytes(broken)).size) == 80


# Storing and removing


def test_a_new_picture_is_stored_with_its_thumbnails(stranger: User) -> None:
    name = give_picture(stranger)
    assert stored_files() == files_of(name)
    for edge in avatars.THUMBNAILS:
        with default_storage.open(avatars.thumbnail_name(name, edge)) as file:
            assert images.opened(file.read()).size == (edge, edge)


@pytest.mark.parametrize("wrap", [lambda data: ContentFile(data, "x.png"), lambda data: File(images.upload(data))])
def test_a_picture_set_by_code_is_drawn_anew_too(stranger: User, wrap: Any) -> None:
    payload = b"<script>alert(1)</script>"
    stranger.profile.avatar = wrap(images.picture() + payload)
    stranger.save()
    with default_storage.open(stranger.profile.avatar.name) as file:
        data = file.read()
    assert payload not in data
    assert images.opened(data).format == "WEBP"


def test_a_file_that_is_no_picture_is_refused_on_every_road(stranger: User) -> None:
    stranger.profile.avatar = ContentFile(b"<html>", "me.png")
    with pytest.raises(ValidationError):
        stranger.save()
    assert stored_files() == set()


def test_a_missing_thumbnail_is_made_again_and_kept(stranger: User) -> None:
    name = give_picture(stranger)
    small = avatars.thumbnail_name(name, 64)
    default_storage.delete(small)
    data = avatars.thumbnail(default_storage, name, 64)
    assert images.opened(data).size == (64, 64)
    with default_storage.open(small) as file:
        assert file.read() == data


def test_a_thumbnail_that_was_cut_off_is_made_again(stranger: User) -> None:
    name = give_picture(stranger)
    small = avatars.thumbnail_name(name, 64)
    whole = avatars.thumbnail(default_storage, name, 64)
    default_storage.delete(small)
    default_storage.save(small, ContentFile(whole[: len(whole) // 2]))
    assert avatars.thumbnail(default_storage, name, 64) == whole
    assert stored_files() == files_of(name)


def test_a_kept_thumbnail_is_not_drawn_a_second_time(stranger: User, monkeypatch: pytest.MonkeyPatch) -> None:
    name = give_picture(stranger)

    def fail(*args: Any) -> bytes:
        raise AssertionError("drawn again")

    monkeypatch.setattr(avatars, "_square", fail)
    assert avatars.thumbnail(default_storage, name, 192)


def test_there_are_thumbnails_of_two_sizes_only(stranger: User) -> None:
    name = give_picture(stranger)
    with pytest.raises(ValueError, match="no thumbnails of 65"):
        avatars.thumbnail(default_storage, name, 65)


# Showing


def test_initials_stand_in_for_a_missing_picture(stranger: User) -> None:
    html = avatar_html(stranger, "m")
    assert f'class="avatar avatar-m tone-{tone("stan")}"' in html
    assert ">SS<" in html
    assert "aria-hidden" in html


def test_a_picture_is_shown_by_its_thumbnail_and_says_nothing_beside_a_name(stranger: User) -> None:
    name = give_picture(stranger)
    html = avatar_html(stranger, "s")
    assert f"/people/{stranger.pk}/avatar-64.webp?v={avatars.version(name)}" in html
    assert 'alt=""' in html


def test_where_no_name_stands_beside_it_an_avatar_has_one(stranger: User) -> None:
    assert 'role="img" aria-label="Stan"' in avatar_html(stranger, "s", "Stan")
    give_picture(stranger)
    assert 'alt="Stan"' in avatar_html(stranger, "s", "Stan")


def test_hostile_names_are_inert_in_an_avatar(make_person: Any) -> None:
    person = make_person("x", first_name="<b", last_name='"')
    html = avatar_html(person, "s", '"><script>')
    assert "<script>" not in html
    assert "<b" not in html.replace("<b>", "")


def test_showing_people_asks_the_database_nothing(stranger: User, editor: User, django_assert_num_queries: Any) -> None:
    give_picture(stranger)
    people = [*User.objects.with_profile(), User.objects.get(pk=stranger.pk)]
    with django_assert_num_queries(0):
        pictures = [avatar_html(person, "s") for person in people]
    assert sum("<img" in html for html in pictures) == 1


def test_people_reached_from_their_profiles_are_shown_by_picture(
    stranger: User, django_assert_num_queries: Any
) -> None:
    give_picture(stranger)
    profile = Profile.objects.select_related("user").get(pk=stranger.pk)
    with django_assert_num_queries(0):
        assert "<img" in avatar_html(profile.user)


def test_the_template_tag_draws_the_same(stranger: User) -> None:
    template = Template('{% load people %}{% avatar person "l" %}')
    assert template.render(Context({"person": stranger})) == avatar_html(stranger, "l")


def test_everybody_has_one_of_eight_colours_always_the_same() -> None:
    tones = {tone(f"person{number}") for number in range(200)}
    assert tones == set(range(TONES))
    assert tone("Ada") == tone("ada") == 0
