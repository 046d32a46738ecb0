"""The method `graph`: words, the pictures of a class, and a picture's neighbours, each on a scale found from the data.

The score of class c for picture i is

    lam log p_ic  +  w log pi_c  +  kappa cos(x_i, mu_c)  +  gamma log((W z)_ic + eps)

p: probabilities from the words. pi: shares of the classes, w the trust in them (shares.py). mu_c: mean direction of the
pictures of c, i itself left out, begun at the text-weighted mean. W: graph of nearest neighbours. z: softmax of the
score, over and over (a mean field of a mixture on a graph). kappa and gamma are not given but fitted, each by itself,
so that what a class's other pictures, or a picture's neighbours, say foretells best what its own words say: multinomial
logistic regression on one feature. This puts image similarities on the scale of the words, whatever the encoder and
however wide its gap between pictures and words. Where pictures foretell nothing both are 0: the words alone decide.

The parts are known: neighbours' votes from label spreading (Zhou et al., 2004), mean directions and their prior from
mixtures of von Mises-Fisher distributions (Banerjee et al., 2005). The fit of their scales is our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.annotation.result import Iteration, Report, describe, nobody
from core.annotation.scores import NONE, UNSAID, View, log_softmax, softmax
from core.annotation.shares import Shares, estimate_shares
from core.clustering.silhouette import silhouette
from core.clustering.vectors import Floats, Labels, Tick, Vectors, chunks, no_tick, sample_rows, unit_rows

TEXT = 2.0  # lam: the words once more than a probability weighs, as images agree with them by their errors too
ROUNDS = 8
NEIGHBOURS = 5
PULL = 5.0  # pictures that the first mean of a class counts for, at least; and a tenth of N / K
AGREED = (0.8, 0.95)
"""The share of neighbours whose words name the same class: at the one, votes count once; at the other, VOTES times."""
VOTES = 3.0
FLOOR = 0.05  # eps: a vote of nobody is not a veto
STEEPEST = (200.0, 20.0)  # bounds of kappa and gamma
FITTED_ON = 5_000  # pictures


DISTINCT = (0.1, 0.03)
"""Gain in silhouette from which the second reading is believed; the lower where neighbours agree nearly always."""


@dataclass(frozen=True)
class GraphFit:
    """Log-probabilities [N, K], the words' as they were read, the rounds, the shares, the scales: kappas and gamma.

    `levelled`: the second reading won.
    """

    logs: Floats
    words: Floats
    rounds: tuple[Iteration, ...]
    shares: Shares
    kappas: tuple[float, ...]
    gamma: float
    levelled: bool = False


def by_graph(
    views: Sequence[View],
    logs: Floats,
    weights: Any,
    *,
    fixed: Labels | None = None,
    seed: int = 0,
    report: Report = nobody,
    tick: Tick = no_tick,
) -> GraphFit:
    """The better of two readings of the words' log-probabilities `logs` [N, K]. For the rest see `fit_graph`.

    As they stand; or, as some words fit all pictures better than others do and would draw everything to their
    classes, with each class's mean over the pictures taken off. That is wrong where classes are absent, so it must make
    clearly more distinct groups (silhouette; Rousseeuw, 1987): the pictures must show that the classes are there.
    Pictures of few classes parted among many names are not distinct. Its rounds then follow those of the first.
    """
    first = fit_graph(views, logs, weights, fixed=fixed, seed=seed, report=report, tick=tick)
    if logs.shape[1] < 2 or len(logs) <= logs.shape[1]:
        return first
    level = log_softmax(logs - logs.mean(axis=0))
    second = fit_graph(views, level, weights, fixed=fixed, seed=seed, tick=tick)
    needed = DISTINCT[1 if _agreed(weights, second.logs) >= AGREED[1] else 0]
    if _distinct(views, second.logs) < _distinct(views, first.logs) + needed:
        return first
    later = tuple(replace(told, number=told.number + len(first.rounds)) for told in second.rounds)
    for told in later:
        report(told)
    return replace(second, rounds=(*first.rounds, *later), levelled=True)


def fit_graph(
    views: Sequence[View],
    logs: Floats,
    weights: Any,
    *,
    fixed: Labels | None = None,
    text_weight: float = TEXT,
    seed: int = 0,
    report: Report = nobody,
    tick: Tick = no_tick,
) -> GraphFit:
    """Runs the method on the words' log-probabilities `logs` [N, K] and the graph `weights` [N, N], rows of sum 1.

    `fixed` [N]: the class of a picture where the user said so, NONE where none of them fits (it then speaks for no
    class), and UNSAID elsewhere. `text_weight` is lam.
    """
    count, classes = logs.shape
    shares = estimate_shares(logs, seed=seed)
    base = text_weight * logs + shares.prior
    target = softmax(base)
    given = _Given.of(fixed, classes, count)
    z = target = given.put(target)  # what the user said is the best of targets
    starts = [_weighted_sums(view.vectors, z) for view in views]
    pull = max(PULL, 0.1 * count / classes)
    starts = [pull * s / np.maximum(np.linalg.norm(s, axis=1, keepdims=True), 1e-12) for s in starts]
    rows = np.setdiff1d(sample_rows(count, FITTED_ON, seed), given.none)  # these are no target
    strength = _strength(weights, target)
    kappas, gamma = [1.0] * len(views), 1.0
    rounds: list[Iteration] = []
    before: Labels | None = None
    scores = base
    for number in range(1, ROUNDS + 1):
        tick("comparing with pictures alike", (number - 1) / ROUNDS)
        votes = np.log(np.asarray(weights @ z, dtype=np.float32) + FLOOR)
        gamma = _scale(votes[rows], target[rows], shares.prior, gamma, STEEPEST[1])
        scores = base + strength * gamma * votes
        del votes
        for i, view in enumerate(views):
            near = _leave_one_out(view.vectors, z, starts[i])
            kappas[i] = _scale(near[rows], target[rows], shares.prior, kappas[i], STEEPEST[0])
            near *= kappas[i] / len(views)
            scores += near
        z = given.put(softmax(scores))
        labels = given.labels(z.argmax(axis=1).astype(np.int32))
        told = describe(
            number, labels, before, z.max(axis=1), classes, _text_share(text_weight * logs[rows], scores[rows])
        )
        rounds.append(told)
        report(told)
        before = labels
    return GraphFit(log_softmax(scores), logs, tuple(rounds), shares, tuple(kappas), gamma)


@dataclass(frozen=True)
class _Given:
    """What the user fixed: rows of a class, rows of none."""

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    none: NDArray[np.int64]

    @staticmethod
    def of(fixed: Labels | None, classes: int, count: int) -> _Given:
        if fixed is None:
            return _Given(*(np.empty(0, np.int64) for _ in range(3)))
        if len(fixed) != count or fixed.max(initial=UNSAID) >= classes:
            raise ValueError("what is fixed does not fit the pictures or the classes")
        rows = np.flatnonzero(fixed >= 0)
        return _Given(rows, fixed[rows].astype(np.int64), np.flatnonzero(fixed == NONE))

    def put(self, z: Floats) -> Floats:
        """`z` with the given rows as they are given, in place."""
        z[self.rows] = 0
        z[self.rows, self.classes] = 1
        z[self.none] = 0
        return z

    def labels(self, labels: Labels) -> Labels:
        labels[self.rows] = self.classes
        labels[self.none] = NONE
        return labels


def _distinct(views: Sequence[View], logs: Floats) -> float:
    """The mean silhouette of the classes as groups of pictures."""
    labels = logs.argmax(axis=1).astype(np.int32)
    return float(np.mean([silhouette(view.vectors, labels, logs.shape[1]).overall for view in views]))


def _agreed(weights: Any, scores: Floats) -> float:
    """The share of neighbours whose best class is the same."""
    named = np.zeros_like(scores)
    named[np.arange(len(scores)), scores.argmax(axis=1)] = 1
    return float((named * (weights @ named)).sum(axis=1).mean())


def _strength(weights: Any, target: Floats) -> float:
    """How often a vote counts, 1 to VOTES: more where neighbours agree so well that they know better than words.

    The fit alone would not find that, as it takes the words' errors for truth.
    """
    low, high = AGREED
    return 1 + (VOTES - 1) * min(1.0, max(0.0, (_agreed(weights, target) - low) / (high - low)))


def _weighted_sums(vectors: Vectors, z: Floats) -> Floats:
    """The sum of the pictures, each by its part in the class [K, D]."""
    sums = np.zeros((z.shape[1], vectors.shape[1]), np.float32)
    for rows in chunks(len(vectors)):
        sums += z[rows].T @ unit_rows(vectors, rows)
    return sums


def _leave_one_out(vectors: Vectors, z: Floats, start: Floats) -> Floats:
    """Cosine of each picture to the mean of each class without itself [N, K]."""
    sums = _weighted_sums(vectors, z) + start
    squares = (sums**2).sum(axis=1)
    found = np.empty(z.shape, np.float32)
    for rows in chunks(len(vectors)):
        along, mine = unit_rows(vectors, rows) @ sums.T, z[rows]
        lengths = squares - 2 * mine * along + mine**2
        found[rows] = (along - mine) / np.sqrt(np.maximum(lengths, 1e-6))
    return found


def _scale(feature: Floats, target: Floats, prior: Floats, start: float, most: float) -> float:
    """The factor of `feature` [n, K] with which softmax(factor * feature + prior) is nearest to `target` [n, K].

    The cross-entropy is convex in it: Newton's steps, held within [0, `most`].
    """
    at = start
    for _ in range(12 if len(feature) else 0):
        p = softmax(at * feature + prior)
        mean = (p * feature).sum(axis=1, keepdims=True)
        slope = float(((p - target) * feature).sum() / len(feature))
        bend = float((p * (feature - mean) ** 2).sum() / len(feature))
        step = slope / max(bend, 1e-6)
        new = min(most, max(0.0, at - min(max(step, -max(1.0, at)), max(1.0, at))))
        if abs(new - at) < 1e-3 * max(1.0, at):
            return new
        at = new
    return at


def _text_share(text: Floats, scores: Floats) -> float:
    """How much of the spread over the classes is the words'."""
    if not len(text):
        return 1.0
    rest = float((scores - text).std(axis=1).mean())
    own = float(text.std(axis=1).mean())
    return own / (own + rest) if own + rest > 0 else 1.0
