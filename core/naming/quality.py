"""How well a name fits its cluster: its text against pictures that its namer was not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, chunks

NEIGHBOURS = 5
"""Clusters that a name is measured against by themselves: those it is most easily mistaken for."""
CHANCE = 0.5
_TEXTS = 256  # at a time: with 20,000 pictures 20 MB


@dataclass(frozen=True)
class Fit:
    """Of each text [M]: the AUROC against all other clusters, and against the neighbours."""

    auroc: Floats
    near: Floats

    @property
    def figure(self) -> Floats:
        """The one figure that names are ranked by: the mean of the two."""
        return np.asarray((self.auroc + self.near) / 2, dtype=np.float32)


def fit(
    vectors: Floats,
    labels: NDArray[np.integer],
    clusters: int,
    texts: Floats,
    owners: NDArray[np.integer],
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> Fit:
    """The AUROC of each text's cosine for telling the pictures of its cluster from those of others.

    `vectors` [N, D] are held-out pictures and `labels` [N] their clusters (0 to `clusters` - 1), `texts` [M, D] are
    names, and `owners` [M] the clusters they are for. Chance (0.5) where there is nothing to tell apart. AUROC by
    ranks (Hanley and McNeil, 1982).
    """
    auroc = np.full(len(texts), CHANCE, dtype=np.float32)
    near = auroc.copy()
    rows_of = [np.flatnonzero(labels == cluster) for cluster in range(clusters)]
    around = neighbours(vectors, labels, clusters)
    rows_near = [np.concatenate([rows_of[o] for o in others] or [np.empty(0, np.int64)]) for others in around]
    for block in chunks(len(texts), _TEXTS):
        cosines = texts[block] @ vectors.T
        for place, cluster in enumerate(owners[block]):
            own = cosines[place, rows_of[cluster]]
            everyone = np.sort(cosines[place])
            auroc[block.start + place] = _auroc_within(own, everyone)
            near[block.start + place] = _auroc_within(
                own, np.sort(np.concatenate([own, cosines[place, rows_near[cluster]]]))
            )
        tick(block.stop / len(texts))
    return Fit(auroc, near)


def chance(figure: Floats, own: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.float64]:
    """By how much each AUROC [M] may be off by chance, measured on so many pictures of its cluster and of others.

    Two standard errors (Hanley and McNeil, 1982); that of the least at an AUROC of 0.98: of few pictures it may be 1.
    """
    area = np.clip(np.asarray(figure, dtype=np.float64), 0.5, 0.98)
    positives, negatives = np.maximum(own, 1), np.maximum(others, 1)
    alike = area / (2 - area) - area**2
    apart = 2 * area**2 / (1 + area) - area**2
    variance = area * (1 - area) + (positives - 1) * alike + (negatives - 1) * apart
    return np.asarray(2 * np.sqrt(variance / (positives * negatives)))


def first_shares(
    vectors: Floats, labels: NDArray[np.integer], clusters: int, texts: Floats, owners: NDArray[np.integer]
) -> NDArray[np.float64]:
    """For each name [M], the share of its cluster's pictures that are nearer to it than to any other of the names.

    Every name's mean cosine over the clusters is taken away: some texts are near to every picture. Names that are
    the same text share a picture's vote.
    """
    if not len(texts):
        return np.empty(0)
    counts = np.bincount(labels, minlength=clusters)
    means = np.zeros((clusters, vectors.shape[1]), dtype=np.float64)
    np.add.at(means, labels, vectors)
    middle = (means / np.maximum(counts, 1)[:, None])[counts > 0].mean(axis=0).astype(np.float32)
    offsets = texts @ middle
    won = np.zeros(len(texts))
    for rows in chunks(len(vectors)):
        cosines = vectors[rows] @ texts.T - offsets
        best = cosines >= cosines.max(axis=1, keepdims=True) - 1e-6
        votes = best / best.sum(axis=1, keepdims=True)
        won += (votes * (labels[rows][:, None] == owners[None, :])).sum(axis=0)
    return np.asarray(won / np.maximum(counts[owners], 1), dtype=np.float64)


def neighbours(vectors: Floats, labels: NDArray[np.integer], clusters: int) -> list[list[int]]:
    """For each cluster the NEIGHBOURS whose mean pictures are nearest to its own, among those that have any."""
    sums = np.zeros((clusters, vectors.shape[1]), dtype=np.float64)
    np.add.at(sums, labels, vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    centres = sums / np.where(lengths > 0, lengths, 1)
    alike = centres @ centres.T
    np.fill_diagonal(alike, -np.inf)
    alike[:, np.bincount(labels, minlength=clusters) == 0] = -np.inf
    order = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS]
    return [[int(other) for other in row if np.isfinite(alike[cluster, other])] for cluster, row in enumerate(order)]


def _auroc_within(own: Floats, everyone: Floats) -> float:
    """The AUROC of `own` against the rest of `everyone`, which holds them too and is sorted. Ties count half."""
    positives, negatives = len(own), len(everyone) - len(own)
    if not positives or not negatives:
        return CHANCE
    below = (np.searchsorted(everyone, own, "left") + np.searchsorted(everyone, own, "right")).sum() / 2
    return float((below - positives * positives / 2) / (positives * negatives))
