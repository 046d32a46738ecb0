"""What a terminal can do, as the probe found it."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Literal

Graphics = Literal["kitty", "sixel", "halfcell", "none"]
Size = tuple[int, int]

DEFAULT_CELL: Size = (8, 16)


@dataclass(frozen=True)
class Terminal:
    """A terminal and the way pictures are drawn in it."""

    graphics: Graphics = "halfcell"
    cell: Size = DEFAULT_CELL
    """Width and height of a cell in pixels."""
    truecolor: bool = False
    multiplexer: str = ""
    """"tmux" or "screen", where one stands between."""
    passthrough: bool = False
    """Whether tmux lets through what it does not understand."""
    name: str = ""
    """What the terminal calls itself."""
    why: tuple[str, ...] = ()
    """How it was decided, for doctor."""
    registers: int = 256
    """How many colours a sixel picture may have."""
    typed: bytes = b""
    """Keys that came between the probe's replies. See `tui.graphics.typed`."""


def prepare_environment(terminal: Terminal, environment: MutableMapping[str, str] = os.environ) -> None:
    """Tells Textual the colours that the terminal is known to have. To be called before textual is imported.

    SSH carries no COLORTERM: Textual would fall back to 256 colours, and kitty's pictures, whose number is a 24-bit
    colour, would not be found.
    """
    if terminal.truecolor or terminal.graphics == "kitty":
        environment.setdefault("TEXTUAL_COLOR_SYSTEM", "truecolor")


def cell_by_system(fd: int) -> Size | None:
    """A cell's size in pixels as the system knows it now, or None: it is live, but many terminals do not tell."""
    try:
        import fcntl
        import struct
        import termios

        answer = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except (ImportError, OSError, ValueError):
        return None
    rows, columns, width, height = struct.unpack("HHHH", answer)
    if not (rows and columns) or width < columns or height < rows:
        return None
    return width // columns, height // rows
