"""When the garbage of Python is looked for: to look through everything takes 50 ms, which no key shall wait for."""

from __future__ import annotations

import gc
import time

QUIET_SECONDS = 1.0
"""The user pauses where nothing was pressed for so long."""
DUE = 10
"""Collections of the middle generation before one of the old is worth it: Python's own measure."""
AT_MOST = 100
"""As many, and the old generation is collected whatever the user does: memory has a bound."""


class Collector:
    """Looks through the old generation while the user pauses. What is there at the start is never looked through."""

    def __init__(self) -> None:
        self._pressed = time.monotonic()
        self._settled = False

    def begin(self) -> None:
        """Sets what is there by now aside, and lets Python collect the young by itself."""
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, AT_MOST)
        gc.enable()

    def press(self) -> None:
        """Tells that the user is at it."""
        self._pressed = time.monotonic()

    def look(self) -> None:
        """Collects what is old, where it is due and the user pauses. To be called now and then."""
        if time.monotonic() - self._pressed < QUIET_SECONDS or gc.get_count()[2] < DUE:
            return
        gc.collect()
        if not self._settled:  # screens and caches that stay: set aside too, so that the next time is short
            gc.freeze()
            self._settled = True
