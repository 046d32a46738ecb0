"""Where marked pictures go: into a cluster chosen by name, or into a new one."""

from __future__ import annotations

from collections.abc import Sequence

from tui.figures import count
from tui.reading import UNCLUSTERED, ClusterRow
from tui.screens.pick import PickScreen
from tui.widgets.cluster_list import ClusterList, arranged

Destination = int | str
"""The number of a cluster (UNCLUSTERED for none), or the name of a new one (which may be empty)."""


class MoveScreen(PickScreen[ClusterRow, Destination]):
    """Gives a destination, or None."""

    def __init__(self, pictures: int, rows: Sequence[ClusterRow], *, here: int | None = None) -> None:
        """`here`: the cluster that all of them are in, which is no destination."""
        super().__init__(f"Move {count(pictures, 'picture')} to", "name or number of a cluster, or of a new one")
        unclustered = next((row for row in rows if row.number == UNCLUSTERED), ClusterRow(UNCLUSTERED, None, 0))
        self._rows = [row for row in (*(row for row in rows if row.is_cluster), unclustered) if row.number != here]

    def make_list(self) -> ClusterList:
        """Clusters."""
        return ClusterList()

    def found(self, text: str) -> list[ClusterRow]:
        """By name, tag or number; the largest first."""
        return arranged(self._rows, "size", text)

    def show(self, rows: Sequence[ClusterRow]) -> None:
        """Puts clusters into the list."""
        self.query_one(ClusterList).show(rows)

    def is_named(self, row: ClusterRow, text: str) -> bool:
        """By its name or its number."""
        return text in (str(row.number), row.title.casefold())

    def words_of(self, row: ClusterRow) -> str:
        """Number and name."""
        return f"{row.number} {row.title}".rstrip() if row.is_cluster else row.title

    def new_words(self, name: str) -> str:
        """A cluster needs no name."""
        return f"a new cluster “{name}”" if name else "a new cluster"

    def answer(self, row: ClusterRow) -> Destination:
        """Its number."""
        return row.number

    def new_answer(self, name: str) -> Destination:
        """Its name."""
        return name
