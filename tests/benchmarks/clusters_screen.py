"""Key to paint on the Clusters screen: a project of many images and clusters, its cursor moved over the clusters.

Run: python -m tests.benchmarks.clusters_screen [IMAGES] [CLUSTERS] [--beside]
A synthetic project (100,000 images in 200 clusters unless said; catalog rows and vectors, no files) is opened in a
terminal of the test kind, 160x50. From each key to the paint that follows it is measured, and how long the pictures
take to be there. With --beside a process commits to the catalog all the time, as an embed job does, and another one
keeps a core busy. The budget is 50 ms at the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from textual import events

from core.catalog import clusterings, images
from core.project import Project, open_project
from tests.benchmarks import reopen
from tui import reading
from tui.app import ShoeboxApp
from tui.graphics.terminal import Terminal
from tui.screens.clusters import ClustersScreen

BUDGET_MS = 50.0
DIMENSION = 512
SIZE = (160, 50)


def make(folder: Path, number: int, clusters: int, **encoder: Any) -> None:
    """The project of the benchmark `reopen`, with so many clusters, and names. `encoder`: as its `make_project`."""
    reopen.CLUSTERS = clusters
    folder.mkdir(parents=True)
    reopen.make_project(folder, number, **({"dimension": DIMENSION} | encoder))
    project = open_project(folder)
    with project.database(durable=False) as db, db.transaction():
        run = clusterings.latest(db)
        assert run is not None
        for cluster in clusterings.clusters_of(db, run.id)[::2]:
            name = f"synthetic {cluster.number * 7919 % 1000}"
            db.execute(
                "UPDATE clusters SET name = ? WHERE clustering = ? AND number = ?", (name, run.id, cluster.number)
            )


def commits(folder: str) -> None:
    """Commits as an embed job does, until it is ended."""
    with open_project(folder).database() as db:
        for n in range(10**9):
            with db.transaction():
                images.add(db, 1, [(b"beside/%08d-%03d.jpg" % (n, i), 1000, i) for i in range(128)])
            time.sleep(0.05)


def spins() -> None:
    """Keeps a core busy, as encoding does."""
    os.nice(10)
    while True:
        np.sort(np.random.default_rng(0).random(1_000_000))


@contextmanager
def busy(folder: Path, beside: bool) -> Iterator[None]:
    """The processes beside, while it lasts."""
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=commits, args=(str(folder),)), context.Process(target=spins)] if beside else []
    for process in others:
        process.start()
    time.sleep(2 if beside else 0)
    yield
    for process in others:
        process.terminate()


async def measure(project: Project) -> dict[str, list[float]]:
    """Milliseconds by what was done."""
    app = ShoeboxApp(project, Terminal(truecolor=True), dict(os.environ))
    painted = asyncio.Event()
    found: dict[str, list[float]] = {}
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: isinstance(app.screen, ClustersScreen) and app.screen.pictures is not None)
        screen = app.screen
        assert isinstance(screen, ClustersScreen)
        display = app._display

        def hooked(*arguments: object) -> None:
            display(*arguments)  # type: ignore[arg-type]
            painted.set()

        app._display = hooked  # type: ignore[method-assign,assignment]

        async def key(name: str, key: str, wait: Callable[[], Awaitable[None]] | None = None) -> None:
            painted.clear()
            start, worked = time.perf_counter(), time.thread_time()
            app.post_message(_key(key))
            await asyncio.wait_for(painted.wait(), 5)
            found.setdefault(name, []).append(1000 * (time.perf_counter() - start))
            found.setdefault(f"{name}, the loop's own work", []).append(1000 * (time.thread_time() - worked))
            if wait is not None:
                await wait()
                found.setdefault(f"{name}, pictures there", []).append(1000 * (time.perf_counter() - start))

        async def pictures_there() -> None:
            await until(lambda: screen.row is not None and screen.shown == screen.row.number)

        for _ in range(60):
            await key("j with a pause after it", "j", pictures_there)
            await asyncio.sleep(0.05)
        for _ in range(100):
            await key("j held down (30 a second)", "j")
            await asyncio.sleep(0.033)
        for _ in range(20):
            await key("G and home in the list", "G")
            await key("G and home in the list", "home")
        await pilot.press("tab")
        for _ in range(60):
            await key("l in the grid", "l")
            await asyncio.sleep(0.03)
        for _ in range(60):
            await key("j in the grid", "j")
            await asyncio.sleep(0.03)
        await pilot.press("home")
        for _ in range(8):
            await key("page down in the grid", "pagedown")
            await asyncio.sleep(0.1)
        for _ in range(10):
            await key("tab", "tab")
            await asyncio.sleep(0.1)
        await pilot.press("tab", "slash")
        for letter in "synthetic 5":
            await key("a letter in the filter", "space" if letter == " " else letter)
        await pilot.press("enter", "escape")
        for _ in range(20):
            await key("o (another order)", "o")
    return found


def _key(key: str) -> events.Key:
    return events.Key(key, key if len(key) == 1 else " " if key == "space" else None)


async def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Waits until it happened."""
    end = time.perf_counter() + seconds
    while not happened():
        if time.perf_counter() > end:
            raise TimeoutError
        await asyncio.sleep(0.002)


def queries(project: Project) -> Iterator[tuple[str, float]]:
    """Milliseconds of what is read in threads."""
    with project.database() as db:
        run = clusterings.latest(db)
        assert run is not None
        ids = reading.picture_ids(db, run.id, 1)
        asked: dict[str, Callable[[], object]] = {
            "overview": lambda: reading.overview(db),
            "ids of a cluster": lambda: reading.picture_ids(db, run.id, 2),
            "a page of 96": lambda: reading.pictures(db, run.id, ids[:96]),
            "neighbours of one": lambda: reading.neighbours(project, db, run, ids[0], 12),
        }
        for name, ask in asked.items():
            start = time.perf_counter()
            ask()
            yield name, 1000 * (time.perf_counter() - start)


def main() -> None:
    """Prints milliseconds, median, 95th percentile and worst, against the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=int, default=100_000)
    parser.add_argument("clusters", nargs="?", type=int, default=200)
    parser.add_argument("--beside", action="store_true", help="with commits and a busy core beside it")
    arguments = parser.parse_args()
    sizes = (arguments.images, arguments.clusters)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = str(Path(folder) / "home")
        pile = Path(folder) / "pictures"
        maker = multiprocessing.get_context("spawn").Process(target=make, args=(pile, *sizes))
        maker.start()  # a process of its own: what it takes is no memory of the screen's
        maker.join()
        project = open_project(pile)
        print(f"{arguments.images:,} images, {arguments.clusters:,} clusters")
        for name, ms in queries(project):
            print(f"  {name:52} {ms:7.1f} ms (in a thread)")
        with busy(pile, arguments.beside):
            found = asyncio.run(measure(project))
        for name, every in found.items():
            middle, high, worst = np.percentile(every, (50, 95, 100))
            ratio = "" if "," in name else f"  {BUDGET_MS / high:5.1f} times under the budget"
            print(f"  {name:52} {middle:6.1f} median {high:6.1f} p95 {worst:6.1f} worst ms{ratio}")
        print(f"  memory at its most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
