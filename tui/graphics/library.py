"""What we use of textual-image, imported so that it leaves the terminal alone.

Taken: its table of kitty's diacritics. Importing its renderables makes it question the terminal and read the answers
from the keyboard; only our probe does that. Its widgets are not used (see `tui.graphics.canvas`), nor is its sixel
encoder (see `tui.graphics.sixel`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def diacritics() -> tuple[str, ...]:
    """The combining characters that stand for the numbers from 0 on, in kitty's order."""
    with _no_terminal():
        from textual_image.renderable import tgp

    return tuple(map(chr, tgp._NUMBER_TO_DIACRITIC))


@contextmanager
def _no_terminal() -> Iterator[None]:
    hidden, sys.__stdout__ = sys.__stdout__, None  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stdout__ = hidden  # type: ignore[misc]
