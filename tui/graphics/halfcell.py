"""Pictures in text: two pixels a cell, one above the other.

textual-image's half-cell renderer gives a segment a cell, of full colours. Ours joins cells that look alike, which
is what keeps a screenful within its bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from PIL.Image import Image

Row = tuple[Segment, ...]

_FINE = bytes(min(255, (value + 4) // 8 * 8) for value in range(256))
_COARSE = bytes(min(255, (value + 8) // 16 * 16) for value in range(256))


def half_cells(image: Image, columns: int, rows: int) -> tuple[Row, ...]:
    """Rows of text that look like `image`, an RGB picture: an upper half block where two pixels differ."""
    pixels = _pixels(image, columns, 2 * rows, _FINE)
    return tuple(_row(pixels[2 * y], pixels[2 * y + 1]) for y in range(rows))


def mosaic(image: Image, columns: int, rows: int) -> tuple[Row, ...]:
    """The same in squares of two cells: what stands where a picture cannot be drawn, as under a dialog."""
    rough = [_doubled(line, columns) for line in _pixels(image, (columns + 1) // 2, rows, _COARSE)]
    return tuple(_row(line, line) for line in rough)


def _pixels(image: Image, width: int, height: int, levels: bytes) -> list[list[int]]:
    from PIL.Image import Resampling

    small = image.resize((width, height), Resampling.BOX, reducing_gap=2.0)
    raw = small.tobytes().translate(levels)
    packed = [raw[i] << 16 | raw[i + 1] << 8 | raw[i + 2] for i in range(0, len(raw), 3)]
    return [packed[y * width : (y + 1) * width] for y in range(height)]


def _doubled(line: list[int], columns: int) -> list[int]:
    return [colour for colour in line for _ in range(2)][:columns]


def _row(upper: list[int], lower: list[int]) -> Row:
    segments: list[Segment] = []
    start = 0
    for x in range(1, len(upper) + 1):
        if x == len(upper) or upper[x] != upper[start] or lower[x] != lower[start]:
            same = upper[start] == lower[start]
            style = _style(-1 if same else upper[start], lower[start])
            segments.append(Segment((" " if same else "▀") * (x - start), style))
            start = x
    return tuple(segments)


@lru_cache(16384)
def _style(upper: int, lower: int) -> Style:
    return Style(color=None if upper < 0 else _colour(upper), bgcolor=_colour(lower))


@lru_cache(8192)
def _colour(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)
