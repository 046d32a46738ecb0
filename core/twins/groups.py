"""Groups of twins without chaining: in a group every picture is as near to every other as was asked for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core.clustering.vectors import Tick, Vectors, chunks, no_tick, unit_rows
from core.twins.pairs import Pairs, Rows, near_pairs

GROWTH = 64
"""A group grows by this factor a round at most: adding pictures one by one to a large one takes its square."""


def twin_groups(
    vectors: Vectors, rows: Rows, threshold: float, *, seed: int = 0, tick: Tick = no_tick
) -> list[list[int]]:
    """Groups, of two or more, of the vectors at `rows`; in each, every pair has a cosine of `threshold` or more.

    The nearest pairs are joined first, and two groups only if all of the one are near to all of the other (complete
    linkage). Where pictures have more twins than pairs are held of them, small groups are made first, and these
    joined by their leaders, round by round.
    """
    from threadpoolctl import threadpool_limits

    grouping = _Grouping(vectors, threshold)
    leaders, limit = rows, GROWTH
    with threadpool_limits(1, "blas"):  # the threads are our own: BLAS's wait for each other
        while True:
            pairs = near_pairs(vectors, leaders, threshold, seed=seed, tick=tick)
            joined, held_back = grouping.join(pairs, limit, tick)
            limit *= GROWTH
            if not held_back and not (joined and len(pairs.full)):
                break
            leaders = grouping.leaders(held_back.union(pairs.full.tolist()))
    return sorted((sorted(group) for group in grouping.members.values()), key=lambda group: group[0])


class _Grouping:
    """Which vectors are together so far. A group goes by its leader, one of its rows; who is alone is in none."""

    def __init__(self, vectors: Vectors, threshold: float) -> None:
        self._vectors = vectors
        self._threshold = threshold
        self._leader: dict[int, int] = {}
        self._apart: set[tuple[int, int]] = set()
        self.members: dict[int, list[int]] = {}

    def join(self, pairs: Pairs, limit: int, tick: Tick) -> tuple[int, set[int]]:
        """Joins what these pairs allow into groups of up to `limit`; gives how often, and the rows it held back."""
        joined, held_back = 0, set[int]()
        for part in chunks(len(pairs.first), 4096):
            tick("grouping twins", part.start / len(pairs.first))
            for first, second in zip(pairs.first[part].tolist(), pairs.second[part].tolist(), strict=True):
                one, other = self._leader.get(first, first), self._leader.get(second, second)
                if one == other or (one, other) in self._apart:
                    continue
                if self._size(one) + self._size(other) > limit:
                    held_back |= {first, second}
                elif self._all_near(one, other):
                    self._unite(one, other)
                    joined += 1
        return joined, held_back

    def leaders(self, rows: Iterable[int]) -> Rows:
        """The leaders of all groups, and of these rows."""
        return np.unique(np.array([*self.members, *(self._leader.get(row, row) for row in rows)], dtype=np.int64))

    def _size(self, leader: int) -> int:
        return len(self.members.get(leader, (leader,)))

    def _unite(self, one: int, other: int) -> None:
        if self._size(one) < self._size(other):
            one, other = other, one
        coming = self.members.pop(other, [other])
        self.members.setdefault(one, [one]).extend(coming)
        self._leader.update(dict.fromkeys(coming, one))

    def _all_near(self, one: int, other: int) -> bool:
        """Whether every picture of the one group is near to every one of the other."""
        group, others = self.members.get(one), self.members.get(other)
        if group is None and others is None:
            return True  # the pair itself
        group, others = group or [one], others or [other]
        if len(group) > len(others):
            group, others = others, group
        points = unit_rows(self._vectors, np.array(group))
        for part in chunks(len(others), 256):
            if (points @ unit_rows(self._vectors, np.array(others[part])).T).min() < self._threshold:
                self._apart |= {(one, other), (other, one)}  # more pictures make it no nearer
                return False
        return True
