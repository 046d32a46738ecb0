"""Pairs of vectors that are nearer than a threshold: all of them in small sets, nearly all in large ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, Tick, Vectors, chunks, no_tick, sample_rows, unit_rows

Rows = NDArray[np.int64]

EXACT = 20_000
"""Up to so many vectors every pair is looked at."""
PROBES = 8
"""Lists that each vector is looked for in, the nearest ones."""
MOST = 32
"""Pairs that one vector brings in from one list: of a thousand alike not all pairs are held."""
SHORT = 128
"""Numbers that stand for a vector when most of what is far is sorted out."""
SAMPLE = 8_192
_CELLS = 8_000_000  # products at a time: 32 MB
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Pairs:
    """Row numbers of each pair, and its cosine; the nearest pairs first. `full`: rows that had more than MOST."""

    first: Rows
    second: Rows
    cosines: Floats
    full: Rows


def near_pairs(vectors: Vectors, rows: Rows, threshold: float, *, seed: int = 0, tick: Tick = no_tick) -> Pairs:
    """The pairs among the vectors at `rows` whose cosine is `threshold` or more.

    Above EXACT by lists: sampled vectors are pivots, each vector belongs to the list of its nearest pivot and is
    compared with those that have this list among their PROBES nearest (inverted lists, Jegou et al. 2011, here with
    exact distances). Of twins planted at 0.972 to 0.995, 99.9 % are found.
    """
    crowd = _Crowd(vectors, rows, threshold, seed, tick)
    parts = _all(crowd, tick) if len(rows) <= EXACT else _by_lists(crowd, seed, tick)
    first, second, cosines, full = (np.concatenate(column) for column in zip(*parts, strict=True))
    _, once = np.unique(first * len(vectors) + second, return_index=True)
    order = once[np.argsort(-cosines[once], kind="stable")]
    return Pairs(first[order], second[order], cosines[order], np.unique(full))


_Part = tuple[Rows, Rows, Floats, Rows]
_NOTHING: _Part = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))


class _Crowd:
    """The vectors among which pairs are looked for, by their places; each with a short one that stands for it.

    A short vector is a unit one: the vector's coordinates along the SHORT - 1 main directions of a sample, and the
    length of what is left. By Cauchy and Schwarz no product of two short ones is less than that of the whole ones:
    what is far in them is far, and only the rest is multiplied in full.
    """

    def __init__(self, vectors: Vectors, rows: Rows, threshold: float, seed: int, tick: Tick) -> None:
        self._vectors = vectors
        self._threshold = threshold
        self.rows = rows
        sample = unit_rows(vectors, rows[sample_rows(len(rows), SAMPLE, seed)])
        _, directions = np.linalg.eigh(sample.T @ sample)  # ascending
        main = np.ascontiguousarray(directions[:, -(SHORT - 1) :])
        self.short = np.empty((len(rows), main.shape[1] + 1), np.float32)
        for part in chunks(len(rows)):
            tick("comparing pictures", 0.1 * part.start / len(rows))
            inside = unit_rows(vectors, rows[part]) @ main
            self.short[part, :-1] = inside
            self.short[part, -1] = np.sqrt(np.maximum(0, 1 - np.einsum("nd,nd->n", inside, inside)))

    def pairs(self, places: Rows, start: int, stop: int) -> _Part:
        """The pairs of `places[start:stop]` with all of `places` from `start` on, as row numbers, the lower first."""
        one, other = places[start:stop], places[start:]
        maybe = self.short[one] @ self.short[other].T
        line = np.arange(len(one))
        maybe[line, line] = -1  # each with itself
        near = maybe >= self._threshold - _ROUNDING
        lines = np.flatnonzero(near.any(axis=1))
        if not len(lines):
            return _NOTHING
        columns = np.flatnonzero(near[lines].any(axis=0))
        return self._between(one[lines], other[columns])

    def _between(self, places: Rows, others: Rows) -> _Part:
        """The near pairs of `places` with `others`, MOST of the nearest for each of `places`."""
        rows, other_rows = self.rows[places], self.rows[others]
        cosines = unit_rows(self._vectors, rows) @ unit_rows(self._vectors, other_rows).T
        near = (cosines >= self._threshold) & (rows[:, None] != other_rows)
        crowded = np.flatnonzero(np.count_nonzero(near, axis=1) > MOST)
        if len(crowded):
            best = np.argpartition(-np.where(near[crowded], cosines[crowded], -1), MOST, axis=1)[:, :MOST]
            near[crowded] = False
            near[crowded[:, None], best] = True
        line, column = np.nonzero(near)
        one, other = rows[line], other_rows[column]
        return np.minimum(one, other), np.maximum(one, other), cosines[line, column], rows[crowded]


def _all(crowd: _Crowd, tick: Tick) -> Iterator[_Part]:
    places = np.arange(len(crowd.rows))
    tasks = list(chunks(len(places), 256))
    yield from _at_once(lambda part: [crowd.pairs(places, part.start, part.stop)], tasks, tick, 0.1)


def _by_lists(crowd: _Crowd, seed: int, tick: Tick) -> Iterator[_Part]:
    count = len(crowd.rows)
    pivots = crowd.short[sample_rows(count, round(2 * count**0.5), seed)]
    nearest = _nearest_pivots(crowd.short, pivots, tick)
    order = np.argsort(nearest, axis=None, kind="stable")
    starts = np.searchsorted(nearest.ravel()[order], np.arange(len(pivots) + 1))
    lists = [order[starts[n] : starts[n + 1]] for n in range(len(pivots))]
    yield from _at_once(lambda entries: _in_list(crowd, entries), lists, tick, 0.4)


def _at_once(compared: Callable[[Any], list[_Part]], tasks: Sequence[Any], tick: Tick, share: float) -> Iterator[_Part]:
    """What comes of the tasks, in their order, done by as many threads as there are cores."""
    yield _NOTHING
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            coming = [pool.submit(compared, task) for task in tasks]
            for number, parts in enumerate(coming):
                tick("comparing pictures", share + (1 - share) * number / len(tasks))
                yield from parts.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _in_list(crowd: _Crowd, entries: Rows) -> list[_Part]:
    """The pairs of those that belong to a list with all that are looked for in it; `entries`: place * PROBES + rank."""
    places, rank = np.divmod(entries, PROBES)
    places = np.concatenate([places[rank == 0], places[rank > 0]])  # the list's own come first
    own = int((rank == 0).sum())
    return [crowd.pairs(places, part.start, part.stop) for part in chunks(own, max(1, _CELLS // max(1, len(places))))]


def _nearest_pivots(short: Floats, pivots: Floats, tick: Tick) -> NDArray[np.int32]:
    """The PROBES nearest pivots of each vector, nearest first: [n, PROBES]."""
    nearest = np.empty((len(short), PROBES), np.int32)
    for part in chunks(len(short), max(1, _CELLS // len(pivots))):
        tick("comparing pictures", 0.1 + 0.3 * part.start / len(short))
        away = short[part] @ pivots.T
        line = np.arange(len(away))
        for probe in range(PROBES):
            best = np.argmax(away, axis=1)
            nearest[part, probe] = best
            away[line, best] = -np.inf
    return nearest
