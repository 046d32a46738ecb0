"""How well clusters agree with classes that are known (the folders that the pictures already lie in)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.clustering.vectors import Labels


@dataclass(frozen=True)
class Agreement:
    """Figures of all pictures (the unclustered count as one cluster more) and the share of those.

    Purity: the share of pictures that are of their cluster's most frequent class; many clusters make it high.
    ARI, AMI: adjusted for chance (0 is chance, 1 the same grouping). NMI: arithmetic mean, not adjusted.
    """

    purity: float
    ari: float
    nmi: float
    ami: float
    classes: int
    clusters: int
    unclustered: float


def agreement(classes: Sequence[str], labels: Labels) -> Agreement:
    """Compare `labels` [N] with the class of each picture [N]."""
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    if len(classes) != len(labels) or not len(labels):
        raise ValueError(f"{len(classes)} classes for {len(labels)} labels")
    names, truth = np.unique(np.asarray(classes), return_inverse=True)
    return Agreement(
        purity=float(contingency_matrix(truth, labels).max(axis=0).sum() / len(labels)),
        ari=float(adjusted_rand_score(truth, labels)),
        nmi=float(normalized_mutual_info_score(truth, labels)),
        ami=float(adjusted_mutual_info_score(truth, labels)),
        classes=len(names),
        clusters=len(np.unique(labels[labels >= 0])),
        unclustered=float(np.mean(labels < 0)),
    )
