"""The terminal goes away under the app, through a pseudo-terminal."""

import os
import sys

import pytest

from tests.programs import PATIENCE
from tests.tui.graphics.test_leaving import in_terminal, read_until

OWN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.mark.parametrize("own", [True, False])
def test_the_app_leaves_when_nobody_is_at_the_other_end(embedded, own):
    """`own`: whether the terminal is that of its session, whose end is told by a signal."""
    command = [sys.executable, "-m", "tui", str(embedded), "--graphics", "none"]
    if own:
        command = [sys.executable, "-c", OWN, *command]
    with in_terminal(command, (30, 100, 800, 480), TERM="xterm-256color") as (program, master):
        heard = read_until(master, b"", lambda h: b"palette" in h)
        assert b"palette" in heard
        held = os.open(os.devnull, os.O_RDONLY)
        os.dup2(held, master)  # what was the terminal's other end is closed
        os.close(held)
        assert program.wait(PATIENCE) == 0
