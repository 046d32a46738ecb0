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
_CELLS = 8_000_000  # products at a time: 32 MB


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
    exact = len(rows) <= EXACT
    parts = _all(vectors, rows, threshold, tick) if exact else _by_lists(vectors, rows, threshold, seed, tick)
    first, second, cosines, full = (np.concatenate(column) for column in zip(*parts, strict=True))
    _, once = np.unique(first * len(vectors) + second, return_index=True)
    order = once[np.argsort(-cosines[once], kind="stable")]
    return Pairs(first[order], second[order], cosines[order], np.unique(full))


_Part = tuple[Rows, Rows, Floats, Rows]
_NOTHING: _Part = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64))


def _all(vectors: Vectors, rows: Rows, threshold: float, tick: Tick) -> Iterator[_Part]:
    points = unit_rows(vectors, rows)

    def compared(part: slice) -> list[_Part]:
        return [_between(rows[part], points[part], rows[part.start :], points[part.start :], threshold)]

    yield from _at_once(compared, list(chunks(len(rows), 256)), tick, 0.0)


def _by_lists(vectors: Vectors, rows: Rows, threshold: float, seed: int, tick: Tick) -> Iterator[_Part]:
    pivots = unit_rows(vectors, rows[sample_rows(len(rows), round(2 * len(rows) ** 0.5), seed)])
    nearest = _nearest_pivots(vectors, rows, pivots, tick)
    order = np.argsort(nearest, axis=None, kind="stable")
    starts = np.searchsorted(nearest.ravel()[order], np.arange(len(pivots) + 1))
    lists = [order[starts[n] : starts[n + 1]] for n in range(len(pivots))]
    yield from _at_once(lambda entries: _in_list(vectors, rows, entries, threshold), lists, tick, 0.3)


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


def _in_list(vectors: Vectors, rows: Rows, entries: NDArray[np.int64], threshold: float) -> list[_Part]:
    """The pairs of those that belong to a list with all that are looked for in it; `entries`: place * PROBES + rank."""
    places, rank = np.divmod(entries, PROBES)
    places = np.concatenate([places[rank == 0], places[rank > 0]])  # the list's own come first
    own = int((rank == 0).sum())
    if len(places) < 2 or not own:
        return []
    points = unit_rows(vectors, rows[places])
    return [
        _between(rows[places[part]], points[part], rows[places], points, threshold)
        for part in chunks(own, max(1, _CELLS // len(places)))
    ]


def _nearest_pivots(vectors: Vectors, rows: Rows, pivots: Floats, tick: Tick) -> NDArray[np.int32]:
    """The PROBES nearest pivots of each vector, nearest first: [n, PROBES]."""
    nearest = np.empty((len(rows), PROBES), np.int32)
    for part in chunks(len(rows), max(1, _CELLS // len(pivots))):
        tick("comparing pictures", 0.3 * part.start / len(rows))
        away = unit_rows(vectors, rows[part]) @ pivots.T
        line = np.arange(len(away))
        for probe in range(PROBES):
            best = np.argmax(away, axis=1)
            nearest[part, probe] = best
            away[line, best] = -np.inf
    return nearest


def _between(rows: Rows, points: Floats, others: Rows, other_points: Floats, threshold: float) -> _Part:
    """The pairs of `rows` [n] with `others` [m], each once, by ascending row numbers."""
    cosines = points @ other_points.T
    near = cosines >= threshold
    if np.count_nonzero(near) <= len(rows):  # each with itself, and no more
        line, column = np.nonzero(near)
        crowded = np.empty(0, np.int64)
    else:
        counts = np.count_nonzero(near, axis=1)
        crowded = np.flatnonzero(counts > MOST + 1)
        if len(crowded):
            best = np.argpartition(-cosines[crowded], MOST, axis=1)[:, : MOST + 1]
            near[crowded] = False
            near[crowded[:, None], best] = True
        line, column = np.nonzero(near)
    one, other = rows[line], others[column]
    apart = one != other
    found = cosines[line, column][apart]
    return np.minimum(one, other)[apart], np.maximum(one, other)[apart], found, rows[crowded]
