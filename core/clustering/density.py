"""Clusters of any number and shape, with the pictures that fit nowhere kept apart: HDBSCAN on a reduction.

In hundreds of dimensions HDBSCAN is slow and calls half of the pictures noise, so the vectors are reduced
first (ALGORITHMS: measured on real photographs). The route taken, and why, is part of the result.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clustering.neighbours import Neighbours, nearest_neighbours
from core.clustering.routes import TINY, choose_route
from core.clustering.vectors import (
    UNCLUSTERED,
    Floats,
    Labels,
    Tick,
    Vectors,
    chunks,
    cluster_sums,
    nearest,
    no_tick,
    unit_means,
    unit_rows,
)

NEIGHBOURS = 15
MIN_SAMPLES = 5
DENSE = 1_000  # rows up to which all of the graph is decomposed: sure to converge


@dataclass(frozen=True)
class DensityFit:
    """Labels [N] (UNCLUSTERED for noise), the route in words, and how far out each picture lies [N].

    `outlierness` is the cosine distance to the k-th neighbour (k = 15) in the full space, which a reduction
    hides; None on the EVoC route.
    """

    labels: Labels
    route: str
    outlierness: Floats | None


def fit_density(
    vectors: Vectors, *, min_cluster_size: int, reduction: str = "auto", seed: int = 0, tick: Tick = no_tick
) -> DensityFit:
    """Group by density. Raises UsageError for a reduction that cannot take so few pictures, or is unknown.

    Copies of a picture count once and go where it goes: a hundred of them are no denser a group of things than
    one, and their neighbours would be each other. Where it goes nowhere, `min_cluster_size` copies are a cluster.
    """
    route, why = choose_route(len(vectors), reduction)
    firsts, place = _distinct(vectors)
    if len(firsts) == 1:
        alone = np.zeros(len(vectors), np.float32)
        return DensityFit(np.zeros(len(vectors), np.int32), "one picture, one cluster", alone)
    if len(firsts) < TINY:
        route, why = "none", f" (fewer than {TINY} different pictures)"
    once = vectors if len(firsts) == len(vectors) else vectors[firsts]
    labels, name, outlierness = _group(once, route, min_cluster_size, seed, tick)
    copies = np.bincount(place)
    crowds = np.flatnonzero((labels < 0) & (copies >= min_cluster_size))
    labels[crowds] = labels.max() + 1 + np.arange(len(crowds), dtype=np.int32)
    said = f"{name}{why}"
    if labels.max() < 0:
        labels[:] = 0
        said += ": no group denser than the rest, so one cluster"
    return DensityFit(labels[place], said, None if outlierness is None else outlierness[place])


def _group(
    vectors: Vectors, route: str, min_cluster_size: int, seed: int, tick: Tick
) -> tuple[Labels, str, Floats | None]:
    """Labels by one of the routes, its name in words, and the outlierness."""
    if route == "evoc":
        tick("grouping by density (EVoC; the first time on a machine compiles for a minute or more)", 0.1)
        return _evoc(vectors, min_cluster_size, seed), "EVoC", None
    near = nearest_neighbours(vectors, NEIGHBOURS, tick=lambda words, share: tick(words, share * 0.4))
    if route == "umap":
        tick("reducing (UMAP; the first time compiles for 10 to 40 s)", 0.4)
        points, name = _umap(vectors, near, seed), "UMAP to 10 dimensions"
    elif route == "eigenmaps":
        tick("reducing (eigenmaps)", 0.4)
        points = diffusion_map(near)
        name = f"eigenmaps to {points.shape[1]} dimensions"
    else:
        points, name = unit_rows(vectors), "no reduction"
    tick("grouping by density", 0.9)
    return _hdbscan(points, min_cluster_size), f"{name}, then HDBSCAN", near.distances[:, -1].copy()


def _distinct(vectors: Vectors) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows that no earlier row equals, and for each row [N] which of those it is."""
    seen: dict[bytes, int] = {}
    firsts: list[int] = []
    place = np.empty(len(vectors), dtype=np.int64)
    for row in range(len(vectors)):
        key = hashlib.blake2b(vectors[row].tobytes(), digest_size=16).digest()
        place[row] = seen.setdefault(key, len(seen))
        if place[row] == len(firsts):
            firsts.append(row)
    return np.array(firsts, dtype=np.int64), place


def assign_nearest(vectors: Vectors, labels: Labels) -> Labels:
    """Labels with every unclustered row in the cluster whose centre is nearest; as they are if there is none."""
    out = np.flatnonzero(labels < 0)
    clusters = int(labels.max(initial=UNCLUSTERED)) + 1
    if clusters == 0 or len(out) == 0:
        return labels.copy()
    filled = labels.copy()
    centres = unit_means(cluster_sums(vectors, labels, clusters))
    for part in chunks(len(out)):
        rows = out[part]
        filled[rows] = nearest(vectors[rows], centres)[0]
    return filled


def diffusion_map(near: Neighbours, dimensions: int = 30, time: int = 4) -> NDArray[np.float64]:
    """Diffusion map of the neighbour graph (Coifman and Lafon, 2006), float64 [N, at most `dimensions`].

    Self-tuning Gaussian weights (Zelnik-Manor and Perona, 2004), symmetric. Each coordinate is scaled by its
    eigenvalue to the power `time`: those that separate nothing vanish, so the number of dimensions matters little.
    """
    from scipy.sparse import csr_array, diags_array

    count, degree = near.rows.shape
    local = near.distances[:, degree // 2] + 1e-6
    weights = np.exp(-(near.distances.astype(np.float64) ** 2) / (local[:, None] * local[near.rows])) + 1e-9
    pairs = (np.repeat(np.arange(count), degree), near.rows.ravel())
    graph = csr_array((weights.ravel(), pairs), shape=(count, count))
    graph = graph.maximum(graph.T)
    root = 1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    values, columns = _leading(diags_array(root) @ graph @ diags_array(root), min(dimensions + 1, count - 2))
    points = columns * root[:, None]
    points -= points.mean(axis=0)  # the constant one, of a connected graph, becomes nothing
    return np.asarray(points * np.maximum(values, 0) ** time / np.maximum(points.std(axis=0), 1e-9))


def _leading(matrix: Any, wanted: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues of a sparse symmetric matrix, falling, and their vectors as columns."""
    from scipy.sparse.linalg import ArpackNoConvergence, eigsh
    from threadpoolctl import threadpool_limits

    count = matrix.shape[0]
    if count <= DENSE:
        with threadpool_limits(1, "blas"):  # more threads wait for each other where the cores are busy
            values, columns = np.linalg.eigh(matrix.toarray())
    else:
        try:
            values, columns = eigsh(matrix, k=wanted, which="LA", v0=np.full(count, count**-0.5))
        except ArpackNoConvergence as partly:  # many equal ones: a graph in many pieces
            values, columns = partly.eigenvalues, partly.eigenvectors
    order = np.argsort(-values, kind="stable")[:wanted]
    return values[order], columns[:, order]


def _umap(vectors: Vectors, near: Neighbours, seed: int) -> NDArray[Any]:
    import umap

    count, degree = near.rows.shape
    itself = np.arange(count)[:, None]  # UMAP counts a point as its own first neighbour
    rows = np.hstack([itself, near.rows[:, : degree - 1]]).astype(np.int32)
    distances = np.hstack([np.zeros((count, 1), np.float32), near.distances[:, : degree - 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it explains its single thread, and what it cannot do later
        return np.asarray(
            umap.UMAP(
                n_components=min(10, count - 3),
                n_neighbors=degree,
                min_dist=0.0,
                metric="cosine",
                random_state=seed,
                n_jobs=1,
                precomputed_knn=(rows, distances),
            ).fit_transform(unit_rows(vectors))
        )


def _hdbscan(points: NDArray[Any], min_cluster_size: int) -> Labels:
    import hdbscan

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = hdbscan.HDBSCAN(
            min_cluster_size=min_cluster_size,
            min_samples=min(MIN_SAMPLES, len(points) - 1, min_cluster_size),
            cluster_selection_method="eom",
            core_dist_n_jobs=1,
        )
        return np.asarray(model.fit_predict(points.astype(np.float64)), dtype=np.int32)


def _evoc(vectors: Vectors, min_cluster_size: int, seed: int) -> Labels:
    import evoc

    model = evoc.EVoC(base_min_cluster_size=min_cluster_size, random_state=seed)
    return np.asarray(model.fit_predict(unit_rows(vectors)), dtype=np.int32)
