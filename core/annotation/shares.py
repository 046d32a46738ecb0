"""Which of the classes are there at all, and how often: estimated from all text scores together, before any picture.

Names that no picture shows draw pictures away from the others. Expectation maximisation over the shares of the
classes (Saerens, Latinne and Decaestecker, 2002) finds them out, where the words are to be trusted. Where they are not,
it takes a class whose words fit badly for one that is absent, which costs more than it gains. So the shares count in so
far as the words become decided with them, and as they leave few of the classes; else all classes count alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.annotation.scores import softmax
from core.clustering.vectors import Floats, sample_rows

SHARPENING = 2.0  # text scores are taken this many times: at their own scale the estimate runs to a few classes
ROUNDS = 100
SAMPLE = 20_000  # pictures; shares do not become better by more
_DECIDED = (0.6, 0.8)  # mean probability of the best class: from none of the trust to all of it
_LEFT = (0.8, 0.6)  # the same for the effective number of classes, as a share of those named
_LEAST = 0.5  # pictures, by the estimate: a class with less is let go
_TINY = 1e-9


@dataclass(frozen=True)
class Shares:
    """Estimated share of each class [K], how far it is trusted (0 to 1), and the classes that are let go."""

    shares: Floats
    trust: float
    let_go: tuple[int, ...]

    @property
    def prior(self) -> Floats:
        """What is added to log-probabilities [K]."""
        return np.asarray(self.trust * np.log(self.shares + _TINY), dtype=np.float32)


def estimate_shares(logs: Floats, *, seed: int = 0) -> Shares:
    """Shares of the classes from the text's log-probabilities [N, K]."""
    count, classes = logs.shape
    if classes < 2 or not count:
        return Shares(np.full(classes, 1 / classes, np.float32), 0.0, ())
    logs = logs[sample_rows(count, SAMPLE, seed)]
    sharp = np.exp(SHARPENING * (logs - logs.max(axis=1, keepdims=True)))
    shares = np.full(classes, 1 / classes)
    for _ in range(ROUNDS):
        joint = sharp * shares.astype(np.float32)
        new = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0, dtype=np.float64)
        done = np.abs(new - shares).max() < 1e-6
        shares = new
        if done:
            break
    decided = float(softmax(logs + np.log(shares + _TINY).astype(np.float32)).max(axis=1).mean())
    left = float(np.exp(-(shares * np.log(shares + 1e-12)).sum())) / classes
    trust = _ramp(decided, *_DECIDED) * _ramp(left, *_LEFT)
    gone = np.flatnonzero(shares * count < _LEAST) if trust > 0 else np.empty(0, int)
    return Shares(shares.astype(np.float32), trust, tuple(gone.tolist()))


def _ramp(value: float, nothing: float, everything: float) -> float:
    """0 at `nothing`, 1 at `everything`, a straight line between."""
    return min(1.0, max(0.0, (value - nothing) / (everything - nothing)))
