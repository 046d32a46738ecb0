"""Pixels of every kind to 8-bit RGB, reduced on the way.

Works in bands of rows, so that beside the decoded picture only the result is held, whatever the mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

_BAND_PIXELS = 1 << 20
_WIDE_GREY = frozenset(("I", "F", "I;16", "I;16L", "I;16B", "I;16N"))
_REDUCED_FIRST = frozenset(("RGB", "L", "CMYK", "RGBX", "YCbCr"))  # plain channels: averaging them is sound

_INTEGER_TOPS = (255.0, 4095.0, 65535.0)  # 8, 12 (of cameras and scanners) and 16 bits
_FLOAT_TOPS = (1.0, 255.0)


def to_rgb(image: Image, factor: int = 1) -> Image:
    """`image`, loaded, as mode RGB with each factor x factor pixels averaged into one (sides rounded up).

    Transparent pixels show white, as on a page: their stored colour is arbitrary, mostly black. Wide grey
    values are scaled, never clipped. Returns `image` itself where nothing has to be done.
    """
    if image.mode in _REDUCED_FIRST and not image.has_transparency_data:
        small = image.reduce(factor) if factor > 1 else image
        return small if small.mode == "RGB" else small.convert("RGB")
    return _banded(image, factor, _converter(image))


def _banded(image: Image, factor: int, convert: Callable[[Image], Image]) -> Image:
    import PIL.Image

    size = (-(-image.width // factor), -(-image.height // factor))
    result = PIL.Image.new("RGB", size)
    for top, band in _bands(image, factor):
        rgb = convert(band)
        result.paste(rgb.reduce(factor) if factor > 1 else rgb, (0, top // factor))
    return result


def _bands(image: Image, factor: int = 1) -> Iterator[tuple[int, Image]]:
    """Row offset and crop, each a multiple of `factor` rows but the last."""
    rows = max(1, _BAND_PIXELS // (image.width * factor)) * factor
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _converter(image: Image) -> Callable[[Image], Image]:
    if image.mode in _WIDE_GREY:
        low, high = _grey_range(image)
        return lambda band: _scale_grey(band, low, high)
    if image.has_transparency_data:
        return _on_white
    if image.mode == "LAB":
        return _lab_converter()
    return lambda band: band.convert("RGB")


def _on_white(band: Image) -> Image:
    import PIL.Image

    if band.mode == "La":  # premultiplied grey has no direct way to RGBA
        band = band.convert("LA")
    rgba = band.convert("RGBA")
    page = PIL.Image.new("RGB", band.size, "white")
    page.paste(rgba, mask=rgba)
    return page


def _lab_converter() -> Callable[[Image], Image]:
    from PIL import ImageCms

    transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")

    def convert(band: Image) -> Image:
        converted = ImageCms.applyTransform(band, transform)
        assert converted is not None  # None only for a transform in place
        return converted

    return convert


def _grey_range(image: Image) -> tuple[float, float]:
    """The values that become black and white: those of the least usual depth that holds the picture's."""
    low, high = _extremes(image)
    for top in _FLOAT_TOPS if image.mode == "F" else _INTEGER_TOPS:
        if low >= 0 and high <= top:
            return 0.0, top
    return low, max(high, low + 1.0)


def _extremes(image: Image) -> tuple[float, float]:
    """Least and greatest finite value; (0, 0) if there is none."""
    import numpy as np

    found: list[float] = []
    for _, band in _bands(image):
        values: Any = np.asarray(band)
        finite = values[np.isfinite(values)]
        if finite.size:
            found += (float(finite.min()), float(finite.max()))
    return (min(found), max(found)) if found else (0.0, 0.0)


def _scale_grey(band: Image, low: float, high: float) -> Image:
    import numpy as np
    import PIL.Image

    values = np.nan_to_num(np.asarray(band, dtype=np.float64), nan=low, posinf=high, neginf=low)
    bytes_ = np.clip((values - low) * (255.0 / (high - low)) + 0.5, 0, 255).astype(np.uint8)
    return PIL.Image.fromarray(bytes_).convert("RGB")
