"""How good a clustering is: the exact cosine silhouette, from the sums of the clusters.

The mean cosine distance from x to the members of a cluster is 1 - x.S / n, with S the sum of its unit rows
and n its size, so N x K products replace N x N distances (Rousseeuw, 1987, for the measure).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.clustering.vectors import Floats, Labels, Vectors, chunks, cluster_sizes, cluster_sums, unit_rows


@dataclass(frozen=True)
class Silhouette:
    """Mean silhouettes, -1 to 1: of all clustered pictures, and of each cluster [K]."""

    overall: float
    per_cluster: Floats


def silhouette_samples(vectors: Vectors, labels: Labels, clusters: int) -> Floats:
    """The cosine silhouette of each row, float32 [N].

    0 for the only member of a cluster (as usual) and where there is but one cluster; NaN for the unclustered,
    which belong to no mean.
    """
    sizes = cluster_sizes(labels, clusters)
    values = np.zeros(len(vectors), dtype=np.float32)
    values[labels < 0] = np.nan
    if np.count_nonzero(sizes) < 2:
        return values
    sums = cluster_sums(vectors, labels, clusters).astype(np.float32)
    for rows in chunks(len(vectors)):
        kept = np.flatnonzero(labels[rows] >= 0)
        own = labels[rows][kept]
        unit = unit_rows(vectors, rows)[kept]
        line = np.arange(len(kept))
        products = unit @ sums.T
        itself = np.einsum("nd,nd->n", unit, unit)
        others = sizes[own] - 1
        within = 1 - (products[line, own] - itself) / np.maximum(others, 1)
        distances = np.where(sizes > 0, 1 - products / np.maximum(sizes, 1), np.inf)
        distances[line, own] = np.inf
        between = distances.min(axis=1)
        larger = np.maximum(np.maximum(within, between), 1e-6)  # twins: 0 / 0 is 0
        values[rows.start + kept] = np.where(others > 0, (between - within) / larger, 0)
    return np.clip(values, -1, 1)


def silhouette(vectors: Vectors, labels: Labels, clusters: int) -> Silhouette:
    """Silhouette overall and per cluster. 100,000 pictures in 50 clusters take about 0.3 s on two cores."""
    values = silhouette_samples(vectors, labels, clusters)
    kept = labels >= 0
    sizes = cluster_sizes(labels, clusters)
    totals = np.bincount(labels[kept], weights=values[kept], minlength=clusters)
    per_cluster = (totals / np.maximum(sizes, 1)).astype(np.float32)
    return Silhouette(float(totals.sum() / max(1, kept.sum())), per_cluster)
