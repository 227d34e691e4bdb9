"""Pictures for tests, good and bad, made on the spot: a repository of hostile files helps nobody."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

RED, BLUE = (220, 30, 30), (30, 60, 220)


def encoded(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture."""
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def picture(format_: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    """A plain red picture."""
    return encoded(Image.new("RGB", size, RED).convert(mode), format_, **options)


def upload(data: bytes, name: str = "me.png") -> SimpleUploadedFile:
    """The bytes as a browser would send them."""
    return SimpleUploadedFile(name, data, content_type="image/png")


def opened(data: bytes) -> Image.Image:
    """The picture in these bytes."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def near(pixel: Any, colour: tuple[int, int, int], tolerance: int = 30) -> bool:
    """Whether a pixel has a colour, as far as lossy encoding lets one say."""
    return all(abs(a - b) <= tolerance for a, b in zip(pixel[:3], colour, strict=True))


def two_halves(size: tuple[int, int] = (80, 40)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def from_a_camera(orientation: int, place: bool = True) -> bytes:
    """A JPEG as a phone writes it: turned, and with the place where it was taken."""
    image = two_halves()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SECRET CAMERA"
    if place:
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    return encoded(image, "JPEG", exif=exif, quality=95)


def animated(format_: str, frames: int = 5) -> bytes:
    """An animation whose first frame is red and whose others are blue."""
    first, other = Image.new("RGB", (40, 40), RED), Image.new("RGB", (40, 40), BLUE)
    # Not quite the same, or the encoder joins them into one.
    rest = [other.point(lambda value, step=step: min(255, value + step)) for step in range(frames - 1)]
    return encoded(first, format_, save_all=True, append_images=rest, duration=50)


def bomb(width: int, height: int) -> bytes:
    """A PNG of so many pixels in a few hundred kilobytes or less, made without ever holding them."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width // 8)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
