"""What cannot be is refused before any work, with the numbers."""

import pytest

from core.clustering.settings import ClusterSettings
from core.errors import UsageError


@pytest.mark.parametrize(
    ("settings", "count", "numbers"),
    [
        (ClusterSettings(clusters=12), 7, ("12 clusters", "7 pictures")),
        (ClusterSettings(clusters=8, min_cluster_ratio=0.2), 1000, ("8 clusters", "0.2", "1.6", "0.125")),
        (ClusterSettings(clusters=4, max_cluster_ratio=0.2), 1000, ("4 clusters", "0.2", "0.8", "0.25")),
        (ClusterSettings(clusters=10, min_cluster_size=11), 100, ("10 clusters", "11 pictures", "100 pictures")),
        (ClusterSettings(min_cluster_size=101), 100, ("101 pictures", "100 pictures")),
        (ClusterSettings(min_cluster_ratio=0.5, max_cluster_ratio=0.4), 100, ("0.5", "0.4")),
        (ClusterSettings(min_cluster_size=50, max_cluster_ratio=0.2), 100, ("50", "20")),
        (ClusterSettings(min_cluster_ratio=1.5), 100, ("1.5",)),
        (ClusterSettings(max_cluster_ratio=0.0), 100, ("0",)),
        (ClusterSettings(clusters=0), 100, ("--clusters 0",)),
        (ClusterSettings(seed=-1), 100, ("--seed -1",)),
        (ClusterSettings(), 0, ("no pictures",)),
        (ClusterSettings(method="spectral"), 100, ("spectral", "balanced")),
        (ClusterSettings(method="kmeans", min_cluster_ratio=0.1), 100, ("kmeans", "balanced")),
        (ClusterSettings(method="minibatch", min_cluster_size=5), 100, ("minibatch", "balanced")),
        (ClusterSettings(method="density", clusters=5), 100, ("density", "--clusters")),
        (ClusterSettings(method="density", max_cluster_ratio=0.5), 100, ("density", "--min-cluster-size")),
        (ClusterSettings(method="density", min_cluster_size=200), 100, ("200", "100")),
        (ClusterSettings(method="density", reduction="umap"), 9, ("umap", "15", "9")),
        (ClusterSettings(method="kmeans", reduction="umap"), 100, ("kmeans", "density")),
    ],
)
def test_the_impossible_is_refused_with_its_numbers(settings, count, numbers):
    with pytest.raises(UsageError) as refused:
        settings.resolve(count)
    for number in numbers:
        assert number in str(refused.value)
    assert refused.value.todo


def test_default_method_follows_the_number_of_pictures_and_says_so():
    assert ClusterSettings().resolve(10_000).method == "balanced"
    plan = ClusterSettings().resolve(10_001)
    assert plan.method == "minibatch"
    assert "10,000" in plan.said
    assert ClusterSettings(min_cluster_ratio=0.01).resolve(50_000).method == "balanced"  # only it keeps sizes


@pytest.mark.parametrize(
    ("settings", "count", "clusters", "sizes"),
    [
        (ClusterSettings(), 1000, 8, (50, 1000)),  # min(0.05, 0.5 / 8)
        (ClusterSettings(), 1000, 20, (25, 1000)),  # min(0.05, 0.5 / 20)
        (ClusterSettings(min_cluster_ratio=0.29), 100, 3, (29, 100)),  # 0.29 * 100 is 28.999999999999996
        (ClusterSettings(min_cluster_size=7), 1000, 8, (7, 1000)),
        (ClusterSettings(min_cluster_size=7, min_cluster_ratio=0.1), 1000, 8, (100, 1000)),
        (ClusterSettings(clusters=3, max_cluster_ratio=1 / 3), 100, 3, (5, 34)),  # 3 * 33 would not hold 100
        (ClusterSettings(min_cluster_ratio=0.0), 100, 3, (1, 100)),
    ],
)
def test_sizes_that_ratios_mean(settings, count, clusters, sizes):
    assert settings.resolve(count).sizes(clusters) == sizes


def test_sizes_bound_the_number_that_auto_may_choose():
    plan = ClusterSettings(min_cluster_ratio=0.1, max_cluster_ratio=0.3).resolve(1000)
    assert (plan.fewest, plan.most) == (4, 10)
