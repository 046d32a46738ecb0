"""What is left in a real terminal's memory when the app leaves, through a pseudo-terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.programs import PATIENCE
from tests.tui.graphics.emulator import Emulator

ROOT = Path(__file__).parents[3]


def read_until(master, heard, condition):
    """Reads on until something holds, or nobody holds the other end any more."""
    deadline = time.monotonic() + PATIENCE
    while not condition(heard) and time.monotonic() < deadline:
        if select.select([master], [], [], 0.05)[0]:
            try:
                heard += os.read(master, 65536)
            except OSError:
                break
    return heard


def fed(heard):
    """What a terminal makes of what it heard since the app came up."""
    screen = Emulator(100, 30)
    screen.feed(heard.partition(b"\x1b[?1049h")[2].decode(errors="replace"))
    return screen


@contextmanager
def demo(folder, size, **environment):
    """The demonstration in a terminal of so many lines, columns, and pixels each way: the program, and its terminal."""
    command = [sys.executable, "-m", "tests.tui.graphics.demo", str(folder)]
    with in_terminal(command, size, XDG_CACHE_HOME=str(folder / "cache"), **environment) as both:
        yield both


@contextmanager
def in_terminal(command, size, **environment):
    """A program in a terminal of its own; it ends with the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
    environment = os.environ | environment
    for name in ("TMUX", "STY", "NO_COLOR"):
        environment.pop(name, None)
    program = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=environment, start_new_session=True
    )
    os.close(slave)
    try:
        yield program, master
    finally:
        program.kill()
        program.wait()
        os.close(master)


def test_every_picture_is_freed_and_keys_typed_early_are_heard(tmp_path):
    for i in range(6):
        Image.new("RGB", (64, 64), (40 * i, 90, 200)).save(tmp_path / f"{i}.jpg")
    with demo(tmp_path, (30, 100, 800, 480), TERM="xterm-kitty") as (program, master):
        heard = read_until(master, b"", lambda h: b"\x1b[c" in h)
        os.write(master, b"l\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.41.1)\x1b\\l\x1b[?62;c")
        heard = read_until(master, heard, lambda h: b"0.97" in h and h.count(b"a=T") >= 6 and len(fed(h).held) >= 6)
        assert len(fed(heard).held) >= 6
        os.write(master, b"\xff\xfe\xc3")  # as of a pasted file name
        os.write(master, b"q")
        heard = read_until(master, heard, lambda h: False)
        program.wait(PATIENCE)
        assert b"UnicodeDecodeError" not in heard
        screen = fed(heard)
        assert screen.uploads >= 6
        assert not screen.held
        assert heard.rindex(b"a=d") < heard.rindex(b"\x1b[?1049l")
