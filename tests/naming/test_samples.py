"""Which pictures of a cluster are shown to a namer, and which are held out."""

import numpy as np
import pytest

from core.naming.samples import samples


def members(count: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(count, 16)) * 0.3
    drawn[:, 0] += 1
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


def centre_of(vectors: np.ndarray) -> np.ndarray:
    mean = vectors.astype(np.float32).mean(axis=0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 37, 38, 500])
def test_some_are_shown_and_the_others_are_held_out(count):
    vectors = members(count)
    shown, held = samples(vectors, centre_of(vectors), 25, seed=1)
    assert 1 <= len(shown) <= min(25, max(1, 2 * count / 3))
    assert sorted([*shown, *held]) == list(range(count))
    assert count < 38 or len(shown) == 25


def test_the_nearest_come_first_and_the_others_are_more_spread_than_a_draw():
    vectors = members(400)
    centre = centre_of(vectors)
    shown, _ = samples(vectors, centre, 24, seed=1)
    cosines = vectors.astype(np.float32) @ centre
    assert list(shown[:8]) == list(np.argsort(-cosines, kind="stable")[:8])
    spread = vectors[shown[8:]].astype(np.float32)
    drawn = vectors[np.random.default_rng(5).choice(400, 16, replace=False)].astype(np.float32)
    assert closest(spread) < closest(drawn)


def test_the_same_seed_gives_the_same_samples():
    vectors = members(5000)
    centre = centre_of(vectors)
    first = samples(vectors, centre, 25, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(first, samples(vectors, centre, 25, seed=1), strict=True))
    assert not np.array_equal(first[0], samples(vectors, centre, 25, seed=2)[0])


def test_no_member_no_sample():
    shown, held = samples(np.empty((0, 16), np.float16), np.ones(16, np.float32), 25, seed=1)
    assert len(shown) == len(held) == 0


def closest(unit: np.ndarray) -> float:
    """The mean likeness of each to the one most like it."""
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -1)
    return float(likeness.max(axis=1).mean())
