"""Which pictures of a cluster are shown to whoever names it, and which are held out to measure the name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, Vectors, unit_rows

CANDIDATES = 2000
"""Spread pictures are looked for among so many, drawn by the seed."""
_SHOWN_AT_MOST = 2 / 3  # of a small cluster: a name is measured on pictures that nobody was shown
_NEAREST = 1 / 3  # of those shown; the others are spread
_TYPICAL = 0.95  # of the members, nearest first: the outermost are often strays


def samples(vectors: Vectors, centre: Floats, count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of a cluster's members to show, at most `count`, and those held out: all the others.

    `vectors` [N, D] are the members, `centre` [D] is the cluster's direction. A third of those shown are the nearest
    to the centre, nearest first; the others are spread: each the farthest from all taken before it (Gonzalez, 1985),
    among a draw by `seed` of the typical members. At most two thirds of the members are shown, and one at least.
    """
    if len(vectors) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    everyone = np.arange(len(vectors))
    cosines = unit_rows(vectors, everyone) @ np.asarray(centre, dtype=np.float32)
    order = np.argsort(-cosines, kind="stable")
    wanted = max(1, min(count, int(len(order) * _SHOWN_AT_MOST)))
    nearest = -(-wanted // round(1 / _NEAREST))
    typical = order[nearest : max(wanted, int(np.ceil(len(order) * _TYPICAL)))]
    if len(typical) > CANDIDATES:
        typical = np.sort(np.random.default_rng(seed).choice(len(typical), CANDIDATES, replace=False))
        typical = order[nearest + typical]
    spread = _farthest_first(unit_rows(vectors, typical), unit_rows(vectors, order[:nearest]), wanted - nearest)
    shown = np.concatenate([order[:nearest], typical[spread]]).astype(np.int64)
    return shown, np.setdiff1d(everyone, shown).astype(np.int64)


def _farthest_first(candidates: Floats, taken: Floats, count: int) -> NDArray[np.int64]:
    """Places in `candidates` [M, D] of `count` of them, each the least like all that were taken before."""
    likeness = (candidates @ taken.T).max(axis=1, initial=-1.0)
    found: list[int] = []
    for _ in range(count):
        place = int(np.argmin(likeness))
        found.append(place)
        likeness = np.maximum(likeness, candidates @ candidates[place])
        likeness[found] = np.inf
    return np.array(found, dtype=np.int64)
