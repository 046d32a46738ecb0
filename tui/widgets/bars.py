"""Bars and curves made of block characters."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int, *, empty: str = "░") -> str:
    """A bar of `width` cells filled to `share` of 1, to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    whole, part = divmod(eighths, 8)
    filled = "█" * whole + (_EIGHTHS[part] if part else "")
    return filled + empty * (width - len(filled))


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as heights, against the largest of them."""
    shown = values[-width:] if width > 0 else []
    top = max(shown, default=0)
    return "".join(_HEIGHTS[min(round(value / top * 7), 7) if top > 0 else 0] for value in shown)
