"""Another font while the app runs, through a pseudo-terminal: the cells have another size in pixels."""

import fcntl
import os
import re
import signal
import struct
import termios

from PIL import Image

from tests.programs import PATIENCE
from tests.tui.graphics.test_leaving import demo, read_until

HEIGHT = re.compile(rb'"1;1;\d+;(\d+)')
"""What a sixel picture says of its own size."""


def heights(heard):
    return [int(height) for height in HEIGHT.findall(heard)]


def test_pictures_are_as_large_as_the_cells_of_another_font(tmp_path):
    for i in range(6):
        Image.new("RGB", (640, 640), (40 * i, 90, 200)).save(tmp_path / f"{i}.jpg")
    with demo(tmp_path, (30, 100, 800, 480), TERM="xterm-256color") as (program, master):
        heard = read_until(master, b"", lambda h: b"\x1b[c" in h)
        os.write(master, b"\x1b[?62;4c")
        heard = read_until(master, heard, lambda h: len(heights(h)) >= 6)
        before = max(heights(heard))
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 1600, 960))  # from 8x16 pixels to 20x40
        program.send_signal(signal.SIGWINCH)
        heard = read_until(master, b"", lambda h: any(height > 2 * before for height in heights(h)))
        assert max(heights(heard)) > 2 * before
        os.write(master, b"q")
        read_until(master, heard, lambda h: False)
        assert program.wait(PATIENCE) == 0
