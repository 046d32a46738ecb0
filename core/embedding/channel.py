"""A bounded channel between two stages of threads: the fuller one waits, and how long is counted."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """The channel was stopped: nobody will take what is put in."""


class Channel(Generic[T]):
    """First in, first out, at most `capacity` items. Safe for any number of threads on either end."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.seconds_full = 0.0
        """Time that givers waited because the channel was full, summed over threads."""
        self.seconds_empty = 0.0
        """Time that takers waited because too little was in it, summed over threads."""
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._finished = False
        self._stopped = False

    def put(self, item: T) -> None:
        """Adds an item, and waits while the channel is full. Raises StoppedError once it was stopped."""
        with self._changed:
            began = time.monotonic()
            while len(self._items) >= self.capacity and not self._stopped:
                self._changed.wait()
            self.seconds_full += time.monotonic() - began
            if self._stopped:
                raise StoppedError
            self._items.append(item)
            self._changed.notify_all()

    def take(self, most: int, *, timeout: float | None = None) -> list[T]:
        """Takes `most` items, waiting until they are there; fewer once the givers have finished.

        With `timeout` (seconds), what there is by then. An empty list with `over` true means the end.
        """
        most = min(most, self.capacity)
        with self._changed:
            began = time.monotonic()
            self._changed.wait_for(lambda: len(self._items) >= most or self._finished or self._stopped, timeout)
            self.seconds_empty += time.monotonic() - began
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            if taken:
                self._changed.notify_all()
            return taken

    @property
    def over(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._changed:
            return self._stopped or (self._finished and not self._items)

    def finish(self) -> None:
        """Says that nothing more will be put in. What is in it can still be taken."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Ends both ends at once and drops what is in it."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()
