"""A cluster keeps its number from run to run, and is flagged where it changed much."""

import numpy as np

from core.clustering.matching import match_clusters
from core.clustering.methods import cluster
from core.clustering.settings import ClusterSettings
from tests.clustering.planted import planted


def test_numbers_carry_over_when_pictures_come_in():
    vectors, classes = planted(500, 5, zipf=0.6)
    settings = ClusterSettings(method="kmeans", clusters=5)
    first = cluster(vectors[:450], settings)
    second = cluster(vectors, settings)
    numbers = np.array([10, 11, 12, 13, 14])
    old = np.concatenate([numbers[first.labels], np.full(50, -1)])
    match = match_clusters(old, second.labels, 5)
    assert match.kept.all()
    assert sorted(match.numbers) == [10, 11, 12, 13, 14]
    for mine in range(5):
        theirs = int(np.flatnonzero(numbers == match.numbers[mine])[0])
        kind = np.bincount(classes[:450][first.labels == theirs]).argmax()
        assert kind == np.bincount(classes[second.labels == mine]).argmax()
    assert not match.changed.any()


def test_a_split_keeps_the_number_with_the_larger_half_and_flags_it():
    old = np.array([3] * 10 + [5] * 10)
    new = np.array([0] * 6 + [1] * 4 + [2] * 10)
    match = match_clusters(old, new, 3)
    assert match.numbers.tolist() == [3, 6, 5]
    assert match.kept.tolist() == [True, False, True]
    assert match.changed.tolist() == [True, False, False]


def test_a_number_is_never_given_twice():
    old = np.array([0, 0, 1, 1])
    new = np.array([0, 0, 1, 2])
    assert match_clusters(old, new, 3, next_number=40).numbers.tolist() == [0, 1, 40]


def test_pairs_share_the_most_in_all():
    # Greedy pairing would give cluster 0 the number 0 (6 shared) and leave 1 with the single picture it shares.
    old = np.array([0] * 6 + [1] * 5 + [0] * 5 + [1] * 1)
    new = np.array([0] * 6 + [0] * 5 + [1] * 5 + [1] * 1)
    assert match_clusters(old, new, 2).numbers.tolist() == [1, 0]


def test_a_chance_overlap_is_no_descent():
    old = np.array([0] * 10 + [-1] * 30)
    new = np.array([0] * 3 + [-1] * 7 + [0] * 27 + [1] * 3)  # 3 of 10 members in a cluster of 30
    match = match_clusters(old, new, 2)
    assert not match.kept.any()
    assert match.numbers.tolist() == [1, 2]


def test_much_growth_is_a_change_and_trash_is_too():
    old = np.array([0] * 10 + [-1] * 10 + [1] * 10)
    new = np.array([0] * 20 + [1] * 5 + [-1] * 5)
    match = match_clusters(old, new, 2)
    assert match.numbers.tolist() == [0, 1]
    assert match.similarity.tolist() == [0.5, 0.5]
    assert match.changed.all()


def test_the_first_run_starts_at_zero():
    nothing = np.full(4, -1)
    assert match_clusters(nothing, np.array([0, 1, 1, -1]), 2).numbers.tolist() == [0, 1]
    assert match_clusters(nothing, nothing, 0).numbers.tolist() == []
