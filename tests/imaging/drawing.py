"""Pictures for the tests: small, of known pixels, saved in every format."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import PIL.Image
import pillow_heif

MAX_PIXELS = 10_000_000
FORMATS: dict[str, tuple[str, str, dict[str, Any]]] = {  # name: Pillow's format, mode, options
    "jpeg": ("JPEG", "RGB", {"quality": 95}),
    "progressive": ("JPEG", "RGB", {"quality": 95, "progressive": True}),
    "cmyk jpeg": ("JPEG", "CMYK", {"quality": 95}),
    "png": ("PNG", "RGB", {}),
    "webp": ("WEBP", "RGB", {"quality": 95}),
    "lossless webp": ("WEBP", "RGB", {"lossless": True}),
    "gif": ("GIF", "RGB", {}),
    "bmp": ("BMP", "RGB", {}),
    "tiff": ("TIFF", "RGB", {}),
    "lzw tiff": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "avif": ("AVIF", "RGB", {"quality": 95, "speed": 10}),
    "heif": ("HEIF", "RGB", {"quality": 95}),
}


def corners(width: int = 96, height: int = 64) -> PIL.Image.Image:
    """Quarters of red, green, blue and white, so that every turn and flip shows."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 30, 30)
    pixels[: height // 2, width // 2 :] = (30, 200, 30)
    pixels[height // 2 :, : width // 2] = (30, 30, 220)
    pixels[height // 2 :, width // 2 :] = (250, 250, 250)
    return PIL.Image.fromarray(pixels)


def saved(image: PIL.Image.Image, saved_as: str, **options: Any) -> bytes:
    """The bytes of `image` in Pillow's format `saved_as`."""
    out = io.BytesIO()
    if saved_as == "HEIF":
        pillow_heif.register_heif_opener()
    image.save(out, saved_as, **options)
    return out.getvalue()


def sample(name: str, image: PIL.Image.Image | None = None) -> bytes:
    """`image`, or `corners()`, in one of FORMATS."""
    saved_as, mode, options = FORMATS[name]
    return saved((image or corners()).convert(mode), saved_as, **options)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int, *more: bytes) -> bytes:
    """A PNG whose header claims this size, with `more` chunks and hardly any pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + body + chunk(b"IEND", b"")
