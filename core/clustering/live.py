"""Clusters that are there from the first pictures on, while the rest is still being embedded.

New pictures are assigned as they come and move the running means of their clusters, which costs next to
nothing. A full pass over all pictures follows each time their number has grown by a tenth, so that the passes
cost some ten visits a picture in all. A cluster keeps its number as long as it lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clustering.kmeans import fit_kmeans
from core.clustering.matching import match_clusters
from core.clustering.representatives import previews as pick_previews
from core.clustering.vectors import (
    UNCLUSTERED,
    Floats,
    Labels,
    Vectors,
    chunks,
    cluster_sizes,
    cluster_sums,
    nearest,
    unit_means,
    unit_rows,
)
from core.errors import UsageError

CLUSTERS = (2, 20)  # what a user may set
REFRESH = (5, 500)
GROWTH = 1.1  # a full pass each time there are so many times the pictures of the last one
LAST_PASSES = 3
SAMPLE = 2_000  # rows on which a fresh start is tried
BETTER = 0.03  # share of the mean distance that a fresh start must save to be worth a jump
LOOKED_AT = 200  # members of a cluster considered for its previews


@dataclass(frozen=True)
class LiveCluster:
    """One cluster as a screen shows it: its lasting number, its size and picture ids, nearest first."""

    number: int
    size: int
    representative: int
    previews: tuple[int, ...]


@dataclass(frozen=True)
class LiveSnapshot:
    """All clusters, the largest first, and how many pictures have been given so far. Plain numbers only."""

    pictures: int
    clusters: tuple[LiveCluster, ...]


class LiveClusters:
    """Live spherical k-means over pictures that keep coming.

    `hysteresis`: a picture moves to another cluster, and a preview makes way for another, only where that is
    nearer by this much in cosine. `capacity`: rows kept for the passes (float16); beyond it they are a uniform
    sample (reservoir; Vitter, 1985) and the other pictures stay with the cluster they were assigned to, so that
    a pass never takes longer than about half a second nor memory more than 100 MB at 512 dimensions.
    """

    def __init__(
        self,
        *,
        clusters: int = 6,
        refresh: int = 20,
        seed: int = 0,
        uniqueness: float = 0.15,
        previews: int = 16,
        hysteresis: float = 0.01,
        capacity: int = 100_000,
    ) -> None:
        self._wanted = _within("clusters", clusters, CLUSTERS)
        self._refresh = _within("refresh", refresh, REFRESH)
        self._seed = seed
        self._uniqueness = uniqueness
        self._shown = previews
        self._hysteresis = hysteresis
        self._capacity = capacity
        self._random = np.random.default_rng(seed)

        self._count = 0  # pictures given
        self._ids = np.empty(0, np.int64)
        self._labels: Labels = np.empty(0, np.int32)
        self._scores = np.empty(0, np.float32)
        self._rows: NDArray[np.float16] = np.empty((0, 0), np.float16)  # the kept vectors, and
        self._owners = np.empty(0, np.int64)  # which picture each is of

        self._sums: NDArray[np.float64] = np.empty((0, 0))  # of the unit rows of each cluster
        self._numbers = np.empty(0, np.int64)
        self._next_number = 0
        self._refreshed_at = 0  # pictures at the last refresh,
        self._passed_at = 0  # and at the last full pass
        self._passes = 0
        self._previewed = np.empty(0, np.int64)  # pictures now shown

    def __len__(self) -> int:
        return self._count

    def configure(self, *, clusters: int | None = None, refresh: int | None = None) -> None:
        """Change K (2 to 20) or the refresh (5 to 500); another K takes effect at once."""
        if refresh is not None:
            self._refresh = _within("refresh", refresh, REFRESH)
        if clusters is not None:
            self._wanted = _within("clusters", clusters, CLUSTERS)
            if self._started and len(self._numbers) != self._wanted:
                self._pass()

    def add(self, ids: Sequence[int] | NDArray[np.integer], vectors: Vectors) -> bool:
        """Take new pictures: their ids and unit rows [n, D]. True where a refresh was due: publish a snapshot."""
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        if not len(ids):
            return False
        self._keep(np.asarray(ids, dtype=np.int64), vectors)
        if self._started:
            self._assign(slice(self._count - len(ids), self._count), vectors)
        if self._count - self._refreshed_at < self._refresh:
            return False
        self._refreshed_at = self._count
        if self._count >= self._passed_at * GROWTH:
            self._pass()
        return True

    def finish(self) -> None:
        """No more pictures will come: three full passes."""
        for _ in range(LAST_PASSES if self._count else 0):
            self._pass()

    def assignments(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of all pictures given and the number of the cluster of each (-1 before the first refresh)."""
        labels = self._labels[: self._count]
        numbers = np.append(self._numbers, UNCLUSTERED)  # label -1 is the last place
        return self._ids[: self._count].copy(), numbers[labels]

    def snapshot(self) -> LiveSnapshot:
        """The clusters to show, largest first: milliseconds at 100,000, so publish once a second at most."""
        sizes = cluster_sizes(self._labels[: self._count], len(self._numbers))
        merits = self._scores[self._owners] + self._hysteresis * np.isin(self._owners, self._previewed)
        clusters, shown = [], []
        for cluster in np.lexsort((self._numbers, -sizes)):
            slots = np.flatnonzero(self._labels[self._owners] == cluster)
            if len(slots) > LOOKED_AT:
                slots = slots[np.argpartition(-merits[slots], LOOKED_AT)[:LOOKED_AT]]
            slots = slots[np.lexsort((slots, -merits[slots]))]
            chosen = pick_previews(self._rows, slots, uniqueness=self._uniqueness, count=self._shown)
            if len(chosen) == 0:
                continue  # none of its members is among the kept
            shown.append(self._owners[chosen])
            ids = tuple(int(picture) for picture in self._ids[shown[-1]])
            clusters.append(LiveCluster(int(self._numbers[cluster]), int(sizes[cluster]), ids[0], ids))
        self._previewed = np.concatenate(shown) if shown else self._previewed
        return LiveSnapshot(self._count, tuple(clusters))

    @property
    def _started(self) -> bool:
        return len(self._numbers) > 0

    @property
    def _kept(self) -> NDArray[np.float16]:
        return self._rows[: len(self._owners)]

    def _keep(self, ids: NDArray[np.int64], vectors: Vectors) -> None:
        """Record the pictures, and keep their vectors while there is room; then as a uniform sample."""
        pictures = np.arange(self._count, self._count + len(ids))
        self._count += len(ids)
        self._ids = _room(self._ids, self._count)
        self._labels = _room(self._labels, self._count)
        self._scores = _room(self._scores, self._count)
        self._ids[pictures] = ids
        self._labels[pictures] = UNCLUSTERED
        self._scores[pictures] = 0

        free = self._capacity - len(self._owners)
        if self._rows.shape[1] == 0:
            self._rows = np.empty((0, vectors.shape[1]), np.float16)
        if free > 0:
            kept = len(self._owners)
            self._owners = np.append(self._owners, pictures[:free])
            self._rows = _room(self._rows, len(self._owners))
            self._rows[kept : len(self._owners)] = vectors[:free]
        late = pictures[max(free, 0) :]
        slots = self._random.integers(0, late + 1)
        for place in np.flatnonzero(slots < self._capacity):
            self._owners[slots[place]] = late[place]
            self._rows[slots[place]] = vectors[max(free, 0) + place]

    def _assign(self, pictures: slice, vectors: Vectors) -> None:
        """Nearest centre for new pictures, and the running means moved by them."""
        labels, scores = nearest(vectors, unit_means(self._sums))
        self._labels[pictures], self._scores[pictures] = labels, scores
        self._sums += cluster_sums(vectors, labels, len(self._sums))

    def _pass(self) -> None:
        """A full pass over the kept pictures: from the present centres, or from fresh ones if clearly better.

        The first pictures of a folder are often of one kind; centres found on them would never leave it.
        """
        self._passed_at = self._count
        self._passes += 1
        wanted = min(self._wanted, len(self._owners))
        rows = self._random.choice(len(self._owners), min(SAMPLE, len(self._owners)), replace=False)
        sample = unit_rows(self._kept, np.sort(rows))
        fresh = fit_kmeans(sample, wanted, seed=self._seed + self._passes, starts=1).means
        if len(self._numbers) != wanted:
            self._adopt(fresh)
            return
        before = 1 - nearest(sample, unit_means(self._sums))[1].mean()
        after = 1 - nearest(sample, fresh)[1].mean()
        if after < before * (1 - BETTER):
            self._adopt(fresh)
        else:
            self._move()

    def _move(self) -> None:
        """One pass of k-means over the kept pictures; a picture moves where that gains the hysteresis."""
        directions = unit_means(self._sums)
        for part in chunks(len(self._owners)):
            owners = self._owners[part]
            cosines = unit_rows(self._kept, part) @ directions.T
            line = np.arange(len(owners))
            cosines[line, self._labels[owners]] += self._hysteresis
            best = np.argmax(cosines, axis=1)
            own = best == self._labels[owners]
            self._scores[owners] = cosines[line, best] - np.where(own, self._hysteresis, 0)
            self._labels[owners] = best
        self._revive()
        self._sums = cluster_sums(self._kept, self._labels[self._owners], len(self._numbers))

    def _revive(self) -> None:
        """A cluster without members begins again at the picture that lies farthest from its own centre."""
        sizes = cluster_sizes(self._labels[self._owners], len(self._numbers))
        for dead in np.flatnonzero(sizes == 0):
            spare = self._owners[sizes[self._labels[self._owners]] > 1]
            if len(spare) == 0:
                return
            farthest = spare[np.argmin(self._scores[spare])]
            sizes[self._labels[farthest]] -= 1
            sizes[dead] = 1
            self._labels[farthest], self._scores[farthest] = dead, 1.0

    def _adopt(self, centres: Floats) -> None:
        """Take fresh centres; each new cluster keeps the number of the old one that it continues."""
        before = self._labels[self._owners]
        found, scores = nearest(self._kept, centres)
        used, places = np.unique(found, return_inverse=True)
        labels = places.astype(np.int32)
        old = np.append(self._numbers, UNCLUSTERED)[before]
        match = match_clusters(old, labels, len(used), next_number=self._next_number)

        # Pictures whose vectors are not kept follow the kept ones of their cluster.
        heirs = np.zeros(len(self._numbers) + 1, dtype=np.int32)
        for cluster in range(len(self._numbers)):
            heirs[cluster] = np.bincount(labels[before == cluster], minlength=1).argmax()
        self._labels[: self._count] = heirs[self._labels[: self._count]]
        self._labels[self._owners], self._scores[self._owners] = labels, scores
        self._numbers = match.numbers
        self._next_number = max(self._next_number, int(match.numbers.max()) + 1)
        self._sums = cluster_sums(self._kept, labels, len(used))


def _room(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with space for so many rows, doubled at need so that growing stays cheap."""
    if len(array) >= rows:
        return array
    larger = np.zeros((max(rows, 2 * len(array), 256), *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def _within(name: str, value: int, bounds: tuple[int, int]) -> int:
    low, high = bounds
    if not low <= value <= high:
        raise UsageError(f"{name} {value} is out of range", f"live clusters take {low} to {high}")
    return value
