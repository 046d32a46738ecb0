"""Milliseconds of a search: the engine alone at 512 dimensions, and the whole way through the worker with pocket.

    python -m tests.benchmarks.search [N ...]      100,000 and 1,000,000 unless said

The engine: the scan and the catalog, as `core.search.run.search` does them; its first answer in a new process comes
after the vectors were dropped from the system's cache where the system lets us. The whole way: a client sends a query
to a worker and reads the finished job; first with the model to be loaded, then warm, every query a new one, as when
somebody types. The budget is 100 ms warm at 100,000.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from core.catalog import encoders
from core.jobs.client import Client
from core.project import Project, open_project
from core.search.run import Wanted, search
from core.settings import Settings
from tests.benchmarks.reopen import drop_caches, make_project

BUDGET_MS = 100
TIMES = 20
POCKET_DIMENSION = 128
WORDS = ("red", "blue", "green", "small", "large", "old", "bright", "dark", "two", "many")


def measure_engine(folder: Path) -> None:
    """Searches in this process."""
    project = open_project(folder)
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    random = np.random.default_rng(1)
    walls: list[float] = []
    cpus: list[float] = []
    for _ in range(TIMES + 1):
        query = random.standard_normal(record.dimension).astype(np.float32)
        wall, cpu = time.perf_counter(), time.process_time()
        found = search(project, record, Wanted(query / np.linalg.norm(query)), most=200)
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
        assert len(found.hits) == 200
    print(f"  engine, first in its process     {walls[0]:8.1f} ms")
    print(f"  engine, warm, median of {TIMES}       {np.median(walls[1:]):8.1f} ms, CPU {np.median(cpus[1:]):.1f} ms")
    print(f"  memory at the peak               {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


def measure_worker(project: Project) -> None:
    """Searches by the worker, as a screen does."""
    settings = dataclasses.asdict(Settings(encoder="pocket"))
    with Client(project) as client:
        laps = []
        for number in range(TIMES + 1):
            query = f"a {WORDS[number % 10]} car {number}"
            begin = time.perf_counter()
            params = {"settings": settings, "query": query, "most": 200, "session": "typing"}
            *_, job = client.watch(client.submit("search", params))
            laps.append((time.perf_counter() - begin) * 1e3)
            assert job.state == "done", job.error
        client.stop_worker()
    warm = np.array(laps[1:])
    print(f"  worker and model to be started   {laps[0]:8.0f} ms")
    median = float(np.median(warm))
    print(
        f"  typed, model warm, median        {median:8.1f} ms, slowest {warm.max():.1f}, budget {BUDGET_MS} at 100,000"
    )


def be_pockets(project: Project) -> None:
    """Has the made-up vectors stand for pocket's."""
    from core.encoders.encoder import load_encoder

    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        fingerprint = load_encoder("pocket").fingerprint
        old = project.vector_file(record).path
        old.rename(old.with_name(f"{fingerprint}.f16"))
        db.execute(
            "UPDATE encoders SET fingerprint = ?, options = ? WHERE id = ?",
            (fingerprint, '{"weights": null, "model_config": null}', record.id),
        )


def main() -> None:
    """Prints the figures of each size."""
    if sys.argv[1:2] == ["--engine"]:
        measure_engine(Path(sys.argv[2]))
        return
    print(f"load {os.getloadavg()[0]:.1f}")
    for number in [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]:
        with tempfile.TemporaryDirectory() as folder:
            make_project(Path(folder), number, 512)
            dropped = drop_caches()
            print(f"{number:,} x 512{'' if dropped else ' (files in the cache)'}", flush=True)
            subprocess.run([sys.executable, "-m", "tests.benchmarks.search", "--engine", folder], check=True)
        with tempfile.TemporaryDirectory() as folder:
            make_project(Path(folder), number, POCKET_DIMENSION)
            project = open_project(folder)
            be_pockets(project)
            print(f"{number:,} x {POCKET_DIMENSION}, pocket", flush=True)
            measure_worker(project)


if __name__ == "__main__":
    main()
