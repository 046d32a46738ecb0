"""Which words of a vocabulary fit which cluster: what separates a cluster from the others, no word twice.

The score of a word for a cluster is the logarithm of the share of the cluster's pictures that choose it, each picture
sharing its one vote by a softmax over the whole vocabulary, less a part of the same over all clusters alike: words
that fit everywhere (of a pile of clothes: garment) give way to those that tell the clusters apart.

The best words of each cluster are then measured on its other pictures, and the log-odds of the figure are added: of
words that are chosen about as often, the one that separates better wins. Only then are words shared out. Taking all
of the common part away, or ranking by separation alone, chooses odd words that no picture looks like; see
tests/benchmarks/names.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.clustering.vectors import Floats, chunks

SHARPNESS = 60.0
"""What cosines are multiplied by before the softmax. Between 40 and 100 it makes no difference."""
COMMON = 0.25
"""How much of a word's score over all clusters is taken away."""
SHORTLIST = 50
"""Words of a cluster that are considered for it when words are shared out."""
CONSIDERED = 5
"""Words of a cluster that are measured for it, the best by votes."""
EVIDENCE = 0.5
"""What the log-odds of a figure count beside the logarithm of votes. With more, right words lose to odd ones."""
_ROWS = 256
_LEAST = 1e-7  # a vote below it is noise
_IMPOSSIBLE = -1e6
_UNMEASURED = -100.0  # such words are for clusters that would have none
_SURE = 0.98  # a figure of few pictures says no more than this


def scores(
    vectors: Floats,
    labels: NDArray[np.integer],
    clusters: int,
    texts: Floats,
    *,
    tick: Callable[[float], None] = lambda share: None,
) -> Floats:
    """How well each word fits each cluster, [K, W], the higher the better; comparable within a run alone.

    `vectors` [N, D] are sampled pictures and `labels` [N] their clusters, 0 to `clusters` - 1, each of which has
    some; `texts` [W, D] are the words. All rows have unit length. `tick` is told the share that is done.
    """
    votes = np.zeros((clusters, len(texts)), dtype=np.float64)
    for rows in chunks(len(vectors), _ROWS):
        logits = (vectors[rows] @ texts.T) * np.float32(SHARPNESS)
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        for cluster in np.unique(labels[rows]):
            votes[cluster] += logits[labels[rows] == cluster].sum(axis=0)
        tick(rows.stop / len(vectors))
    votes /= np.maximum(np.bincount(labels, minlength=clusters), 1)[:, None]
    everywhere = votes.mean(axis=0)
    found = np.log(votes + _LEAST) - COMMON * np.log(everywhere + _LEAST)
    return np.asarray(found, dtype=np.float32)


def share_out(found: Floats) -> NDArray[np.int64]:
    """A word for each cluster, none twice, so that the scores [K, W] sum to the most (Hungarian method; Kuhn, 1955).

    Only the best SHORTLIST words of a cluster are considered for it; one of score -inf never is. -1 where no word is
    left.
    """
    from scipy.optimize import linear_sum_assignment

    clusters, words = found.shape
    if not words:
        return np.full(clusters, -1, dtype=np.int64)
    length = min(words, SHORTLIST)
    best = np.argpartition(-found, length - 1, axis=1)[:, :length]
    columns = np.unique(best)
    place = np.full(words, -1, dtype=np.int64)
    place[columns] = np.arange(len(columns))
    worth = np.full((clusters, len(columns)), _IMPOSSIBLE)
    rows = np.arange(clusters)[:, None]
    worth[rows, place[best]] = np.maximum(found[rows, best], _IMPOSSIBLE)
    taken = np.full(clusters, -1, dtype=np.int64)
    for cluster, column in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
        if worth[cluster, column] > _IMPOSSIBLE:
            taken[cluster] = columns[column]
    return taken


def considered(found: Floats, others: int) -> list[list[int]]:
    """For each cluster the words to measure: its best by the scores [K, W], the one that it would get, and `others`.

    Those are the best that nobody would get. No word of score -inf is among them.
    """
    taken = share_out(found)
    left = runners_up(found, taken, others)
    best = np.argsort(-found, axis=1, kind="stable")[:, :CONSIDERED].tolist()
    return [
        [word for word in dict.fromkeys([*own, shared, *free]) if word >= 0 and np.isfinite(row[word])]
        for row, own, shared, free in zip(found, best, taken.tolist(), left, strict=True)
    ]


def weigh(found: Floats, figures: Floats) -> Floats:
    """The scores [K, W] with what was measured: `figures` [K, W] are 0 to 1, and NaN for words that were not.

    Those come after all that were, the best by votes first.
    """
    sure = np.clip(figures, 1 - _SURE, _SURE)
    odds = np.log(sure / (1 - sure))
    return np.asarray(found + np.where(np.isnan(odds), _UNMEASURED, EVIDENCE * odds), dtype=np.float32)


def runners_up(found: Floats, taken: NDArray[np.int64], count: int) -> list[list[int]]:
    """For each cluster the `count` best words that no cluster has taken, best first."""
    free = found.copy()
    free[:, taken[taken >= 0]] = -np.inf
    left = np.minimum(count, np.isfinite(free).sum(axis=1))
    return [np.argsort(-row, kind="stable")[:n].tolist() for row, n in zip(free, left.tolist(), strict=True)]
