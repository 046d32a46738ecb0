"""How much a picture looks like none of the classes: far from its neighbours, and far from all words.

The mean similarity to the nearest pictures (Sun et al., 2022) tells a single stranger; strangers of a kind have each
other near, and only the raw similarity to the words tells them. Both are put on the scale of the pile's own spread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clustering.neighbours import Neighbours
from core.clustering.vectors import Floats

NEIGHBOURS = 10
TEXT = 1.0  # weight of the words beside the neighbours
_TYPICAL = 2.0  # spreads from the middle at which the score is 0.5
_STEEP = 1.5


def none_scores(found: Neighbours, similarities: Floats) -> Floats:
    """Scores [N] from 0 (one of the classes) to 1 (none of these); 0.5 is two spreads from the pile's middle.

    `similarities` [N, K] are raw cosines to the words.
    """
    if not len(similarities):
        return np.empty(0, np.float32)
    near = found.distances[:, :NEIGHBOURS]
    far = near.mean(axis=1) if near.shape[1] else np.zeros(len(similarities), np.float32)
    score = (_spreads(far) + TEXT * _spreads(-similarities.max(axis=1))) / (1 + TEXT)
    beyond = _STEEP * (score - _TYPICAL)
    # Never quite 0 or 1, however tight the pile: strangers must stay apart from one another.
    return np.asarray((1 + beyond / (1 + np.abs(beyond))) / 2, dtype=np.float32)


def suggested_threshold(scores: Floats, none: NDArray[np.bool_]) -> float | None:
    """The threshold that best parts corrections to none from the others (Youden's index); None where either is few."""
    if np.count_nonzero(none) < 5 or np.count_nonzero(~none) < 5:
        return None
    levels = np.unique(scores)
    cuts = (levels[1:] + levels[:-1]) / 2
    if not len(cuts):
        return None
    gain = [np.mean(scores[none] >= c) - np.mean(scores[~none] >= c) for c in cuts]
    return float(cuts[int(np.argmax(gain))])


def _spreads(values: Floats) -> Floats:
    """Distance from the median in robust standard deviations."""
    middle = np.median(values)
    spread = 1.4826 * np.median(np.abs(values - middle))
    return np.asarray((values - middle) / max(float(spread), 1e-6), dtype=np.float32)
