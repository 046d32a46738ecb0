"""Train, validation and test parts."""

import numpy as np
import pytest

from core.annotation.neighbours import close_pairs, neighbours
from core.annotation.splits import check_ratios, split, twin_groups
from core.errors import UsageError
from tests.clustering.planted import planted


def counts(parts):
    return [int(np.count_nonzero(parts == part)) for part in (0, 1, 2)]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 13, 59, 100, 413])
def test_no_picture_is_lost_to_rounding_and_train_has_one(size):
    parts = split(np.zeros(size, np.int32))
    train, val, test = counts(parts)
    assert train + val + test == size
    assert train >= 1
    assert abs(train - 0.7 * size) < 1.01 and abs(val - 0.15 * size) < 1.01 and abs(test - 0.15 * size) < 1.01


def test_each_class_is_parted_by_itself_and_by_the_seed():
    labels = np.repeat([0, 1, 2], [100, 40, 7]).astype(np.int32)
    parts = split(labels)
    assert counts(parts[:100]) == [70, 15, 15]
    assert counts(parts[100:140]) == [28, 6, 6]
    assert (split(labels)[:100] == split(labels[:100])).all()
    assert (split(labels) == parts).all()
    assert (split(labels, seed=1) != parts).any()


def test_pictures_of_no_class_are_in_no_part():
    assert split(np.array([0, -1, 0], np.int32))[1] == -1


def test_ratios_can_be_set_and_impossible_ones_are_refused():
    assert counts(split(np.zeros(10, np.int32), ratios=(8, 2, 0))) == [8, 2, 0]
    assert check_ratios((70, 15, 15)) == (0.7, 0.15, 0.15)
    for wrong in ((0, 1, 1), (1, 1), (1, -1, 1), (float("nan"), 1, 1), (0, 0, 0)):
        with pytest.raises(UsageError):
            check_ratios(wrong)


def test_twins_are_never_on_both_sides_even_across_classes():
    vectors, _ = planted(300, 6, dimension=64, same=0.7)
    vectors[100:150] = vectors[:50]
    vectors[150:170] = vectors[100:120] + np.float16(0.004)
    hashes = [f"h{i}" for i in range(300)]
    hashes[299] = hashes[200]
    labels = np.random.default_rng(0).integers(0, 4, 300).astype(np.int32)
    groups = twin_groups(hashes, vectors)
    parts = split(labels, groups)
    assert (parts[100:150] == parts[:50]).all() and (parts[150:170] == parts[:20]).all()
    assert parts[299] == parts[200]
    unit = vectors / np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    left, right = np.nonzero(unit @ unit.T >= 0.97)
    assert (parts[left] == parts[right]).all()
    assert sum(counts(parts)) == 300
    assert all((parts[labels == c] == 0).any() for c in range(4))


def test_a_class_of_twins_alone_is_all_in_train():
    labels = np.array([0] * 6 + [1] * 10, np.int32)
    groups = np.array([0] * 6 + list(range(1, 11)))
    parts = split(labels, groups)
    assert (parts[:6] == 0).all()
    assert counts(parts[6:])[0] == 7


def test_a_class_whose_pictures_are_all_twins_of_others_still_trains():
    labels = np.array([0] * 20 + [1], np.int32)
    groups = np.array([*range(20), 19])
    for seed in range(8):
        assert (split(labels, groups, seed=seed)[labels == 1] == 0).all()


def test_large_piles_find_nearly_the_neighbours_and_twins_that_looking_at_all_finds():
    vectors, _ = planted(3000, 20, dimension=64)
    vectors[2000:2040] = vectors[:40]
    exact, near = neighbours(vectors, 5), neighbours(vectors, 5, exact=100)
    shared = [len(set(a) & set(b)) for a, b in zip(exact.rows.tolist(), near.rows.tolist(), strict=True)]
    assert np.mean(shared) / 5 > 0.8
    assert (np.diff(near.distances, axis=1) >= 0).all()
    assert not (near.rows == np.arange(3000)[:, None]).any()
    everything = {tuple(p) for p in close_pairs(vectors, 0.99).tolist()}
    assert {(i, 2000 + i) for i in range(40)} <= everything
    assert {tuple(p) for p in close_pairs(vectors, 0.99, exact=100).tolist()} >= {(i, 2000 + i) for i in range(40)}
