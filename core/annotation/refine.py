"""The method `refine`: the rule of an earlier system, as it stands.

Prototypes move from the words to the mean of the pictures given to them. It gains where all classes are there in equal
numbers, and loses where they are not; a class without pictures keeps its words and, with an encoder whose pictures
lie far from its words, never wins one back. Such classes are told; `graph` is without this fault.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.annotation.result import Iteration, Report, describe, nobody
from core.annotation.scores import View, log_softmax, text_scores
from core.clustering.vectors import Floats, Labels, Tick, cluster_sizes, cluster_sums, no_tick, unit_means, unit_rows

DIRECT = 100  # pictures: under so many, one pass by the words
ITERATIONS = 10
FIRST, FALL = 0.95, 0.35  # the text's weight in iteration i is FIRST - FALL * i / ITERATIONS


def refined(views: Sequence[View], *, report: Report = nobody, tick: Tick = no_tick) -> tuple[Floats, list[Iteration]]:
    """Log-probabilities [N, K] of the last assignment, and the rounds.

    Each round assigns every picture, then sets prototype = w * text + (1 - w) * mean of its pictures, made unit; an
    empty class keeps its text. Several encoders move prototypes of their own, and decide together.
    """
    count, classes = len(views[0].vectors), len(views[0].texts)
    rounds: list[Iteration] = []
    now = list(views)
    before: Labels | None = None
    for i in range(ITERATIONS if count >= DIRECT else 0):
        tick("refining", i / ITERATIONS)
        logs = text_scores(now).logs
        labels = logs.argmax(axis=1).astype(np.int32)
        weight = FIRST - FALL * i / ITERATIONS
        now = [_moved(first, labels, weight) for first in views]
        rounds.append(_told(len(rounds) + 1, labels, before, logs, classes, weight, report))
        before = labels
    logs = text_scores(now).logs
    last = rounds[-1].text_weight if rounds else 1.0
    labels = logs.argmax(axis=1).astype(np.int32)
    rounds.append(_told(len(rounds) + 1, labels, before, logs, classes, last, report))
    return logs, rounds


def _moved(view: View, labels: Labels, weight: float) -> View:
    """The view with its prototypes between its words and its pictures."""
    classes = len(view.texts)
    sizes = cluster_sizes(labels, classes)
    means = cluster_sums(view.vectors, labels, classes) / np.maximum(sizes, 1)[:, None]
    texts = unit_rows(view.texts)
    blended = np.where(sizes[:, None] > 0, weight * texts + (1 - weight) * means, texts)
    return View(view.vectors, unit_means(blended), view.scale)


def _told(
    number: int, labels: Labels, before: Labels | None, logs: Floats, classes: int, weight: float, report: Report
) -> Iteration:
    sure = np.exp(log_softmax(logs).max(axis=1))
    told = describe(number, labels, before, sure, classes, weight)
    report(told)
    return told
