"""Accuracy of the methods of annotation on sets whose classes are known, and time and memory on large ones.

    python -m tests.benchmarks.annotate                        everything that needs no files: digits, demo, large
    python -m tests.benchmarks.annotate digits demo            some parts
    python -m tests.benchmarks.annotate photos FOLDER WEIGHTS CONFIG   folders of classes, an open_clip model
    python -m tests.benchmarks.annotate large 100000x100       (text alone from 500,000 pictures on)

All accuracies are in percent over five seeds (mean, least); corrections are answered truthfully and not counted.
Parts: digits, demo, tuned, held, worlds (see annotate_sets.py), photos, corrections, collapse, large.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.annotation.confidence import calibration_error
from core.annotation.corrections import Corrections
from core.annotation.methods import METHODS, Asked, annotate, find_neighbours, mean_none_scores
from core.annotation.review import review_queue
from core.annotation.scores import NONE, View
from core.demo import KINDS as DEMO_KINDS
from core.pocket.draw import UNSEEN_STYLE
from tests.benchmarks.annotate_sets import (
    HELD,
    HELD_PHOTOGRAPHS,
    TUNED,
    TUNED_PHOTOGRAPHS,
    WORLDS,
    Case,
    blur,
    covered,
    digits,
    drawings,
    photographs,
    plain,
    world,
)

SEEDS = range(5)


def situations(whole: Case, seed: int, most: int = 12) -> Iterator[tuple[str, Case]]:
    """The same pictures in the situations that methods differ in."""
    random = np.random.default_rng(seed)
    classes = random.permutation(len(whole.names))[:most].tolist()
    rows = {c: random.permutation(np.flatnonzero(whole.truth == c)) for c in classes}
    least, n, first = min(len(r) for r in rows.values()), len(classes), classes[0]
    each, large = min(50, least), min(100, least)

    def take(sizes: dict[int, int]) -> Case:
        return whole.of(np.sort(np.concatenate([rows[c][:size] for c, size in sizes.items()])), classes)

    yield "all present, equal", take(dict.fromkeys(classes, each))
    yield "one five times the others", take({c: large if c == first else large // 5 for c in classes})
    yield "a quarter of the names", take(dict.fromkeys(classes[: max(2, round(n / 4))], min(120, least)))
    yield "two wrong names", take(dict.fromkeys(classes[2:], each))
    yield "two thirds of the names", take(dict.fromkeys(classes[: round(2 * n / 3)], each))
    small = max(1, round(large / 1.5 / (n - 1)))
    yield "one of 60 %", take({c: large if c == first else small for c in classes})
    yield "all present, about 110 pictures", take(dict.fromkeys(classes, max(2, round(110 / n))))


def table(title: str, wholes: Sequence[Case], methods: Sequence[str] = METHODS) -> None:
    """Accuracy of the words, gains of the others over them, and the calibration error of the default."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in SEEDS:
        for whole in wholes:
            for name, case in situations(whole, seed):
                own = found.setdefault(name, {m: [] for m in (*methods, "ece", "size")})
                near = find_neighbours([case.view])
                for method in methods:
                    run = annotate([case.view], case.names, Asked(method, seed=seed), found=near)
                    right = run.labels == case.truth
                    own[method].append(100 * float(right.mean()))
                own["ece"].append(calibration_error(run.confidences, right))
                own["size"].append(len(right))
    others = [m for m in methods if m != "text"]
    print(f"\n{title}: accuracy of text; gain over it, mean (least); sets where graph is more than 2 below\n")
    print(f"| situation | pictures | text | {' | '.join(others)} | 2 below | ECE of graph |")
    print("|" + "---|" * (5 + len(others)), flush=True)
    every = []
    for name, own in found.items():
        text, sizes = np.array(own["text"]), np.array(own["size"])
        gains = [np.array(own[m]) - text for m in others]
        every.append(gains[-1][sizes >= 200])
        shown = " | ".join(f"{g.mean():+.1f} ({g.min():+.1f})" for g in gains)
        below = f"{np.count_nonzero(gains[-1] < -2)} of {len(text)}"
        print(
            f"| {name} | {sizes.min():.0f} - {sizes.max():.0f} | {text.mean():.1f} | {shown} | {below} "
            f"| {np.mean(own['ece']):.3f} |",
            flush=True,
        )
    large = np.concatenate(every)
    if len(large):
        print(
            f"\n200 pictures or more: graph {large.mean():+.1f}, least {large.min():+.1f}, "
            f"more than 2 below in {np.count_nonzero(large < -2)} of {len(large)}",
            flush=True,
        )


def corrected(title: str, whole: Case) -> None:
    """The default with corrections asked by the review queue and at random."""
    views, names, truth = [whole.view], whole.names, whole.truth
    found = find_neighbours(views)
    runs = {method: annotate(views, names, Asked(method), found=found) for method in METHODS}
    shares = ", ".join(f"{method} {100 * np.mean(run.labels == truth):.1f}" for method, run in runs.items())
    print(f"\n{title}, {len(truth)} pictures: {shares}\n")
    print(f"before any: ECE {calibration_error(runs['graph'].confidences, runs['graph'].labels == truth):.3f}\n")
    print("| corrections | queue | ECE | random | ECE |\n|---|---|---|---|---|")
    for count in (30, 50, 200):
        line = []
        for ask in ("queue", "random"):
            scores, errors = [], []
            for seed in SEEDS:
                if ask == "queue":
                    rows = asked_in_turn(whole, count, seed, found)
                else:
                    rows = np.random.default_rng(seed).permutation(len(truth))[:count]
                told = Corrections(rows, truth[rows].astype(np.int32))
                run = annotate(views, names, Asked("graph"), corrections=told, found=found)
                rest = np.setdiff1d(np.arange(len(truth)), rows)
                scores.append(100 * float((run.labels == truth)[rest].mean()))
                errors.append(calibration_error(run.confidences[rest], (run.labels == truth)[rest]))
            line.append(f"{np.mean(scores):.1f} ({min(scores):.1f}) | {np.mean(errors):.3f}")
        print(f"| {count} | {' | '.join(line)} |", flush=True)


def asked_in_turn(whole: Case, count: int, seed: int, found: Sequence[object], step: int = 40) -> NDArray[np.int64]:
    """The pictures that the review queue asks, forty at a time, each time after learning from those before."""
    rows = np.empty(0, np.int64)
    while len(rows) < count:
        told = Corrections(rows, whole.truth[rows].astype(np.int32)) if len(rows) else None
        run = annotate([whole.view], whole.names, Asked("graph"), corrections=told, found=found)  # type: ignore[arg-type]
        new = review_queue(whole.view.vectors, run.margins, min(step, count - len(rows)), skip=rows, seed=seed)
        rows = np.concatenate([rows, new])
    return rows


def none_of_these(title: str, whole: Case) -> None:
    """AUC of the none-score: half of the classes are named, the others' pictures are to be found."""
    from sklearn.metrics import roc_auc_score

    areas = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        named = np.sort(random.permutation(len(whole.names))[: len(whole.names) // 2])
        known = np.flatnonzero(np.isin(whole.truth, named))
        strange = random.permutation(np.flatnonzero(~np.isin(whole.truth, named)))[: len(known) // 10]
        case = whole.of(np.sort(np.concatenate([known, strange])), named.tolist())
        found = find_neighbours([case.view])
        run = annotate([case.view], case.names, Asked("text"))
        areas.append(roc_auc_score(case.truth == NONE, mean_none_scores(found, run.similarities)))
    print(
        f"\n{title}: none of these, one stranger in eleven, AUC {np.mean(areas):.3f} (least {min(areas):.3f})",
        flush=True,
    )


def collapse() -> None:
    """Where refine empties classes: pictures and words far apart, as a real CLIP has them, and classes alike."""
    print("\nrefine's collapse: 7 classes of 60, image-text cosine 0.3, pictures 0.67 alike\n")
    print("| seed | text | refine: accuracy, empty | graph: accuracy, empty |\n|---|---|---|---|")
    for seed in SEEDS:
        case = gap_case(7, 60, seed)
        line = []
        for method in METHODS:
            run = annotate([case.view], case.names, Asked(method))
            line.append(f"{100 * np.mean(run.labels == case.truth):.1f}, {len(run.empty)}")
        print(f"| {seed} | {' | '.join(line)} |", flush=True)


def gap_case(classes: int, each: int, seed: int, dimension: int = 512) -> Case:
    """Synthetic: a gap between pictures and words, words that know little, one word that fits pictures best."""
    random = np.random.default_rng(seed)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=-1, keepdims=True)  # noqa: E731
    kinds = unit(random.standard_normal((classes, dimension)))
    common, gap = unit(random.standard_normal(dimension)), unit(random.standard_normal(dimension))
    truth = np.repeat(np.arange(classes), each)
    noise = unit(random.standard_normal((len(truth), dimension)))
    pictures = unit(0.8 * common + 0.35 * kinds[truth] + 0.5 * noise)
    fits = 0.3 + 0.03 * random.standard_normal((classes, 1))
    texts = unit(fits * common + 0.12 * kinds + 0.9 * gap + 0.1 * unit(random.standard_normal((classes, dimension))))
    return Case(
        View(pictures.astype(np.float32), texts.astype(np.float32), 100.0), truth, [f"kind {i}" for i in range(classes)]
    )


def large(size: str) -> None:
    """Time and memory; the vectors are half precision, as a project's are."""
    count, classes = (int(part) for part in size.split("x"))
    random = np.random.default_rng(0)
    centres = random.standard_normal((classes, 512), dtype=np.float32) * 512**-0.5
    common = (random.standard_normal(512) * 512**-0.5).astype(np.float32)
    truth = random.integers(0, classes, count)
    vectors = np.empty((count, 512), np.float16)
    for start in range(0, count, 50_000):
        part = slice(start, min(start + 50_000, count))
        rows: NDArray[np.float32] = 0.8 * common + 0.5 * centres[truth[part]]
        rows += 0.5 * 512**-0.5 * random.standard_normal(rows.shape, dtype=np.float32)
        vectors[part] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    texts = centres + 1.5 * 512**-0.5 * random.standard_normal(centres.shape, dtype=np.float32)
    views = [View(vectors, texts / np.linalg.norm(texts, axis=1, keepdims=True), 40.0)]
    names = [str(i) for i in range(classes)]
    for method in METHODS if count < 500_000 else ("text",):
        used = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        run = annotate(views, names, Asked(method))
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        right = 100 * float((run.labels == truth).mean())
        print(
            f"{size:>12} {method:<7}{seconds:7.1f} s, {cpu:.1f} s of CPU, peak {after.ru_maxrss / 2**20:.2f} GB, "
            f"right {right:.1f} %",
            flush=True,
        )


def main(arguments: Sequence[str]) -> None:
    """Run the parts asked for."""
    if arguments[:1] == ["photos"]:
        files = [Path(a) for a in arguments[1:4]]
        tuned = list(photographs(files[0], files[1], files[2], TUNED_PHOTOGRAPHS))
        held = list(photographs(files[0], files[1], files[2], HELD_PHOTOGRAPHS))
        table("Photographs, ways that the method was made on", [case for _, case in tuned])
        table("Photographs, other ways", [case for _, case in held])
        corrected("Photographs as they are", tuned[0][1])
        corrected("Photographs, covered", dict(held)["covered"])
        none_of_these("Photographs", tuned[0][1])
        return
    if arguments[:1] == ["large"] and len(arguments) > 1:
        large(arguments[1])
        return
    parts = arguments or ["digits", "demo", "tuned", "held", "worlds", "corrections", "collapse", "large"]
    if "digits" in parts:
        for inverted in (False, True):
            case = digits(inverted)
            title = f"load_digits, {'dark on light' if inverted else 'light on dark'}"
            corrected(title, case)
            table(title, [case])
            none_of_these(title, case)
    if "demo" in parts:
        case = drawings(None, plain, DEMO_KINDS)
        table("The demo's kinds", [case])
        none_of_these("The demo's kinds", case)
    if "tuned" in parts:
        table("Drawings and scans that the method was made on", [make() for make in TUNED])
    if "held" in parts:
        table("Drawings and scans that it was not made on", [make() for make in HELD])
    if "worlds" in parts:
        table("Worlds", [world(number) for number in WORLDS])
    if "corrections" in parts:
        corrected("Digits, dark on light, covered", digits(True, covered(0.3)))
        corrected("Drawings of an unseen style, blurred", drawings(UNSEEN_STYLE, blur(2.5)))
        corrected("A world", world(WORLDS[0]))
        none_of_these("Drawings of an unseen style, blurred", drawings(UNSEEN_STYLE, blur(2.5)))
        none_of_these("A world", world(WORLDS[0]))
    if "collapse" in parts:
        collapse()
    if "large" in parts:
        large("100000x100")


if __name__ == "__main__":
    main(sys.argv[1:])
