"""Pictures to test an encoder's fast path on: drawn, seeded, and as hard as photographs, or harder.

Hard is what lies at the finest scales, where reduced decoding and resizing err: noise whose spectrum falls
as 1/f, as that of natural scenes does (Field 1987), sharp edges at all angles, fine stripes, thin lines.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_TILE = 512


def probe(seed: int, short_side: int) -> bytes:
    """A JPEG in colour, `short_side` by 4/3 of it, the same for the same arguments. About 50 ms a megapixel."""
    from PIL.Image import fromarray

    rng = np.random.default_rng(seed)
    width, height = short_side * 4 // 3 | 1, short_side  # odd, as a crop's sides may be
    image = fromarray(_scene(rng, width, height))
    _draw_edges(image, rng)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=int(rng.integers(80, 96)))
    return encoded.getvalue()


def _scene(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A gradient between two colours, with 1/f noise over it, at full resolution. [height, width, 3]."""
    low, high = rng.uniform(20, 235, (2, 3))
    slope = np.linspace(0, 1, width)[None, :, None] * rng.uniform(-1, 1) + np.linspace(0, 1, height)[:, None, None]
    noise = np.tile(_pink(rng), (height // _TILE + 1, width // _TILE + 1, 1))[:height, :width]
    scene = low + (high - low) * slope + rng.uniform(15, 40) * noise
    pixels: NDArray[np.uint8] = np.clip(scene, 0, 255).astype(np.uint8)
    return pixels


def _pink(rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of unit variance whose amplitude falls as 1/f, mostly the same in all channels. It tiles."""
    frequency = np.hypot(np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None])
    frequency[0, 0] = 1
    grey, *colours = (np.fft.irfft2(np.fft.rfft2(rng.normal(size=(_TILE, _TILE))) / frequency) for _ in range(4))
    channels = np.stack([grey / grey.std() + 0.3 * colour / colour.std() for colour in colours], axis=-1)
    unit: NDArray[np.float32] = (channels / channels.std()).astype(np.float32)
    return unit


def _draw_edges(image: Image, rng: np.random.Generator) -> None:
    """Filled shapes, hairlines and stripes, of sizes from the finest to half the picture."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(14):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = height * 10 ** rng.uniform(-2, -0.5)
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        corners = np.array((x, y)) + rng.uniform(-radius, radius, (int(rng.integers(3, 7)), 2))
        pen.polygon([tuple(corner) for corner in corners], fill=colour)
        pen.ellipse((x, y, x + radius * 0.7, y + radius * 0.5), outline=colour, width=max(1, height // 300))
    for _ in range(2):
        x, y, step = rng.uniform(0, width), rng.uniform(0, height), height * 10 ** rng.uniform(-2.4, -1.6)
        lean = rng.uniform(-height / 3, height / 3)
        for number in range(16):
            start = x + number * step
            pen.line((start, y, start + lean, y + height / 4), fill=(0, 0, 0), width=max(1, round(step / 2)))
