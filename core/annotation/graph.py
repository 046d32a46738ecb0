"""The method `graph`: words, the pictures of a class, and a picture's neighbours, each on a scale found from the data.

The score of class c for picture i is

    t log p_ic  +  kappa cos(x_i, mu_c)  +  gamma log((W z)_ic + eps)  +  d_c

p: probabilities from the words. x: the picture, whitened (spread.py). mu_c: mean direction of the pictures of c, i
itself left out, begun at the text-weighted mean. W: graph of nearest neighbours. z: softmax of the score, over and over
(a mean field of a mixture on a graph). d: doubt that the class is there (presence.py).

No scale is given, as they differ by encoder and by how well its words fit the pile. kappa and gamma are fitted, each by
itself, so that what a class's other pictures, or a picture's neighbours, say foretells best what its own words say:
multinomial logistic regression on one feature. Where pictures foretell nothing both are 0: the words alone decide. The
words' own scale t is such that they are as sure as they are right, by the labels of a first, short pass.

The parts are known: neighbours' votes from label spreading (Zhou et al., 2004), mean directions and their prior from
mixtures of von Mises-Fisher distributions (Banerjee et al., 2005). The fit of their scales is our own.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from core.annotation.confidence import scale_for
from core.annotation.given import Given
from core.annotation.presence import agreement, doubts, few_present
from core.annotation.result import Iteration, Report, describe, nobody
from core.annotation.scores import View, log_softmax, softmax
from core.annotation.spread import Spread
from core.clustering.silhouette import silhouette
from core.clustering.vectors import Floats, Labels, Tick, Vectors, chunks, no_tick, sample_rows, unit_means

LOOK, ROUNDS = 4, 8  # of the first pass, and of the second
LOOK_TEXT = 2.0  # t of the first pass: the encoder's own scale is for a crowd of sentences, not for a few classes
SUREST = 0.98  # words are never surer, on the mean
NEIGHBOURS = (5, 10)  # asked of a picture: where classes are small, and where they are large
PULL = 5.0  # pictures that the first mean of a class counts for, at least; and a tenth of N / K
AGREED = (0.75, 0.95)
"""The share of neighbours that agree: at the one, votes count once; at the other, VOTES times. The fit alone would not
find that, as it takes the words' errors for truth."""
VOTES = 3.0
FLOOR = 0.05  # eps: a vote of nobody is not a veto
STEEPEST = (200.0, 20.0)  # bounds of kappa and gamma
FITTED_ON = 5_000  # pictures
NEARBY = (0.3, 1.0)
"""Part of the spread that is neighbours': where all classes are there, and where few are."""
DISTINCT = (0.05, 0.1)
"""Gain in silhouette from which the second reading is believed; and what is added to it where few classes are there."""
GONE = 0.5  # pictures, by the estimate: a class with less is let go, where few classes are there
TORN = 0.06  # neighbours' agreement that the second reading may cost


def neighbours_asked(pictures: int, classes: int) -> int:
    """How many neighbours vote: by the root of what a class would have of the pictures, as more of them are near."""
    return min(NEIGHBOURS[1], max(NEIGHBOURS[0], round(0.75 * math.sqrt(pictures / classes))))


@dataclass(frozen=True)
class GraphFit:
    """Log-probabilities [N, K], the scale t of the words, the rounds, what was fitted.

    `few`: how much speaks for few classes (0 to 1); `let_go`: the classes that no picture seems to show; `levelled`:
    the second reading won; `borne_out`: how far words bear the outcome out, times how far neighbours do (0 to 1).
    """

    logs: Floats
    scale: float
    rounds: tuple[Iteration, ...]
    few: float
    let_go: tuple[int, ...]
    kappas: tuple[float, ...]
    gamma: float
    borne_out: float
    levelled: bool = False


def by_graph(
    views: Sequence[View],
    logs: Floats,
    weights: Any,
    *,
    fixed: Labels | None = None,
    level: bool | None = None,
    seed: int = 0,
    report: Report = nobody,
    tick: Tick = no_tick,
) -> GraphFit:
    """The better of two readings of the words' log-probabilities `logs` [N, K], on the graph `weights` [N, N].

    `weights`: sparse, rows of sum 1. `fixed` [N]: the class of a picture where the user said so, NONE where none of
    them fits (it then speaks for no class), and UNSAID elsewhere.

    The readings: as they stand; or, as some words fit all pictures better than others do and would draw everything to
    their classes, with each class's mean over the pictures taken off. That is wrong where classes are absent, so it
    must make clearly more distinct groups (silhouette; Rousseeuw, 1987) and tear no neighbours apart. Its rounds then
    follow those of the first. `level` says beforehand which is taken.
    """
    pile = _Pile(views, weights, Given.of(fixed, logs.shape[1], len(logs)), seed)
    first = pile.read(logs, report, tick)
    if level is False or logs.shape[1] < 2 or len(logs) <= logs.shape[1]:
        return first
    scaled = log_softmax(np.float32(first.scale) * logs)
    second = pile.read(log_softmax(scaled - scaled.mean(axis=0)), nobody, tick)
    torn = agreement(weights, first.logs) - agreement(weights, second.logs)
    gain = _distinct(views, second.logs) - _distinct(views, first.logs)
    if level is None and (torn > TORN or gain <= DISTINCT[0] + DISTINCT[1] * first.few):
        return first
    later = tuple(replace(told, number=told.number + len(first.rounds)) for told in second.rounds)
    for told in later:
        report(told)
    return replace(second, scale=first.scale * second.scale, rounds=(*first.rounds, *later), levelled=True)


class _Pile:
    """What both readings share: pictures, their spread in each view, the graph, what is given, rows to fit on."""

    def __init__(self, views: Sequence[View], weights: Any, given: Given, seed: int) -> None:
        self._views, self._weights, self._given = views, weights, given
        self._spreads = [Spread.of(view.vectors, weights, seed=seed) for view in views]
        rows = sample_rows(len(views[0].vectors), FITTED_ON, seed)
        self._rows = np.setdiff1d(rows, given.none)  # these are no target

    def read(self, logs: Floats, report: Report, tick: Tick) -> GraphFit:
        """A short pass, which tells how far the words are right and what is there, then one that goes by it."""
        tick("looking at how pictures lie", 0.0)
        points = self._whitened(NEARBY[1])
        look = deque(self._rounds(points, LOOK_TEXT * logs, LOOK), maxlen=1)[0].scores
        few, votes = few_present(self._weights, look), _votes(agreement(self._weights, look))
        right = min(SUREST, float((look.argmax(axis=1) == logs.argmax(axis=1)).mean()))
        scale = scale_for(logs[self._rows], right)
        text = np.float32(scale) * logs
        if few < 1:
            points = self._whitened(NEARBY[0] + (NEARBY[1] - NEARBY[0]) * few)
        rounds: list[Iteration] = []
        before: Labels | None = None
        for now in self._rounds(points, text, ROUNDS, votes=votes, few=few):
            tick("comparing with pictures alike", len(rounds) / ROUNDS)
            labels = self._given.labels(now.z.argmax(axis=1).astype(np.int32))
            share = _text_share(text[self._rows], now.scores[self._rows])
            rounds.append(describe(len(rounds) + 1, labels, before, now.z.max(axis=1), logs.shape[1], share))
            report(rounds[-1])
            before = labels
        gone = np.flatnonzero(now.z.sum(axis=0) < GONE) if few > 0 else ()
        by_words = float((now.scores.argmax(axis=1) == logs.argmax(axis=1)).mean())
        return GraphFit(
            logs=log_softmax(now.scores),
            scale=scale,
            rounds=tuple(rounds),
            few=few,
            let_go=tuple(map(int, gone)),
            kappas=now.kappas,
            gamma=now.gamma,
            borne_out=by_words * agreement(self._weights, now.scores),
        )

    def _rounds(
        self, points: Sequence[Floats], text: Floats, count: int, *, votes: float = 1.0, few: float = 0.0
    ) -> Iterator[_Round]:
        """The state after each of `count` rounds."""
        pictures, classes = text.shape
        rows = self._rows
        doubt = np.zeros(classes, np.float32)
        z = self._given.put(softmax(text))  # what the user said is the best of targets
        pull = max(PULL, 0.1 * pictures / classes)
        starts = [pull * unit_means(_weighted_sums(own, z)) for own in points]
        kappas, gamma = [1.0] * len(points), 1.0
        for _ in range(count):
            target = self._given.put(softmax(text + doubt))[rows]
            voted = np.log(np.asarray(self._weights @ z, dtype=np.float32) + FLOOR)
            gamma = _factor(voted[rows], target, doubt, gamma, STEEPEST[1])
            scores = np.float32(votes * gamma) * voted
            scores += text
            scores += doubt
            del voted
            for i, own in enumerate(points):
                near = _leave_one_out(own, z, starts[i])
                kappas[i] = _factor(near[rows], target, doubt, kappas[i], STEEPEST[0])
                near *= kappas[i] / len(points)
                scores += near
            z = self._given.put(softmax(scores))
            if few:
                doubt = np.float32(few) * doubts(self._weights, scores, z, self._given.classes)
            yield _Round(scores, z, tuple(kappas), gamma)

    def _whitened(self, nearby: float) -> list[Floats]:
        return [s.whitened(view.vectors, nearby) for s, view in zip(self._spreads, self._views, strict=True)]


class _Round(NamedTuple):
    scores: Floats
    z: Floats
    kappas: tuple[float, ...]
    gamma: float


def _votes(agreed: float) -> float:
    """How often a vote counts, 1 to VOTES: more where neighbours agree so well that they know better than words."""
    low, high = AGREED
    return 1 + (VOTES - 1) * min(1.0, max(0.0, (agreed - low) / (high - low)))


def _distinct(views: Sequence[View], logs: Floats) -> float:
    """The mean silhouette of the classes as groups of pictures."""
    labels = logs.argmax(axis=1).astype(np.int32)
    return float(np.mean([silhouette(view.vectors, labels, logs.shape[1]).overall for view in views]))


def _weighted_sums(vectors: Vectors, z: Floats) -> Floats:
    """The sum of the pictures, each by its part in the class [K, D]."""
    sums = np.zeros((z.shape[1], vectors.shape[1]), np.float32)
    for rows in chunks(len(vectors)):
        sums += z[rows].T @ vectors[rows]
    return sums


def _leave_one_out(vectors: Floats, z: Floats, start: Floats) -> Floats:
    """Cosine of each picture (unit rows) to the mean of each class without itself [N, K]."""
    sums = _weighted_sums(vectors, z) + start
    squares = (sums**2).sum(axis=1)
    found = np.empty(z.shape, np.float32)
    for rows in chunks(len(vectors)):
        along, mine = vectors[rows] @ sums.T, z[rows]
        lengths = squares - 2 * mine * along + mine**2
        found[rows] = (along - mine) / np.sqrt(np.maximum(lengths, 1e-6))
    return found


def _factor(feature: Floats, target: Floats, doubt: Floats, start: float, most: float) -> float:
    """The factor of `feature` [n, K] with which softmax(factor * feature + doubt) is nearest to `target` [n, K].

    The cross-entropy is convex in it: Newton's steps, held within [0, `most`].
    """
    at = start
    for _ in range(12 if len(feature) else 0):
        p = softmax(at * feature + doubt)
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
