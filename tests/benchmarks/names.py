"""Names: whether the quality figure tells right from wrong, whether the right words win, and seconds.

    python -m tests.benchmarks.names demo                       the drawn pile, pocket: true kinds, then wrong ones
    python -m tests.benchmarks.names folders FOLDER WEIGHTS CONFIG [CLUSTERS]
                                                                a folder a class: their names and 200 other words
    python -m tests.benchmarks.names speed [100000x100x22000]   pictures x clusters x words, 512-d, from memory

`folders` counts the clusters (balanced, three seeds) whose word is the class that most of their pictures are of; beside
it how many it would be by votes alone, before any word is measured.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog import encoders, images
from core.clustering.methods import cluster
from core.clustering.settings import ClusterSettings
from core.clustering.truth import agreement
from core.clustering.vectors import Vectors
from core.encoders.encoder import Encoder, load_encoder
from core.naming import run
from core.naming.measure import held_out
from core.naming.pile import Pile
from core.naming.quality import first_shares, fit
from core.naming.rank import share_out
from core.naming.texts import Texts
from core.naming.words import load_vocabulary
from core.project import open_project
from core.settings import Settings
from tests.clustering.planted import planted
from tests.conftest import embed_here

Embedded = tuple[NDArray[np.float32], list[str], Encoder]


def main(arguments: list[str]) -> None:
    match arguments:
        case ["demo"]:
            demo()
        case ["folders", folder, weights, config, *rest]:
            folders(Path(folder), Settings(weights=weights, model_config=config), int(rest[0]) if rest else None)
        case ["speed", *rest]:
            pictures, clusters, words = map(int, (rest[0] if rest else "100000x100x22000").split("x"))
            speed(pictures, clusters, words)
        case _:
            sys.exit(__doc__)


def demo() -> None:
    from core.demo import KINDS, draw_pile

    with tempfile.TemporaryDirectory() as scratch:
        draw_pile(Path(scratch) / "pile", seed=0)
        vectors, paths, encoder = embedded(Path(scratch) / "pile", Settings(encoder="pocket"))
    kept = [(place, kind) for place, path in enumerate(paths) for kind in KINDS if Path(path).name.startswith(kind)]
    vectors, truth = vectors[[place for place, _ in kept]], [kind for _, kind in kept]
    labels = np.array([KINDS.index(kind) for kind in truth])
    words = [*KINDS, *(w for w in load_vocabulary("pocket", pocket=True).words if w not in KINDS)]
    with Texts(encoder.fingerprint, encoder, pocket=True) as texts:
        tell("the demo's kinds by pocket", vectors, labels, texts.encode(words), len(KINDS))


def folders(folder: Path, settings: Settings, clusters: int | None) -> None:
    vectors, paths, encoder = embedded(folder, settings)
    classes = sorted({Path(path).parts[0] for path in paths})
    labels = np.array([classes.index(Path(path).parts[0]) for path in paths])
    lemmas = [w for w in load_vocabulary("lemmas", pocket=False).words if w not in classes]
    clusters = clusters or len(classes)
    with Texts(encoder.fingerprint, encoder, pocket=False) as texts:
        for seed in range(3):
            others = random.Random(seed).sample(lemmas, 200)
            words = texts.encode([*classes, *others])
            if not seed:
                tell(f"{folder.name}, its classes as clusters", vectors, labels, words, len(classes))
            found = cluster(
                vectors.astype(np.float16), ClusterSettings(method="balanced", clusters=clusters, seed=seed)
            )
            grouped = found.labels
            most = [int(np.bincount(labels[grouped == k], minlength=len(classes)).argmax()) for k in range(clusters)]
            voted, taken, others_of, gap = named(vectors, grouped, clusters, words, seed)
            near = [{int(t), *r} for t, r in zip(taken, others_of, strict=True)]
            ami = agreement([classes[label] for label in labels], grouped).ami
            print(
                f"seed {seed}: {clusters} balanced clusters (AMI {ami:.2f}) are mostly of "
                f"{len(set(most))} different classes; right word for {sum(map(int.__eq__, taken.tolist(), most))} "
                f"({sum(map(int.__eq__, voted.tolist(), most))} by votes alone), "
                f"right word among the three proposed for {sum(m in n for m, n in zip(most, near, strict=True))}; "
                f"an alternative measures better by {gap:.2f} at most"
            )
            print("   ", ", ".join(f"{classes[m]}: {[*classes, *others][t]}" for m, t in zip(most, taken, strict=True)))


def tell(
    title: str, vectors: NDArray[np.float32], labels: NDArray[Any], texts: NDArray[np.float32], classes: int
) -> None:
    """Gives every class its own name, and every other word of the vocabulary: how well the figure tells them apart."""
    owners = np.repeat(np.arange(classes), len(texts))
    found = fit(vectors, labels, classes, np.tile(texts, (classes, 1)), owners)
    figures = ((found.auroc + found.near) / 2).reshape(classes, len(texts))
    right, mistaken = np.diag(figures), figures[:, :classes][~np.eye(classes, dtype=bool)]
    other = figures[:, classes:].ravel()
    first = first_shares(vectors, labels, classes, texts[:classes], np.arange(classes))
    wrong_first = first_shares(vectors, labels, classes, texts[:classes], np.roll(np.arange(classes), 1))
    print(
        f"{title}: figure of right names {right.mean():.3f} ({right.min():.3f} at least), of another cluster's name"
        f" {mistaken.mean():.3f} ({mistaken.max():.3f} at most), of other words {other.mean():.3f}"
        f" ({other.max():.3f} at most)"
    )
    print(
        f"    AUROC of the figure, right against another cluster's name {auroc(right, mistaken):.4f}, against other"
        f" words {auroc(right, other):.4f}; ranked first by {first.mean():.2f} of the pictures, wrong names by"
        f" {wrong_first.mean():.2f}"
    )


def speed(pictures: int, clusters: int, words: int) -> None:
    vectors, _ = planted(pictures, clusters, dimension=512, seed=0)
    labels = np.random.default_rng(0).integers(0, clusters, pictures).astype(np.int32)
    texts = np.random.default_rng(1).normal(size=(words, 512)).astype(np.float32)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    pile = pile_of(vectors, labels, clusters)
    began = time.process_time()
    drawn, worth = run.scored(pile, texts)
    voted = time.process_time()
    held = held_out(pile, drawn, 0)
    run.dealt(pile, held, np.arange(clusters), worth, texts)
    shared = time.process_time()
    seen, own = pile.vectors(held), labels[held]
    owners = np.repeat(np.arange(clusters), 3)
    fit(seen, own, clusters, texts[: len(owners)], owners)
    first_shares(seen, own, clusters, texts[:clusters], np.arange(clusters))
    ended = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{pictures:,} pictures, {clusters:,} clusters, {words:,} words: votes of {len(drawn):,} pictures"
        f" {voted - began:.1f} CPU s, the best measured and shared out {shared - voted:.1f}, "
        f"all measured on {len(held):,} {ended - shared:.1f}; peak {peak:.1f} GB"
    )


def named(
    vectors: Vectors, labels: NDArray[Any], clusters: int, words: NDArray[np.float32], seed: int
) -> tuple[NDArray[Any], NDArray[Any], list[list[int]], float]:
    """Words by votes alone; as the job `name` chooses them; the alternatives, and by how much one is better."""
    pile = pile_of(vectors, labels, clusters)
    drawn, worth = run.scored(pile, words, seed)
    held = held_out(pile, drawn, seed)
    taken, others = run.dealt(pile, held, np.arange(clusters), worth, words)
    pairs = [(place, word) for place, row in enumerate(others) for word in (int(taken[place]), *row)]
    owners, chosen = (np.array(column) for column in zip(*pairs, strict=True))
    found = fit(pile.vectors(held), pile.labels[held], clusters, words[chosen], owners).figure.tolist()
    figures = dict(zip(pairs, found, strict=True))
    gaps = [figures[place, word] - figures[place, int(taken[place])] for place, word in pairs]
    return share_out(worth), taken, others, max(gaps)


def pile_of(vectors: Vectors, labels: NDArray[Any], clusters: int) -> Pile:
    """Pictures in memory as naming sees those of a project."""
    everyone = np.arange(len(labels))
    return Pile(1, list(range(clusters)), everyone, labels.astype(np.int32), everyone, vectors)


def embedded(folder: Path, settings: Settings) -> Embedded:
    """The vectors of a folder's pictures, their paths, and the encoder."""
    project = open_project(folder)
    embed_here(project, settings)
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        ids, rows = encoders.embedded_images(db, record.id)
        paths = [images.get(db, image).path.decode() for image in ids]
    encoder = load_encoder(
        record.spec, device="cpu", weights=record.options["weights"], model_config=record.options["model_config"]
    )
    vectors = project.vector_file(record).read(record.rows)[rows].astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), paths, encoder


def auroc(right: NDArray[Any], wrong: NDArray[Any]) -> float:
    """The probability that a right one is higher than a wrong one."""
    return float(np.mean((right[:, None] > wrong) + 0.5 * (right[:, None] == wrong)))


if __name__ == "__main__":
    main(sys.argv[1:])
