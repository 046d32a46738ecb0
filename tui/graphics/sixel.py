"""Sixel: a picture as bands of six lines, each painted in one colour after another.

textual-image encodes them too; ours takes a fraction of its time, which is felt where a screenful is drawn at once,
and fewer bytes for the same picture. A colour of a band may paint over whatever is painted after it: of all strips
that come out the same on the screen, the one of fewest runs is taken. The colours are few and chosen well: see
`tui.graphics.palette`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.graphics.palette import Array, in_palette, palette_of

if TYPE_CHECKING:
    from PIL.Image import Image

BAND = 6
"""Lines of pixels that are drawn at a time."""

FEWEST_COLOURS, MOST_COLOURS = 8, 64
SLACK = 1.15
"""What a picture may take of its bytes: most come near enough at the first attempt."""

_TRIED_FIRST = 16
_BYTES_A_BORDER = 0.75  # what a picture takes, by the neighbouring pixels that differ: measured on photographs
_COLOURS_A_BYTE = 1.25  # how the colours that fit grow with the bytes, as an exponent: measured likewise
_CELLS_AT_ONCE = 4_000_000


def sixel_of(image: Image, most: int, budget: float) -> str:
    """An RGB picture as a sixel sequence of at most `most` colours: as many as `budget` bytes allow, but a few.

    All colours are defined before the first pixel: an xterm would draw pixels before it in another colour.
    """
    most = min(most, MOST_COLOURS)
    colours = min(_TRIED_FIRST, most)
    indices, palette = _in_colours(image, colours)
    colours = _fitting(colours, most, budget / max(1.0, _BYTES_A_BORDER * _borders(indices)))
    while True:
        indices, palette = _in_colours(image, colours)
        encoded = _sequence(indices, palette)
        if len(encoded) <= budget * SLACK or colours <= FEWEST_COLOURS:
            return encoded
        colours = min(colours - 1, _fitting(colours, most, budget / len(encoded)))


def _fitting(colours: int, most: int, share: float) -> int:
    """How many colours fit, where `colours` of them would take `1 / share` of the bytes."""
    return min(most, max(FEWEST_COLOURS, int(colours * share**_COLOURS_A_BYTE)))


def _in_colours(image: Image, colours: int) -> tuple[Array, list[tuple[int, int, int]]]:
    """The number of each pixel's colour (height, width; uint8), the most frequent being 0, and the colours in percent,
    as sixel counts them.
    """
    import numpy as np

    percent = np.round(palette_of(image, colours) / 2.55).astype(int)
    indices = np.asarray(in_palette(image, percent * 2.55))
    counts = np.bincount(indices.ravel(), minlength=len(percent))
    ranked = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    rank = np.zeros(256, np.uint8)
    rank[ranked] = np.arange(len(ranked))
    return rank[indices], [(int(r), int(g), int(b)) for r, g, b in percent[ranked]]


def _borders(indices: Array) -> int:
    """How many neighbouring pixels, beside and below each other, are of two colours."""
    import numpy as np

    beside = np.count_nonzero(indices[:, 1:] != indices[:, :-1])
    return int(beside + np.count_nonzero(indices[1:] != indices[:-1]))


def _sequence(indices: Array, palette: list[tuple[int, int, int]]) -> str:
    height, width = indices.shape
    colours = "".join(f"#{number};2;{r};{g};{b}" for number, (r, g, b) in enumerate(palette))
    lines = max(1, _CELLS_AT_ONCE // (width * len(palette))) * BAND
    parts = [_bands(indices[top : top + lines], len(palette)) for top in range(0, height, lines)]
    return f'\x1bP0;0;0q"1;1;{width};{height}{colours}{"-".join(parts)}\x1b\\'


def _bands(indices: Array, colours: int) -> str:
    """Some bands. A strip is what a band has of one colour; they are painted from the most frequent colour on."""
    import numpy as np

    must = _strips(indices, colours)
    may = np.bitwise_or.accumulate(must[::-1], axis=0)[::-1]  # its own pixels, and those that are painted later
    there = must.any(axis=2).T
    must, may = must.transpose(1, 0, 2)[there], may.transpose(1, 0, 2)[there]
    strips, width = must.shape
    starts = np.flatnonzero(_new_runs(must, may))
    values = np.bitwise_or.reduceat(must.ravel(), starts)
    lengths = np.diff(starts, append=must.size)
    strip_of = starts // width
    ends = np.flatnonzero(np.diff(strip_of, append=strips))
    kept = np.ones(len(starts), bool)
    kept[ends] = values[ends] != 0  # nothing at the end of a strip needs no word
    kinds, kind_of = np.unique(lengths[kept] * 64 + values[kept], return_inverse=True)
    words = [_run(*divmod(kind, 64)) for kind in kinds.tolist()]
    runs = [words[kind] for kind in kind_of.tolist()]
    first = np.searchsorted(strip_of[kept], np.arange(strips + 1)).tolist()
    parts: list[str] = []
    before = 0
    for at, (band, colour) in enumerate(np.argwhere(there).tolist()):
        parts.append("-" if band != before else "$" if at else "")
        parts.append(f"#{colour}")
        parts += runs[first[at] : first[at + 1]]
        before = band
    return "".join(parts)


def _strips(indices: Array, colours: int) -> Array:
    """Which of a band's six pixels in a column are of a colour, as bits (colour, band, column; uint8)."""
    import numpy as np

    height, width = indices.shape
    bands = -(-height // BAND)
    bits = np.zeros((colours, bands, width), np.uint8)
    flat, column = bits.reshape(-1), np.arange(bands * width).reshape(bands, width)
    for line in range(BAND):
        of_line = indices[line::BAND].astype(np.intp)  # the last band may have none
        flat[of_line * (bands * width) + column[: len(of_line)]] |= np.uint8(1 << line)
    return bits


def _new_runs(must: Array, may: Array) -> Array:
    """Where a run begins (strip * column, flat), so that the runs are as few as can be.

    A run is one value that holds all bits which its columns must have, and none which one of them may not: taking
    each as far as it goes is best. All strips take a step to the right at a time.
    """
    import numpy as np

    strips, width = must.shape
    columns, barred = np.ascontiguousarray(must.T), np.ascontiguousarray(~may.T)
    new = np.zeros((width, strips), bool)
    new[0] = True
    needed, refused, both = columns[0].copy(), barred[0].copy(), np.empty(strips, np.uint8)
    for must_here, barred_here, new_here in zip(columns[1:], barred[1:], new[1:], strict=True):
        np.bitwise_or(needed, must_here, out=needed)
        np.bitwise_or(refused, barred_here, out=refused)
        np.bitwise_and(needed, refused, out=both)
        np.not_equal(both, 0, out=new_here)
        np.copyto(needed, must_here, where=new_here)
        np.copyto(refused, barred_here, where=new_here)
    return new.T.ravel()


def _run(length: int, value: int) -> str:
    character = chr(63 + value)
    return character * length if length < 4 else f"!{length}{character}"
