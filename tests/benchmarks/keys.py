"""Key to paint as a user has it: `shoebox` in a terminal, alone and with a real embed job beside it.

Run: python -m tests.benchmarks.keys [IMAGES] [CLUSTERS] [--graphics G] [--folder FOLDER]
A synthetic project (100,000 images in 200 clusters unless said; real files of nothing but holes, vectors as the pocket
model's, previews of drawn pictures) is opened at 160x50. A key's bytes go in; the paint is there with the last byte of
the first frame that draws between the line on top and the two below. For each kind of key: milliseconds by the clock
(median, 95th percentile; the budget is 50), of these the CPU of the thread that draws and how long that waited for a
core (on a busy machine these two say more than the clock), and the bytes until the screen is quiet. Then the same while
the worker embeds some thousand drawn pictures of the same project. Also what the idle screen takes.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import io
import multiprocessing
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.catalog import clusterings
from core.jobs.client import Client
from core.project import Project, open_project
from core.settings import Settings
from tests.benchmarks import clusters_screen
from tui import state

BUDGET_MS = 50.0
COLUMNS, LINES = 160, 50
BODY = range(3, LINES - 1)
"""The lines that belong to no bar, as the terminal counts them."""
ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
"""What a terminal is asked, and says: that it is one, and that it knows where a frame begins and ends."""
FRAME_END = b"\x1b[?2026l"
MOVE = re.compile(rb"\x1b\[(\d+);\d+H")
PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 0.25
IDLE_SECONDS = 10.0
DRAWN, COPIES = 300, 16
"""Pictures for the job: so many drawn, each in so many files that differ by what follows the picture."""
PREVIEWS = 72
"""Pictures of each cluster that have a preview, nearest the centre first."""
KEYS: dict[str, tuple[bytes, int, float]] = {
    "j in the list": (b"j", 40, 0.3),
    "j held down in the list": (b"j", 60, 0.033),
    "k held down in the list": (b"k", 60, 0.033),
    "G and home in the list": (b"G\x1b[H", 20, 0.3),
    "tab": (b"\t", 20, 0.3),
    "into the grid": (b"\t", 1, 0.3),
    "l in the grid": (b"l", 40, 0.05),
    "j in the grid": (b"j", 20, 0.2),
    "page down in the grid": (b"\x1b[6~", 10, 0.5),
    "m (a mark)": (b"m", 20, 0.1),
    "back to the list": (b"\t", 1, 0.3),
    "o (another order)": (b"o", 12, 0.3),
    "into the filter": (b"/", 1, 0.3),
    "a letter in the filter": (b"synthetic 5\x7f\x7f", 1, 0.1),
    "out of the filter": (b"\r", 1, 0.3),
}
"""For each kind: the keys, how often, and the seconds between two."""


@dataclass(frozen=True, slots=True)
class Press:
    """What one key took: milliseconds, and bytes."""

    clock: float
    cpu: float
    waited: float
    bytes: int


class Terminal:
    """`shoebox` in a terminal of its own."""

    def __init__(self, folder: Path, graphics: str) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.environ.setdefault("SHOEBOX_IDLE", "5")
            os.execv(sys.executable, [sys.executable, "-m", "tui", str(folder), "--graphics", graphics])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._frame = b""
        self.taken = 0
        self.frames = 0

    def until(self, mark: bytes) -> None:
        """Reads until the screen says something, and is quiet."""
        end, seen = time.perf_counter() + PATIENCE_SECONDS, b""
        while mark not in seen:
            if time.perf_counter() > end:
                raise TimeoutError(f"{mark!r} was never on the screen")
            seen = seen[-1000:] + self._read(0.1)
        self.settle()

    def settle(self, quiet: float = QUIET_SECONDS, most: float = 2.0) -> None:
        """Reads until nothing came for a while."""
        end = time.perf_counter() + most
        while self._read(quiet) and time.perf_counter() < end:
            pass

    def press(self, key: bytes, pause: float) -> Press | None:
        """Sends a key; None where nothing was painted for it. Reads for the `pause` after it, too."""
        taken, began, (ran, waited) = self.taken, time.perf_counter(), self.ran()
        os.write(self._terminal, key)
        while not self._painted():
            if time.perf_counter() - began > 2:
                return None
            self._read(0.05)
        clock, (ran_then, waited_then) = time.perf_counter() - began, self.ran()
        while (left := began + pause - time.perf_counter()) > 0:
            self._read(left)
        self._painted()
        return Press(1e3 * clock, 1e3 * (ran_then - ran), 1e3 * (waited_then - waited), self.taken - taken)

    def ran(self) -> tuple[float, float]:
        """Seconds that the thread which draws has run, and has waited for a core."""
        ran, waited, _ = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()
        return int(ran) / 1e9, int(waited) / 1e9

    def all_ran(self) -> float:
        """Seconds that all its threads have run."""
        return (
            sum(int((t / "schedstat").read_text().split()[0]) for t in Path(f"/proc/{self.pid}/task").iterdir()) / 1e9
        )

    def close(self) -> None:
        """Ends it."""
        os.kill(self.pid, signal.SIGTERM)
        self.settle(0.1)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._terminal], [], [], seconds)[0]:
            return b""
        try:
            new = os.read(self._terminal, 1 << 20)
        except OSError:
            return b""
        for question, answer in ANSWERS.items():
            if question in new:
                os.write(self._terminal, answer)
        self.taken += len(new)
        self.frames += new.count(FRAME_END)
        self._frame += new
        return new

    def _painted(self) -> bool:
        """Whether a frame that draws in the body has come whole since it was last asked."""
        *whole, self._frame = self._frame.split(FRAME_END)
        return any(int(line) in BODY for frame in whole for line in MOVE.findall(frame))


def make(folder: Path, number: int, clusters: int) -> None:
    """The project of `clusters_screen` with files, with vectors of the pocket model, with previews; and new files."""
    from core.encoders.encoder import load_encoders
    from core.encoders.spec import parse_spec
    from core.imaging.thumbnails import make_thumbnail
    from core.pocket.draw import draw

    pocket = load_encoders(parse_spec("pocket"), device="cpu")[0]
    clusters_screen.make(folder, number, clusters, dimension=pocket.dimension, fingerprint=pocket.fingerprint)
    project = open_project(folder)
    with project.database() as db:
        for path, size, mtime in db.execute("SELECT path, size, mtime_ns FROM images").fetchall():
            file = os.path.join(os.fsencode(folder), path)
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "wb") as hole:
                hole.truncate(size)
            os.utime(file, ns=(mtime, mtime))
    (folder / "drawn").mkdir()
    thumbnails = []
    for seed in range(DRAWN):
        image = draw(("car", "fish", "house", "tree")[seed % 4], seed, (320, 240)).image
        thumbnails.append(make_thumbnail(image))
        data = io.BytesIO()
        image.resize((1600, 1200)).save(data, "JPEG", quality=90)
        for copy in range(COPIES):
            (folder / "drawn" / f"{copy:02}-{seed:03}.jpg").write_bytes(data.getvalue() + b"%d" % copy)
    with project.database() as db:
        hashes = db.execute(
            "SELECT i.hash FROM (SELECT image, row_number() OVER (PARTITION BY cluster ORDER BY score DESC) AS place"
            " FROM assignments) a JOIN images i ON i.id = a.image WHERE a.place <= ?",
            (PREVIEWS,),
        ).fetchall()
    store = project.thumbnails(Settings())
    store.put([(row[0], thumbnails[at % DRAWN]) for at, row in enumerate(hashes)])
    store.close()


def measure(folder: Path, graphics: str) -> None:
    """Opens it, presses every kind of key, and prints what they took."""
    (open_project(folder).state_dir / state.FILE_NAME).unlink(missing_ok=True)  # not where the last one left it
    terminal = Terminal(folder, graphics)
    try:
        terminal.until(b"silhouette")
        terminal.settle(1.0, 10)
        idle(terminal)
        for name, (keys, times, pause) in KEYS.items():
            split = re.findall(rb"\x1b\[[0-9]*[~A-Z]|[\x00-\xff]", keys)
            found = [terminal.press(key, pause) for _ in range(times) for key in split]
            terminal.settle()
            terminal._painted()
            report(name, [press for press in found if press is not None], len(found))
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{terminal.pid}/status").read_text())
        print(f"  memory at its most: {int(peak[1]) / 1024 if peak else 0:.0f} MB")
    finally:
        terminal.close()


def report(name: str, found: list[Press], pressed: int) -> None:
    """A line of figures. What is pressed only once is on the way to others."""
    if pressed < 5 or not found:
        return
    clock, cpu, waited = (np.percentile([getattr(p, n) for p in found], (50, 95)) for n in ("clock", "cpu", "waited"))
    size = np.median([p.bytes for p in found])
    missed = f"  ({pressed - len(found)} of {pressed} painted nothing)" if len(found) < pressed else ""
    print(
        f"  {name:26} {clock[0]:6.1f} {clock[1]:6.1f} ms   CPU {cpu[0]:5.1f} {cpu[1]:5.1f}   waited {waited[0]:5.1f}"
        f" {waited[1]:5.1f}   {size / 1e3:6.1f} KB   {BUDGET_MS / clock[1]:4.1f} times under the budget{missed}"
    )


def idle(terminal: Terminal) -> None:
    """What the screen takes while nobody presses a key."""
    taken, frames, began = terminal.taken, terminal.frames, time.perf_counter()
    drew, ran = terminal.ran()[0], terminal.all_ran()
    while (left := began + IDLE_SECONDS - time.perf_counter()) > 0:
        terminal._read(left)
    size, painted = (terminal.taken - taken) / IDLE_SECONDS, (terminal.frames - frames) / IDLE_SECONDS
    drew, ran = (terminal.ran()[0] - drew) / IDLE_SECONDS, (terminal.all_ran() - ran) / IDLE_SECONDS
    print(f"  idle, a second: {size:.0f} bytes, {painted:.1f} frames; CPU {ran:.1%}, the drawing thread {drew:.1%}")


@contextmanager
def embedding(project: Project) -> Iterator[None]:
    """A real embed job beside, from when its first pictures are in."""
    with Client(project) as client:
        settings = dataclasses.asdict(Settings(encoder="pocket"))
        job = client.submit("embed", {"settings": settings, "live": True})
        for seen in client.watch(job):
            if seen.ended:
                raise RuntimeError(f"the job ended: {seen.error}")
            if seen.progress.get("done", 0) > 0:
                break
        try:
            yield
            seen = client.job(job)
            done, total = (seen.progress.get(name, 0) for name in ("done", "total"))
            print(f"  the job beside it: {seen.state}, {done:,} of {total:,} pictures")
        finally:
            client.stop_worker()


def main() -> None:
    """Prints all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=int, default=100_000)
    parser.add_argument("clusters", nargs="?", type=int, default=200)
    parser.add_argument("--graphics", default="halfcell")
    parser.add_argument("--folder", type=Path, help="where the project is made, or was made before")
    parser.add_argument("--only", choices=("alone", "beside"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = home
        folder = arguments.folder or Path(home) / "pictures"
        if not folder.exists():
            maker = multiprocessing.get_context("spawn").Process(
                target=make, args=(folder, arguments.images, arguments.clusters)
            )
            maker.start()
            maker.join()
        with open_project(folder).database() as db:
            run = clusterings.latest(db)
            assert run is not None
        print(f"{run.images:,} images, {arguments.graphics}: clock, CPU and waiting in ms: median and 95th percentile")
        if arguments.only != "beside":
            print("alone")
            measure(folder, arguments.graphics)
        if arguments.only != "alone":
            print("beside an embed job")
            with embedding(open_project(folder)):
                measure(folder, arguments.graphics)


if __name__ == "__main__":
    main()
