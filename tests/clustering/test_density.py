"""Routes and UMAP. The UMAP test takes 10 to 25 s, nearly all of it numba's compilation."""

import numpy as np

from core.clustering.density import assign_nearest, fit_density
from core.clustering.neighbours import nearest_neighbours
from core.clustering.routes import choose_route, default_min_cluster_size
from core.clustering.truth import agreement
from tests.clustering.planted import planted


def test_umap_finds_planted_groups_and_repeats_itself():
    vectors, classes = planted(300, 6)
    first = fit_density(vectors, min_cluster_size=5, reduction="umap", seed=3)
    again = fit_density(vectors, min_cluster_size=5, reduction="umap", seed=3)
    assert "UMAP" in first.route
    assert agreement(classes.astype(str).tolist(), first.labels).ari > 0.9
    assert (first.labels == again.labels).all()


def test_route_follows_the_number_of_pictures_and_says_why():
    routes = {count: choose_route(count, "auto") for count in (10, 400, 5_000, 80_000)}
    assert [name for name, _ in routes.values()] == ["none", "eigenmaps", "umap", "evoc"]
    assert all(why for _, why in routes.values())
    assert choose_route(400, "umap") == ("umap", "")


def test_default_smallest_cluster():
    assert [default_min_cluster_size(n) for n in (4, 12, 400, 10_000, 1_000_000)] == [2, 2, 5, 12, 50]


def test_assign_nearest_puts_every_picture_where_it_belongs():
    vectors, classes = planted(200, 4)
    labels = classes.copy()
    labels[::5] = -1
    filled = assign_nearest(vectors, labels)
    assert (filled == classes).mean() > 0.98
    assert (filled[labels >= 0] == labels[labels >= 0]).all()
    nothing = np.full(200, -1, np.int32)
    assert (assign_nearest(vectors, nothing) == nothing).all()


def test_neighbours_are_the_exact_ones():
    vectors, _ = planted(700, 3, dimension=64)
    found = nearest_neighbours(vectors, 5)
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    np.fill_diagonal(distances, np.inf)
    assert np.allclose(found.distances, np.sort(distances, axis=1)[:, :5], atol=1e-5)
    assert np.allclose(np.take_along_axis(distances, found.rows, axis=1), found.distances, atol=1e-5)


def test_many_copies_of_a_picture_stay_together():
    vectors, _ = planted(120, 3)
    copies = np.repeat(vectors[:1], 60, axis=0)
    found = fit_density(np.concatenate([vectors, copies]), min_cluster_size=5)
    assert len(np.unique(found.labels[120:])) == 1
    assert fit_density(copies, min_cluster_size=5).labels.tolist() == [0] * 60
