"""Live clusters: good however the pictures come, and steady while one looks at them."""

import json
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from core.clustering.live import LiveClusters
from core.clustering.truth import agreement
from core.clustering.vectors import Vectors
from core.errors import UsageError
from tests.clustering.planted import planted


def feed(live: LiveClusters, vectors: Vectors, *, batch: int = 20, start: int = 0) -> list[NDArray[np.int64]]:
    """Adds the rows under ids from 1000 on; gives the numbers of all pictures after each refresh."""
    seen = []
    for begin in range(0, len(vectors), batch):
        part = vectors[begin : begin + batch]
        if live.add(np.arange(len(part)) + 1000 + start + begin, part):
            seen.append(live.assignments()[1])
    return seen


@pytest.mark.parametrize("order", ["as it comes", "class by class"])
def test_ends_with_the_planted_groups(order):
    vectors, classes = planted(600, 6, zipf=0.5)
    if order == "class by class":
        by_class = np.argsort(classes, kind="stable")
        vectors, classes = vectors[by_class], classes[by_class]
    live = LiveClusters(clusters=6)
    feed(live, vectors)
    live.finish()
    ids, numbers = live.assignments()
    assert ids.tolist() == list(range(1000, 1600))
    assert agreement(classes.astype(str).tolist(), numbers.astype(np.int32)).ari > 0.9


def test_pictures_stay_in_their_clusters_while_more_come():
    vectors, _ = planted(1000, 6)
    seen = feed(LiveClusters(clusters=6), vectors)
    settled = [numbers for numbers in seen if len(numbers) >= 200]
    moved = [np.mean(after[: len(before)] != before) for before, after in pairwise(settled)]
    assert max(moved) < 0.02
    assert np.mean(moved) < 0.002


def test_previews_hardly_change_from_one_refresh_to_the_next():
    vectors, _ = planted(1000, 4)
    live = LiveClusters(clusters=4)
    feed(live, vectors[:900])
    before = {cluster.number: set(cluster.previews) for cluster in live.snapshot().clusters}
    feed(live, vectors[900:920], start=900)
    after = {cluster.number: set(cluster.previews) for cluster in live.snapshot().clusters}
    assert before.keys() == after.keys()
    assert all(len(before[number] - after[number]) <= 2 for number in before)


def test_another_number_of_clusters_applies_at_once_and_keeps_what_it_can():
    vectors, _ = planted(600, 8)
    live = LiveClusters(clusters=4)
    feed(live, vectors)
    old = {cluster.number for cluster in live.snapshot().clusters}
    live.configure(clusters=8)
    new = {cluster.number for cluster in live.snapshot().clusters}
    assert len(new) == 8
    assert len(new & old) >= 3
    live.configure(clusters=3)
    assert len(live.snapshot().clusters) == 3


def test_snapshot_is_plain_sorted_and_complete():
    vectors, _ = planted(300, 5, zipf=1.0)
    live = LiveClusters(clusters=5)
    feed(live, vectors)
    snapshot = live.snapshot()
    assert json.loads(json.dumps(asdict(snapshot)))["pictures"] == 300
    sizes = [cluster.size for cluster in snapshot.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 300
    numbers = dict(zip(*(values.tolist() for values in live.assignments()), strict=True))
    for cluster in snapshot.clusters:
        assert 1 <= len(cluster.previews) <= 16
        assert cluster.representative == cluster.previews[0]
        assert {numbers[picture] for picture in cluster.previews} == {cluster.number}


def test_refresh_says_when_to_publish():
    vectors, _ = planted(60, 3)
    live = LiveClusters(clusters=3, refresh=25)
    assert [live.add([begin + i for i in range(10)], vectors[begin : begin + 10]) for begin in range(0, 60, 10)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    live.configure(refresh=5)
    assert live.add(range(100, 105), vectors[:5])


def test_memory_stays_bounded_and_every_picture_is_counted():
    vectors, classes = planted(3000, 5)
    live = LiveClusters(clusters=5, capacity=500)
    by_class = np.argsort(classes, kind="stable")
    feed(live, vectors[by_class], batch=64)
    live.finish()
    _, numbers = live.assignments()
    assert sum(cluster.size for cluster in live.snapshot().clusters) == 3000
    assert agreement(classes[by_class].astype(str).tolist(), numbers.astype(np.int32)).purity > 0.7


@pytest.mark.parametrize("kind", ["few", "identical"])
def test_fewer_different_pictures_than_clusters(kind):
    vectors = planted(3, 1)[0] if kind == "few" else np.repeat(planted(1, 1)[0], 50, axis=0)
    live = LiveClusters(clusters=6, refresh=5)
    feed(live, vectors)
    live.finish()
    assert sum(cluster.size for cluster in live.snapshot().clusters) == len(vectors)
    assert (live.assignments()[1] >= 0).all()


def test_nothing_yet():
    live = LiveClusters()
    live.finish()
    assert live.snapshot().clusters == ()
    assert len(live) == 0


@pytest.mark.parametrize("wrong", [{"clusters": 1}, {"clusters": 21}, {"refresh": 4}, {"refresh": 501}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        LiveClusters(**wrong)
    with pytest.raises(UsageError):
        LiveClusters().configure(**wrong)


def test_same_seed_same_clusters():
    vectors, _ = planted(400, 6, noise=0.1)
    runs = []
    for _ in range(2):
        live = LiveClusters(seed=5)
        feed(live, vectors)
        live.finish()
        runs.append((live.assignments()[1].tolist(), live.snapshot()))
    assert runs[0] == runs[1]
