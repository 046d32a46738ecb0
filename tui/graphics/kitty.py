"""Kitty's graphics: a picture is sent once and kept by the terminal under a number; text cells show it.

The cells hold U+10EEEE with combining characters for row and column, and the number is their colour. So pictures
scroll, are covered and cleared like text. https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
"""

from __future__ import annotations

import base64
import io
import random
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.graphics.library import diacritics

if TYPE_CHECKING:
    from PIL.Image import Image

PLACEHOLDER = "\U0010eeee"
MOST_CELLS = 250
"""Columns or rows that the combining characters can count."""

_CHUNK = 4096
_NUMBERS = range(0x10000, 0x1000000)
"""Numbers fit in a 24-bit colour; small ones are left to others."""


def png_of(image: Image, colours: int) -> str:
    """A PNG of at most `colours` colours, in base64."""
    from tui.graphics.palette import in_palette, palette_of

    out = io.BytesIO()
    in_palette(image, palette_of(image, colours)).save(out, "PNG", compress_level=6)
    return base64.standard_b64encode(out.getvalue()).decode("ascii")


def upload(number: int, png: str, columns: int, rows: int, *, tmux: bool = False) -> str:
    """Sends a picture and says how many cells its placeholders span. No reply is asked for."""
    first = f"a=T,U=1,i={number},c={columns},r={rows},f=100,q=2,"
    parts = [png[start : start + _CHUNK] for start in range(0, len(png), _CHUNK)] or [""]
    return "".join(
        _command(f"{first if i == 0 else 'q=2,'}m={int(i < len(parts) - 1)};{part}", tmux)
        for i, part in enumerate(parts)
    )


def free(number: int, *, tmux: bool = False) -> str:
    """Takes a picture off the screen and out of the terminal's memory."""
    return _command(f"a=d,d=I,i={number},q=2;", tmux)


@lru_cache(8192)
def placeholders(number: int, row: int, columns: int) -> Segment:
    """One row of the cells that show a picture. Each cell names its place: any part can be painted alone."""
    marks = diacritics()
    text = "".join(f"{PLACEHOLDER}{marks[row]}{marks[column]}" for column in range(columns))
    return Segment(text, _style(number))


class Uploads:
    """The pictures that the terminal holds for us: the ones shown last, up to `most`."""

    def __init__(self, most: int = 256, *, tmux: bool = False) -> None:
        self.most = most
        self._tmux = tmux
        self._numbers: OrderedDict[Hashable, int] = OrderedDict()
        self._next = random.choice(_NUMBERS)
        self._unsent: list[str] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, key: Hashable, png: str, columns: int, rows: int) -> int:
        """The number of a picture that is to be shown now. What the terminal must be told waits in `take`."""
        if key in self._numbers:
            self._numbers.move_to_end(key)
            return self._numbers[key]
        number = self._next
        self._next = number + 1 if number + 1 in _NUMBERS else _NUMBERS.start
        self._numbers[key] = number
        self._unsent.append(upload(number, png, columns, rows, tmux=self._tmux))
        while len(self._numbers) > self.most:
            _, oldest = self._numbers.popitem(last=False)
            self._unsent.append(free(oldest, tmux=self._tmux))
        return number

    def take(self) -> str:
        """What to write before the frame that shows them."""
        unsent, self._unsent = "".join(self._unsent), []
        return unsent

    def free_all(self) -> str:
        """What to write so that the terminal keeps nothing of ours."""
        sequences = "".join(free(number, tmux=self._tmux) for number in self._numbers.values())
        self.forget()
        return sequences

    def forget(self) -> None:
        """For a terminal that has lost them: they are sent again."""
        self._numbers.clear()
        self._unsent.clear()


def _command(body: str, tmux: bool) -> str:
    command = f"\x1b_G{body}\x1b\\"
    return "\x1bPtmux;" + command.replace("\x1b", "\x1b\x1b") + "\x1b\\" if tmux else command


@lru_cache(1024)
def _style(number: int) -> Style:
    return Style(color=Color.from_rgb(number >> 16, number >> 8 & 255, number & 255))
