"""How often the classes are right, told honestly: by corrections that taught nothing, with the estimate's interval.

A fifth of the pictures is set aside by their content's hash before anything is asked. Corrections of these are held
out, and as the review queue draws its share of them at random, they stand for the pile, not for its hard pictures.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.annotation.corrections import Corrections
from core.clustering.vectors import Labels

EVERY = 5
Z = 1.959964  # 95 %


@dataclass(frozen=True)
class Accuracy:
    """`right` of `count` held-out corrections, the share, and its 95 % interval (0 to 1 where there are none)."""

    right: int
    count: int
    share: float
    low: float
    high: float


def draws(hashes: Sequence[str | bytes], *, seed: int = 42) -> NDArray[np.float64]:
    """A number from 0 to 1 for each picture [N], from its content's hash and the seed: as good as drawn at random.

    It stays the same when pictures come or go, and twins share it.
    """
    salt = f"{seed} ".encode()
    numbers = (hashlib.sha256(salt + (h.encode() if isinstance(h, str) else h)).digest()[:7] for h in hashes)
    return np.array([int.from_bytes(n, "big") / 2**56 for n in numbers], dtype=np.float64)


def set_aside(drawn: NDArray[np.float64], *, every: int = EVERY) -> NDArray[np.bool_]:
    """Which pictures are set aside [N]: one of `every`, by their `draws`."""
    return drawn < 1 / every


def wilson(right: int, count: int) -> Accuracy:
    """The share with its score interval (Wilson, 1927), which is honest for few and for shares near 1."""
    if count == 0:
        return Accuracy(0, 0, 0.0, 0.0, 1.0)
    share, z2 = right / count, Z * Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    return Accuracy(right, count, share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def measured(labels: Labels, held: Corrections) -> Accuracy:
    """How many of the held-out corrections the `labels` [N] meet. They must come from a run that was not told them."""
    return wilson(int(np.count_nonzero(labels[held.rows] == held.labels)), len(held.rows))
