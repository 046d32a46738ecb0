"""Words for clusters: what sets a cluster apart, each word once."""

import numpy as np

from core.naming.rank import considered, runners_up, scores, share_out, weigh

DIMENSION = 32


def unit(rows) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def pile(clusters: int, each: int = 20):
    """Pictures of `clusters` directions that have a common one, and the texts of those, the common one last."""
    rng = np.random.default_rng(0)
    directions = np.eye(DIMENSION, dtype=np.float32)[: clusters + 1]
    labels = np.repeat(np.arange(clusters), each)
    noise = rng.normal(0, 0.05, (len(labels), DIMENSION))
    pictures = unit(directions[labels] + directions[clusters] + noise)
    return pictures, labels, directions


def test_each_cluster_gets_its_own_word_and_not_the_one_that_fits_all():
    pictures, labels, texts = pile(6)
    found = scores(pictures, labels, 6, texts)
    assert share_out(found).tolist() == list(range(6))
    assert (found[:, 6] < found[:, :6].max(axis=1)).all(), "the common word loses everywhere"


def test_no_word_is_given_twice_and_no_word_is_left_for_some():
    found = np.array([[3.0, 1.0], [2.9, 0.0], [2.0, 1.5]], dtype=np.float32)
    taken = share_out(found)
    assert sorted(taken.tolist()) == [-1, 0, 1]
    assert taken[1] == -1 or found[1, taken[1]] == 2.9
    assert share_out(np.empty((3, 0), np.float32)).tolist() == [-1, -1, -1]


def test_the_sum_is_the_best_and_not_first_come_first_served():
    found = np.array([[1.0, 0.9, 0.0], [1.0, 0.1, 0.0], [0.0, 0.0, 0.5]], dtype=np.float32)
    assert share_out(found).tolist() == [1, 0, 2]


def test_runners_up_are_words_that_nobody_has():
    found = np.array([[5.0, 4.0, 3.0, 2.0], [4.0, 5.0, 1.0, 2.0]], dtype=np.float32)
    assert runners_up(found, np.array([0, 1]), 2) == [[2, 3], [3, 2]]
    assert runners_up(found, np.array([0, 1]), 9) == [[2, 3], [3, 2]]


def test_of_words_that_are_chosen_as_often_the_one_that_measures_better_wins_and_an_odd_one_never():
    votes = np.log(np.array([[0.3, 0.25, 0.001], [0.3, 0.28, 0.001]], dtype=np.float32))
    figures = np.array([[0.26, 0.81, 0.99], [0.9, 0.93, 0.99]], dtype=np.float32)
    worth = weigh(votes, figures)
    assert share_out(worth[:1]).tolist() == share_out(worth[1:]).tolist() == [1]
    assert share_out(worth).tolist() == [1, 0], "no word twice, and each where it is worth the most"


def test_words_that_were_not_measured_are_for_clusters_that_would_have_none():
    votes = np.array([[9.0, 1.0, -np.inf], [9.0, 1.0, -np.inf]], np.float32)
    worth = weigh(votes, np.array([[np.nan, 0.1, 0.9], [np.nan, 0.9, 0.9]], np.float32))
    assert share_out(worth[:1]).tolist() == [1], "however many chose the other"
    assert share_out(worth).tolist() == [0, 1]


def test_the_best_of_each_cluster_are_measured_and_those_it_may_get():
    nothing = -np.inf
    found = np.array([[5, 4, 3, 2, 1, 0, -1], [6, nothing, nothing, nothing, -3, nothing, nothing]], np.float32)
    first, second = considered(found, 2)
    assert set(range(5)) <= set(first), "its five best"
    assert set(second) == {0, 4}, "and none that it must not get"
