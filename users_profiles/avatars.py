"""Pictures of people: what comes in is decoded, turned upright and drawn anew; what goes out is small and square.

It knows images and storage, not models. Nothing of an uploaded file is kept but its pixels, so neither
metadata nor anything hidden behind the image survives (security checks B1 to B8).
"""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import math
import secrets
from dataclasses import dataclass
from typing import IO, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageOps

from users_profiles.storage import discard

logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
ACCEPT = "image/jpeg,image/png,image/webp,image/gif"
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 20_000_000
EDGE = 512  # the longest side of a stored picture, in pixels
SMALLEST_CUT = 0.1  # of the shorter side: a face in a group, and not a few pixels blown up
THUMBNAILS = (64, 192)  # the sides of the squares we serve: twice what the list and the person's page show

# Pillow's own guard; redraw() checks by itself too, because between this and its double Pillow only warns.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

# What Pillow raises on broken files; anything else is a mistake of ours and must surface.
BROKEN = (OSError, ValueError, SyntaxError)
BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# What makes a picture upright, by the number of its EXIF orientation. ImageOps.exif_transpose knows the same table, but
# rewrites the metadata on the way, which crafted metadata makes fail.
_TO = Image.Transpose
TOO_LARGE = gettext_lazy("This picture is too large. Choose one of at most 20 megapixels.")
UNREADABLE = gettext_lazy("This file is not a picture we can read. Choose a JPEG, PNG, WebP or GIF image.")
TURNS = {
    2: _TO.FLIP_LEFT_RIGHT,
    3: _TO.ROTATE_180,
    4: _TO.FLIP_TOP_BOTTOM,
    5: _TO.TRANSPOSE,
    6: _TO.ROTATE_270,
    7: _TO.TRANSVERSE,
    8: _TO.ROTATE_90,
}


class NotStored(Exception):
    """The storage refused a picture (no space, no permission); neither the row nor the old picture was touched."""

    def __str__(self) -> str:
        return _("The picture could not be stored, so nothing was changed. Try again later.")


class Redrawn(ContentFile):
    """The bytes of a picture that we drew ourselves, the only ones that are ever stored."""


def random_name(instance: models.Model, filename: str) -> str:
    """A file name nobody can guess; the client's own is dropped whole."""
    return f"avatars/{secrets.token_hex(16)}.webp"


@dataclass(frozen=True)
class Cut:
    """The square of a picture that somebody wants to keep.

    ``left`` and ``top`` are parts of the width and the height of the upright picture, ``side`` of the shorter of the
    two: numbers from 0 to 1, which mean the same at whatever size the picture is decoded.
    """

    left: float
    top: float
    side: float

    @classmethod
    def read(cls, text: str) -> Cut | None:
        """What a form sent; None for nothing. Raises ``ValidationError`` for what no page of ours sends."""
        if not text:
            return None
        try:
            cut = cls(*(float(part) for part in text[:80].split(" ")))
        except (TypeError, ValueError) as error:
            raise ValidationError(_bad_cut(), code="cut") from error
        if not (0 <= cut.left <= 1 and 0 <= cut.top <= 1 and SMALLEST_CUT <= cut.side <= 1):  # NaN is neither
            raise ValidationError(_bad_cut(), code="cut")
        return cut

    def of(self, picture: Image.Image) -> Image.Image:
        """Cut it out; a square that reaches over an edge is pushed back into the picture."""
        side = max(1, round(self.side * min(picture.size)))
        left = min(round(self.left * picture.width), picture.width - side)
        top = min(round(self.top * picture.height), picture.height - side)
        return picture.crop((left, top, left + side, top + side))


def _bad_cut() -> str:
    return _("This part of the picture cannot be cut out. Choose the picture again.")


def redraw(upload: IO[bytes], cut: Cut | None = None) -> Redrawn:
    """Return the picture as WebP: first frame, upright, RGB or RGBA, at most ``EDGE`` pixels, no metadata.

    All of it, or the square ``cut``. Raises ``ValidationError`` with a sentence for the person who chose the file.
    """
    part = cut.side if cut else 1
    upload.seek(0)
    try:
        with Image.open(upload, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValidationError(TOO_LARGE, code="pixels")
            enough = math.ceil(2 * EDGE / part)
            image.draft("RGB", (enough, enough))  # JPEG only: decode no more than we keep
            image.load()
            orientation = _orientation(image)
            picture = _plain(image)
            picture.thumbnail(_size_for(picture, cut), Image.Resampling.LANCZOS)
    except BOMB as error:
        raise ValidationError(TOO_LARGE, code="pixels") from error
    except BROKEN as error:
        raise ValidationError(UNREADABLE, code="unreadable") from error
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    if cut:
        picture = cut.of(picture)
    return Redrawn(_encode(picture), name="avatar.webp")


def _size_for(picture: Image.Image, cut: Cut | None) -> tuple[int, int]:
    """How large the whole may be for what is kept of it to be ``EDGE`` pixels at most."""
    if cut is None:
        return EDGE, EDGE
    scale = EDGE / (cut.side * min(picture.size))
    return max(1, math.floor(picture.width * scale)), max(1, math.floor(picture.height * scale))


def _orientation(image: Image.Image) -> int:
    """How a camera was held, 1 to 8 as in EXIF; 1 (upright) where the metadata cannot be read.

    Pillow's parser raises much more than ``BROKEN`` on crafted metadata, and a picture is not bad for that.
    """
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) else 1


def _plain(image: Image.Image) -> Image.Image:
    """Reduce any colour mode (CMYK, palette, 16 bit, ...) to RGB, or to RGBA where something is transparent."""
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        # 16 bits a channel: keep the upper eight, or Pillow clips everything bright to white.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)  # a copy of 20 megapixels is 80 MB


def _encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.info = {}  # else Pillow writes profiles and comments back
    image.save(out, "WEBP", quality=85, method=4, exif=b"")
    return out.getvalue()


def shown_name(name: str) -> str:
    """The name of the input that says which picture the form showed."""
    return f"{name}-shown"


def cut_name(name: str) -> str:
    """The name of the input that says which part of a chosen picture to keep."""
    return f"{name}-cut"


def kept_name(name: str) -> str:
    """The name of the input that carries a chosen picture along while something else is being put right."""
    return f"{name}-kept"


# Forms --------------------------------------------------------------------------------------------------------------


class AvatarInput(forms.ClearableFileInput):
    """The picture as it is, large, with a way to choose another and to remove it; a preview where scripts run."""

    template_name = "users_profiles/avatar_input.html"
    # What was chosen, when the form comes back because something else is wrong: browsers forget a chosen file, so the
    # page has it along. Nothing is stored before all is right, and what comes back is as little trusted as any upload.
    kept = b""

    class Media:
        css = {"all": ["users_profiles/avatar.css"]}
        js = [forms.widgets.Script("users_profiles/avatar.js", defer=True)]  # nothing waits for it to be drawn

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add whose picture it is, for the initials that stand in for one."""
        context = super().get_context(name, value, attrs)
        owner = getattr(value, "instance", None)
        context["person"] = getattr(owner, "user", None) if getattr(owner, "pk", None) else None
        context["max_bytes"], context["max_pixels"] = MAX_BYTES, MAX_PIXELS
        # Which picture was there when the page was made, to notice that somebody else has chosen another since.
        context["shown"] = {"name": shown_name(name), "value": version_of(value)}
        context["cut"] = {"name": cut_name(name), "smallest": str(SMALLEST_CUT)}  # a script reads it
        if self.kept:
            look = _in_text(_square(io.BytesIO(self.kept), THUMBNAILS[-1]))
            context["kept"] = {"name": kept_name(name), "value": _in_text(self.kept), "look": look}
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Take a chosen file even where "remove" is ticked too: it says more clearly what is wanted."""
        if files.get(name):
            files[name].cut = data.get(cut_name(name), "")
            return files[name]
        if data.get(kept_name(name)):
            # Beside a picture that was kept, the box to tick says to leave the stored one as it was.
            return None if data.get(self.clear_checkbox_name(name)) else _out_of_text(data[kept_name(name)])
        return super().value_from_datadict(data, files, name)


class AvatarFormField(forms.ImageField):
    """A picture chosen in a form; its cleaned value is already redrawn."""

    widget = AvatarInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs["help_text"] = kwargs.get("help_text") or gettext_lazy("JPEG, PNG, WebP or GIF, up to 10 MB.")
        super().__init__(**kwargs)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Have the stored picture beside what was chosen, whatever was sent."""
        return initial

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "accept": ACCEPT}

    def to_python(self, data: Any) -> Any:
        if data in self.empty_values:
            return None
        if data.size > MAX_BYTES:
            raise ValidationError(
                _("This file is larger than %(limit)s MB.") % {"limit": MAX_BYTES // 1024**2}, code="size"
            )
        picture = redraw(data, Cut.read(getattr(data, "cut", "")))
        self.widget.kept = picture.file.getvalue()  # type: ignore[attr-defined]  # each form has a widget of its own
        return picture


def _in_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _out_of_text(text: str) -> ContentFile:
    """The bytes that a page carried along; none, which are no picture, for what no page of ours sends."""
    try:
        return ContentFile(base64.b64decode(text, validate=True), name="avatar.webp")
    except ValueError:
        return ContentFile(b"", name="avatar.webp")


# Model field --------------------------------------------------------------------------------------------------------


class AvatarFile(ImageFieldFile):
    """A stored picture with its thumbnails, which come and go with it."""

    def save(self, name: str, content: File, save: bool = True) -> None:
        """Store the picture and its thumbnails: all of them or, when the storage refuses, none.

        Raises ``NotStored``.
        """
        name = self.field.generate_filename(self.instance, name)
        picture = content if isinstance(content, Redrawn) else redraw(content)
        try:
            self.storage.save(name, picture)
            for edge in THUMBNAILS:
                self.storage.save(thumbnail_name(name, edge), ContentFile(_square(picture, edge)))
        except OSError as error:
            # What was begun is removed: a storage that is full leaves a part of the file behind (check B11).
            discard(self.storage, *with_thumbnails(name))
            logger.warning("A picture could not be stored: %r", error.__cause__ or error)
            raise NotStored from error
        self.name = name
        setattr(self.instance, self.field.attname, name)
        self._committed = True
        if save:
            self.instance.save()

    save.alters_data = True  # type: ignore[attr-defined]

    def delete(self, save: bool = True) -> None:
        """Delete the picture and its thumbnails; django-cleanup calls this once the row is gone for good."""
        if self.name:
            for thumbnail in with_thumbnails(self.name)[1:]:
                self.storage.delete(thumbnail)
        super().delete(save)

    delete.alters_data = True  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        """The address of the larger thumbnail; the picture itself is not served."""
        return self.thumbnail_url(THUMBNAILS[-1])

    def thumbnail_url(self, edge: int) -> str:
        """The address of a thumbnail; it changes with the picture, so that browsers may keep what they have."""
        if not self.name:
            raise ValueError("There is no picture to have an address.")
        return f"{reverse('avatar', args=[self.instance.pk, edge])}?v={version(self.name)}"


class AvatarField(models.ImageField):
    """Stores pictures redrawn, whichever road they come by, and leaves no partial file when the disk refuses."""

    attr_class = AvatarFile

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        # The admin has a widget of its own for every file field, which knows no pictures.
        return super().formfield(**{**kwargs, "form_class": AvatarFormField, "max_length": None, "widget": AvatarInput})


# Thumbnails ---------------------------------------------------------------------------------------------------------


def version(name: str) -> str:
    """A short token that changes whenever the stored name does, and does not give the name away."""
    return hashlib.blake2b(name.encode(), digest_size=6).hexdigest()


def version_of(picture: Any) -> str:
    """The same of the picture in a field; the empty text when there is none."""
    name = getattr(picture, "name", "")
    return version(name) if name else ""


def thumbnail_name(name: str, edge: int) -> str:
    """The storage name of the square thumbnail of the stored picture ``name``."""
    return f"thumbnails/{edge}/{name.rpartition('/')[2]}"


def with_thumbnails(name: str) -> list[str]:
    """The storage names of a picture and of all that was made from it."""
    return [name, *(thumbnail_name(name, edge) for edge in THUMBNAILS)]


def thumbnail(storage: Storage, name: str, edge: int) -> bytes:
    """Return the thumbnail of a stored picture; made anew and kept where it is missing or was cut off.

    Pictures restored from a backup or loaded from a fixture come without thumbnails. Raises ``FileNotFoundError``
    when the picture itself is gone and ``ValueError`` for an edge we do not serve.
    """
    if edge not in THUMBNAILS:
        raise ValueError(f"no thumbnails of {edge} pixels")
    small = thumbnail_name(name, edge)
    try:
        with storage.open(small) as stored:
            data: bytes = stored.read()
        if _is_whole(data):
            return data
    except FileNotFoundError:
        pass
    with storage.open(name) as original:
        data = _square(original, edge)
    _keep(storage, small, data)
    return data


def _is_whole(data: bytes) -> bool:
    """Say whether all of a WebP file is there: its header holds the length of what follows the first 8 bytes."""
    return data[:4] == b"RIFF" and len(data) == 8 + int.from_bytes(data[4:8], "little")


def _square(original: IO[bytes] | File[bytes], edge: int) -> bytes:
    with Image.open(original, formats=("WEBP",)) as image:
        return _encode(ImageOps.fit(_plain(image), (edge, edge), Image.Resampling.LANCZOS))


def _keep(storage: Storage, name: str, data: bytes) -> None:
    """Store a thumbnail for the next time; without one, pages only take a little longer."""
    try:
        storage.delete(name)
        storage.save(name, ContentFile(data))
    except OSError:
        discard(storage, name)
