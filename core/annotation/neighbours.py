"""The nearest pictures of each: exact for thousands, by pivots for hundreds of thousands; and pairs that are twins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clustering.neighbours import Neighbours, nearest_neighbours
from core.clustering.vectors import Floats, Tick, Vectors, chunks, no_tick, sample_rows, unit_rows

EXACT = 20_000
"""Pictures up to which every pair is looked at (10 s on two cores)."""
CELLS_LOOKED_AT = 10
_BLOCK = 4_000_000  # products at a time: 16 MB

Rows = NDArray[np.int64]


def neighbours(vectors: Vectors, count: int, *, seed: int = 0, exact: int = EXACT, tick: Tick = no_tick) -> Neighbours:
    """The `count` nearest others of each row, exact up to `exact` rows.

    Above, an inverted file (Sivic and Zisserman, 2003): rows go to the nearest of sqrt(N) pivots drawn by `seed`,
    and are compared with the rows of the cells nearest to their own. About nine in ten neighbours are found, the
    others replaced by ones almost as near. Rows are held in float32 once.
    """
    if len(vectors) <= exact or len(vectors) <= count + 1:
        return nearest_neighbours(vectors, count, tick=tick)
    points = unit_rows(vectors)
    total = len(points)
    rows = np.empty((total, count), np.int64)
    distances = np.empty((total, count), np.float32)
    done = 0
    for mine, near in _cells(points, seed, count):
        for part in chunks(len(mine), max(1, _BLOCK // len(near))):
            own = mine[part]
            cosines = points[own] @ points[near].T
            cosines[own[:, None] == near[None, :]] = -np.inf
            line = np.arange(len(own))[:, None]
            best = np.sort(np.argpartition(cosines, -count, axis=1)[:, -count:], axis=1)
            found = cosines[line, best]
            order = np.argsort(-found, axis=1, kind="stable")
            rows[own] = near[best[line, order]]
            distances[own] = np.maximum(1 - found[line, order], 0)
        done += len(mine)
        tick("finding neighbours", done / total)
    return Neighbours(rows, distances)


def close_pairs(
    vectors: Vectors, threshold: float, *, seed: int = 0, exact: int = EXACT, tick: Tick = no_tick
) -> NDArray[np.int64]:
    """Pairs [P, 2] of rows whose cosine is at least `threshold`, the lower row first, each pair once.

    Exact up to `exact` rows. Above, as `neighbours` looks: pairs that close are hardly ever missed.
    """
    points = unit_rows(vectors)
    found = [np.empty((0, 2), np.int64)]
    everything = np.arange(len(points))
    cells = [(everything, everything)] if len(points) <= exact else _cells(points, seed, 1)
    done = 0
    for mine, near in cells:
        for part in chunks(len(mine), max(1, _BLOCK // max(1, len(near)))):
            left, right = np.nonzero(points[mine[part]] @ points[near].T >= threshold)
            pairs = np.stack([mine[part][left], near[right]], axis=1)
            pairs = pairs[pairs[:, 0] != pairs[:, 1]]
            found.append(np.sort(pairs, axis=1))
        done += len(mine)
        tick("finding twins", done / len(points))
    return np.unique(np.concatenate(found), axis=0)


def graph(found: Neighbours, count: int, *, total: int) -> Any:
    """The graph of the `count` nearest as a sparse matrix [N, N]: symmetric, each row summing to 1."""
    from scipy.sparse import csr_array

    count = min(count, found.rows.shape[1])
    columns = found.rows[:, :count].ravel()
    lines = np.repeat(np.arange(total), count)
    joined = csr_array((np.ones(len(columns), np.float32), (lines, columns)), shape=(total, total))
    joined = joined.maximum(joined.T).tocsr()
    weights = np.asarray(joined.sum(axis=1)).ravel()
    joined.data /= np.repeat(np.maximum(weights, 1), np.diff(joined.indptr)).astype(np.float32)
    return joined


def _cells(points: Floats, seed: int, least: int) -> Iterator[tuple[Rows, Rows]]:
    """The rows of each cell, and the rows of the cells nearest to it with its own: more than `least` of them."""
    pivots = points[sample_rows(len(points), round(len(points) ** 0.5), seed)]
    cell = np.concatenate([(points[part] @ pivots.T).argmax(axis=1) for part in chunks(len(points))])
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(len(pivots) + 1))
    members = [order[starts[i] : starts[i + 1]] for i in range(len(pivots))]
    centres = np.stack([points[m].mean(axis=0) if len(m) else points[0] for m in members])
    nearest = np.argsort(-(centres @ centres.T), axis=1, kind="stable")
    for i, mine in enumerate(members):
        if not len(mine):
            continue
        looked_at = CELLS_LOOKED_AT
        near = np.concatenate([mine, *(members[j] for j in nearest[i, :looked_at] if j != i)])
        while len(near) <= least and looked_at < len(members):
            looked_at *= 2
            near = np.concatenate([mine, *(members[j] for j in nearest[i, :looked_at] if j != i)])
        yield mine, np.sort(near)
