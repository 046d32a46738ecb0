"""How sure, as a probability: a softmax over the classes, its temperature fitted (Guo et al., 2017) once it can be.

The methods' own scores are too sure of themselves. Until some thirty corrections tell better, those of `graph` are
softened until they are as sure, on the mean, as two witnesses bear them out: the words, and the pictures alike. That is
an estimate, and called so. The words alone are taken at the encoder's own scale, and `refine` to be as sure as they.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.annotation.scores import log_softmax, softmax
from core.clustering.vectors import Floats, Labels, chunks, sample_rows

ENOUGH = 30  # corrections
FOLDS = 5
_HARDEST, _SOFTEST = 0.05, 20.0
_LEAST, _MOST = 1.2, 0.98  # times chance; and a probability
_SAMPLE = 5_000  # pictures


@dataclass(frozen=True)
class Calibration:
    """What log-probabilities are divided by, on how many corrections it was fitted, and whether it is (`fitted`)."""

    temperature: float = 1.0
    corrections: int = 0
    fitted: bool = False


def class_confidences(logs: Floats, scale: float, labels: Labels) -> Floats:
    """The probability of each picture's own class [N], where log-probabilities [N, K] are taken `scale` times.

    Where the label is none, of the likeliest class.
    """
    found = np.empty(len(logs), np.float32)
    for rows in chunks(len(logs)):
        p = softmax(np.float32(scale) * logs[rows])
        mine = labels[rows]
        found[rows] = np.where(mine >= 0, p[np.arange(len(p)), np.maximum(mine, 0)], p.max(axis=1))
    return found


def calibrate(logs: Floats, truth: NDArray[np.integer]) -> Calibration:
    """The temperature for log-probabilities [n, K] of corrected pictures, which are of the classes `truth` [n].

    Kept only if it foretells corrections it has not seen better than no temperature does (five folds); an estimate
    as before where there are fewer than ENOUGH.
    """
    count = len(truth)
    if count < ENOUGH or logs.shape[1] < 2:
        return Calibration(corrections=count)
    fold = np.arange(count) % FOLDS
    losses = [
        _loss(logs[fold == i], truth[fold == i], _temperature(logs[fold != i], truth[fold != i])) for i in range(FOLDS)
    ]
    unseen = float(np.average(losses, weights=np.bincount(fold)))
    better = unseen <= _loss(logs, truth, 1.0)
    return Calibration(_temperature(logs, truth) if better else 1.0, count, fitted=True)


def scale_for(logs: Floats, sure: float) -> float:
    """The factor with which the log-probabilities [n, K] are as `sure`, on the mean, of the best class."""
    if not len(logs) or logs.shape[1] < 2:
        return 1.0
    low, high = -5.0, 9.0  # of the logarithm
    for _ in range(30):
        middle = (low + high) / 2
        if float(softmax(np.float32(np.exp(middle)) * logs).max(axis=1).mean()) < sure:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def estimated_scale(logs: Floats, borne_out: float, *, seed: int = 0) -> float:
    """The factor for log-probabilities [N, K] that are right, as far as can be told, as often as `borne_out`."""
    rows = sample_rows(len(logs), _SAMPLE, seed)
    return scale_for(logs[rows], min(_MOST, max(_LEAST / logs.shape[1], borne_out)))


def calibration_error(confidences: Floats, right: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy over equal bins (Naeini et al., 2015)."""
    which = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [abs(float((confidences[which == b] - right[which == b]).sum())) for b in range(bins)]
    return sum(gaps) / max(1, len(right))


def _temperature(logs: Floats, truth: NDArray[np.integer]) -> float:
    from scipy.optimize import minimize_scalar

    bounds = (np.log(_HARDEST), np.log(_SOFTEST))
    return float(np.exp(minimize_scalar(lambda t: _loss(logs, truth, float(np.exp(t))), bounds=bounds).x))


def _loss(logs: Floats, truth: NDArray[np.integer], temperature: float) -> float:
    return -float(log_softmax(logs / np.float32(temperature))[np.arange(len(truth)), truth].mean())
