"""Pictures to the pixels an encoder takes: the model's own transform, made fast.

The geometry is that of open_clip's `image_transform` and timm's `transforms_imagenet_eval`, to the pixel; the
resize is torch's antialiased one on uint8 (five times as fast as Pillow's), read out of Pillow's memory
without a copy; the normalisation is left to the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL.Image import Image

FULL = 1 << 20
"""A `decode_min_side` beyond any picture: decode at full size."""

_MAX_ASPECT = 16  # a longer picture loses its far ends before the crop, not after: a strip of 3 x 9,000 is real


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How pictures become uint8 pixels [height, width, 3], and the mean and standard deviation of these in 0..1.

    `crop` resizes the shorter side to `size / crop_pct` and cuts the centre out, `squash` resizes both sides,
    `longest` resizes the longer side and fills up. `decode_scale` is how many times that size a picture must
    still have after reduced-scale decoding, 0 for no reduction; it is about speed and no part of a model.
    """

    size: tuple[int, int]
    mode: Literal["crop", "squash", "longest"]
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fill: int | tuple[int, ...] = 0
    crop_pct: float = 1.0
    decode_scale: int = 4

    @property
    def resized(self) -> tuple[int, int]:
        """Height and width that the resize aims at, before the centre is cut out."""
        height, width = self.size
        return math.floor(height / self.crop_pct), math.floor(width / self.crop_pct)

    @property
    def decode_min_side(self) -> int:
        """The shorter side, in pixels, that a decoder may reduce a picture to."""
        return self.decode_scale * max(self.resized) if self.decode_scale else FULL

    def prepare(self, image: Image, original: tuple[int, int] | None = None) -> NDArray[np.uint8]:
        """The pixels [height, width, 3] of an RGB picture as the encoder takes them.

        `original` is the (width, height) before any reduction while decoding: without it rounding can shift
        the crop by a pixel. Safe to call from many threads; the work runs without the interpreter lock.
        """
        width, height = original or image.size
        if self.mode == "crop" and max(width, height) > _MAX_ASPECT * min(width, height):
            image, (width, height) = _without_far_ends(image)
        tensor = _resize(image, self._target(width, height), self.interpolation)
        return _centre(tensor, self.size, self.fill).contiguous().numpy()

    def _target(self, width: int, height: int) -> tuple[int, int]:
        """Height and width that a picture of this size is resized to."""
        rows, columns = self.resized
        if self.mode == "squash":
            return rows, columns
        if self.mode == "crop" and rows == columns:  # torchvision's Resize(int) rounds down
            if width <= height:
                return int(rows * height / width), rows
            return rows, int(rows * width / height)
        ratios = height / rows, width / columns
        ratio = max(ratios) if self.mode == "longest" else min(ratios)
        return max(1, round(height / ratio)), max(1, round(width / ratio))


def _without_far_ends(image: Image) -> tuple[Image, tuple[int, int]]:
    width, height = image.size
    keep = _MAX_ASPECT * min(width, height)
    left, top = max(0, width - keep) // 2, max(0, height - keep) // 2
    kept = image.crop((left, top, width - left, height - top))
    return kept, kept.size


def _resize(image: Image, target: tuple[int, int], interpolation: str) -> torch.Tensor:
    """A uint8 tensor [height, width, 3 or more]."""
    import torch

    if interpolation not in ("bicubic", "bilinear"):  # torch's antialiasing knows these two alone
        from PIL.Image import Resampling

        method = Resampling[interpolation.upper()] if interpolation != "random" else Resampling.BICUBIC
        return _pixels(image.resize((target[1], target[0]), method))
    pixels = _pixels(image)
    if pixels.shape[:2] == target:
        return pixels
    planes = pixels.permute(2, 0, 1).unsqueeze(0)
    resized = torch.nn.functional.interpolate(planes, target, mode=interpolation, antialias=True)
    return resized.squeeze(0).permute(1, 2, 0)


def _pixels(image: Image) -> torch.Tensor:
    """A uint8 view [height, width, 4] of Pillow's memory where it lies in one block, else a copy with 3."""
    import numpy as np
    import pyarrow as pa
    import torch
    from torch.utils.dlpack import from_dlpack

    width, height = image.size
    try:
        flat: Any = pa.array(image).flatten()
        pixels: torch.Tensor = from_dlpack(flat)
        return pixels.view(height, width, 4)
    except (ValueError, MemoryError, RuntimeError, pa.ArrowException):
        return torch.from_numpy(np.array(image))


def _centre(pixels: torch.Tensor, size: tuple[int, int], fill: int | tuple[int, ...]) -> torch.Tensor:
    """The centre of `pixels` at exactly `size`, three channels, filled up where it is smaller."""
    import torch

    pixels = pixels[..., :3]
    rows, columns = pixels.shape[:2]
    height, width = size
    if rows < height or columns < width:
        canvas = torch.empty((max(rows, height), max(columns, width), 3), dtype=torch.uint8)
        canvas[:] = torch.tensor(fill, dtype=torch.uint8)
        top, left = max(0, height - rows) // 2, max(0, width - columns) // 2
        canvas[top : top + rows, left : left + columns] = pixels
        pixels, (rows, columns) = canvas, canvas.shape[:2]
    top, left = round((rows - height) / 2), round((columns - width) / 2)
    return pixels[top : top + height, left : left + width]
