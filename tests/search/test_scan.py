"""The scan against the plain product, and the order of what it finds."""

import numpy as np
import pytest

from core.errors import CancelledError
from core.search.scan import best_first, cosines
from tests.clustering.planted import planted


@pytest.fixture(scope="module")
def vectors():
    return planted(1500, 10, dimension=96)[0]


def test_cosines_are_the_products_of_the_float16_rows(vectors, tmp_path):
    vectors[7, :5] = [0, -0.0, 6e-8, -3e-5, 1]  # zeros and what float16 has below its normal numbers
    vectors.tofile(tmp_path / "vectors")
    mapped = np.memmap(tmp_path / "vectors", np.float16, "r", shape=vectors.shape)
    queries = np.random.default_rng(0).standard_normal((2, 96)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    expected = vectors.astype(np.float64) @ queries.T
    assert np.abs(cosines(mapped, queries) - expected).max() < 1e-6
    some = np.array([3, 7, 900, 1499])
    assert np.abs(cosines(mapped, queries, some) - expected[some]).max() < 1e-6
    assert cosines(mapped, queries, some[:0]).shape == (0, 2)


def test_the_scan_stops_when_told(vectors):
    def stop() -> None:
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        cosines(vectors, vectors[:1].astype(np.float32), checkpoint=stop)


def test_the_best_come_first_and_every_place_once():
    scores = np.random.default_rng(0).integers(0, 50, 3000).astype(np.float32)  # many are equal
    portions = list(best_first(scores, 10))
    assert len(portions) > 2
    assert np.concatenate(portions).tolist() == np.argsort(-scores, kind="stable").tolist()
