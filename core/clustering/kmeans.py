"""Plain k-means and mini-batch k-means, both scikit-learn's, on unit rows (there Euclidean is cosine order).

Same seed, same result: scikit-learn adds up its threads' shares in the order they arrive, which rounds
differently from run to run once there are three; with two, a + b = b + a. So OpenMP is held to two threads.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from core.clustering.vectors import (
    Floats,
    Labels,
    Tick,
    Vectors,
    cluster_sizes,
    cluster_sums,
    nearest,
    no_tick,
    sample_rows,
    unit_rows,
)

BATCH = 4096
MANY = 20_000  # rows above which one start is enough (and four are slow)
FIRST_SAMPLE = 20_000  # rows that the mini-batches start from
PASSES = 3  # over all rows, at most
ROWS = 600_000  # and at most so many rows in all: more change the inertia by less than 0.1 %


@dataclass(frozen=True)
class Fit:
    """Labels [N], the means of the clusters [K, D] (not of unit length), and what the user should be told."""

    labels: Labels
    means: Floats
    notes: tuple[str, ...] = ()


def fit_kmeans(
    vectors: Vectors, clusters: int, *, seed: int = 0, starts: int | None = None, tick: Tick = no_tick
) -> Fit:
    """Lloyd's k-means from k-means++: the best of `starts` starts, by default four, one above 20,000 rows.

    Holds all rows in float32, twice.
    """
    from sklearn.cluster import KMeans

    tick("grouping", 0.0)
    points = unit_rows(vectors)
    if starts is None:
        starts = 4 if len(points) <= MANY else 1
    with _repeatable(len(points)):
        fit = KMeans(clusters, n_init=starts, random_state=seed).fit(points)
    tick("grouping", 0.9)
    return refilled(points, Fit(fit.labels_.astype(np.int32), fit.cluster_centers_.astype(np.float32)))


def fit_minibatch(vectors: Vectors, clusters: int, *, seed: int = 0, tick: Tick = no_tick) -> Fit:
    """Mini-batch k-means (Sculley, 2010) over seeded batches read from `vectors`, then one assignment of all.

    Starts from k-means on a sample. A batch is a shuffled set of runs of 64 rows: whole pages of the memory
    map, and yet spread over it. Memory stays at a few batches, whatever the number of rows.
    """
    from sklearn.cluster import MiniBatchKMeans

    count = len(vectors)
    rows = sample_rows(count, max(FIRST_SAMPLE, 20 * clusters), seed)
    first = fit_kmeans(vectors[rows], clusters, seed=seed, starts=2)
    model = MiniBatchKMeans(
        clusters, init=first.means, n_init=1, batch_size=BATCH, reassignment_ratio=0, random_state=seed
    )
    batches = list(_batches(count, clusters, seed))
    with _repeatable(BATCH):
        for done, rows in enumerate(batches):
            tick("grouping in batches", done / len(batches))
            model.partial_fit(unit_rows(vectors, rows))
    tick("assigning", 1.0)
    means = np.asarray(model.cluster_centers_, dtype=np.float32)
    labels, _ = nearest(vectors, means, spherical=False)
    return refilled(vectors, Fit(labels, means))


def refilled(vectors: Vectors, fit: Fit) -> Fit:
    """The fit with its empty clusters started again from the rows that lie farthest from their own centre.

    Where rows are too alike for that (fewer distinct pictures than clusters) the clusters stay empty, and a
    note says so.
    """
    clusters = len(fit.means)
    empty = np.flatnonzero(cluster_sizes(fit.labels, clusters) == 0)
    if len(empty) == 0:
        return fit
    _, scores = nearest(vectors, fit.means)
    means = fit.means.copy()
    farthest = np.argsort(scores, kind="stable")[: len(empty)]
    means[empty[: len(farthest)]] = unit_rows(vectors, farthest)
    labels, _ = nearest(vectors, means)
    sizes = cluster_sizes(labels, clusters)
    means = (cluster_sums(vectors, labels, clusters) / np.maximum(sizes, 1)[:, None]).astype(np.float32)
    left = int(np.count_nonzero(sizes == 0))
    note = f"{left} of {clusters} clusters stayed empty and were dropped: the pictures are too alike"
    return Fit(labels, means, (*fit.notes, note) if left else fit.notes)


def _batches(count: int, clusters: int, seed: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Row numbers of each batch: passes over all rows in random order, up to ROWS rows (or 200 a cluster)."""
    random = np.random.default_rng(seed)
    run = 64
    left = min(PASSES * count, max(ROWS, 200 * clusters))
    while left > 0:
        starts = random.permutation(np.arange(0, count, run))
        for begin in range(0, len(starts), BATCH // run):
            if left <= 0:
                return
            rows = (starts[begin : begin + BATCH // run, None] + np.arange(run)).ravel()
            rows = np.sort(rows[rows < count])
            left -= len(rows)
            yield rows


@contextmanager
def _repeatable(points: int) -> Iterator[None]:
    """At most two OpenMP threads (see above), and no warning about pictures that are all alike.

    One thread for a few thousand points, and always one for the small products of k-means++: more wait for each
    other longer than they work, and ten times longer where the cores are busy with decoding.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    threads = {"blas": 1, "openmp": 1 if points <= 5_000 else 2}
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
