"""Progress of an embedding as data: screens and commands put it into words."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Bottleneck = Literal["", "decoding", "device", "downloads"]
WINDOW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One device at work. Utilisation is a share of 1, memory in bytes; None where nothing tells."""

    name: str
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None


@dataclass(slots=True)
class EmbedProgress:
    """How far an embedding is. `total` is what this run has to do; `unchanged` was embedded before it."""

    stage: str = "embedding"
    encoder: str = ""
    precision: str = ""
    batch_size: int = 0
    done: int = 0
    total: int = 0
    failed: int = 0
    unchanged: int = 0
    reused: int = 0
    """Done without the encoder: the content was known under another path."""
    images_per_second: float = 0.0
    """Of the last seconds; of the whole run it is (done + failed) / seconds."""
    seconds: float = 0.0
    """Since the first picture was asked for."""
    eta_seconds: float | None = None
    devices: list[DeviceFigures] = field(default_factory=list)
    cpu: float | None = None
    """Share of all cores in use, by the whole machine."""
    bottleneck: Bottleneck = ""
    recent: list[int] = field(default_factory=list)
    """The pictures embedded last, newest first."""
    failures: list[tuple[int, str]] = field(default_factory=list)
    """The pictures that failed last, newest first, each with its reason."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return asdict(self)


class RateMeter:
    """Things a second over the last few seconds, not since the start: a rate that follows what happens."""

    def __init__(self, window: float = WINDOW_SECONDS) -> None:
        self._window = window
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def update(self, count: int) -> float:
        """The rate, now that `count` things are done in all."""
        now = time.monotonic()
        self._marks.append((now, count))
        while len(self._marks) > 2 and now - self._marks[1][0] > self._window:
            self._marks.popleft()
        first_time, first_count = self._marks[0]
        return (count - first_count) / max(now - first_time, 1e-6)
