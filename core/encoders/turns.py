"""Threads that take turns: who came first goes first."""

from __future__ import annotations

import threading


class Turns:
    """A lock for worker threads that is given in the order it was asked for.

    With Python's own, a thread that lets go and takes it again at once, as an embedding does between two batches,
    would keep a search waiting for many of them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = self._now = 0

    def __enter__(self) -> None:
        with self._changed:
            mine = self._next
            self._next += 1
            self._changed.wait_for(lambda: self._now == mine)

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._now += 1
            self._changed.notify_all()
