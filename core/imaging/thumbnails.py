"""Small JPEG previews."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITY = 80


def make_thumbnail(image: Image, side: int = 256) -> bytes:
    """A JPEG of the RGB `image` that fits into side x side pixels, aspect kept, never enlarged.

    The same pixels give the same bytes.
    """
    from PIL.Image import Resampling

    longest = max(image.size)
    if longest > side:
        size = (max(1, round(image.width * side / longest)), max(1, round(image.height * side / longest)))
        image = image.resize(size, Resampling.HAMMING, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, comment=b"")  # Pillow would write on the original's comment
    return out.getvalue()
