"""Milliseconds of edits by hand on a clustering of many pictures: the whole edit, and its longest transaction.

Run: python -m tests.benchmarks.edits [N]
A synthetic project of N clustered pictures (100,000 unless said) in clusters of N / 5. An edit of more pictures than
core.catalog.curation.CHUNK is several transactions; others wait for the write lock no longer than for one of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.catalog import clusterings, curation, edits, encoders, images
from core.catalog.clusterings import NewCluster
from core.catalog.database import Database
from core.project import open_project

BUDGET_MS = 20.0
CLUSTERS = 5


class Watched(Database):
    """A catalog that knows the longest of its transactions, in seconds, waiting for the lock and fsync included."""

    longest = 0.0
    most_cpu = 0.0
    """The same of CPU alone: on a busy machine it says more."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As ever, but timed."""
        start, worked = time.perf_counter(), time.thread_time()
        with super().transaction():
            yield
        self.longest = max(self.longest, time.perf_counter() - start)
        self.most_cpu = max(self.most_cpu, time.thread_time() - worked)


def make(db: Database, number: int) -> int:
    """Records `number` pictures in CLUSTERS clusters; gives the run."""
    encoder = encoders.register(db, fingerprint="synthetic", spec="pocket", options={}, dimension=512)
    contents = [i.to_bytes(16, "big") for i in range(number)]
    with db.transaction():
        images.add(db, 1, [(b"%08d.jpg" % i, 100_000, i) for i in range(number)])
        images.add_contents(db, [(content, 1920, 1080, "JPEG") for content in contents])
        encoders.add_embeddings(db, encoder.id, contents, 0)
        images.mark_ready(db, [(i + 1, content) for i, content in enumerate(contents)])
    size = number // CLUSTERS
    return clusterings.record(
        db,
        encoder=encoder.id,
        method="minibatch",
        route="minibatch",
        settings={},
        seed=0,
        silhouette=0.1,
        seconds=1.0,
        clusters=[
            NewCluster(n + 1, None, size, n + 1, 0.5, 0.1, False, range(n + 1, n + 80, CLUSTERS), bytes(1024))
            for n in range(CLUSTERS)
        ],
        assignments=[(i + 1, i % CLUSTERS + 1, float(i * 7919 % number) / number) for i in range(number)],
    )


def main() -> None:
    """Prints the milliseconds of each edit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", nargs="?", type=int, default=100_000)
    number = parser.parse_args().number
    with tempfile.TemporaryDirectory() as folder, closing(Watched(open_project(Path(folder)).catalog_path)) as db:
        run = make(db, number)
        some = [row[0] for row in db.execute("SELECT image FROM assignments WHERE cluster = 1 LIMIT 500")]
        many = range(1, 20_001)
        asked: dict[str, Callable[[], object]] = {
            "rename": lambda: curation.rename(db, run, 1, "a name"),
            "move 500": lambda: curation.move(db, run, some, 2),
            "undo it": lambda: edits.undo(db),
            "redo it": lambda: edits.redo(db),
            "new cluster of 500": lambda: curation.new_cluster(db, run, some, "new"),
            "undo that": lambda: edits.undo(db),
            "trash 500": lambda: curation.trash(db, some),
            "undo the trash": lambda: edits.undo(db),
            "trash 20,000": lambda: curation.trash(db, many),
            "undo that trash": lambda: edits.undo(db),
            "move 20,000": lambda: curation.move(db, run, many, 2),
            "undo that move": lambda: edits.undo(db),
            f"merge two of {number // CLUSTERS:,}": lambda: curation.merge(db, run, [3], 4),
            "undo the merge": lambda: edits.undo(db),
            "redo the merge": lambda: edits.redo(db),
        }
        print(f"{'':24} {'all':>8} {'longest transaction':>20} {'its CPU':>10}   budget {BUDGET_MS:.0f} ms")
        for name, act in asked.items():
            db.longest, db.most_cpu, start = 0.0, 0.0, time.perf_counter()
            act()
            took = time.perf_counter() - start
            longest, cpu = 1e3 * db.longest, 1e3 * db.most_cpu
            print(f"{name:24} {took * 1e3:8.1f} {longest:20.1f} {cpu:10.1f}   {BUDGET_MS / longest:.1f} times")


if __name__ == "__main__":
    main()
