"""The figures of a name's quality are what their definitions say."""

import numpy as np
import pytest

from core.naming.quality import chance, first_shares, fit, neighbours
from core.naming.twins import twin_groups


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def seen():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 9, 300)
    return unit(rng.normal(size=(300, 16)) + 2 * np.eye(16)[labels]), labels


def pairwise_auroc(own, others) -> float:
    return float(np.mean((own[:, None] > others[None]) + 0.5 * (own[:, None] == others[None])))


def test_auroc_is_the_share_of_pairs_in_the_right_order(seen):
    vectors, labels = seen
    texts, owners = unit(np.random.default_rng(1).normal(size=(20, 16)) + np.eye(16)[0]), np.arange(20) % 9
    found = fit(vectors, labels, 9, texts, owners)
    around = neighbours(vectors, labels, 9)
    for place, owner in enumerate(owners):
        cosines = vectors @ texts[place]
        assert found.auroc[place] == pytest.approx(pairwise_auroc(cosines[labels == owner], cosines[labels != owner]))
        near = np.isin(labels, around[owner])
        assert found.near[place] == pytest.approx(pairwise_auroc(cosines[labels == owner], cosines[near]))


def test_what_chance_makes_of_a_figure_is_seen_in_draws():
    rng = np.random.default_rng(5)
    draws = [pairwise_auroc(rng.normal(1, 1, 20), rng.normal(0, 1, 180)) for _ in range(400)]
    (bound,) = chance(np.array([np.mean(draws)], np.float32), np.array([20]), np.array([180]))
    assert bound == pytest.approx(2 * np.std(draws), rel=0.25)  # it is for other curves
    few, many = chance(np.ones(2, np.float32), np.array([2, 400]), np.array([9, 4000]))
    assert few > 0.1 > 0.03 > many > 0, "even of a perfect one"


def test_ties_count_half_and_a_single_cluster_is_chance(seen):
    vectors, labels = seen
    nothing = np.zeros((1, 16), np.float32)
    assert fit(vectors, labels, 9, nothing, np.array([0])).auroc[0] == pytest.approx(0.5)
    alone = fit(vectors, np.zeros(300, np.int64), 1, vectors[:1], np.array([0]))
    assert (alone.auroc[0], alone.near[0]) == (0.5, 0.5)


def test_the_right_names_come_first_and_wrong_ones_do_not(seen):
    vectors, labels = seen
    texts = np.eye(16, dtype=np.float32)[:9]
    right = first_shares(vectors, labels, 9, texts, np.arange(9))
    wrong = first_shares(vectors, labels, 9, texts, np.roll(np.arange(9), 1))
    assert right.min() > 0.5 > wrong.max()
    twice = first_shares(vectors, labels, 9, np.concatenate([texts, texts]), np.tile(np.arange(9), 2))
    assert twice == pytest.approx(np.tile(right / 2, 2)), "the same text shares a vote"


def test_twins_are_near_to_each_other_all_of_them_and_at_most_twelve():
    angles = np.deg2rad([0, 30, 60, 180])  # neighbours 30 degrees apart are twins, 60 are not
    texts = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    nothing = np.zeros(2, np.float32)
    groups = twin_groups(["a", "b", "c", "d"], texts, nothing)
    assert groups in ([[0, 1]], [[1, 2]]), "no chaining"
    same = np.tile(texts[:1], (30, 1))
    groups = twin_groups([str(n) for n in range(30)], same, nothing)
    assert sorted(place for group in groups for place in group) == list(range(30))
    assert max(map(len, groups)) == 12
    assert twin_groups(["Lake", "dog", "lake"], np.eye(3, dtype=np.float32), np.zeros(3, np.float32)) == [[0, 2]]
