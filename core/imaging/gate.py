"""Keeps the memory of several threads that decode at once within one bound."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MemoryGate:
    """A counting semaphore of bytes. The pixel limit bounds one picture; this bounds all those in flight.

    Who needs more than the whole limit waits until nobody else is inside, and then goes in alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._turn = threading.Lock()  # first come, first served: a large picture is not starved by small ones
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Waits until `size` bytes are free and holds them inside the `with` block."""
        size = min(size, self._limit)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._held + size <= self._limit)
            self._held += size
        try:
            yield
        finally:
            with self._changed:
                self._held -= size
                self._changed.notify_all()
