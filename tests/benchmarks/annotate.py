"""Accuracy of the methods of annotation on sets whose classes are known, and time and memory on large ones.

    python -m tests.benchmarks.annotate                        everything that needs no files: digits, demo, large
    python -m tests.benchmarks.annotate digits demo            some parts
    python -m tests.benchmarks.annotate photos FOLDER WEIGHTS CONFIG   folders of classes, an open_clip model
    python -m tests.benchmarks.annotate large 100000x100       (text alone from 500,000 pictures on)

All accuracies are in percent over five seeds (mean, least); corrections are answered truthfully and not counted.
Parts: digits, demo, hard, photos, corrections, collapse, large.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.annotation.classes import ClassName
from core.annotation.confidence import calibration_error
from core.annotation.corrections import Corrections
from core.annotation.methods import METHODS, Asked, annotate, find_neighbours, mean_none_scores
from core.annotation.prompts import prompts_of, prototypes
from core.annotation.review import review_queue
from core.annotation.scores import NONE, View
from core.demo import KINDS as DEMO_KINDS
from core.pocket.draw import KINDS, UNSEEN_STYLE, draw
from core.pocket.evaluate import real_digits
from tests.annotation.pile import drawn, pocket, view

SEEDS = range(5)
Truth = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    """Pictures with their true classes (NONE where no name fits) and the names."""

    view: View
    truth: Truth
    names: Sequence[str]

    def of(self, rows: NDArray[np.int64], classes: Sequence[int] | None = None) -> Case:
        """Some of the pictures, and some of the names."""
        kept = list(range(len(self.names))) if classes is None else list(classes)
        place = np.full(len(self.names), NONE)
        place[kept] = np.arange(len(kept))
        return Case(
            replace(self.view, vectors=self.view.vectors[rows], texts=self.view.texts[kept]),
            place[self.truth[rows]],
            [self.names[k] for k in kept],
        )


def situations(whole: Case, seed: int, each: int = 40, most: int = 12) -> Iterator[tuple[str, Case]]:
    """The same pictures in the situations that methods differ in."""
    random = np.random.default_rng(seed)
    classes = random.permutation(len(whole.names))[:most].tolist()
    rows = {c: random.permutation(np.flatnonzero(whole.truth == c)) for c in classes}
    each = min(each, *(len(r) for r in rows.values()))
    n, first = len(classes), classes[0]

    def take(sizes: dict[int, int]) -> Case:
        return whole.of(np.sort(np.concatenate([rows[c][:size] for c, size in sizes.items()])), classes)

    yield "all present, equal", take(dict.fromkeys(classes, each))
    yield "one five times the others", take({c: each if c == first else each // 5 for c in classes})
    share = round(each / 1.5 / (n - 1))
    yield "one of 60 %", take({c: each if c == first else max(1, share) for c in classes})
    yield "two wrong names", take(dict.fromkeys(classes[2:], each))
    yield "a third of the names", take(dict.fromkeys(classes[: round(n / 3)], each))
    yield "a quarter of the names", take({c: len(rows[c][:200]) for c in classes[: max(2, round(n / 4))]})


def table(title: str, wholes: Sequence[Case]) -> None:
    """Accuracy of the words, gains of the others over them, and the calibration error of the default."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in SEEDS:
        for whole in wholes:
            for name, case in situations(whole, seed):
                own = found.setdefault(name, {m: [] for m in (*METHODS, "ece", "size")})
                for method in METHODS:
                    run = annotate([case.view], case.names, Asked(method, seed=seed))
                    right = run.labels == case.truth
                    own[method].append(100 * float(right.mean()))
                own["ece"].append(calibration_error(run.confidences, right))
                own["size"].append(len(right))
    print(f"\n{title}: accuracy of text; gain over it, mean (least)\n")
    print(f"| {'situation':<26} | pictures | text | refine | graph | ECE of graph |\n|---|---|---|---|---|---|")
    for name, own in found.items():
        text = np.array(own["text"])
        gains = [np.array(own[m]) - text for m in ("refine", "graph")]
        shown = " | ".join(f"{g.mean():+.1f} ({g.min():+.1f})" for g in gains)
        sizes = f"{min(own['size']):.0f} - {max(own['size']):.0f}"
        print(f"| {name:<26} | {sizes} | {text.mean():.1f} | {shown} | {np.mean(own['ece']):.3f} |", flush=True)


def corrected(title: str, whole: Case) -> None:
    """The default with corrections asked by the review queue and at random."""
    views, names, truth = [whole.view], whole.names, whole.truth
    found = find_neighbours(views)
    runs = {method: annotate(views, names, Asked(method), found=found) for method in METHODS}
    shares = ", ".join(f"{method} {100 * np.mean(run.labels == truth):.1f}" for method, run in runs.items())
    print(f"\n{title}, {len(truth)} pictures: {shares}\n")
    print("| corrections | queue | ECE | random | ECE |\n|---|---|---|---|---|")
    for count in (50, 200):
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


def digits_case(inverted: bool) -> Case:
    """scikit-learn's scans of digits with the prompts of digits."""
    pixels, truth = real_digits(inverted)
    vectors = np.concatenate([pocket().encode_images(pixels[i : i + 300]) for i in range(0, len(pixels), 300)])
    names = [str(d) for d in range(10)]
    return Case(view(vectors, prompts_of([ClassName(n) for n in names])), truth, names)


def drawn_case(
    kinds: Sequence[str], each: int, style: str | None = None, spoil: Callable[..., object] | None = None
) -> Case:
    """Drawings of the pocket model's kinds, spoilt where asked."""
    if spoil is None:
        vectors = np.concatenate([drawn(kind, each, style) for kind in kinds])
    else:
        pictures = [np.asarray(spoil(draw(k, 32_000_000 + i, style=style).image)) for k in kinds for i in range(each)]
        vectors = pocket().encode_images(np.stack(pictures).astype(np.uint8))
    prompts = prompts_of([ClassName(kind) for kind in kinds])
    return Case(view(vectors, prompts), np.repeat(np.arange(len(kinds)), each), list(kinds))


def photos_case(folder: Path, weights: Path, config: Path) -> Case:
    """Photographs in folders that are called as their classes, through an open_clip model."""
    import torch
    from PIL import Image

    from core.encoders.encoder import load_encoder

    encoder = load_encoder("open_clip:given", device="cpu", weights=weights, model_config=config, precision="float32")
    names = sorted(p.name for p in folder.iterdir() if p.is_dir())
    files = [(place, file) for place, name in enumerate(names) for file in sorted((folder / name).iterdir())]
    vectors = []
    for start in range(0, len(files), 32):
        pictures = [encoder.transform(Image.open(file).convert("RGB")) for _, file in files[start : start + 32]]
        vectors.append(encoder.encode_transformed(torch.stack(pictures)))
    texts = prototypes(encoder.encode_texts, prompts_of([ClassName(name) for name in names]))
    seen = View(np.concatenate(vectors), texts, encoder.logit_scale)
    return Case(seen, np.array([place for place, _ in files]), names)


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
        case = photos_case(*(Path(a) for a in arguments[1:4]))
        table("Photographs", [case])
        corrected("Photographs", case)
        none_of_these("Photographs", case)
        return
    if arguments[:1] == ["large"] and len(arguments) > 1:
        large(arguments[1])
        return
    parts = arguments or ["digits", "demo", "hard", "collapse", "large"]
    if "digits" in parts:
        for inverted in (False, True):
            case = digits_case(inverted)
            title = f"load_digits, {'dark on light' if inverted else 'light on dark'}"
            corrected(title, case)
            table(title, [case])
            none_of_these(title, case)
    if "demo" in parts:
        case = drawn_case(DEMO_KINDS, 60)
        table("The demo's kinds", [case])
        none_of_these("The demo's kinds", case)
    if "hard" in parts:
        from PIL import ImageFilter

        blur = ImageFilter.GaussianBlur(3)
        table("Drawings of an unseen style, blurred", [drawn_case(KINDS, 60, UNSEEN_STYLE, lambda i: i.filter(blur))])
    if "collapse" in parts:
        collapse()
    if "large" in parts:
        large("100000x100")


if __name__ == "__main__":
    main(sys.argv[1:])
