"""Groups of twins: what is near enough is together, and in a group everything is."""

import numpy as np
import pytest

from core.twins import groups, pairs
from core.twins.groups import twin_groups
from tests.clustering.planted import planted

THRESHOLD = 0.97


def with_twins(base, cosines, seed=0):
    """`base` [n, D] and a row for each of `cosines` that is so near to the row of base at its place."""
    random = np.random.default_rng(seed)
    rows = base[: len(cosines)].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    away = random.standard_normal(rows.shape)
    away -= (away * rows).sum(axis=1, keepdims=True) * rows
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    near = np.asarray(cosines)[:, None]
    return np.concatenate([base, (near * rows + np.sqrt(1 - near**2) * away).astype(np.float16)])


def least_cosine(vectors, group) -> float:
    rows = vectors[group].astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return float((rows @ rows.T).min())


def test_pairs_above_the_threshold_are_groups_and_those_below_are_not():
    base, _ = planted(300, 10)
    vectors = with_twins(base, [0.99, 0.975, 0.965, 0.94])
    assert twin_groups(vectors, np.arange(len(vectors)), THRESHOLD) == [[0, 300], [1, 301]]
    assert twin_groups(vectors, np.array([0, 2, 300, 302]), 0.96) == [[0, 300], [2, 302]]


def test_a_chain_does_not_become_a_group():
    angles = np.deg2rad(np.arange(0, 60, 10))  # each 10 degrees from the next: 0.985; from the second next 0.94
    vectors = np.zeros((6, 64), np.float16)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    found = twin_groups(vectors, np.arange(6), THRESHOLD)
    assert len(found) == 3
    assert all(least_cosine(vectors, group) >= THRESHOLD for group in found)


@pytest.mark.parametrize("exact", [10_000, 100])
def test_more_alike_than_pairs_are_held_of_are_one_group(monkeypatch, exact):
    monkeypatch.setattr(pairs, "EXACT", exact)
    monkeypatch.setattr(groups, "GROWTH", 8)
    base, _ = planted(500, 10, dimension=128)
    noise = np.random.default_rng(1).standard_normal((400, 128)) * 0.1 * 128**-0.5
    vectors = np.concatenate([base, (base[0] + noise).astype(np.float16)])
    found = twin_groups(vectors, np.arange(900), THRESHOLD)
    assert len(found) == 1 and len(found[0]) == 401
    assert least_cosine(vectors, found[0]) >= THRESHOLD


def test_lists_find_nearly_what_comparing_all_finds(monkeypatch):
    base, _ = planted(3000, 20, zipf=1.0)
    vectors = with_twins(base, np.linspace(0.972, 0.995, 600))
    rows = np.arange(len(vectors))
    every = twin_groups(vectors, rows, THRESHOLD)
    monkeypatch.setattr(pairs, "EXACT", 1000)
    listed = twin_groups(vectors, rows, THRESHOLD)
    assert twin_groups(vectors, rows, THRESHOLD) == listed, "the same seed, the same groups"
    assert len(every) == 600
    assert sum(group in every for group in listed) >= 0.99 * len(every)
    assert all(least_cosine(vectors, group) >= THRESHOLD - 1e-6 for group in listed)
