"""From a key typed on the Search screen to the results on the screen: `shoebox` in a terminal, the model warm.

Run: python -m tests.benchmarks.search_screen [IMAGES] [--folder FOLDER]
A synthetic project (100,000 images unless said, vectors that stand for the pocket model's) is opened at 160x50, and
words are typed: `alone`, each letter when the one before has its answer, and `held`, as fast as people type, where the
last letter of a word is measured. The answer is there with the last byte of the first frame that draws the pictures.
Printed: milliseconds by the clock (median, 95th percentile; the budget is 100), and the CPU of the worker and of the
thread that draws, which say more on a busy machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import tempfile
import time
from pathlib import Path

import numpy as np

from core.jobs.client import Client
from core.project import Project, open_project
from core.settings import Settings
from tests.benchmarks import clusters_screen
from tests.benchmarks.keys import FRAME_END, Terminal
from tests.jobs.test_worker import worker_pid
from tui import state

BUDGET_MS = 100.0
CLUSTERS = 100
DRAWN = 40
WORDS = ("red car", "old tree", "two fish", "small house", "dark star")
TYPED_SECONDS = 0.12
"""Between two letters of who types fast."""
QUIET_SECONDS = 0.6
PATIENCE_SECONDS = 300.0
ANSWER_BYTES = 5000
"""A frame with pictures, or with where they will be, has more; one that draws a typed letter 2,000."""


class SearchTerminal(Terminal):
    """`shoebox` on its Search screen."""

    def to_search(self) -> None:
        """Goes there."""
        self.until(b"silhouette")
        self.press(b"g", 0.3)
        self.press(b"6", 1.0)
        self.settle()

    def type_letter(self, letter: str) -> float:
        """Types it; gives when."""
        self._frames()
        began = time.perf_counter()
        os.write(self._terminal, letter.encode())
        return began

    def answered(self, began: float) -> float:
        """Milliseconds from `began` until an answer is painted."""
        while not any(len(frame) > ANSWER_BYTES for frame in self._frames()):
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise TimeoutError("no answer came")
            self._read(0.01)
        return 1e3 * (time.perf_counter() - began)

    def _frames(self) -> list[bytes]:
        """Those that have come whole since it was last asked."""
        *whole, self._frame = self._frame.split(FRAME_END)
        return whole

    def pause(self, until: float) -> None:
        """Reads until then."""
        while (left := until - time.perf_counter()) > 0:
            self._read(left)


def make(folder: Path, number: int) -> None:
    """The project of `clusters_screen`, its vectors as of the pocket model, with small previews of all pictures."""
    from core.encoders.encoder import load_encoders
    from core.encoders.spec import parse_spec
    from core.imaging.thumbnails import make_thumbnail
    from core.pocket.draw import draw

    pocket = load_encoders(parse_spec("pocket"), device="cpu")[0]
    clusters_screen.make(folder, number, CLUSTERS, dimension=pocket.dimension, fingerprint=pocket.fingerprint)
    project = open_project(folder)
    with project.database() as db:
        hashes = [row[0] for row in db.execute("SELECT hash FROM images")]
    drawn = [make_thumbnail(draw("car", seed, (64, 48)).image) for seed in range(DRAWN)]
    store = project.thumbnails(Settings())
    store.put([(content, drawn[place % DRAWN]) for place, content in enumerate(hashes)])
    store.close()


def ran(pid: int) -> float:
    """Seconds that all threads of a process have run."""
    return sum(int((t / "schedstat").read_text().split()[0]) for t in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def measure(folder: Path) -> None:
    """Types, and prints what it took."""
    (open_project(folder).state_dir / state.FILE_NAME).unlink(missing_ok=True)  # not where the last one left it
    terminal = SearchTerminal(folder, "halfcell")
    try:
        terminal.to_search()
        first = terminal.answered(terminal.type_letter("a"))
        print(f"  the first, worker and model to be started: {first:.0f} ms")
        terminal.settle(QUIET_SECONDS, 10)
        project = open_project(folder)
        for name in ("alone", "held"):
            laps = [lap for word in WORDS for lap in typed(terminal, project, f" {word}", each=name == "alone")]
            clock, work, drawn = (np.percentile(column, (50, 95)) for column in zip(*laps, strict=True))
            print(
                f"  {name:5} {len(laps):3} answers: {clock[0]:6.1f} {clock[1]:6.1f} ms (budget {BUDGET_MS:.0f})"
                f"   CPU of the worker {work[0]:5.1f} {work[1]:5.1f}, of what draws {drawn[0]:5.1f} {drawn[1]:5.1f}"
            )
    finally:
        terminal.close()


def typed(terminal: SearchTerminal, project: Project, word: str, *, each: bool) -> list[tuple[float, float, float]]:
    """Milliseconds (clock, CPU of the worker, CPU of the thread that draws) of each letter, or of the last."""
    laps = []
    worker = worker_pid(project)
    letters = re.findall(r" ?\S", word)  # a space alone asks nothing new
    for place, letter in enumerate(letters, start=1):
        worked, drew = ran(worker), terminal.ran()[0]
        began = terminal.type_letter(letter)
        if each or place == len(letters):
            clock = terminal.answered(began)
            laps.append((clock, 1e3 * (ran(worker) - worked), 1e3 * (terminal.ran()[0] - drew)))
            terminal.pause(time.perf_counter() + QUIET_SECONDS)
        else:
            terminal.pause(began + TYPED_SECONDS)
    return laps


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the project is made, or was made before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = home
        os.environ["SHOEBOX_IDLE"] = "60"
        folder = arguments.folder or Path(home) / "pictures"
        if not folder.exists():
            maker = multiprocessing.get_context("spawn").Process(target=make, args=(folder, arguments.images))
            maker.start()
            maker.join()
        with Client(open_project(folder)) as client:
            client.stop_worker()
        print(f"{arguments.images:,} images, load {os.getloadavg()[0]:.1f}; median and 95th percentile")
        measure(folder)
        with Client(open_project(folder)) as client:
            client.stop_worker()


if __name__ == "__main__":
    main()
