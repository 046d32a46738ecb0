"""Train, validation and test parts of each class, with no picture lost and no twins on both sides.

Twins (the same content, or nearly: a cosine above a threshold) are one group that goes to one part whole; a test on a
picture whose twin was trained on tests nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.annotation.neighbours import close_pairs
from core.clustering.vectors import Labels, Tick, Vectors, no_tick
from core.errors import UsageError

PARTS = ("train", "val", "test")
RATIOS = (0.7, 0.15, 0.15)
SEED = 42
TWINS = 0.97
"""Cosine from which two pictures are twins."""

Groups = NDArray[np.int64]


def check_ratios(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Three shares that sum to 1, from three numbers such as 70, 15, 15. Raises UsageError for impossible ones."""
    wrong = len(ratios) != len(PARTS) or any(not math.isfinite(r) or r < 0 for r in ratios)
    if wrong or ratios[0] <= 0:
        raise UsageError(
            f"the split {'/'.join(f'{r:g}' for r in ratios)} is impossible",
            "give three shares, of which that of train is above 0, such as 70/15/15",
        )
    total = sum(ratios)
    return ratios[0] / total, ratios[1] / total, ratios[2] / total


def twin_groups(
    hashes: Sequence[str | bytes], vectors: Vectors | None = None, *, threshold: float = TWINS, tick: Tick = no_tick
) -> Groups:
    """The group of each picture [N], numbered from 0: the same hash, or a cosine of at least `threshold`, in chains.

    Chains are wanted here, as every pair of twins must stay on one side. A picture without a hash (empty) has no
    twin by it.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    count = len(hashes)
    first: dict[str | bytes, int] = {}
    pairs = [(first.setdefault(h, i), i) for i, h in enumerate(hashes) if h]
    joined = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if vectors is not None:
        joined = np.concatenate([joined, close_pairs(vectors, threshold, tick=tick)])
    links = csr_array((np.ones(len(joined), np.int8), (joined[:, 0], joined[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def split(
    labels: Labels, groups: Groups | None = None, *, ratios: Sequence[float] = RATIOS, seed: int = SEED
) -> NDArray[np.int8]:
    """The part of each picture [N]: 0 train, 1 val, 2 test; -1 where the label is none.

    Each class is parted by `ratios` as nearly as whole groups allow, has at least one picture in train, and loses
    none. A group that spans classes counts in the class that most of it is of. Deterministic by `seed`, for a class
    whatever the others hold.
    """
    shares = np.array(check_ratios(ratios))
    parts = np.full(len(labels), -1, np.int8)
    kept = np.flatnonzero(labels >= 0)
    if groups is None:
        groups = np.arange(len(labels))
    members = _members(groups, kept)
    of_class: dict[int, list[NDArray[np.int64]]] = {}
    for rows in members:
        of_class.setdefault(int(np.bincount(labels[rows]).argmax()), []).append(rows)
    for number, own in sorted(of_class.items()):
        _deal(own, parts, shares, np.random.default_rng([seed, number]))
    for number in np.unique(labels[kept]).tolist():  # a class whose pictures all are in others' groups
        if not ((labels == number) & (parts == 0)).any():
            rows = next(rows for rows in members if (labels[rows] == number).any())
            parts[rows] = 0
    return parts


def _members(groups: Groups, kept: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each group among `kept`, in the order of their first rows."""
    order = kept[np.argsort(groups[kept], kind="stable")]
    cuts = np.flatnonzero(np.diff(groups[order])) + 1
    return sorted(np.split(order, cuts), key=lambda rows: int(rows[0])) if len(order) else []


def _deal(
    own: list[NDArray[np.int64]], parts: NDArray[np.int8], shares: NDArray[np.float64], random: np.random.Generator
) -> None:
    """Gives each group, large ones first, to the part that lacks most; the first of all to train."""
    sizes = np.array([len(rows) for rows in own])
    order = random.permutation(len(own))
    wanted = _whole(int(sizes.sum()), shares, random)
    for place in order[np.argsort(-sizes[order], kind="stable")].tolist():
        part = int(np.argmax(wanted))
        parts[own[place]] = part
        wanted[part] -= sizes[place]


def _whole(count: int, shares: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.int64]:
    """`count` parted by the largest remainders (Hamilton), at least one in train.

    Equal remainders take turns by chance: with many small classes val would else get more than test everywhere.
    """
    exact = count * shares
    whole = np.floor(exact + 1e-9).astype(np.int64)
    remainders = np.round(exact - whole, 9)
    for part in np.lexsort((random.permutation(len(shares)), -remainders))[: count - int(whole.sum())]:
        whole[part] += 1
    if whole[0] == 0:
        whole[int(np.argmax(whole))] -= 1
        whole[0] = 1
    return whole
