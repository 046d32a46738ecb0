"""Which contents are embedded, and which are on their way: so that none is embedded twice."""

from __future__ import annotations

import threading
from enum import Enum, auto


class Claim(Enum):
    """What to do with a picture whose content is known now."""

    EMBED = auto()
    """Nobody has this content: the caller embeds it."""
    EMBEDDED = auto()
    """It has an embedding: record that the picture has it too."""
    ON_ITS_WAY = auto()
    """Another thread embeds a twin; this picture will be recorded with that one."""


class Contents:
    """Shared by the threads that read pictures and the one that commits."""

    def __init__(self, embedded: set[bytes]) -> None:
        self._embedded = embedded
        self._twins: dict[bytes, list[int]] = {}
        self._lock = threading.Lock()

    def claim(self, content: bytes, image_id: int) -> Claim:
        """Says what is to be done with a picture of this content."""
        with self._lock:
            if content in self._embedded:
                return Claim.EMBEDDED
            if content in self._twins:
                self._twins[content].append(image_id)
                return Claim.ON_ITS_WAY
            self._twins[content] = [image_id]
            return Claim.EMBED

    def settle(self, content: bytes, *, embedded: bool) -> list[int]:
        """The pictures that wait for this content, now that it is committed or has failed."""
        with self._lock:
            if embedded:
                self._embedded.add(content)
            return self._twins.pop(content)
