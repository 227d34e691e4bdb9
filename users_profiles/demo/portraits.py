"""Draws friendly, abstract portraits: a plain backdrop, shoulders, a face, hair. Different for everybody."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

EDGE = 256  # pixels
_SCALE = 3  # drawn larger and reduced, which makes smooth edges

Box = tuple[float, float, float, float]

BACKDROPS = (
    "#f6d8ae",
    "#cfe3d4",
    "#c7d8f0",
    "#f3c9c4",
    "#e0d3f0",
    "#d8e8a8",
    "#f9e7a0",
    "#bfe0e2",
    "#e8e1d5",
    "#f2cfe0",
)
SKINS = ("#fbe0cd", "#f3cdb0", "#e3b08c", "#cf9368", "#ad7047", "#8a5433", "#6a3f28", "#4e2d1e")
HAIRS = ("#1d1a1c", "#38281f", "#5b3a22", "#8a5a2b", "#c48a3f", "#dfc07a", "#a8432a", "#8e8e93", "#d9d9dc", "#3d4a7a")
DARK_HAIRS = ("#1d1a1c", "#1d1a1c", "#38281f", "#5b3a22", "#8e8e93", "#d9d9dc")
CLOTHES = ("#2f4b7c", "#7a5195", "#b3446c", "#d9663d", "#2a7f62", "#37474f", "#8d6e63", "#c2a83e", "#3b5bdb", "#5f8a8b")


@dataclass(frozen=True)
class _Look:
    skin: str
    hair: str
    clothes: str


def portrait(key: str) -> bytes:
    """Return a square PNG; the same key gives the same picture."""
    dice = random.Random(key)  # noqa: S311  (nothing secret is drawn)
    tone = dice.randrange(len(SKINS))
    look = _Look(SKINS[tone], dice.choice(HAIRS if tone < 4 else DARK_HAIRS), dice.choice(CLOTHES))
    image = Image.new("RGB", (EDGE * _SCALE, EDGE * _SCALE), dice.choice(BACKDROPS))
    pen = _Pen(image)
    cut = dice.choice((_short, _long, _bun, _curls, _parted, _bald, _scarf))
    cut(pen, look, behind=True)
    _body(pen, look, dice)
    _face(pen, look, dice)
    if cut in {_short, _parted, _bald} and dice.random() < 0.35:
        pen.arc((29.5, 30, 70.5, 73.4), 20, 160, look.hair, 5)  # a beard
    cut(pen, look, behind=False)
    if dice.random() < 0.3:
        _glasses(pen, dice)
    out = io.BytesIO()
    image.resize((EDGE, EDGE), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


class _Pen:
    """Draws in hundredths of the picture's side."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._unit = image.width / 100

    def _scaled(self, box: Box) -> Box:
        left, top, right, bottom = box
        return left * self._unit, top * self._unit, right * self._unit, bottom * self._unit

    def oval(self, x: float, y: float, width: float, height: float, fill: str | None, line: str = "") -> None:
        box = self._scaled((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        self._draw.ellipse(box, fill=fill, outline=line or None, width=int(1.3 * self._unit) if line else 0)

    def block(self, x: float, y: float, width: float, height: float, round_by: float, fill: str) -> None:
        box = self._scaled((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        self._draw.rounded_rectangle(box, radius=round_by * self._unit, fill=fill)

    def arc(self, box: Box, start: int, end: int, fill: str, thick: float) -> None:
        self._draw.arc(self._scaled(box), start, end, fill=fill, width=max(1, int(thick * self._unit)))

    def slice(self, box: Box, start: int, end: int, fill: str) -> None:
        self._draw.chord(self._scaled(box), start, end, fill=fill)

    def line(self, box: Box, fill: str, thick: float) -> None:
        self._draw.line(self._scaled(box), fill=fill, width=max(1, int(thick * self._unit)))


def _shade(colour: str, by: float) -> str:
    """A colour made darker (``by`` below 1) or lighter."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{min(255, int(part * by)):02x}" for part in parts)


def _body(pen: _Pen, look: _Look, dice: random.Random) -> None:
    pen.oval(50, 104, 84, 58, look.clothes)
    if dice.random() < 0.5:
        pen.oval(50, 78, 30, 16, _shade(look.clothes, 0.82))  # a collar
    pen.block(50, 70, 17, 24, 8, _shade(look.skin, 0.88))


def _face(pen: _Pen, look: _Look, dice: random.Random) -> None:
    for ear in (28.5, 71.5):
        pen.oval(ear, 50, 8, 12, _shade(look.skin, 0.93))
    pen.oval(50, 48, 43, 50, look.skin)
    for cheek in (37, 63):
        pen.oval(cheek, 57, 8, 5, _shade(look.skin, 0.94))
    for eye in (41.5, 58.5):
        pen.oval(eye, 49, 4.2, 5, "#26211f")
        pen.oval(eye + 0.9, 47.9, 1.4, 1.4, "#ffffff")
        pen.arc((eye - 5, 39.5, eye + 5, 46), 200, 340, _shade(look.hair, 0.8), 1.4)
    pen.arc((48, 50, 53, 56), 20, 140, _shade(look.skin, 0.72), 1.2)
    if dice.random() < 0.75:
        pen.arc((42, 53, 58, 65), 25, 155, "#7c3a35", 1.7)
    else:
        pen.slice((43, 55, 57, 66), 0, 180, "#8f3d3a")  # laughing


def _glasses(pen: _Pen, dice: random.Random) -> None:
    colour = dice.choice(("#2b2b2b", "#7a4a2b", "#3b5bdb"))
    for eye in (41, 59):
        pen.oval(eye, 49.3, 14.5, 13.5, None, line=colour)
    pen.line((48, 48.8, 52, 48.8), colour, 1.3)


def _short(pen: _Pen, look: _Look, behind: bool) -> None:
    if behind:
        pen.oval(50, 41, 49, 45, look.hair)
    else:
        pen.slice((27.5, 19, 72.5, 56), 188, 352, look.hair)


def _parted(pen: _Pen, look: _Look, behind: bool) -> None:
    if behind:
        pen.oval(50, 42, 51, 48, look.hair)
    else:
        pen.slice((24.5, 17, 60, 54), 178, 318, look.hair)
        pen.slice((48, 17, 75.5, 54), 222, 362, look.hair)


def _long(pen: _Pen, look: _Look, behind: bool) -> None:
    if behind:
        pen.block(50, 57, 57, 74, 26, look.hair)
    else:
        pen.slice((26.5, 18, 73.5, 54), 184, 356, look.hair)


def _bun(pen: _Pen, look: _Look, behind: bool) -> None:
    if behind:
        pen.oval(50, 17, 23, 21, look.hair)
        pen.oval(50, 42, 49, 47, look.hair)
    else:
        pen.slice((27, 19, 73, 53), 186, 354, look.hair)


def _curls(pen: _Pen, look: _Look, behind: bool) -> None:
    if behind:
        for x, y in ((27, 44), (25, 33), (32, 23), (43, 17), (57, 17), (68, 23), (75, 33), (73, 44), (50, 26)):
            pen.oval(x, y, 21, 21, look.hair)
    else:
        for x, y in ((33, 29), (42, 25), (51, 24), (60, 26), (68, 30)):
            pen.oval(x, y, 13, 12, look.hair)


def _bald(pen: _Pen, look: _Look, behind: bool) -> None:
    if not behind:
        pen.oval(42, 31, 12, 5, _shade(look.skin, 1.06))


def _scarf(pen: _Pen, look: _Look, behind: bool) -> None:
    cloth = _shade(look.clothes, 1.25)
    if behind:
        pen.oval(50, 52, 61, 70, cloth)
        pen.oval(50, 84, 56, 30, cloth)
    else:
        pen.arc((24, 18, 76, 80), 150, 390, cloth, 6.5)
