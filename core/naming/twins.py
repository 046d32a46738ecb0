"""Names that mean the same: by their texts, and by their spelling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.clustering.vectors import Floats

DISTANCE = 0.2
"""Cosine distance up to which two names mean the same."""
LARGEST = 12
"""Names in a group of twins at most."""
_AT_ONCE = 3000  # names that are looked at all with all


def twin_groups(names: Sequence[str], texts: Floats, background: Floats) -> list[list[int]]:
    """Groups of two to LARGEST positions whose names mean the same, in order of their first.

    Any two names of a group are within DISTANCE (complete linkage), or equal but for case. `texts` [M, D] are the
    names' vectors and `background` [D] is the mean of everyday words: all texts of an encoder have something in
    common, which says nothing and is taken away.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(names) < 2 or len(names) > _AT_ONCE:
        return same_spelling(names)
    own = texts - background
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-6)
    distances = np.clip(1 - own.astype(np.float64) @ own.T.astype(np.float64), 0, 2)
    for group in same_spelling(names):
        distances[np.ix_(group, group)] = 0
    np.fill_diagonal(distances, 0)
    found = fcluster(linkage(squareform(distances, checks=False), "complete"), DISTANCE, "distance")
    groups = [np.flatnonzero(found == number).tolist() for number in np.unique(found)]
    parts = [group[start : start + LARGEST] for group in groups for start in range(0, len(group), LARGEST)]
    return sorted(part for part in parts if len(part) > 1)


def same_spelling(names: Sequence[str]) -> list[list[int]]:
    """Groups of two to LARGEST positions whose names are equal but for case, in order of their first."""
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(name.casefold(), []).append(place)
    return [
        group[start : start + LARGEST]
        for group in groups.values()
        if len(group) > 1
        for start in range(0, len(group), LARGEST)
    ]
