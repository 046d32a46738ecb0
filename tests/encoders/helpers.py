"""The two ways from a picture file to a vector: the model's own, and the fast one that ships."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from core.encoders.encoder import Encoder
from core.encoders.preprocess import Preprocessing
from core.imaging.decode import decode

Vectors = NDArray[np.float32]


def own_way(encoder: Encoder, pictures: list[bytes]) -> Vectors:
    return encoder.encode_transformed(
        torch.stack([encoder.transform(Image.open(io.BytesIO(data)).convert("RGB")) for data in pictures])
    )


def fast_pixels(preprocessing: Preprocessing, pictures: list[bytes]) -> NDArray[np.uint8]:
    decoded = [decode(data, min_side=preprocessing.decode_min_side, max_pixels=10**8) for data in pictures]
    return np.stack([preprocessing.prepare(each.image, (each.width, each.height)) for each in decoded])


def fast_way(encoder: Encoder, pictures: list[bytes], decode_scale: int | None = None) -> Vectors:
    cut = encoder.preprocessing
    return encoder.encode_images(
        fast_pixels(cut if decode_scale is None else replace(cut, decode_scale=decode_scale), pictures)
    )


def centred_cosines(wanted: Vectors, given: Vectors) -> Vectors:
    """Untrained weights give all pictures much the same vector: without it off, any error would pass."""
    mean = wanted.mean(axis=0)
    a, b = wanted - mean, given - mean
    cosines: Vectors = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return cosines
