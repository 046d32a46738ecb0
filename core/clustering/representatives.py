"""What stands for a cluster: its centre, its members' scores, its representative and its previews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import (
    Floats,
    Labels,
    Vectors,
    chunks,
    cluster_sizes,
    cluster_sums,
    unit_means,
    unit_rows,
)

BLOCK = 256  # members looked at together for previews; the first block nearly always holds enough


@dataclass(frozen=True)
class Centres:
    """Per cluster: centre [K, D] of unit length, size, representative (row number), cohesion; per row: score.

    The centre is the direction of the mean of the unit rows. A score is the cosine to the centre of the row's
    own cluster, or to the nearest one where it is unclustered. Cohesion is the mean score of the members.
    """

    directions: Floats
    sizes: NDArray[np.int64]
    representatives: NDArray[np.int64]
    cohesion: Floats
    scores: Floats


def measure_centres(vectors: Vectors, labels: Labels, clusters: int) -> Centres:
    """Centres, scores and representatives of clusters that all have members."""
    directions = unit_means(cluster_sums(vectors, labels, clusters))
    scores = np.zeros(len(vectors), dtype=np.float32)
    for rows in chunks(len(vectors)) if clusters else ():
        cosines = unit_rows(vectors, rows) @ directions.T
        own = labels[rows]
        scores[rows] = np.where(own >= 0, cosines[np.arange(len(own)), np.maximum(own, 0)], cosines.max(axis=1))
    sizes = cluster_sizes(labels, clusters)
    kept = np.flatnonzero(labels >= 0)
    totals = np.bincount(labels[kept], weights=scores[kept], minlength=clusters)
    # Members in order of cluster, then nearest first: the first of each cluster is its representative.
    order = kept[np.lexsort((kept, -scores[kept], labels[kept]))]
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)[:clusters]
    return Centres(directions, sizes, order[firsts], (totals / np.maximum(sizes, 1)).astype(np.float32), scores)


def members(labels: Labels, scores: Floats, cluster: int) -> NDArray[np.int64]:
    """Row numbers of a cluster's members, nearest to the centre first (equal scores: in row order)."""
    found = np.flatnonzero(labels == cluster)
    return found[np.argsort(-scores[found], kind="stable")]


def previews(
    vectors: Vectors, ordered: NDArray[np.int64], *, uniqueness: float = 0.15, count: int = 16
) -> NDArray[np.int64]:
    """Up to `count` of the rows `ordered` (nearest first), without those too like one already taken.

    Too like: a cosine distance below `uniqueness` (0 takes them all). The first row is always taken.
    """
    taken: list[int] = []
    shown = np.empty((0, vectors.shape[1]), dtype=np.float32)
    for rows in _blocks(ordered):
        unit = unit_rows(vectors, rows)
        fresh = np.ones(len(rows), dtype=bool)
        if uniqueness > 0 and len(shown):
            fresh = (unit @ shown.T).max(axis=1) <= 1 - uniqueness
        while fresh.any() and len(taken) < count:
            place = int(np.argmax(fresh))
            taken.append(int(rows[place]))
            shown = np.concatenate([shown, unit[place : place + 1]])
            fresh[place] = False
            if uniqueness > 0:
                fresh &= unit @ unit[place] <= 1 - uniqueness
        if len(taken) >= count:
            break
    return np.array(taken, dtype=np.int64)


def _blocks(ordered: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for part in chunks(len(ordered), BLOCK):
        yield ordered[part]
