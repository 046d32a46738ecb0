"""Silhouette, previews, agreement with known classes: against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples as reference

from core.clustering.representatives import previews
from core.clustering.silhouette import silhouette, silhouette_samples
from core.clustering.truth import agreement
from core.clustering.vectors import unit_rows
from tests.clustering.planted import planted


def test_silhouette_is_scikit_learns():
    vectors, classes = planted(300, 6, dimension=64, zipf=1.0)
    labels = classes.copy()
    labels[labels == 5] = 0
    labels[np.flatnonzero(labels == 0)[0]] = 5  # one cluster of one
    expected = reference(unit_rows(vectors), labels, metric="cosine")
    assert silhouette_samples(vectors, labels, 6) == pytest.approx(expected, abs=1e-4)
    quality = silhouette(vectors, labels, 6)
    assert quality.overall == pytest.approx(expected.mean(), abs=1e-4)
    assert quality.per_cluster == pytest.approx([expected[labels == k].mean() for k in range(6)], abs=1e-4)
    assert quality.per_cluster[5] == 0


def test_silhouette_leaves_the_unclustered_out():
    vectors, classes = planted(200, 4, dimension=64, noise=0.2)
    kept = classes >= 0
    values = silhouette_samples(vectors, classes, 4)
    expected = reference(unit_rows(vectors[kept]), classes[kept], metric="cosine")
    assert values[kept] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(values[~kept]).all()
    assert silhouette(vectors, classes, 4).overall == pytest.approx(expected.mean(), abs=1e-4)


def test_previews_are_the_nearest_that_are_not_alike():
    vectors, _ = planted(300, 1, dimension=64, same=0.8)
    vectors[1::3] = vectors[::3]  # every picture of a third has a twin right behind it
    shown = previews(vectors, np.arange(300), uniqueness=0.15)
    assert len(shown) == 16
    assert shown[0] == 0
    assert not (shown % 3 == 1).any()
    assert (np.diff(shown) > 0).all()  # still nearest first
    unit = unit_rows(vectors)
    distances = 1 - unit[shown] @ unit[shown].T
    assert distances[~np.eye(16, dtype=bool)].min() >= 0.15 - 1e-6
    left_out = np.setdiff1d(np.arange(shown[-1]), shown)
    assert (1 - (unit[left_out] @ unit[shown].T).max(axis=1) < 0.15 + 1e-6).all()  # each for a reason


def test_previews_without_threshold_and_of_twins_alone():
    vectors, _ = planted(40, 1, dimension=64)
    assert previews(vectors, np.arange(40), uniqueness=0).tolist() == list(range(16))
    twins = np.repeat(vectors[:1], 600, axis=0)
    assert previews(twins, np.arange(600)).tolist() == [0]


def test_agreement_by_hand():
    found = agreement(["cat", "cat", "dog", "dog", "dog", "owl"], np.array([0, 0, 1, 1, 0, -1], np.int32))
    assert found.purity == pytest.approx(5 / 6)
    assert (found.classes, found.clusters) == (3, 2)
    assert found.unclustered == pytest.approx(1 / 6)
    same = agreement(["a", "a", "b"], np.array([4, 4, 0], np.int32))
    assert (same.purity, same.ari, same.nmi, same.ami) == pytest.approx((1, 1, 1, 1))
