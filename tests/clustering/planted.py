"""Embeddings whose groups are known: unit rows, same-class cosine 0.77, other 0.62, as CLIP's are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NOISE = -1


def planted(
    count: int,
    classes: int,
    *,
    dimension: int = 512,
    seed: int = 0,
    noise: float = 0.0,
    zipf: float = 0.0,
    same: float = 0.77,
    other: float = 0.62,
) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """Rows [count, dimension] in random order and the class of each (NOISE for rows that belong nowhere).

    Class sizes follow 1 / rank**zipf: 0 is equal, 1 is Zipf's law.
    """
    random = np.random.default_rng(seed)
    scale = dimension**-0.5
    shares = 1 / np.arange(1, classes + 1) ** zipf
    members = count - round(count * noise)
    sizes = np.floor(shares / shares.sum() * members).astype(int)
    sizes[0] += members - sizes.sum()
    labels = np.repeat([*range(classes), NOISE], [*sizes, count - members]).astype(np.int32)
    common = random.standard_normal(dimension) * scale
    centres = random.standard_normal((classes, dimension)) * scale
    own = random.standard_normal((count, dimension)) * scale
    fits = (labels != NOISE)[:, None]
    rows = np.sqrt(other) * common + np.where(
        fits, np.sqrt(same - other) * centres[labels] + np.sqrt(1 - same) * own, np.sqrt(1 - other) * own
    )
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    order = random.permutation(count)
    return rows[order].astype(np.float16), labels[order]
