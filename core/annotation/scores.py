"""What every method starts from: pictures and class prompts as one encoder sees them, and their scores on one scale.

A cosine means nothing across encoders. Times the encoder's own logit scale, and through a softmax over the classes,
it does: log-probabilities of several encoders are averaged (a product of experts; Hinton, 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.clustering.vectors import Floats, Labels, Vectors, chunks, unit_rows

NONE = -1
"""The label of a picture that is none of the classes."""
UNSAID = -2
"""Where the user fixes labels: nothing was said of this one."""


@dataclass(frozen=True)
class View:
    """One encoder's view: pictures [N, D], class prototypes from the prompts [K, D] (unit rows), its logit scale."""

    vectors: Vectors
    texts: Floats
    scale: float

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.texts.ndim != 2 or self.vectors.shape[1] != self.texts.shape[1]:
            raise ValueError(f"pictures {self.vectors.shape} and classes {self.texts.shape} are of two spaces")
        if not len(self.texts):
            raise ValueError("no class")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"a logit scale of {self.scale}")


@dataclass(frozen=True)
class TextScores:
    """Mean cosine to the prompts [N, K] (mean over the encoders), and log-probabilities [N, K]."""

    similarities: Floats
    logs: Floats


def check_views(views: Sequence[View]) -> tuple[int, int]:
    """The number of pictures and of classes, which all views share. Raises ValueError where they do not."""
    if not views:
        raise ValueError("no encoder")
    sizes = {(len(view.vectors), len(view.texts)) for view in views}
    if len(sizes) != 1:
        raise ValueError(f"the encoders saw different pictures or classes: {sorted(sizes)}")
    return sizes.pop()


def text_scores(views: Sequence[View]) -> TextScores:
    """Scores of all pictures against the prompts, a chunk at a time: one pass over the vectors."""
    count, classes = check_views(views)
    similarities = np.zeros((count, classes), np.float32)
    logs = np.zeros((count, classes), np.float32)
    for view in views:
        texts = unit_rows(view.texts)
        for rows in chunks(count):
            cosines = unit_rows(view.vectors, rows) @ texts.T
            similarities[rows] += cosines / len(views)
            logs[rows] += log_softmax(view.scale * cosines) / len(views)
    if len(views) > 1:
        for rows in chunks(count):
            logs[rows] = log_softmax(logs[rows])
    return TextScores(similarities, logs)


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities of each row [n, K]."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return shifted


def softmax(logits: Floats) -> Floats:
    """Probabilities of each row [n, K]."""
    odds: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def named(scores: Floats) -> Floats:
    """1 for the best class of each row, 0 for the others [n, K]."""
    best = np.zeros(scores.shape, np.float32)
    best[np.arange(len(scores)), scores.argmax(axis=1)] = 1
    return best


def best_and_margin(logs: Floats) -> tuple[Labels, Floats]:
    """The best class of each row and how far, in log-odds, it is ahead of the second (0 where there is no other)."""
    labels = np.empty(len(logs), np.int32)
    margins = np.zeros(len(logs), np.float32)
    for rows in chunks(len(logs)):
        part = logs[rows]
        labels[rows] = part.argmax(axis=1)
        if logs.shape[1] > 1:
            two = np.partition(part, -2, axis=1)[:, -2:]
            margins[rows] = two[:, 1] - two[:, 0]
    return labels, margins
