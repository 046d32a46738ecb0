"""What the user corrected, fed back: a linear head on the embeddings that begins at the words and stays near them.

Multinomial logistic regression whose weights are pulled to the classes' own text vectors, the mean of all classes taken
off, times the encoder's logit scale: a Gaussian prior with the zero-shot classifier as its mean (Lin et al., 2023,
begin there too). Without corrections it is the words; with many it is the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.annotation.scores import NONE, UNSAID, View, log_softmax
from core.clustering.vectors import Floats, Labels, Vectors, chunks, unit_rows

PULL = 0.1
"""To the words: the precision of the weights' prior, from ENOUGH_EACH corrections a class on."""
ENOUGH_EACH = 20
MOST_PULL = 10.0
USUAL_SIZE = 250.0  # mean squared length of the words' weights, of the encoders it was measured with
STEPS = 200
FOLDS = 5


@dataclass(frozen=True)
class Head:
    """Weights [K, D] and biases [K] of a linear classifier on unit embeddings of one encoder."""

    weights: Floats
    biases: Floats


def head_of_texts(view: View) -> Head:
    """The classifier that the words are: what training begins at."""
    texts = unit_rows(view.texts)
    return Head(np.float32(view.scale) * (texts - texts.mean(axis=0)), np.zeros(len(texts), np.float32))


@dataclass(frozen=True)
class Corrections:
    """What the user said of some pictures: their row numbers [C], each once, and the class of each, or NONE [C]."""

    rows: NDArray[np.int64]
    labels: Labels

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.labels) or len(np.unique(self.rows)) != len(self.rows):
            raise ValueError("corrections need one class for each picture")
        if (self.labels < NONE).any():
            raise ValueError("a correction to no class that there is")

    def part(self, which: NDArray[np.bool_]) -> Corrections:
        """Some of them."""
        return Corrections(self.rows[which], self.labels[which])

    def of_classes(self) -> Corrections:
        """Those that name a class."""
        return self.part(self.labels >= 0)

    def fixed(self, count: int) -> Labels:
        """What is said of each of `count` pictures: a class, NONE, or UNSAID."""
        found = np.full(count, UNSAID, np.int32)
        found[self.rows] = self.labels
        return found


def pull_for(first: Head, corrections: int) -> float:
    """The pull to `first` with so many corrections: the fewer, the stronger, as few make a head worse than the words.

    By the square, and against the square of its weights, as what is far from small ones is far; measured on drawings,
    scans, photographs and synthetic vectors with 15 to 200 corrections.
    """
    missing = ENOUGH_EACH * len(first.biases) / max(1, corrections)
    size = float((first.weights**2).sum(axis=1).mean())
    return min(MOST_PULL, PULL * max(1.0, missing) ** 2) * USUAL_SIZE / max(size, 1.0)


def train_head(view: View, corrections: Corrections, *, start: Head | None = None) -> Head:
    """The head for corrections.

    Corrections to none of the classes teach no class and are left out. `start` (a head loaded from a file, of the same
    classes) takes the place of the words. Deterministic: the problem is convex (L-BFGS).
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    first = start or head_of_texts(view)
    taught = corrections.of_classes()
    if not len(taught.rows):
        return first
    points = unit_rows(view.vectors, taught.rows).astype(np.float64)
    classes, dimension = first.weights.shape
    pull = pull_for(first, len(taught.rows))
    begin = np.concatenate([first.weights, first.biases[:, None]], axis=1).astype(np.float64)
    points = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    wanted = np.zeros((len(points), classes))
    wanted[np.arange(len(points)), taught.labels] = 1

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        head = flat.reshape(classes, dimension + 1)
        logits = points @ head.T
        logs = logits - logsumexp(logits, axis=1, keepdims=True)
        away = head - begin
        value = -float((wanted * logs).sum()) + pull / 2 * float((away**2).sum())
        return value, ((np.exp(logs) - wanted).T @ points + pull * away).ravel()

    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    head = found.reshape(classes, dimension + 1).astype(np.float32)
    return Head(head[:, :-1].copy(), head[:, -1].copy())


def head_scores(vectors: Sequence[Vectors], heads: Sequence[Head]) -> Floats:
    """Log-probabilities [N, K] of the heads, one an encoder, averaged as the words' are."""
    logs = np.zeros((len(vectors[0]), len(heads[0].biases)), np.float32)
    for own, head in zip(vectors, heads, strict=True):
        for rows in chunks(len(own)):
            logs[rows] += log_softmax(unit_rows(own, rows) @ head.weights.T + head.biases) / len(heads)
    if len(heads) > 1:
        for rows in chunks(len(logs)):
            logs[rows] = log_softmax(logs[rows])
    return logs


def unseen_scores(views: Sequence[View], corrections: Corrections, starts: Sequence[Head]) -> Floats:
    """Log-probabilities [C, K] of corrections to classes, each by heads that were not taught it (five folds).

    What a head says of what it was taught tells nothing of how sure it may be.
    """
    count = len(corrections.rows)
    found = np.empty((count, len(views[0].texts)), np.float32)
    fold = np.arange(count) % FOLDS
    for i in range(min(FOLDS, count)):
        rest, mine = corrections.part(fold != i), fold == i
        heads = [train_head(view, rest, start=start) for view, start in zip(views, starts, strict=True)]
        found[mine] = head_scores([view.vectors[corrections.rows[mine]] for view in views], heads)
    return found
