"""Digits by hand and in print: skeletons drawn by a round pen or a broad nib, segments, dots, and a typeface.

No font of the machine is used; the typeface is the one that comes inside Pillow.
"""

from __future__ import annotations

import functools
import itertools
import random
from typing import TYPE_CHECKING

from core.pocket.shapes import Line, Part, Point, area, box, ellipse, fill, moved, smooth, stroke, wobbled

if TYPE_CHECKING:
    from PIL import Image

DIGITS: tuple[str, ...] = tuple("0123456789")
"""The digits, in order."""

# A stroke is its control points; "~" in front makes it a smooth curve, "-" a line with corners.
_Stroke = tuple[str, list[Point]]
_RING = [(0.1, -1.0), (-0.4, -0.75), (-0.55, 0.0), (-0.4, 0.75), (0.0, 1.0), (0.4, 0.75), (0.55, 0.0), (0.4, -0.75)]
_SKELETONS: dict[str, tuple[list[_Stroke], ...]] = {
    "0": (
        [("~", [*_RING, (0.05, -1.0)])],
        [("~", [(-0.1, -0.95), *_RING[1:], (0.1, -1.0), (-0.2, -0.9)])],
        [("~", [(0.3, -0.85), (-0.2, -0.95), (-0.6, -0.1), (-0.3, 0.9), (0.3, 0.9), (0.6, 0.1), (0.35, -0.8)])],
    ),
    "1": (
        [("-", [(0.0, -1.0), (0.0, 1.0)])],
        [("-", [(-0.35, -0.55), (0.05, -1.0), (0.05, 1.0)])],
        [("-", [(-0.5, -0.35), (0.1, -1.0), (0.1, 1.0)])],
        [("-", [(-0.35, -0.6), (0.0, -1.0), (0.0, 1.0)]), ("-", [(-0.4, 1.0), (0.4, 1.0)])],
        [("-", [(-0.2, -0.85), (0.05, -1.0), (0.05, 1.0)]), ("-", [(-0.25, 1.0), (0.35, 1.0)])],
        [("-", [(-0.35, -0.6), (0.0, -1.0), (-0.05, 0.95), (0.6, 0.9)])],
    ),
    "2": (
        [
            ("~", [(-0.5, -0.6), (-0.2, -0.97), (0.3, -0.9), (0.48, -0.5), (0.2, 0.1), (-0.5, 0.95)]),
            ("-", [(-0.5, 0.95), (0.6, 0.95)]),
        ],
        [
            ("~", [(-0.55, -0.75), (0.0, -1.0), (0.45, -0.65), (0.2, 0.1), (-0.3, 0.85), (-0.55, 0.75)]),
            ("~", [(-0.55, 0.75), (-0.3, 0.6), (0.1, 0.85), (0.6, 0.9)]),
        ],
        [("~", [(-0.45, -0.8), (0.1, -1.0), (0.45, -0.6), (0.1, 0.1), (-0.45, 0.9), (0.0, 0.85), (0.6, 0.95)])],
        [("-", [(-0.5, -0.95), (0.45, -0.95), (-0.5, 0.95), (0.55, 0.95)])],
    ),
    "3": (
        [
            ("~", [(-0.5, -0.75), (-0.1, -1.0), (0.4, -0.75), (0.35, -0.25), (-0.1, -0.05)]),
            ("~", [(-0.1, -0.05), (0.4, 0.15), (0.5, 0.6), (0.1, 0.98), (-0.5, 0.75)]),
        ],
        [
            ("-", [(-0.5, -0.95), (0.45, -0.95), (-0.05, -0.2)]),
            ("~", [(-0.05, -0.2), (0.4, 0.05), (0.5, 0.55), (0.1, 0.98), (-0.5, 0.8)]),
        ],
        [
            ("~", [(-0.45, -0.9), (0.2, -0.95), (0.4, -0.6), (0.1, -0.2), (-0.25, -0.05)]),
            ("~", [(-0.25, -0.05), (0.3, 0.1), (0.45, 0.5), (0.15, 0.9), (-0.55, 0.95)]),
        ],
    ),
    "4": (
        [("-", [(0.25, 1.0), (0.25, -1.0), (-0.6, 0.3), (0.6, 0.3)])],
        [("-", [(-0.35, -0.95), (-0.55, 0.1), (0.55, 0.1)]), ("-", [(0.35, -0.6), (0.25, 1.0)])],
        [("~", [(-0.3, -1.0), (-0.5, -0.3), (-0.45, 0.15), (0.55, 0.05)]), ("-", [(0.35, -0.9), (0.1, 1.0)])],
        [("-", [(-0.5, -0.9), (-0.5, 0.1), (0.5, 0.1)]), ("-", [(0.45, -0.95), (0.45, 1.0)])],
        [("-", [(0.0, -1.0), (-0.6, 0.35), (0.6, 0.3)]), ("-", [(0.2, -0.2), (0.1, 1.0)])],
        [("~", [(0.0, -1.0), (-0.4, -0.2), (-0.5, 0.35), (0.6, 0.25)]), ("-", [(0.5, -0.5), (0.0, 1.0)])],
    ),
    "5": (
        [
            ("-", [(0.5, -0.95), (-0.4, -0.95), (-0.45, -0.15)]),
            ("~", [(-0.45, -0.15), (0.1, -0.3), (0.5, 0.1), (0.45, 0.65), (0.0, 0.98), (-0.5, 0.8)]),
        ],
        [("~", [(0.5, -0.95), (-0.3, -0.9), (-0.4, -0.2), (0.2, -0.1), (0.5, 0.35), (0.2, 0.9), (-0.5, 0.85)])],
        [
            ("-", [(-0.3, -0.9), (-0.4, -0.1)]),
            ("~", [(-0.4, -0.1), (0.2, -0.15), (0.4, 0.4), (0.1, 0.9), (-0.5, 0.9)]),
            ("-", [(-0.3, -0.92), (0.55, -1.0)]),
        ],
        [("~", [(0.45, -0.9), (-0.2, -0.95), (-0.45, -0.5), (0.1, -0.05), (0.4, 0.4), (0.0, 0.95), (-0.45, 0.7)])],
    ),
    "6": (
        [
            ("~", [(0.35, -0.95), (-0.2, -0.6), (-0.5, 0.1), (-0.4, 0.75), (0.0, 0.98), (0.45, 0.7), (0.4, 0.2)]),
            ("~", [(0.4, 0.2), (0.0, 0.0), (-0.45, 0.4)]),
        ],
        [
            ("~", [(0.05, -1.0), (-0.35, -0.4), (-0.5, 0.3), (-0.3, 0.9), (0.2, 0.95), (0.45, 0.55), (0.2, 0.2)]),
            ("~", [(0.2, 0.2), (-0.15, 0.2), (-0.4, 0.6)]),
        ],
        [("~", [(-0.3, -1.0), (-0.5, 0.0), (-0.35, 0.85), (0.25, 0.95), (0.5, 0.45), (0.1, 0.1), (-0.45, 0.45)])],
    ),
    "7": (
        [("-", [(-0.55, -0.95), (0.5, -0.95), (-0.1, 1.0)])],
        [("-", [(-0.55, -0.95), (0.5, -0.95), (0.0, 1.0)]), ("-", [(-0.3, 0.0), (0.5, 0.0)])],
        [("~", [(-0.55, -0.85), (0.0, -0.95), (0.5, -0.95), (0.2, -0.2), (-0.05, 0.5), (-0.1, 1.0)])],
        [
            ("-", [(-0.5, -0.65), (-0.5, -0.95), (0.5, -0.95)]),
            ("~", [(0.5, -0.95), (0.1, 0.0), (0.0, 1.0)]),
        ],
        [
            ("~", [(-0.55, -0.7), (-0.3, -0.95), (0.1, -0.8), (0.5, -0.95)]),
            ("-", [(0.5, -0.95), (0.0, 1.0)]),
            ("-", [(-0.2, 0.1), (0.55, -0.05)]),
        ],
        [
            ("~", [(-0.35, -0.85), (0.1, -1.0), (0.35, -0.75), (0.1, 0.0), (-0.1, 1.0)]),
            ("-", [(-0.45, 0.15), (0.5, 0.1)]),
        ],
    ),
    "8": (
        [
            ("~", [(0.4, -0.75), (0.0, -1.0), (-0.4, -0.7), (-0.2, -0.25), (0.3, 0.2), (0.45, 0.65), (0.0, 1.0)]),
            ("~", [(0.0, 1.0), (-0.45, 0.65), (-0.3, 0.2), (0.2, -0.25), (0.42, -0.7)]),
        ],
        [
            ("~", [(0.0, -1.0), (-0.4, -0.75), (-0.35, -0.3), (0.0, -0.1), (0.35, -0.3), (0.4, -0.75), (0.0, -1.0)]),
            ("~", [(0.0, -0.1), (-0.45, 0.2), (-0.45, 0.7), (0.0, 1.0), (0.45, 0.7), (0.45, 0.2), (0.0, -0.1)]),
        ],
        [
            ("~", [(0.45, -0.9), (-0.1, -0.95), (-0.4, -0.6), (0.0, -0.1), (0.35, 0.4), (0.1, 0.95), (-0.3, 0.85)]),
            ("~", [(-0.3, 0.85), (-0.35, 0.4), (0.1, -0.1), (0.5, -0.85)]),
        ],
    ),
    "9": (
        [
            ("~", [(0.4, -0.6), (0.1, -1.0), (-0.35, -0.85), (-0.45, -0.4), (-0.1, -0.1), (0.3, -0.3), (0.42, -0.6)]),
            ("~", [(0.42, -0.6), (0.42, 0.1), (0.25, 1.0)]),
        ],
        [
            ("~", [(0.4, -0.7), (0.0, -1.0), (-0.45, -0.65), (-0.35, -0.2), (0.1, -0.1), (0.42, -0.5)]),
            ("~", [(0.42, -0.6), (0.48, 0.1), (0.3, 0.8), (-0.1, 0.98), (-0.5, 0.8)]),
        ],
        [
            ("~", [(0.35, -0.9), (-0.2, -0.95), (-0.45, -0.5), (-0.1, -0.15), (0.4, -0.5)]),
            ("-", [(0.4, -0.95), (0.4, 1.0)]),
        ],
        [
            ("~", [(0.45, -0.85), (0.0, -1.0), (-0.4, -0.7), (-0.2, -0.3), (0.3, -0.4), (0.45, -0.8)]),
            ("-", [(0.45, -0.8), (-0.1, 1.0)]),
        ],
        [
            ("~", [(0.35, -0.85), (-0.1, -0.98), (-0.4, -0.65), (-0.2, -0.2), (0.25, -0.25), (0.4, -0.7)]),
            ("~", [(0.4, -0.7), (0.45, 0.2), (0.3, 0.8), (-0.05, 0.95), (-0.4, 0.85)]),
        ],
    ),
}
_SEGMENTS = dict(
    zip(DIGITS, ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"), strict=True)
)
_SEGMENT_LINES: dict[str, Line] = {
    "a": [(-0.5, -1.0), (0.5, -1.0)],
    "b": [(0.55, -0.92), (0.55, -0.08)],
    "c": [(0.55, 0.08), (0.55, 0.92)],
    "d": [(-0.5, 1.0), (0.5, 1.0)],
    "e": [(-0.55, 0.08), (-0.55, 0.92)],
    "f": [(-0.55, -0.92), (-0.55, -0.08)],
    "g": [(-0.5, 0.0), (0.5, 0.0)],
}


# A dot matrix of 7 rows of 5: the bits of each row, top to bottom.
_MATRIX = (
    "0e 11 11 11 11 11 0e",
    "04 0c 04 04 04 04 0e",
    "0e 11 01 02 04 08 1f",
    "1f 02 04 02 01 11 0e",
    "02 06 0a 12 1f 02 02",
    "1f 10 1e 01 01 11 0e",
    "06 08 10 1e 11 11 0e",
    "1f 01 02 04 08 08 08",
    "0e 11 11 0e 11 11 0e",
    "0e 11 11 0f 01 02 0c",
)


def handwritten(digit: str, rng: random.Random, width: float | None = None) -> list[Part]:
    """The parts of one digit as by hand: a random skeleton, unsteady and slanted, in a random pen."""
    skeleton = rng.choice(_SKELETONS[digit])
    shake = rng.uniform(0.02, 0.09)
    curves = []
    for form, points in skeleton:
        shaken = [(x + rng.gauss(0, shake), y + rng.gauss(0, shake)) for x, y in points]
        curves.append(smooth(shaken) if form == "~" else shaken)
    pen = width or rng.uniform(0.12, 0.36)
    parts = _nibbed(curves, pen, rng) if rng.random() < 0.25 else [stroke("body", pen, *curves)]
    wide, slant = rng.uniform(0.75, 1.3), rng.gauss(-0.08, 0.15)
    parts = moved(parts, lambda p: (wide * p[0] + slant * p[1], p[1]))
    return moved(parts, wobbled(rng, rng.uniform(0, 0.07)))


def printed(digit: str, rng: random.Random) -> list[Part]:
    """The parts of one digit as in print: the typeface, seven segments, a dot matrix, or an even pen."""
    face = rng.random()
    if face < 0.45:
        parts = [area("body", *_glyph_runs(digit))]
    elif face < 0.65:
        parts = [stroke("body", rng.uniform(0.14, 0.26), *[_SEGMENT_LINES[s] for s in _SEGMENTS[digit]])]
    elif face < 0.8:
        r = rng.uniform(0.08, 0.12)
        parts = [area("body", *[ellipse(x, y, r, r) for x, y in _dots(digit)])]
    else:
        curves = [smooth(p) if form == "~" else p for form, p in _SKELETONS[digit][0]]
        pen = rng.uniform(0.15, 0.35)
        parts = _nibbed(curves, pen, rng) if rng.random() < 0.5 else [stroke("body", pen, *curves)]
    wide, slant = rng.uniform(0.8, 1.2), rng.choice((0.0, 0.0, -0.2))
    return moved(parts, lambda p: (wide * p[0] + slant * p[1], p[1]))


def scanned(digit: str, rng: random.Random) -> Image.Image:
    """A handwritten digit as a small scanner sees it: 8 x 8 levels of ink, an "L" image with 255 for full ink.

    The digit is drawn without shades, fitted to 32 x 32 dots by its height, and each block of 4 x 4 dots is averaged.
    """
    from PIL import Image, ImageDraw

    big = Image.new("L", (160, 160))
    pen = ImageDraw.Draw(big)
    written = handwritten(digit, rng, rng.uniform(0.14, 0.45))
    for part in moved(written, lambda p: (80 + 50 * p[0], 80 + 50 * p[1]), 50):
        fill(pen, part, 255)
    ink = big.crop(big.getbbox())
    wide = min(rng.choice((24, 28, 32)), max(6, round(ink.width * 32 / ink.height * rng.uniform(0.9, 1.15))))
    dots = Image.new("L", (32, 32))
    dots.paste(ink.resize((wide, 32), Image.Resampling.NEAREST), ((32 - wide) // 2 + rng.randint(-3, 3), 0))
    return dots.reduce(4)


def _nibbed(curves: list[list[Point]], pen: float, rng: random.Random) -> list[Part]:
    """Curves drawn by a broad nib held at an angle, thick one way and thin the other."""
    dx, dy = rng.choice(((1, -0.3), (1, 0), (0.7, -0.7), (0.3, 1)))
    dx, dy = dx * pen * 0.6, dy * pen * 0.6
    quads = []
    for curve in curves:
        for (ax, ay), (bx, by) in itertools.pairwise(curve):
            quads.append([(ax - dx, ay - dy), (ax + dx, ay + dy), (bx + dx, by + dy), (bx - dx, by - dy)])
    return [area("body", *quads), stroke("body", pen * 0.35, *curves)]


@functools.cache
def _glyph_runs(digit: str) -> list[Line]:
    """The digit of Pillow's own typeface, as one flat box a run of ink."""
    from PIL import Image, ImageDraw, ImageFont

    height = 40
    canvas = Image.new("L", (3 * height, 3 * height))
    ImageDraw.Draw(canvas).text((height, height // 2), digit, fill=255, font=ImageFont.load_default(1.4 * height))
    ink = canvas.crop(canvas.getbbox())
    width = max(1, round(ink.width * height / ink.height))
    dots = ink.resize((width, height)).tobytes()
    step = 2 / height
    runs: list[Line] = []
    for y in range(height):
        row = [False, *(level > 110 for level in dots[y * width : (y + 1) * width]), False]
        edges = [x for x in range(width + 1) if row[x] != row[x + 1]]
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            left, right = (start - width / 2) * step, (stop - width / 2) * step
            runs.append(box(left, y * step - 1, right, (y + 1.2) * step - 1))
    return runs


def _dots(digit: str) -> list[Point]:
    """The lit places of the digit on a dot matrix."""
    rows = (int(code, 16) for code in _MATRIX[int(digit)].split())
    return [((x - 2) * 0.3, (y - 3) * 0.3) for y, row in enumerate(rows) for x in range(5) if row >> (4 - x) & 1]
