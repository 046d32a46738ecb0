"""Seconds to reopen a project of many embeddings: everything a first screen asks of it.

Run: python -m tests.benchmarks.reopen [N] [--dimension D] [--plans]
A synthetic project of N embeddings (1,000,000 unless said) is made in a temporary folder and opened in a process of
its own, first with the system's cache of its files dropped where the system lets us, then again. The budget is 1 s.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.catalog import clusterings, encoders, images
from core.catalog.clusterings import NewCluster
from core.catalog.database import Database
from core.project import Project, open_project

BUDGET_SECONDS = 1.0
CLUSTERS = 100
CHUNK = 50_000
MEMBERS_SHOWN = 100


def make_project(folder: Path, number: int, dimension: int, fingerprint: str = "synthetic") -> None:
    """A project of `number` embedded, clustered pictures that are not there."""
    project = open_project(folder)
    with project.database(durable=False) as db:
        record = encoders.register(db, fingerprint=fingerprint, spec="pocket", options={}, dimension=dimension)
        for start in range(0, number, CHUNK):
            ids = range(start, min(start + CHUNK, number))
            contents = [hashlib.blake2b(str(i).encode(), digest_size=16).digest() for i in ids]
            with db.transaction():
                images.add(db, 1, [(b"%04d/%08d.jpg" % (i // 1000, i), 100_000, i) for i in ids])
                images.add_contents(db, [(content, 1920, 1080, "JPEG") for content in contents])
                encoders.add_embeddings(db, record.id, contents, start)
                images.mark_ready(db, [(i + 1, content) for i, content in zip(ids, contents, strict=True)])
        _write_vectors(project, encoders.get(db, record.id))
        _record_clustering(db, record.id, number, dimension)


def _write_vectors(project: Project, record: encoders.EncoderRecord) -> None:
    generator = np.random.default_rng(0)
    file = project.vector_file(record)
    for start in range(0, record.rows, CHUNK):
        rows = generator.standard_normal((min(CHUNK, record.rows - start), record.dimension), dtype=np.float32)
        file.append(rows / np.linalg.norm(rows, axis=1, keepdims=True), start)


def _record_clustering(db: Database, encoder: int, number: int, dimension: int) -> None:
    sizes = [len(range(first, number, CLUSTERS)) for first in range(CLUSTERS)]
    clusterings.record(
        db,
        encoder=encoder,
        method="minibatch",
        route="minibatch",
        settings={},
        seed=0,
        silhouette=0.1,
        seconds=1.0,
        clusters=[
            NewCluster(n + 1, None, size, n + 1, 0.5, 0.1, False, list(range(n + 1, n + 17)), bytes(2 * dimension))
            for n, size in enumerate(sizes)
        ],
        assignments=[(i + 1, i % CLUSTERS + 1, float(i * 7919 % number) / number) for i in range(number)],
    )


def reopen(folder: Path) -> Iterator[tuple[str, float]]:
    """Asks for what a first screen shows; yields each question and its seconds."""
    last = time.perf_counter()

    def lap(name: str) -> tuple[str, float]:
        nonlocal last
        seconds, last = time.perf_counter() - last, time.perf_counter()
        return name, seconds

    project = open_project(folder)
    with project.database() as db:
        yield lap("open_project")
        images.counts(db)
        yield lap("counts")
        record = encoders.last(db)
        assert record is not None
        yield lap("last encoder")
        images.count_embedded(db, record.id)
        yield lap("count_embedded")
        run = clusterings.latest(db)
        assert run is not None
        clusters = clusterings.clusters_of(db, run.id)
        yield lap("latest clustering")
        members = clusterings.members(db, run.id, clusters[0].number)
        assert len([member for member, _ in zip(members, range(MEMBERS_SHOWN), strict=False)]) == MEMBERS_SHOWN
        yield lap("first members")
        vectors = project.vector_file(record).read(record.rows)
        assert vectors.shape == (record.rows, record.dimension)
        yield lap("mmap of the vectors")


def beyond(folder: Path) -> Iterator[tuple[str, float]]:
    """What is asked later, not by the first screen: for comparison."""
    with open_project(folder).database() as db:
        record = encoders.last(db)
        assert record is not None
        questions = {
            "count_to_embed": lambda: images.count_to_embed(db, record.id),
            "to_embed (nothing to do)": lambda: images.to_embed(db, record.id, after=0, limit=1000),
            "embedded_images": lambda: encoders.embedded_images(db, record.id),
            "known_hashes": lambda: encoders.known_hashes(db, record.id),
        }
        for name, ask in questions.items():
            start = time.perf_counter()
            ask()
            yield name, time.perf_counter() - start


def drop_caches() -> bool:
    """Has the system forget what it read of files; False where it does not let us."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def _in_a_new_process(folder: Path, what: str, dropped: bool) -> None:
    print(f"\n{what}{'' if dropped else ' (files in the cache)'}")
    subprocess.run([sys.executable, "-m", "tests.benchmarks.reopen", "--measure", folder], check=True)


def _print_all(laps: Iterator[tuple[str, float]]) -> float:
    total = 0.0
    for name, seconds in laps:
        total += seconds
        print(f"  {name:28} {seconds:7.3f} s")
    return total


def main() -> None:
    """Prints the seconds of each question, and of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        total = _print_all(reopen(arguments.measure))
        print(
            f"  {'reopening':28} {total:7.3f} s, budget {BUDGET_SECONDS} s: {BUDGET_SECONDS / total:.1f} times faster"
        )
        print("  beyond:")
        _print_all(beyond(arguments.measure))
        return
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        make_project(Path(folder), arguments.number, arguments.dimension)
        size = (Path(folder) / ".shoebox" / "catalog.sqlite").stat().st_size
        print(f"made in {time.perf_counter() - start:.0f} s; catalog {size / 1e6:.0f} MB")
        _in_a_new_process(Path(folder), "cold", drop_caches())
        _in_a_new_process(Path(folder), "warm", True)


if __name__ == "__main__":
    main()
