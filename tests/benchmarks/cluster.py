"""Seconds of each clustering method on synthetic embeddings, with how well the planted classes come back.

    python -m tests.benchmarks.cluster                      every method at its usual sizes
    python -m tests.benchmarks.cluster balanced 2000x20     one method at the sizes given
    python -m tests.benchmarks.cluster minibatch 1000000x100    (needs 3 GB for the data)

Methods: balanced, kmeans, minibatch, density, umap, evoc, auto (choosing the number), silhouette, live.
The rows: 512-d float16, Zipf sizes, 5 % noise, read from a memory map as in a project. UMAP and EVoC are timed twice:
the first time in a process includes numba's compilation.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.clustering.choose import choose_clusters
from core.clustering.live import LiveClusters
from core.clustering.methods import Clustering, cluster
from core.clustering.settings import ClusterSettings
from core.clustering.silhouette import silhouette
from core.clustering.truth import agreement
from tests.clustering.planted import planted

USUAL = {
    "balanced": ["400x10", "2000x20", "10000x50"],
    "kmeans": ["400x10", "10000x50", "100000x50"],
    "minibatch": ["400x10", "10000x50", "100000x50"],
    "density": ["400x10", "1000x20"],
    "umap": ["2000x20", "2000x20"],
    "evoc": ["60000x50", "60000x50"],
    "auto": ["400x12", "2000x20", "20000x30"],
    "silhouette": ["100000x50"],
    "live": ["2000x6", "100000x6"],
}
PIECE = 50_000


def data(count: int, classes: int, folder: str) -> tuple[NDArray[np.float16], NDArray[np.int32]]:
    """Planted embeddings as a read-only memory map. Beyond PIECE rows the same classes with fresh noise."""
    vectors, labels = planted(min(count, PIECE), classes, noise=0.05, zipf=1.0)
    path = Path(folder) / "vectors.f16"
    random = np.random.default_rng(1)
    with path.open("wb") as file:
        for start in range(0, count, PIECE):
            piece = vectors[: count - start].astype(np.float32)
            if start:
                piece += random.standard_normal(piece.shape, dtype=np.float32) * 0.1 * 512**-0.5
                piece /= np.linalg.norm(piece, axis=1, keepdims=True)
            piece.astype(np.float16).tofile(file)
    return np.memmap(path, np.float16, "r", shape=(count, 512)), np.resize(labels, count)


def show(name: str, size: str, seconds: float, said: str) -> None:
    """One line of the table; memory is the peak of the process so far."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:<11}{size:>13}{seconds:>9.2f} s{memory:>7.1f} GB  {said}", flush=True)


def grouped(method: str, vectors: NDArray[np.float16], classes: int) -> Clustering:
    """One run of a method, the number of clusters given where it takes one."""
    if method in ("density", "umap", "evoc"):
        reduction = "auto" if method == "density" else method
        return cluster(vectors, ClusterSettings(method="density", reduction=reduction))
    return cluster(vectors, ClusterSettings(method=method, clusters=classes))


def measure(name: str, size: str) -> None:
    """Run one line of the benchmark."""
    count, classes = (int(part) for part in size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        vectors, truth = data(count, classes, folder)
        start = time.perf_counter()
        if name == "auto":
            choice = choose_clusters(vectors)
            show(name, size, time.perf_counter() - start, f"best {choice.best.clusters}; offers {choice}")
        elif name == "silhouette":
            quality = silhouette(vectors, truth, classes)
            show(name, size, time.perf_counter() - start, f"overall {quality.overall:.3f}")
        elif name == "live":
            measure_live(size, vectors, classes)
        else:
            found = grouped(name, vectors, classes)
            match = agreement(truth.astype(str).tolist(), found.labels)
            said = f"ARI {match.ari:.2f} AMI {match.ami:.2f} unclustered {match.unclustered:.2f} K {found.clusters}"
            show(name, size, found.seconds, f"{said} sizes {found.sizes.min()}-{found.sizes.max()}")


def measure_live(size: str, vectors: NDArray[np.float16], classes: int) -> None:
    """Feed the rows twenty at a time."""
    live = LiveClusters(clusters=min(20, classes))
    calls: list[float] = []
    for begin in range(0, len(vectors), 20):
        start = time.perf_counter()
        live.add(np.arange(begin, min(begin + 20, len(vectors))), vectors[begin : begin + 20])
        calls.append(time.perf_counter() - start)
    start = time.perf_counter()
    live.snapshot()
    snapshot = time.perf_counter() - start
    start = time.perf_counter()
    live.finish()
    said = f"a call: median {np.median(calls) * 1e3:.2f} ms, longest {max(calls) * 1e3:.0f} ms; "
    said += f"snapshot {snapshot * 1e3:.0f} ms; finish {time.perf_counter() - start:.2f} s"
    show("live", size, sum(calls), said)


if __name__ == "__main__":
    asked = sys.argv[1:]
    if asked and asked[0] not in USUAL:
        sys.exit(__doc__)
    for name in asked[:1] or USUAL:
        for size in asked[1:] or USUAL[name]:
            measure(name, size)
