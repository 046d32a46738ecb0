"""What a grid of pictures is given to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GridItem:
    """One picture of a grid. `hash` names its preview; the caption is the owner's: a score, a file's name, a label."""

    image: int
    hash: bytes
    caption: str = ""
    starred: bool = False
    marked: bool = False
    dimmed: bool = False
    tinted: bool = False
    """Every other group of items that belong together."""


class LazySequence(Protocol):
    """Items that are fetched when they are seen. None where one is not there yet: see `refresh_items`."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> GridItem | None: ...
