"""Bytes of a picture file to upright RGB pixels, within a bound of memory, or to a reason why not."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import PictureError
from core.imaging.colour import to_rgb
from core.imaging.formats import describe, identify
from core.imaging.gate import MemoryGate
from core.imaging.opening import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

# A progressive JPEG is decoded once over all its pixels for every scan it holds. Real ones have about ten;
# a file of a few kilobytes can hold thousands.
_MAX_SCANS = 100
# Every 8 x 8 block takes at least one bit of a scan's Huffman code: so many pixels a byte at the most. A file
# that claims more would come out grey, for the JPEG library fills up what it lacks and calls it done.
_MAX_JPEG_PIXELS_PER_BYTE = 8 * 64
# Pillow's pixels take 4 bytes, the result 4 more; some libraries hold frames of their own beside them.
_BYTES_PER_PIXEL = {"WEBP": 17, "AVIF": 12, "HEIF": 12}
_BYTES_PER_PIXEL_ELSE = 10
_ORIENTATION = 0x0112  # the EXIF tag
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # TIFF tags
# How the decoders put it, in lower case, that a file ends too early; and what mostly, but not always, means that.
_TRUNCATED = (
    *("truncated", "end of file", "eof", "not enough data", "buffer is not large enough", "unpack"),
    *("cannot load this image", "no more images", "incomplete", "insufficient", "too small", "cannot read full"),
)
_DAMAGED = ("could not create decoder", "missing dimensions", "parsing failed", "data organization", "decoder error")
_START_OF_SCAN = b"\xff\xda"


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: mode RGB, upright, perhaps reduced; `width` and `height` are the original's, upright."""

    image: Image
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What decoding will take: the size the header claims, the size decoded to, and bytes at the peak."""

    claimed: tuple[int, int]
    decoded: tuple[int, int]
    peak_bytes: int


def decode(data: bytes, *, min_side: int | None, max_pixels: int, gate: MemoryGate | None = None) -> Picture:
    """The first frame of a picture file as upright RGB pixels.

    With `min_side` the picture may come reduced by a whole factor, its shorter side not below `min_side`;
    a JPEG is then reduced while it is decoded. `max_pixels` bounds what is decoded, judged by the header; a
    JPEG beyond it is taken if its reduced form fits. `gate`, shared by threads, makes them wait for memory.

    Raises PictureError, and nothing else, with the reason in plain words. Safe to call from many threads.
    """
    kind = identify(data)
    if kind is None:
        raise PictureError(f"not a picture: {describe(data)}")
    try:
        image = open_picture(kind, data)
        plan = _plan(kind, image, data, min_side, max_pixels)
        with gate.hold(plan.peak_bytes) if gate else nullcontext():
            return _decoded(kind, image, plan, min_side)
    except PictureError:
        raise
    except Exception as error:  # Pillow and the libraries under it raise nearly everything
        raise PictureError(_reason(kind, error)) from error


def _plan(kind: str, image: ImageFile, data: bytes, min_side: int | None, max_pixels: int) -> _Plan:
    """Sets the decoder up and decides, before any pixel is decoded, whether the picture is let in."""
    claimed = image.size
    buffered = kind == "JPEG" and _holds_all_coefficients(image, data)
    if kind == "JPEG" and min_side:
        image.draft(None, (min_side, min_side))
    # Coefficients are held at full size, so reducing saves nothing there.
    pixels = _area(claimed if buffered else image.size)
    if pixels > max_pixels:
        raise PictureError(
            f"too large: it claims {claimed[0]} x {claimed[1]} pixels, more than the limit of {max_pixels:,}",
            "raise the pixel limit in the settings if it is a picture you want",
        )
    if kind == "JPEG" and _area(claimed) > _MAX_JPEG_PIXELS_PER_BYTE * len(data):
        raise PictureError(
            f"truncated JPEG: {len(data):,} bytes cannot hold the {claimed[0]} x {claimed[1]} pixels it claims"
        )
    tags = getattr(image, "tag_v2", {})
    tile = (tags.get(_TILE_WIDTH, 1), tags.get(_TILE_LENGTH, 1))
    if _area(tile) > max_pixels:  # a TIFF's tile is decoded whole, whatever the picture's own size
        raise PictureError(f"too large: its tiles claim {tile[0]} x {tile[1]} pixels each")
    return _Plan(claimed, image.size, _peak_bytes(kind, image, claimed, buffered))


def _decoded(kind: str, image: ImageFile, plan: _Plan, min_side: int | None) -> Picture:
    image.load()
    original = plan.claimed if plan.claimed != plan.decoded else image.size
    factor = max(1, min(image.size) // min_side) if min_side else 1
    orientation = 1 if kind == "HEIF" else _orientation(image)  # the HEIF decoder has turned it already
    rgb = _turned(to_rgb(image, factor), orientation)
    rgb.info = {}  # profiles, comments and EXIF would travel on with the pixels
    width, height = original[::-1] if orientation >= 5 else original
    return Picture(rgb, width, height, kind)


def _holds_all_coefficients(image: ImageFile, data: bytes) -> bool:
    """Whether this JPEG comes in several scans, so that the decoder keeps every coefficient in memory."""
    if "progressive" in image.info:
        if data.count(_START_OF_SCAN) > _MAX_SCANS:
            raise PictureError(f"a JPEG of more than {_MAX_SCANS} scans, which no real picture has")
        return True
    return not _first_scan_is_whole(image, data)


def _first_scan_is_whole(image: ImageFile, data: bytes) -> bool:
    """Whether the first scan interleaves all components (ITU T.81, B.2.3: length, then their number)."""
    layers: int = getattr(image, "layers", 0)
    after = image.fp.tell() if image.fp else 0  # just behind the scan's header
    start = after - (6 + 2 * layers)
    return data[start - 2 : start + 3] == _START_OF_SCAN + bytes((0, 6 + 2 * layers, layers))


def _peak_bytes(kind: str, image: ImageFile, claimed: tuple[int, int], buffered: bool) -> int:
    """About what decoding holds at its peak, a little more than measured (converted at full size)."""
    if kind != "JPEG":
        return _BYTES_PER_PIXEL.get(kind, _BYTES_PER_PIXEL_ELSE) * _area(image.size)
    coefficients = 2 * getattr(image, "layers", 3) * _area(claimed) if buffered else 0
    return 8 * _area(image.size) + coefficients


def _orientation(image: ImageFile) -> int:
    """EXIF orientation, 1 to 8; 1 if there is none or it cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF is common, and no reason to lose the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _turned(image: Image, orientation: int) -> Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _reason(kind: str, error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    if isinstance(error, MemoryError):
        return "too large: there is not enough memory to decode it"
    if bomb := re.match(r"Image size \((\d+) pixels\) exceeds limit", text):
        return f"too large: it claims {int(bomb[1]):,} pixels"
    says = text.lower()
    if isinstance(error, EOFError | IndexError) or any(sign in says for sign in _TRUNCATED):
        return f"truncated {kind}: the file ends before the picture does"
    if any(sign in says for sign in _DAMAGED):
        return f"damaged or truncated {kind} ({text})"
    if says == "not identified by this driver":  # Pillow's words for no mode, or a side of no pixels
        return f"unreadable {kind}: its header describes no pixels"
    return f"unreadable {kind}: {text or type(error).__name__}"
