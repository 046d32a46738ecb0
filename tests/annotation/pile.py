"""What the pocket model sees in drawings and in scans of digits, and in the words for them: computed once a run."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.annotation.prompts import prototypes
from core.annotation.scores import View
from core.encoders.encoder import Encoder, load_encoder
from core.pocket.draw import draw
from core.pocket.evaluate import real_digits

FIRST_SEED = 31_000_000  # of drawings that the model was not trained on


@functools.cache
def pocket() -> Encoder:
    return load_encoder("pocket", device="cpu")


@functools.cache
def drawn(kind: str, count: int, style: str | None = None) -> NDArray[np.float32]:
    pixels = np.stack([np.asarray(draw(kind, FIRST_SEED + i, style=style).image) for i in range(count)])
    return pocket().encode_images(pixels)


@functools.cache
def scans() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    pixels, truth = real_digits()
    return np.concatenate([pocket().encode_images(pixels[i : i + 300]) for i in range(0, len(pixels), 300)]), truth


def words(prompts: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    return prototypes(pocket().encode_texts, prompts)


def view(vectors: NDArray[np.float32], prompts: Sequence[Sequence[str]]) -> View:
    return View(vectors, words(prompts), pocket().logit_scale)


def pile(counts: dict[str, int], names: Sequence[str], style: str | None = None) -> tuple[View, NDArray[np.int64]]:
    """Drawings of some kinds against names, and the place of each one's kind among these (-1 where it has none)."""
    vectors = np.concatenate([drawn(kind, count, style) for kind, count in counts.items()])
    places = [names.index(kind) if kind in names else -1 for kind in counts]
    return view(vectors, [[f"a photo of a {name}"] for name in names]), np.repeat(places, list(counts.values()))
