"""Pictures of people: what comes in is decoded, turned upright and drawn anew; what goes out is small and square.

A leaf: it knows images and storage, not models. Nothing of an uploaded file is kept but its pixels, so neither
metadata nor anything hidden behind the image survives (security checks B1 to B8).
"""

from __future__ import annotations

import io
import secrets
import warnings
from typing import IO, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.db import models
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 20_000_000
EDGE = 512  # the longest side of a stored picture, in pixels
THUMBNAILS = (64, 192)  # the sides of the squares we serve: twice what the list and the person's page show

# What Pillow raises on hostile or broken files; anything else is a mistake of ours and must surface.
BROKEN = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def random_name(instance: models.Model, filename: str) -> str:
    """A file name nobody can guess; the client's own is dropped whole."""
    return f"avatars/{secrets.token_hex(16)}.webp"


def redraw(upload: IO[bytes]) -> bytes:
    """Return the picture as WebP: first frame, upright, RGB or RGBA, at most ``EDGE`` pixels, no metadata.

    Raises ``ValidationError`` with a sentence for the person who chose the file.
    """
    upload.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(upload, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ValidationError(_too_many_pixels(image.width, image.height), code="pixels")
                image.draft("RGB", (EDGE * 2, EDGE * 2))  # JPEG only: decode no more than we keep
                image.load()
                upright = ImageOps.exif_transpose(image)
                picture = _plain(upright)
    except BROKEN as error:
        raise ValidationError(
            _("This file is not a picture we can read. Choose a JPEG, PNG, WebP or GIF image."), code="unreadable"
        ) from error
    picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    return _encode(picture)


def _too_many_pixels(width: int, height: int) -> str:
    return _("This picture is too large (%(width)s × %(height)s pixels). Choose one of at most 20 megapixels.") % {
        "width": width,
        "height": height,
    }


def _plain(image: Image.Image) -> Image.Image:
    """Reduce any colour mode (CMYK, palette, 16 bit, ...) to RGB, or to RGBA where something is transparent."""
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        # 16 bits a channel: keep the upper eight, or Pillow clips everything bright to white.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    transparent = image.has_transparency_data
    return image.convert("RGBA" if transparent else "RGB")


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.info = {}  # else Pillow writes profiles and comments back
    image.save(out, "WEBP", quality=85, method=4)
    return out.getvalue()


class AvatarFormField(forms.ImageField):
    """A picture chosen in a form; its cleaned value is already redrawn."""

    widget = forms.ClearableFileInput

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        if data.size > MAX_BYTES:
            raise ValidationError(
                _("This file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024**2}, code="size"
            )
        return ContentFile(redraw(data), name="avatar.webp")


class AvatarField(models.ImageField):
    """Stores pictures redrawn, whichever road they come by, and leaves no partial file when the disk refuses."""

    def formfield(self, **kwargs: Any) -> forms.Field:
        return super().formfield(**{"form_class": AvatarFormField, "max_length": None, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        file = getattr(model_instance, self.attname)
        if file and not file._committed and not isinstance(file.file, ContentFile):
            setattr(model_instance, self.attname, ContentFile(redraw(file.file), name="avatar.webp"))
        return super().pre_save(model_instance, add)


def thumbnail_name(name: str, edge: int) -> str:
    """The storage name of the square thumbnail of the stored picture ``name``."""
    return f"thumbnails/{edge}/{name.rpartition('/')[2]}"


def open_thumbnail(storage: Storage, name: str, edge: int) -> File[bytes]:
    """Open the thumbnail of a stored picture, made at the first request for it.

    Raises ``FileNotFoundError`` when the picture itself is gone and ``ValueError`` for an edge we do not serve.
    """
    if edge not in THUMBNAILS:
        raise ValueError(f"no thumbnails of {edge} pixels")
    small = thumbnail_name(name, edge)
    if not storage.exists(small):
        with storage.open(name) as original, Image.open(original, formats=("WEBP",)) as image:
            square = ImageOps.fit(_plain(image), (edge, edge), Image.Resampling.LANCZOS)
        storage.save(small, ContentFile(_encode(square)))
    return storage.open(small)


def delete_thumbnails(storage: Storage, name: str) -> None:
    """Remove what was made from a picture that is itself being removed."""
    for edge in THUMBNAILS:
        storage.delete(thumbnail_name(name, edge))
