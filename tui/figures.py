"""Figures as people read them."""

from __future__ import annotations

from typing import Any


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
