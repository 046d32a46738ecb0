"""k-means whose clusters keep to a size: Bradley, Bennett and Demiriz (2000), by `k-means-constrained`.

Its own loop starts from scratch ten times, cannot be cancelled and tells no progress. So the loop is here: it
starts from plain k-means, and only where that breaks the sizes asks the library for a constrained assignment.
"""

from __future__ import annotations

import numpy as np

from core.clustering.kmeans import Fit, fit_kmeans
from core.clustering.vectors import Floats, Labels, Tick, Vectors, cluster_sizes, cluster_sums, no_tick, unit_rows

PASSES = 30
ENOUGH = 1e-4  # a pass that lowers the inertia by a smaller share than this is the last
SMALL = 50_000  # points x clusters up to which four starts cost less than a second


def fit_balanced(
    vectors: Vectors, clusters: int, size_min: int, size_max: int, *, seed: int = 0, tick: Tick = no_tick
) -> Fit:
    """k-means with every cluster between `size_min` and `size_max` members.

    Needs clusters * size_min <= N <= clusters * size_max.
    """
    points = unit_rows(vectors)
    starts = 4 if len(points) * clusters <= SMALL else 1
    fits = []
    for start in range(starts):
        plain = fit_kmeans(points, clusters, seed=seed + start, starts=4 // starts)
        fits.append(_balance(points, plain, size_min, size_max, tick))
    return min(fits, key=lambda found: found[0])[1]


def _balance(points: Floats, plain: Fit, size_min: int, size_max: int, tick: Tick) -> tuple[float, Fit]:
    """Lloyd's passes under the sizes, from plain k-means: the lowest inertia and its fit.

    The inertia is of squared distances and the best pass is kept, since the library assigns by unsquared ones,
    rounded to 1/1000, so that a pass may make it worse.
    """
    best, lowest, means = plain, np.inf, plain.means
    for done in range(PASSES):
        tick(f"balancing, pass {done + 1}", done / PASSES)
        labels = assign_within(points, means, size_min, size_max)
        sizes = cluster_sizes(labels, len(means))
        means = (cluster_sums(points, labels, len(means)) / np.maximum(sizes, 1)[:, None]).astype(np.float32)
        inertia = len(points) - float(sizes @ np.einsum("kd,kd->k", means, means, dtype=np.float64))
        gained = lowest - inertia
        if gained > 0:
            best, lowest = Fit(labels, means), inertia
        if gained <= ENOUGH * abs(inertia):
            break
    return lowest, best


def assign_within(points: Floats, means: Floats, size_min: int, size_max: int) -> Labels:
    """The cheapest assignment of the points to the means with every size between the two, int32 [N].

    Where nearest-mean already keeps the sizes it is the cheapest; otherwise a minimum-cost flow decides.
    """
    from k_means_constrained import KMeansConstrained

    distances = np.einsum("kd,kd->k", means, means) - 2 * points @ means.T
    labels: Labels = np.argmin(distances, axis=1).astype(np.int32)
    sizes = cluster_sizes(labels, len(means))
    if sizes.min() >= size_min and sizes.max() <= size_max:
        return labels
    model = KMeansConstrained(len(means), size_min=size_min, size_max=size_max)
    model.cluster_centers_ = means
    return np.asarray(model.predict(points), dtype=np.int32)
