"""Opens a picture's header with the one decoder its signature names, and with no other.

The decoder classes are called directly, not through `Image.open`: that is an allow-list by construction,
imports only the decoder needed (pillow_heif only once a HEIC is met), registers nothing, and leaves aside
Pillow's process-wide MAX_IMAGE_PIXELS, which would refuse a 400-megapixel JPEG that is to be decoded at an
eighth of its size. The limit that counts is the caller's, checked from the header before any pixel.
"""

from __future__ import annotations

import importlib
import io
import struct
from typing import TYPE_CHECKING

from core.imaging.formats import ALLOWED_FORMATS

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),  # of a multi-picture file (MPO), the first picture
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif.as_plugin", "HeifImageFile"),
}
assert tuple(_DECODERS) == ALLOWED_FORMATS

_PNG_SIGNATURE_LENGTH = 8
_PNG_KEPT = frozenset((b"tRNS", b"eXIf"))  # the ancillary chunks that change what is seen


def open_picture(kind: str, data: bytes) -> ImageFile:
    """The picture with only its header read; `kind` is one of ALLOWED_FORMATS. Decoders may raise anything."""
    module, name = _DECODERS[kind]
    decoder = getattr(importlib.import_module(module), name)
    image: ImageFile = decoder(io.BytesIO(_without_metadata(data) if kind == "PNG" else data))
    return image


def _without_metadata(png: bytes) -> bytes:
    """A PNG with its critical chunks, transparency and EXIF alone.

    Text and colour profiles are compressed, so they can be bombs, and Pillow refuses a whole picture over
    a large one. Without the animation chunks an APNG is the still picture that every viewer shows.
    """
    kept, start = [png[:_PNG_SIGNATURE_LENGTH]], _PNG_SIGNATURE_LENGTH
    view = memoryview(png)
    while start + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        end = start + 12 + length  # length, type, data, checksum
        critical = not kind[0] & 0x20  # PNG specification, 5.4: bit 5 of the first byte marks the ancillary
        if critical or kind in _PNG_KEPT or end > len(png):
            kept.append(view[start:end])  # type: ignore[arg-type]  # join takes any buffer
        start = end
    return b"".join(kept)
