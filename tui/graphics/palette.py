"""The few colours that stand for a picture: what sixel and a small PNG are made of.

Pillow's quickest choice (its octree) takes corners of the colour cube, its best (median cut) is slow and splits what
is frequent. Here its `MAXCOVERAGE` of a small version begins, and each colour is moved to the middle of what it stands
for (Lloyd's algorithm): for as many bytes, half the error of the octree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

Array = Any  # numpy is not to be imported before the first frame, not for types either

_SAMPLED = 60  # pixels a colour is chosen from
_LLOYD_ROUNDS = 2


def palette_of(image: Image, colours: int) -> Array:
    """At most `colours` colours (n, 3; float, 0 to 255) that stand for an RGB picture's."""
    import numpy as np
    from PIL.Image import Quantize

    sample = _sample_of(image, colours * _SAMPLED)
    chosen = sample.quantize(colours, method=Quantize.MAXCOVERAGE)
    number = len(chosen.getcolors() or ())
    palette = np.array(chosen.getpalette(), np.float32).reshape(-1, 3)[:number]
    pixels = np.asarray(sample, np.float32).reshape(-1, 3)
    for _ in range(_LLOYD_ROUNDS):
        products = sum(pixels[:, part, None] * palette[:, part] for part in range(3))  # `@` wakes threads for so little
        nearest = ((palette**2).sum(axis=1) - 2 * products).argmin(axis=1)
        counts = np.bincount(nearest, minlength=number)
        sums = np.stack([np.bincount(nearest, pixels[:, part], number) for part in range(3)], axis=1)
        palette = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], palette).astype(np.float32)
    return palette


def in_palette(image: Image, palette: Array) -> Image:
    """An RGB picture in the nearest of these colours, without dithering: dots cost bytes. (Mode P.)"""
    import numpy as np
    from PIL import Image as Pillow

    paletted = Pillow.new("P", (1, 1))
    paletted.putpalette(np.round(palette).astype(np.uint8).tobytes())
    return image.quantize(palette=paletted, dither=Pillow.Dither.NONE)


def _sample_of(image: Image, pixels: int) -> Image:
    from PIL.Image import Resampling

    scale = min(1.0, (pixels / (image.width * image.height)) ** 0.5)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Resampling.BOX, reducing_gap=2.0)
