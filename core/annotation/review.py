"""Which pictures to show to the user: those whose class is least sure, spread over the pile, most telling first.

The lowest margins are grouped by look, and each group sends the picture in its middle (Zhdanov, 2019): asking for
twenty of a kind would tell no more than one of them. Some are drawn at random from those set aside, to measure by.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.annotation.accuracy import EVERY
from core.clustering.kmeans import fit_kmeans
from core.clustering.vectors import Floats, Vectors, unit_rows

POOL = 800  # of the lowest margins
PART = 3  # and at most one picture in so many: in a small pile the middles of all groups tell little
Rows = NDArray[np.int64]


def review_queue(
    vectors: Vectors,
    margins: Floats,
    count: int,
    *,
    confidences: Floats | None = None,
    below: float | None = None,
    skip: NDArray[np.integer] | None = None,
    drawn: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Rows:
    """Row numbers of at most `count` pictures, in the order to show them.

    Only those with a confidence under `below` where that is given, and none of `skip` (corrected, or passed over).
    `drawn` [N] (see `accuracy.draws`): the fifth set aside by it is asked at random, for a fifth of the queue; the
    others by margin. Same input, same queue.
    """
    open_ = np.ones(len(margins), bool)
    if below is not None and confidences is not None:
        open_ &= confidences < below
    if skip is not None:
        open_[skip] = False
    count = max(0, min(count, int(np.count_nonzero(open_))))
    if not count:
        return np.empty(0, np.int64)
    if drawn is None:
        return _least_sure(vectors, margins, np.flatnonzero(open_), count, seed)
    aside = np.flatnonzero(open_ & (drawn < 1 / EVERY))
    others = np.flatnonzero(open_ & (drawn >= 1 / EVERY))
    measure = min(len(aside), max(round(count / EVERY), count - len(others)))
    random = aside[np.argsort(drawn[aside], kind="stable")[:measure]]
    telling = _least_sure(vectors, margins, others, count - measure, seed)
    return _mixed(telling, random)


def _least_sure(vectors: Vectors, margins: Floats, rows: Rows, count: int, seed: int) -> Rows:
    """`count` of `rows`: the middles of as many groups among the lowest margins, lowest margin first."""
    pool = rows[np.argsort(margins[rows], kind="stable")[: max(count, min(POOL, len(rows) // PART))]]
    if count <= 0:
        return np.empty(0, np.int64)
    if len(pool) > count > 1:
        pool = np.sort(pool)
        points = unit_rows(vectors, pool)
        fit = fit_kmeans(points, count, seed=seed, starts=1)
        near = np.einsum("nd,nd->n", points, unit_rows(fit.means)[fit.labels])
        order = np.lexsort((np.arange(len(pool)), -near, fit.labels))
        first = np.unique(fit.labels[order], return_index=True)[1]
        middles = pool[order[first]]
        rest = np.setdiff1d(pool, middles)  # groups of pictures all alike leave some of the places
        rest = rest[np.argsort(margins[rest], kind="stable")]
        pool = np.concatenate([middles, rest[: count - len(middles)]])
    else:
        pool = pool[:count]
    return pool[np.lexsort((pool, margins[pool]))]


def _mixed(telling: Rows, random: Rows) -> Rows:
    """Both, the random ones evenly between the others, so that whoever stops early has measured too."""
    places = np.concatenate([np.arange(len(telling)) + 1, (np.arange(len(random)) + 0.5) * EVERY - 1.5])
    return np.concatenate([telling, random])[np.argsort(places, kind="stable")]
