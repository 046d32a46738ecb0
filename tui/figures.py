"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.catalog.curation import Taken


def duration(seconds: float) -> str:
    """Seconds in the unit that fits: 8 s, 3 min, 2 h 05."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02}"


def dollars(cost: float) -> str:
    """US dollars: to the cent, or below one as exactly as calls cost."""
    return f"${cost:.2f}" if cost >= 0.01 or not cost else f"${cost:.4f}"


def device_line(device: dict[str, Any]) -> str:
    """A device by name, with what it does where that is known."""
    line = str(device["name"])
    if device["utilisation"] is not None:
        line += f" {device['utilisation']:.0%}"
    if device["memory_used"] is not None and device["memory_total"]:
        line += f" {device['memory_used'] / 1e9:.1f}/{device['memory_total'] / 1e9:.0f} GB"
    return line


def count(number: int, noun: str, many: str = "") -> str:
    """A number with its noun: 1 picture, 2,000 pictures; `many` where that is not the noun with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {many or noun + 's'}"


def taken_words(taken: Sequence[Taken]) -> str:
    """From which clusters pictures were taken: 15 of them from hat, 3 from 2 others. Empty where from none."""
    parts = [f"{each.pictures:,} from {each.name or f'cluster {each.cluster}'}" for each in taken[:2]]
    if len(taken) > 2:
        parts[1] = f"{sum(each.pictures for each in taken[1:]):,} from {len(taken) - 1:,} others"
    return ", ".join(parts).replace(" from ", " of them from ", 1)
