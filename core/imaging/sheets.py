"""Contact sheets: several small pictures on one page."""

from __future__ import annotations

import io
from collections.abc import Sequence

_GAP = 8
_PAPER = "white"
_QUALITY = 85


def contact_sheet(pictures: Sequence[bytes], *, columns: int = 3, side: int = 256) -> bytes:
    """A JPEG of the pictures (JPEGs of our own making) in rows of `columns`, each fitted into side x side pixels.

    There are as many rows and columns as it takes. The same pictures give the same bytes. Raises ValueError for no
    pictures.
    """
    import PIL.Image

    if not pictures:
        raise ValueError("a sheet of no pictures")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    step = side + _GAP
    sheet = PIL.Image.new("RGB", (columns * step - _GAP, rows * step - _GAP), _PAPER)
    for place, data in enumerate(pictures):
        with PIL.Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((side, side))
        left = place % columns * step + (side - picture.width) // 2
        top = place // columns * step + (side - picture.height) // 2
        sheet.paste(picture, (left, top))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
