"""Kills worker and command at random moments of an embedding, and looks at what is left after each.

    python -m tests.benchmarks.kills [--kills 50] [--pictures 2000] [--seed 0]

Prints what was found: a catalog that is intact, every content embedded exactly once, no vector lost that was
counted, and how many pictures each run found done.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from core.catalog import encoders, images
from core.demo import pile
from core.jobs.endpoint import worker_lives
from core.project import Project, open_project

SMALL_BATCHES = {"SHOEBOX_BATCH_SIZE": "4", "SHOEBOX_DECODE_THREADS": "1", "SHOEBOX_IDLE": "5"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--pictures", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        _draw(pictures, given.pictures)
        project = open_project(pictures)
        sure: dict[bytes, bytes] = {}
        kills = {"worker": 0, "command": 0, "both": 0}
        for number in range(given.kills):
            victim = rng.choice(sorted(kills))
            _embed_and_kill(project, pictures, victim, rng)
            kills[victim] += 1
            sure = _examine(project, sure)
            print(f"kill {number + 1:3} ({victim:7}): {len(sure):5} contents embedded, catalog intact")
            if len(sure) > 0.9 * given.pictures:
                _forget(project)
                sure = _examine(project, {})
        done = _command(pictures)
        done.wait()
        _examine(project, sure)
        with project.database() as db:
            record = encoders.last(db)
            assert record is not None
            ids, rows = encoders.embedded_images(db, record.id)
            counts = images.counts(db)
        good = counts.images - counts.failed
        print(f"{kills}; at the end {len(ids)} of {good} pictures embedded, exit {done.returncode}")
        assert len(ids) == good
        assert len(set(rows)) == record.rows


def _draw(folder: Path, number: int) -> None:
    folder.mkdir()
    seed = 0
    while True:
        for file in pile(seed):
            if number == 0:
                return
            (folder / f"{seed}-{file.name}").write_bytes(file.data)
            number -= 1
        seed += 1


def _command(pictures: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "embed", str(pictures), "--encoder", "pocket", "--quiet"],
        env=os.environ | SMALL_BATCHES,
        stdout=subprocess.DEVNULL,
    )


def _embed_and_kill(project: Project, pictures: Path, victim: str, rng: random.Random) -> None:
    before = _rows(project)
    command = _command(pictures)
    deadline = time.monotonic() + rng.uniform(5, 60)
    while _rows(project) == before and command.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(rng.uniform(0, 0.3))
    worker = _worker(project)
    if victim in ("worker", "both") and worker is not None:
        if victim == "both":
            command.kill()
        os.kill(worker, signal.SIGKILL)
    if victim in ("command", "both"):
        command.kill()
        time.sleep(rng.uniform(0, 0.2))
    if victim == "worker":
        time.sleep(rng.uniform(0, 0.5))
        command.kill()
    command.wait()
    worker = _worker(project)
    if worker is not None:
        os.kill(worker, signal.SIGKILL)
    while worker_lives(project):
        time.sleep(0.01)


def _examine(project: Project, sure: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Checks the catalog; gives the vector of every content. What was there before is there still, unchanged."""
    with project.database() as db:
        assert db.value("PRAGMA integrity_check") == "ok"
        assert not db.execute("PRAGMA foreign_key_check").fetchall()
        record = encoders.last(db)
        if record is None:
            return sure
        found = dict(db.execute("SELECT hash, row FROM embeddings WHERE encoder = ?", (record.id,)).fetchall())
    assert sorted(found.values()) == list(range(record.rows)), "a row is lost or counted twice"
    vectors = project.vector_file(record).read(record.rows)
    if record.rows:
        assert np.abs(np.linalg.norm(vectors.astype(np.float32), axis=1) - 1).max() < 2e-3
    now = {content: vectors[row].tobytes() for content, row in found.items()}
    assert all(now[content] == vector for content, vector in sure.items()), "a vector was lost or changed"
    return now


def _forget(project: Project) -> None:
    """Sets the project back to the start, so that there is work left to kill."""
    with project.database() as db, db.transaction():
        db.execute("DELETE FROM embeddings")
        db.execute("UPDATE encoders SET rows = 0")


def _rows(project: Project) -> int:
    with project.database() as db:
        record = encoders.last(db)
        return record.rows if record else 0


def _worker(project: Project) -> int | None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"core.jobs.worker" in command and os.fsencode(project.directory) in command:
                return int(entry.name)
    return None


if __name__ == "__main__":
    main()
