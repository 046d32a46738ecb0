"""From vectors to clusters: planted groups are found again, sizes hold, nothing breaks on odd sets."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from core.clustering.methods import by_size, cluster
from core.clustering.settings import ClusterSettings
from core.clustering.truth import agreement
from core.errors import CancelledError, UsageError
from tests.clustering.planted import planted

REPEATED = ("balanced", "kmeans", "minibatch", "density")


def digests() -> list[str]:
    """What each method makes of the same pictures."""
    vectors = planted(300, 6, noise=0.05)[0]
    runs = [cluster(vectors, ClusterSettings(method=method)) for method in REPEATED]
    return [hashlib.sha256(found.labels.tobytes() + found.scores.tobytes()).hexdigest() for found in runs]


@pytest.mark.parametrize("method", ["balanced", "kmeans", "minibatch", "density"])
def test_planted_groups_are_found_again(method):
    vectors, classes = planted(600, 8)
    number = None if method == "density" else 8
    found = cluster(vectors, ClusterSettings(method=method, clusters=number))
    assert agreement(classes.astype(str).tolist(), found.labels).ari > 0.9
    assert found.silhouette.overall > 0.2
    assert method in found.said


def test_auto_finds_about_a_dozen_among_400():
    vectors, _ = planted(400, 12, noise=0.05, zipf=0.5)
    found = cluster(vectors, ClusterSettings())
    assert 10 <= found.clusters <= 15
    assert found.choice is not None
    assert found.choice.coarser is not None
    assert found.choice.coarser.clusters < found.clusters
    assert max(offer.silhouette for offer in found.choice.tried) == found.choice.best.silhouette


def test_balanced_keeps_sizes_that_kmeans_breaks():
    vectors, _ = planted(400, 8, zipf=1.0)
    plain = cluster(vectors, ClusterSettings(method="kmeans", clusters=8))
    assert plain.sizes.max() > 60
    assert plain.sizes.min() < 40
    found = cluster(vectors, ClusterSettings(clusters=8, min_cluster_ratio=0.1, max_cluster_ratio=0.15))
    assert found.sizes.min() >= 40
    assert found.sizes.max() <= 60
    assert found.sizes.sum() == 400


def test_equal_sizes_to_the_last_picture():
    vectors, _ = planted(101, 4, zipf=1.0)
    found = cluster(vectors, ClusterSettings(clusters=4, min_cluster_size=25))
    assert found.sizes.tolist() == [26, 25, 25, 25]


def test_clusters_are_numbered_by_size_and_measured():
    vectors, _ = planted(300, 5, zipf=1.0)
    found = cluster(vectors, ClusterSettings(method="kmeans", clusters=5))
    assert found.sizes.tolist() == sorted(np.bincount(found.labels).tolist(), reverse=True)
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for number in range(5):
        members = np.flatnonzero(found.labels == number)
        mean = unit[members].mean(axis=0)
        cosines = unit[members] @ mean / np.linalg.norm(mean)
        assert found.representatives[number] == members[np.argmax(cosines)]
        assert found.scores[members] == pytest.approx(cosines, abs=1e-5)
        assert found.cohesion[number] == pytest.approx(cosines.mean(), abs=1e-5)
        ordered = found.members(number)
        assert ordered[0] == found.representatives[number] == found.previews[number][0]
        assert (np.diff(found.scores[ordered]) <= 0).all()


def test_density_keeps_what_fits_nowhere_apart():
    vectors, classes = planted(400, 5, noise=0.1)
    found = cluster(vectors, ClusterSettings(method="density"))
    assert "eigenmaps" in found.said
    assert found.outlierness is not None
    assert found.outlierness[classes < 0].mean() > 1.2 * found.outlierness[classes >= 0].mean()
    assert found.sizes.sum() == np.count_nonzero(found.labels >= 0)


@pytest.mark.parametrize("method", ["balanced", "kmeans", "minibatch", "density"])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 14, 20, 60])
@pytest.mark.parametrize("kind", ["different", "identical", "zero"])
def test_odd_sets_come_out_whole(method, count, kind):
    vectors = planted(count, 1)[0]
    if kind == "identical":
        vectors = np.repeat(vectors[:1], count, axis=0)
    if kind == "zero":
        vectors = np.zeros_like(vectors)
    for number in {None} if method == "density" else {None, 1, min(3, count), count}:
        found = cluster(vectors, ClusterSettings(method=method, clusters=number))
        assert found.clusters >= 1
        assert (found.sizes > 0).all()
        assert found.sizes.sum() + np.count_nonzero(found.labels < 0) == count
        assert (found.labels[found.representatives] == np.arange(found.clusters)).all()
        for values in (found.scores, found.centres, found.cohesion, found.silhouette.per_cluster):
            assert np.isfinite(values).all()
        dropped = number is not None and found.clusters < number
        assert any("too alike" in note for note in found.notes) == dropped


def test_a_read_only_memory_map_is_enough(tmp_path):
    vectors, _ = planted(300, 4)
    path = tmp_path / "vectors.f16"
    vectors.tofile(path)
    mapped = np.memmap(path, dtype=np.float16, mode="r", shape=vectors.shape)
    for method in ("balanced", "kmeans", "minibatch", "density"):
        settings = ClusterSettings(method=method, clusters=None if method == "density" else 4)
        assert (cluster(mapped, settings).labels == cluster(vectors, settings).labels).all()


def test_same_seed_same_result_here_and_in_another_process():
    here = digests()
    assert digests() == here
    program = "from tests.clustering.test_methods import digests; print(*digests())"
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert elsewhere.stdout.split() == here


def test_refused_before_any_work():
    said: list[str] = []
    with pytest.raises(UsageError):
        cluster(planted(20, 2)[0], ClusterSettings(clusters=21), progress=lambda words, share: said.append(words))
    assert said == []


def test_progress_rises_to_the_whole_and_cancel_stops():
    vectors, _ = planted(300, 6)
    shares: list[float] = []
    cluster(vectors, ClusterSettings(), progress=lambda words, share: shares.append(share))
    assert shares[-1] == 1.0
    assert max(shares) == 1.0
    assert len(shares) > 10

    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    with pytest.raises(CancelledError):
        cluster(vectors, ClusterSettings(), cancelled=cancelled)
    assert asked == 4


def test_numbering_by_size_drops_the_empty_and_keeps_the_unclustered():
    labels = np.array([7, -1, 2, 2, 5, 5, -1, 2], dtype=np.int32)
    assert by_size(labels).tolist() == [2, -1, 0, 0, 1, 1, -1, 0]
