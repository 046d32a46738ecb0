"""Which cluster of a new run is which of the run before, so that numbers, names and marks carry over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CHANGED = 0.75  # a Jaccard similarity below this is no longer a stable cluster (Hennig, 2007)
MINIMUM = 0.5  # share of the smaller of two clusters that both must hold to be the same one


@dataclass(frozen=True)
class Match:
    """For each new cluster [K]: its number, whether that is an old one, how alike the two are, and the flag."""

    numbers: NDArray[np.int64]
    kept: NDArray[np.bool_]
    similarity: NDArray[np.float64]  # Jaccard: shared members / members of either; 0 where not kept
    changed: NDArray[np.bool_]  # kept its number, and so its name, but look at it again


def match_clusters(old: NDArray[np.integer], new: NDArray[np.integer], clusters: int, *, next_number: int = 0) -> Match:
    """Give the new clusters 0 .. `clusters` - 1 the numbers of the old ones they continue.

    `old` and `new`, of one length, are about the same pictures in the same order, every picture of either
    run: the old cluster's number, the new cluster's index, -1 where the picture had none or was not there.
    The pairing shares the most members in all (Hungarian method; Kuhn, 1955); a pair that shares less than half
    of its smaller cluster is none. The other new clusters get numbers nobody had: from `next_number`
    (one above the highest ever given) or from one above the highest in `old`.
    """
    from scipy.optimize import linear_sum_assignment

    names, index = np.unique(old[old >= 0], return_inverse=True)
    both = new[old >= 0] >= 0
    shared = np.zeros((clusters, len(names)), dtype=np.int64)
    np.add.at(shared, (new[old >= 0][both], index[both]), 1)
    new_sizes = np.bincount(new[new >= 0], minlength=clusters)
    old_sizes = np.bincount(index, minlength=len(names))

    numbers = np.full(clusters, -1, dtype=np.int64)
    similarity = np.zeros(clusters)
    for mine, theirs in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
        common = shared[mine, theirs]
        if common > 0 and common >= MINIMUM * min(new_sizes[mine], old_sizes[theirs]):
            numbers[mine] = names[theirs]
            similarity[mine] = common / (new_sizes[mine] + old_sizes[theirs] - common)
    kept = numbers >= 0
    first = max(next_number, int(names[-1]) + 1 if len(names) else 0)
    numbers[~kept] = first + np.arange(np.count_nonzero(~kept))
    return Match(numbers, kept, similarity, kept & (similarity < CHANGED))
