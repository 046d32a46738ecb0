"""Seconds, memory and recall of near-twins, on planted embeddings a tenth of which have a twin.

    python -m tests.benchmarks.twins [N ...]      20,000 and 100,000 unless said; 1,000,000 takes a minute or two

Twins are planted at cosines from 0.972 to 0.995; groups are made at 0.97. Recall: planted pairs that are in one group.
A pair closer than the threshold in a group would be chaining: the least cosine found in any group is printed.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import unit_rows
from core.twins.groups import twin_groups
from tests.clustering.planted import planted

THRESHOLD = 0.97
PIECE = 50_000


def write_rows(path: Path, count: int) -> NDArray[np.int64]:
    """Writes `count` rows, the last eleventh of them twins; gives the row that each of those is a twin of."""
    random = np.random.default_rng(0)
    base = count - count // 11
    seeds = range(-(-base // PIECE))
    with path.open("wb") as file:
        for seed in seeds:
            rows, _ = planted(min(PIECE, base - seed * PIECE), 100, seed=seed, noise=0.05, zipf=1.0)
            rows.tofile(file)
    vectors = np.memmap(path, np.float16, "r", shape=(base, 512))
    originals = random.choice(base, count - base, replace=False)
    with path.open("ab") as file:
        for start in range(0, len(originals), PIECE):
            points = unit_rows(vectors, originals[start : start + PIECE])
            away = random.standard_normal(points.shape, dtype=np.float32)
            away -= (away * points).sum(axis=1, keepdims=True) * points
            away /= np.linalg.norm(away, axis=1, keepdims=True)
            near = random.uniform(0.972, 0.995, (len(points), 1)).astype(np.float32)
            (near * points + np.sqrt(1 - near**2) * away).astype(np.float16).tofile(file)
    return originals


def measure(count: int) -> None:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.f16"
        originals = write_rows(path, count)
        vectors = np.memmap(path, np.float16, "r", shape=(count, 512))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        wall, cpu = time.perf_counter(), time.process_time()
        groups = twin_groups(vectors, np.arange(count), THRESHOLD)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        group_of = {row: number for number, group in enumerate(groups) for row in group}
        first = count - len(originals)
        found = sum(group_of.get(int(row), -1) == group_of.get(first + twin, -2) for twin, row in enumerate(originals))
        least = min(float((points @ points.T).min()) for points in (unit_rows(vectors, np.array(g)) for g in groups))
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{count:>9,}: {wall:6.1f} s, CPU {cpu:6.1f} s, memory {after:.2f} GB ({before:.2f} before),"
            f" {len(groups):,} groups, recall {found / len(originals):.4f}, least cosine {least:.4f}",
            flush=True,
        )


if __name__ == "__main__":
    print(f"load {os.getloadavg()[0]:.1f}")
    for size in [int(size) for size in sys.argv[1:]] or [20_000, 100_000]:
        measure(size)
