"""One door to the methods: what encoders saw and the classes' names in, an Annotation out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.annotation.accuracy import Accuracy, measured
from core.annotation.confidence import ENOUGH, Calibration, calibrate, class_confidences, estimated_scale
from core.annotation.corrections import Corrections, Head, head_of_texts, head_scores, train_head, unseen_scores
from core.annotation.graph import GraphFit, by_graph, neighbours_asked
from core.annotation.neighbours import graph, neighbours
from core.annotation.nowhere import NEIGHBOURS as NEAR
from core.annotation.nowhere import none_scores
from core.annotation.refine import DIRECT, refined
from core.annotation.result import Annotation, Iteration, Report, empty_classes, nobody
from core.annotation.scores import NONE, View, best_and_margin, check_views, text_scores
from core.annotation.text import by_text
from core.clustering.neighbours import Neighbours
from core.clustering.vectors import Floats, Tick, no_tick
from core.errors import UsageError

METHODS = ("text", "refine", "graph")
RUN_AGAIN = 20_000
"""Pictures up to which corrections calibrate by running twice more."""
FROM = 100
"""Pictures from which on `graph` is the default; below, the words alone are safer."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a run. `threshold`: the none-score from which a picture is none of the classes; None: never."""

    method: str = "auto"
    threshold: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("auto", *METHODS):
            raise UsageError(f"there is no method {self.method!r}", f"use one of auto, {', '.join(METHODS)}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"a threshold of {self.threshold:g}", "give a number from 0 to 1")


def method_for(asked: str, count: int) -> str:
    """The method that `auto` stands for with so many pictures."""
    return asked if asked != "auto" else "graph" if count >= FROM else "text"


def find_neighbours(views: Sequence[View], *, seed: int = 0, tick: Tick = no_tick) -> list[Neighbours]:
    """The nearest pictures in each view: what `annotate` needs, worth keeping between runs on the same pictures."""
    return [neighbours(view.vectors, NEAR, seed=seed, tick=tick) for view in views]


def annotate(
    views: Sequence[View],
    names: Sequence[str],
    asked: Asked | None = None,
    *,
    corrections: Corrections | None = None,
    heads: Sequence[Head] | None = None,
    found: Sequence[Neighbours] | None = None,
    report: Report = nobody,
    tick: Tick = no_tick,
) -> Annotation:
    """The class of every picture, by the words, by the pictures alike, and by what the user corrected.

    `views`: one an encoder, over the same N pictures and K classes, which `names` are of. `heads`: trained ones (one a
    view, of the same classes) that take the place of the words. `found`: from `find_neighbours`. `report` is called
    after each round. Corrected pictures have the class the user gave them. Raises UsageError for an unknown method.
    """
    asked = asked or Asked()
    count, classes = check_views(views)
    if len(names) != classes:
        raise ValueError(f"{len(names)} names for {classes} classes")
    if corrections is not None and corrections.labels.max(initial=NONE) >= classes:
        raise ValueError("a correction to a class that is not there")
    method = method_for(asked.method, count)
    tick("comparing with words", 0.0)
    scores = text_scores(views)
    logs = scores.logs
    trained = heads_for(views, corrections, heads)
    if trained is not None:
        logs = head_scores([view.vectors for view in views], trained)
    if found is None and count and (method == "graph" or asked.threshold is not None):
        found = find_neighbours(views, seed=asked.seed, tick=tick)

    fit: GraphFit | None = None
    rounds: Sequence[Iteration]
    borne_out, weights = None, None
    if method == "graph" and count > 1:
        asks = neighbours_asked(count, classes)
        weights = sum(graph(f, asks, total=count) for f in found or ()) / len(views)
        fixed = corrections.fixed(count) if corrections is not None else None
        fit = by_graph(views, logs, weights, fixed=fixed, seed=asked.seed, report=report, tick=tick)
        own, rounds = fit.logs, fit.rounds
        borne_out = fit.borne_out
    elif method == "refine":
        own, rounds = refined(views, report=report, tick=tick)
        borne_out = float(np.exp(logs.max(axis=1)).mean()) if count else None  # as sure as the words
    else:
        own, rounds = by_text(logs, report=report)

    scale = 1.0 if borne_out is None else estimated_scale(own, borne_out, seed=asked.seed)
    labels, margins = best_and_margin(own)
    if asked.threshold is not None and count:
        labels[mean_none_scores(found or (), scores.similarities) >= asked.threshold] = NONE
    calibration = Calibration()
    if corrections is not None:
        labels[corrections.rows] = corrections.labels
        taught = corrections.of_classes()
        calibration = Calibration(corrections=len(taught.rows))
        if len(taught.rows) >= ENOUGH:
            starts = _starts(views, heads)
            unseen = (
                own[taught.rows]
                if method == "refine"
                else _unseen(views, taught, starts, logs, fit, weights, asked.seed, tick)
            )
            calibration = calibrate(np.float32(scale) * unseen, taught.labels)
    scale /= calibration.temperature
    confidences = class_confidences(own, scale, labels)
    if corrections is not None:
        confidences[corrections.rows] = 1.0
    return Annotation(
        method=method,
        labels=labels,
        confidences=confidences,
        margins=margins,
        similarities=scores.similarities,
        logs=own,
        scale=scale,
        iterations=tuple(rounds),
        empty=empty_classes(labels, scores.similarities, names, fit.let_go if fit else ()),
        notes=tuple(_notes(method, count, names, fit, corrections)),
        calibrated=calibration.fitted,
    )


def heads_for(
    views: Sequence[View], corrections: Corrections | None, heads: Sequence[Head] | None = None
) -> list[Head] | None:
    """The heads to use: trained on the corrections, begun at `heads` or the words; None where the words are enough."""
    if corrections is None or not len(corrections.of_classes().rows):
        return list(heads) if heads is not None else None
    return [
        train_head(view, corrections, start=start) for view, start in zip(views, _starts(views, heads), strict=True)
    ]


def estimate_accuracy(
    views: Sequence[View],
    names: Sequence[str],
    asked: Asked,
    corrections: Corrections,
    held: Corrections,
    *,
    heads: Sequence[Head] | None = None,
    found: Sequence[Neighbours] | None = None,
    tick: Tick = no_tick,
) -> Accuracy:
    """How often a run that is told `corrections` alone is right on the pictures of `held`, of which it is told nothing.

    The run that is shown is told both, so the estimate errs on the low side.
    """
    if np.isin(held.rows, corrections.rows).any():
        raise ValueError("what is held out was told")
    run = annotate(views, names, asked, corrections=corrections, heads=heads, found=found, tick=tick)
    return measured(run.labels, held)


def mean_none_scores(found: Sequence[Neighbours], similarities: Floats) -> Floats:
    """How much each picture [N] looks like none of the classes, 0 to 1: the mean over the encoders."""
    total = sum((none_scores(f, similarities) for f in found), np.zeros(len(similarities), np.float32))
    return np.asarray(total / max(1, len(found)), dtype=np.float32)


def _starts(views: Sequence[View], heads: Sequence[Head] | None) -> list[Head]:
    return list(heads) if heads is not None else [head_of_texts(view) for view in views]


def _unseen(
    views: Sequence[View],
    taught: Corrections,
    starts: Sequence[Head],
    logs: Floats,
    fit: GraphFit | None,
    weights: Any,
    seed: int,
    tick: Tick,
) -> Floats:
    """Log-probabilities [C, K] of corrected pictures by heads, or by `graph` (`fit`), that were not told these.

    For `graph`, either half of the corrections by a run that was told the other; in a pile so large that this takes
    long, with the part of the heads (`logs`) alone put right.
    """
    if fit is None:
        return unseen_scores(views, taught, starts)
    if len(fit.logs) > RUN_AGAIN:
        away = unseen_scores(views, taught, starts) - logs[taught.rows]
        return np.asarray(fit.logs[taught.rows] + np.float32(fit.scale) * away)
    found = np.empty((len(taught.rows), fit.logs.shape[1]), np.float32)
    half = np.arange(len(taught.rows)) % 2
    for mine in (half == 0, half == 1):
        rest = taught.part(~mine)
        heads = [train_head(view, rest, start=start) for view, start in zip(views, starts, strict=True)]
        told = head_scores([view.vectors for view in views], heads)
        run = by_graph(views, told, weights, fixed=rest.fixed(len(told)), level=fit.levelled, seed=seed, tick=tick)
        found[mine] = run.logs[taught.rows[mine]]
    return found


def _notes(
    method: str, count: int, names: Sequence[str], fit: GraphFit | None, corrections: Corrections | None
) -> list[str]:
    """What the user should know of how the classes were found."""
    notes = []
    if method == "refine":
        if count < DIRECT:
            notes.append(f"under {DIRECT} pictures: the words decided in one pass, nothing was refined")
        if corrections is not None:
            notes.append("refine does not learn from corrections: it only keeps them; graph learns")
    if fit is None:
        return notes
    if fit.let_go:
        gone = [names[i] for i in fit.let_go]
        more = f" and {len(gone) - 8} more" if len(gone) > 8 else ""
        notes.append(f"let go, as no picture seems to show it: {', '.join(gone[:8])}{more}")
    if fit.levelled:
        notes.append("some names fit all pictures better than others do: the scores of all names were brought level")
    if fit.gamma < 0.1 and max(fit.kappas) < 0.5:
        notes.append("pictures alike do not agree on their classes: the words alone decided")
    return notes
