"""How much a picture looks like none of the classes: far from its neighbours, and far from all words.

The mean similarity to the nearest pictures (Sun et al., 2022) tells a single stranger; strangers of a kind have each
other near, and only the words tell them: no word fits well, and none much better than the others, neither here nor in
the pictures nearest. All are put on the scale of the pile's own spread. Measured against either alone on drawings,
scans, photographs and synthetic vectors, with one stranger in eleven and in four.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.clustering.neighbours import Neighbours
from core.clustering.vectors import Floats

NEIGHBOURS = 10
ASKED = 5  # of them, whose words count with the picture's own
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
    fits = similarities.max(axis=1)
    clear = fits - similarities.mean(axis=1)
    score = (_spreads(far) + _spreads(-_with_near(fits, found)) + _spreads(-_with_near(clear, found))) / 3
    beyond = _STEEP * (score - _TYPICAL)
    # Never quite 0 or 1, however tight the pile: strangers must stay apart from one another.
    return np.asarray((1 + beyond / (1 + np.abs(beyond))) / 2, dtype=np.float32)


def _with_near(values: Floats, found: Neighbours) -> Floats:
    """The mean of a picture's value [N] and that of its nearest."""
    near = found.rows[:, :ASKED]
    return np.asarray((values + values[near].mean(axis=1)) / 2 if near.shape[1] else values, dtype=np.float32)


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
