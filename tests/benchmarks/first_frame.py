"""The first frame of `shoebox FOLDER`: seconds from the command to it, and how much of a core that takes.

Run: python -m tests.benchmarks.first_frame [IMAGES] [--starts N] [--folder FOLDER]
A synthetic project (100,000 images unless said; or the one in FOLDER) is opened N times as a user does, in a terminal
of 160x50 that answers the probe at once. CPU is that of the whole process, interpreter included, on all its threads:
on a busy machine it says more than the clock. The budget is 0.4 s.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.clusters_screen import make

BUDGET_SECONDS = 0.4
PATIENCE_SECONDS = 30
PROBE, ANSWER = b"\x1b[c", b"\x1b[?62;22c"
MARKS = {"first frame": b"Clusters", "the clusters are there": b"silhouette", "their pictures are there": b"jpg"}
"""What the screen says when it has come so far."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How long after the command, and how much CPU it took."""

    seconds: float
    cpu: float


def start(folder: Path) -> dict[str, Moment]:
    """One start; when each mark was seen."""
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", SHOEBOX_IDLE="5")
        os.execv(sys.executable, [sys.executable, "-m", "tui", str(folder)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    found: dict[str, Moment] = {}
    written = b""
    try:
        while len(found) < len(MARKS) and time.perf_counter() - began < PATIENCE_SECONDS:
            if not select.select([terminal], [], [], 0.5)[0]:
                continue
            new = os.read(terminal, 65536)
            written += new
            if PROBE in new:
                os.write(terminal, ANSWER)
            for name, mark in MARKS.items():
                if name not in found and mark in written:
                    found[name] = Moment(time.perf_counter() - began, cpu_seconds(pid))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return found


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have run."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def main() -> None:
    """Prints median and worst of each, against the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="an existing pile, in place of a synthetic one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_STATE_HOME"] = os.environ["XDG_CONFIG_HOME"] = home
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed shoebox has its modules compiled
        os.environ["PYTHONPYCACHEPREFIX"] = f"{home}/compiled"
        pile = arguments.folder or Path(home) / "pictures"
        if arguments.folder is None:
            make(pile, arguments.images, 200)
        start(pile)  # the files come into the cache, and the modules are compiled
        starts = [start(pile) for _ in range(arguments.starts)]
    for name in MARKS:
        moments = [found[name] for found in starts if name in found]
        if not moments:
            print(f"{name:26} never within {PATIENCE_SECONDS} s")
            continue
        seconds, cpu = (np.array([getattr(m, what) for m in moments]) for what in ("seconds", "cpu"))
        ratio = f"  {BUDGET_SECONDS / np.median(seconds):.2f} times under the budget" if name == "first frame" else ""
        print(
            f"{name:26} {np.median(seconds):6.3f} s median {seconds.max():6.3f} worst"
            f"   CPU {np.median(cpu):6.3f} s median {cpu.min():6.3f} least{ratio}"
        )


if __name__ == "__main__":
    main()
