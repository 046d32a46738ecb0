"""What we use of textual-image, imported so that it leaves the terminal alone.

Taken: its sixel encoder and its table of kitty's diacritics. Importing its renderables makes it question the terminal
and read the answers from the keyboard; only our probe does that. Its widgets are not used: see `tui.graphics.canvas`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


_DEFINITION = re.compile(r"(#\d+);2;\d+;\d+;\d+")


@cache
def diacritics() -> tuple[str, ...]:
    """The combining characters that stand for the numbers from 0 on, in kitty's order."""
    with _no_terminal():
        from textual_image.renderable import tgp

    return tuple(map(chr, tgp._NUMBER_TO_DIACRITIC))


def sixel_of(image: Image, colours: int) -> str:
    """A picture as a sixel sequence of at most `colours` colours, all defined before the first pixel.

    The library defines a colour where it first uses it: an xterm then draws such pixels in the colour before.
    """
    from textual_image._sixel import SixelOptions, image_to_sixels

    lazy = image_to_sixels(image, SixelOptions(colors=colours))
    start = lazy.index("#")
    pixels = _DEFINITION.sub(r"\1", lazy[start:])
    return lazy[:start] + "".join(m[0] for m in _DEFINITION.finditer(lazy)) + pixels


@contextmanager
def _no_terminal() -> Iterator[None]:
    hidden, sys.__stdout__ = sys.__stdout__, None  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__ = hidden  # type: ignore[misc]
