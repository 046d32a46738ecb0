"""From a stored preview to pixels that cover whole cells."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]


def open_picture(data: bytes, wanted: Size) -> Image:
    """The RGB pixels of a stored preview, decoded at a reduced scale where `wanted` pixels need no more."""
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    image.draft("RGB", wanted)
    return image.convert("RGB")


def cells_for(picture: Size, box: Size, cell: Size) -> Size:
    """Columns and rows, at most `box`, that a picture of these pixels takes: its shape kept as near as cells can."""
    scale = min(box[0] * cell[0] / picture[0], box[1] * cell[1] / picture[1])
    columns, rows = picture[0] * scale / cell[0], picture[1] * scale / cell[1]
    return min(box[0], max(1, round(columns))), min(box[1], max(1, round(rows)))


def cropped_to(image: Image, cells: Size, cell: Size, most: Size | None = None) -> Image:
    """The middle of a picture in the shape of `cells`, in exactly their pixels, or in `most` where that is less.

    Cropping takes less than half a cell: it looks better than a picture out of shape.
    """
    from PIL.Image import Resampling

    width, height = cells[0] * cell[0], cells[1] * cell[1]
    left, upper, right, lower = 0.0, 0.0, float(image.width), float(image.height)
    if image.width * height > image.height * width:
        spare = image.width - image.height * width / height
        left, right = spare / 2, image.width - spare / 2
    else:
        spare = image.height - image.width * height / width
        upper, lower = spare / 2, image.height - spare / 2
    if most is not None:
        scale = min(1.0, most[0] / width, most[1] / height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    return image.resize((width, height), Resampling.BILINEAR, box=(left, upper, right, lower), reducing_gap=2.0)
