"""Downloads from a server on loopback: pictures a second, and what a kill in the middle costs.

    python -m tests.benchmarks.downloads [--pictures 2000] [--kills 1] [--seed 0]

The server is a process of its own. First the downloads alone, then all of it anew with the worker killed (SIGKILL) at
random moments while it downloads and embeds: requests in all, files, duplicates.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from core.catalog import downloads, encoders
from core.catalog.jobs import Job
from core.jobs.client import Client
from core.project import Project, open_project
from core.settings import Settings
from tests.benchmarks.kills import _worker

SERVER = """
import json, sys
from pathlib import Path
from tests.sources.servers import Web, serves
folder = Path(sys.argv[1])
with Web({f"/{file.name}": serves(file.read_bytes()) for file in folder.iterdir()}) as web:
    web.routes["/asked"] = lambda handler: handler.answer(200, json.dumps(web.counts).encode())
    print(web.url, flush=True)
    sys.stdin.read()
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pictures", type=int, default=2000)
    arguments.add_argument("--kills", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "served", given.pictures, given.seed)
        os.chdir(folder)
        for kills in (0, given.kills):
            server = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(folder / "served")],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            urls = folder / f"kills-{kills}.txt"
            urls.write_text("".join(f"{url}/{i:05}.png\n" for i in range(given.pictures)))
            project = open_project(urls)
            measure(project, url, given.pictures, kills, rng)
            server.kill()
            server.wait()


def draw(folder: Path, number: int, seed: int) -> None:
    """Pictures of about 20 KB, no two alike."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i in range(number):
        buffer = io.BytesIO()
        noise = rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(noise).save(buffer, "PNG", compress_level=0)
        (folder / f"{i:05}.png").write_bytes(buffer.getvalue())


def measure(project: Project, url: str, number: int, kills: int, rng: random.Random) -> None:
    """Downloads all of it, without embedding where nothing is killed, and prints what it came to."""
    settings = dataclasses.asdict(Settings(encoder="pocket", idle=5))
    params: dict[str, Any] = {"settings": settings, "source": {"allow_private": True}}
    with Client(project) as client:
        job_id = client.submit("embed" if kills else "download", params)
        for kill in range(kills):
            at = int(number * (kill + rng.uniform(0.3, 0.9)) / kills)
            job = _until(client, project, job_id, at)
            worker = _worker(project)
            if job.ended or worker is None:
                print("it was over before the kill")
                break
            os.kill(worker, signal.SIGKILL)
            print(f"killed when {_done(project):,} were recorded")
        *_, job = client.watch(job_id)
        times = psutil.Process(_worker(project)).cpu_times()
        client.stop_worker()
    with urllib.request.urlopen(f"{url}/asked") as answer:
        asked = {path: count for path, count in json.load(answer).items() if path != "/asked"}
    files = [path for path in project.downloads.rglob("*") if path.is_file()]
    contents = {hashlib.sha256(path.read_bytes()).digest() for path in files}
    with project.database() as db:
        counts = downloads.counts(db)
        record = encoders.last(db)
        embedded = len(encoders.embedded_images(db, record.id)[0]) if record else 0
    seconds = (job.finished or 0) - (job.started or 0)
    print(f"{job.kind}, {job.state} at attempt {job.attempts}: {counts.done:,} of {number:,} downloaded,", end=" ")
    print(f"{embedded:,} embedded; {sum(asked.values()):,} requests in all,", end=" ")
    print(f"{len(files):,} files, {len(files) - len(contents)} duplicates")
    if not kills:
        size = sum(path.stat().st_size for path in files) / 1e6
        print(
            f"{number / seconds:,.0f} pictures/s, {size / seconds:,.1f} MB/s ({size:,.0f} MB in {seconds:.2f} s,",
            end=" ",
        )
        print(f"{times.user + times.system:.2f} s of CPU in the worker)")
    assert counts.done == len(files) == len(contents) == number


def _until(client: Client, project: Project, job_id: int, done: int) -> Job:
    for job in client.watch(job_id):
        if job.ended or _done(project) >= done:
            return job
    raise AssertionError("a job is told of at least once")


def _done(project: Project) -> int:
    with project.database() as db:
        return downloads.counts(db).done


if __name__ == "__main__":
    main()
