"""From vectors to a clustering: one function that chooses, groups, sorts and measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clustering.balanced import fit_balanced
from core.clustering.choose import Choice, choose_clusters
from core.clustering.density import fit_density
from core.clustering.kmeans import Fit, fit_kmeans, fit_minibatch
from core.clustering.representatives import measure_centres, members, previews
from core.clustering.settings import ClusterSettings, Plan
from core.clustering.silhouette import Silhouette, silhouette
from core.clustering.vectors import UNCLUSTERED, Floats, Labels, Tick, Vectors, cluster_sizes
from core.errors import CancelledError

Progress = Callable[[str, float], None]  # what is being done, and the share of the whole that is done
CHOSEN = 0.3  # shares of the whole at which the number of clusters is chosen and the grouping is done
GROUPED = 0.9


@dataclass(frozen=True)
class Clustering:
    """A clustering of N pictures into K clusters, numbered by size, the largest first.

    labels [N] (-1: unclustered), scores [N] (cosine to the centre of the own cluster; for the unclustered to
    the nearest), centres [K, D] of unit length, sizes [K], representatives [K] (row numbers), cohesion [K]
    (mean score), previews (row numbers, nearest first, per cluster), outlierness [N] (density only, may be None).
    `said`: method and route in words. `notes`: what else the user should know.
    """

    labels: Labels
    scores: Floats
    centres: Floats
    sizes: NDArray[np.int64]
    representatives: NDArray[np.int64]
    cohesion: Floats
    previews: tuple[NDArray[np.int64], ...]
    silhouette: Silhouette
    outlierness: Floats | None
    method: str
    said: str
    notes: tuple[str, ...]
    choice: Choice | None
    seconds: float

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return len(self.sizes)

    def members(self, cluster: int) -> NDArray[np.int64]:
        """Row numbers of a cluster's members, nearest to the centre first."""
        return members(self.labels, self.scores, cluster)


def cluster(
    vectors: Vectors,
    settings: ClusterSettings,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Clustering:
    """Cluster unit rows [N, D] (float16 or float32, may be a read-only memory map).

    Same vectors, settings and seed: same result. Raises UsageError before any work where the settings cannot be
    met, CancelledError soon after `cancelled()` turns true (between the passes of a method, not within one).
    """
    plan = settings.resolve(len(vectors))
    started = time.monotonic()

    def stage(begin: float, end: float) -> Tick:
        def tick(words: str, share: float) -> None:
            if cancelled is not None and cancelled():
                raise CancelledError("clustering was cancelled")
            if progress is not None:
                progress(words, begin + (end - begin) * min(1.0, share))

        return tick

    choice: Choice | None = None
    outlierness: Floats | None = None
    notes: tuple[str, ...] = ()
    said = plan.said
    if plan.method == "density":
        density = fit_density(
            vectors,
            min_cluster_size=plan.min_cluster_size,
            reduction=settings.reduction,
            seed=settings.seed,
            tick=stage(0.0, GROUPED),
        )
        labels, outlierness = density.labels, density.outlierness
        said = f"{plan.said}: {density.route}"
    else:
        number = plan.clusters
        if number is None:
            choice = choose_clusters(
                vectors, seed=settings.seed, fewest=plan.fewest, most=plan.most, tick=stage(0.0, CHOSEN)
            )
            number = choice.best.clusters
        fit = _fit(vectors, plan, number, stage(CHOSEN, GROUPED))
        labels, notes = fit.labels, fit.notes

    tick = stage(GROUPED, 1.0)
    labels = by_size(labels)
    count = int(labels.max(initial=UNCLUSTERED)) + 1
    tick("finding representatives", 0.0)
    centres = measure_centres(vectors, labels, count)
    shown = []
    for number in range(count):
        tick("choosing previews", 0.3 + 0.3 * number / count)
        ordered = members(labels, centres.scores, number)
        shown.append(previews(vectors, ordered, uniqueness=settings.uniqueness, count=settings.previews))
    tick("measuring", 0.6)
    quality = silhouette(vectors, labels, count)
    tick("done", 1.0)
    return Clustering(
        labels=labels,
        scores=centres.scores,
        centres=centres.directions,
        sizes=centres.sizes,
        representatives=centres.representatives,
        cohesion=centres.cohesion,
        previews=tuple(shown),
        silhouette=quality,
        outlierness=outlierness,
        method=plan.method,
        said=said,
        notes=notes,
        choice=choice,
        seconds=time.monotonic() - started,
    )


def by_size(labels: Labels) -> Labels:
    """The labels numbered 0, 1, ... by size, largest first (equal: by first member), without empty clusters."""
    kept = labels[labels >= 0]
    sizes = cluster_sizes(labels, int(labels.max(initial=UNCLUSTERED)) + 1)
    found, firsts = np.unique(kept, return_index=True)
    order = found[np.lexsort((firsts, -sizes[found]))]
    renumbered = np.full(len(sizes) + 1, UNCLUSTERED, dtype=np.int32)  # the last place is that of -1
    renumbered[order] = np.arange(len(order))
    return renumbered[labels]


def _fit(vectors: Vectors, plan: Plan, clusters: int, tick: Tick) -> Fit:
    seed = plan.settings.seed
    if plan.method == "balanced":
        return fit_balanced(vectors, clusters, *plan.sizes(clusters), seed=seed, tick=tick)
    if plan.method == "kmeans":
        return fit_kmeans(vectors, clusters, seed=seed, tick=tick)
    return fit_minibatch(vectors, clusters, seed=seed, tick=tick)
