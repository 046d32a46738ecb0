"""Which of the classes are there at all: told by whether the neighbours of a class's pictures are of it too.

Names that no picture shows draw pictures away from the others. How many pictures a class draws does not tell: words
that fit badly draw few pictures to a class that is there. But the pictures drawn to an absent class are of many kinds,
and their neighbours are of other classes; those of a class that is there are among their own, however few they are. So
where classes are scattered, small classes are doubted as far as they are, and the more so round after round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.annotation.scores import named
from core.clustering.vectors import Floats

ALL_THERE, FEW_THERE = 0.8, 0.5
"""`held_together` of the classes, on the mean: from none of the doubt to all of it."""
DOUBT = 2.0  # times log share, for a class that is wholly scattered
SHARE = 0.4  # times log share, for any


def agreement(weights: Any, scores: Floats) -> float:
    """The share of neighbours whose best class is the same."""
    best = named(scores)
    return float((best * (weights @ best)).sum() / max(1, len(best)))


def held_together(weights: Any, scores: Floats) -> NDArray[np.float64]:
    """How far neighbours in each class agree [K], in proportion to how far they do in all; 0 for an empty class."""
    best = named(scores)
    agreed = (best * (weights @ best)).sum(axis=0, dtype=np.float64)
    each = agreed / np.maximum(best.sum(axis=0), 1)
    return np.asarray(each / max(float(agreed.sum()) / max(1, len(best)), 1e-9))


def few_present(weights: Any, scores: Floats) -> float:
    """How much speaks for it that only some of the classes are there, 0 to 1."""
    mean = float(held_together(weights, scores).mean())
    return min(1.0, max(0.0, (ALL_THERE - mean) / (ALL_THERE - FEW_THERE)))


def doubts(weights: Any, scores: Floats, z: Floats, certain: NDArray[np.integer]) -> Floats:
    """What is added to log-probabilities [K], of which `few_present` is to be taken; nothing for the `certain`."""
    count, classes = z.shape
    share = np.log((z.sum(axis=0, dtype=np.float64) + 1) * classes / (count + classes))
    scattered = 1 - np.minimum(1, held_together(weights, scores))
    found = SHARE * share + DOUBT * scattered * np.minimum(0, share)
    found[certain] = np.maximum(0, found[certain])
    return np.asarray(found, dtype=np.float32)
