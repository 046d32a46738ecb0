"""What every method does with the matrix of embeddings, a chunk of rows at a time.

The matrix may be a read-only float16 memory map of a million rows: it is never converted whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[Any]  # float16 or float32, [N, D], unit rows
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]  # the cluster of each row, UNCLUSTERED where it has none
Tick = Callable[[str, float], None]  # what is being done and its share done (0 to 1); raises CancelledError

UNCLUSTERED = -1
CHUNK = 8192  # rows: 16 MB in float32 at 512 dimensions


def no_tick(words: str, share: float) -> None:
    """A Tick for nobody."""


def chunks(count: int, size: int = CHUNK) -> Iterator[slice]:
    """Slices that cover `count` rows in order."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def unit_rows(vectors: Vectors, rows: slice | NDArray[Any] | None = None) -> Floats:
    """The rows asked for (all by default) as float32 [n, D], their length exactly 1.

    Rows of float16 are off by up to 0.001 in length. A row that has no direction (zero, not finite) comes
    back as zeros.
    """
    picked = np.array(vectors if rows is None else vectors[rows], dtype=np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", picked, picked))
    bad = ~np.isfinite(lengths) | (lengths == 0)
    if bad.any():
        picked[bad] = 0
        lengths[bad] = 1
    picked /= lengths[:, None]
    return picked


def unit_means(sums: NDArray[Any]) -> Floats:
    """Directions of the cluster sums [K, D]: the centres of spherical k-means (Dhillon and Modha, 2001)."""
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def cluster_sizes(labels: Labels, clusters: int) -> NDArray[np.int64]:
    """How many rows each of the clusters has, int64 [K]; unclustered rows count nowhere."""
    return np.bincount(labels[labels >= 0], minlength=clusters).astype(np.int64)


def cluster_sums(vectors: Vectors, labels: Labels, clusters: int) -> NDArray[np.float64]:
    """The sum of the unit rows of each cluster, float64 [K, D]."""
    from scipy.sparse import csr_array

    sums = np.zeros((clusters, vectors.shape[1]), dtype=np.float64)
    for rows in chunks(len(vectors)):
        found = labels[rows]
        columns = np.flatnonzero(found >= 0)
        members = csr_array(
            (np.ones(len(columns), np.float32), (found[columns], columns)), shape=(clusters, len(found))
        )
        sums += members @ unit_rows(vectors, rows)
    return sums


def nearest(vectors: Vectors, centres: Floats, *, spherical: bool = True) -> tuple[Labels, Floats]:
    """For each row the nearest centre [N] and the cosine to it [N].

    `spherical`: nearest by cosine. Otherwise by Euclidean distance to the centres as they are (the means of
    k-means, inside the sphere): ||x - c||^2 = 1 - 2 x.c + ||c||^2.
    """
    labels = np.empty(len(vectors), dtype=np.int32)
    scores = np.empty(len(vectors), dtype=np.float32)
    directions = unit_means(centres)
    lengths = np.linalg.norm(centres, axis=1)
    for rows in chunks(len(vectors)):
        cosines = unit_rows(vectors, rows) @ directions.T
        best = np.argmax(cosines if spherical else cosines * lengths - lengths**2 / 2, axis=1)
        labels[rows] = best
        scores[rows] = np.take_along_axis(cosines, best[:, None], axis=1)[:, 0]
    return labels, scores


def sample_rows(count: int, size: int, seed: int) -> NDArray[np.int64]:
    """Row numbers of a seeded sample without repeats, in order; every row where there are no more than `size`."""
    if count <= size:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size, replace=False))
