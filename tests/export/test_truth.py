"""Clusters against the folders that pictures already lie in."""

from __future__ import annotations

import json

import pytest

from core.errors import ShoeboxError
from tests.export.piles import make_project, run_export


def test_clusters_that_are_the_folders_agree_wholly(tmp_path):
    pile = {f"{kind}/{n}.png".encode(): number for number, kind in ((1, "cat"), (2, "dog")) for n in range(6)}
    result = run_export(make_project(tmp_path / "pile", pile), tmp_path, what="none", truth="folders")
    assert result.truth == {
        **{"purity": 1.0, "ari": 1.0, "nmi": 1.0, "ami": 1.0},
        **{"classes": 2, "pictures": 12, "without_folder": 0},
    }
    assert json.loads((result.directory / "clusters.json").read_text())["truth"] == result.truth
    assert result.as_dict()["truth"] == result.truth


def test_the_figures_are_those_of_hand_counting(tmp_path):
    # Cluster 1: 5 cats, 1 dog; cluster 2: 1 cat, 5 dogs; one unclustered cat; one picture without a folder.
    pile: dict[bytes, int | None] = {f"a/cat/{n}.png".encode(): 1 + (n == 5) for n in range(6)}
    pile |= {f"a/dog/{n}.png".encode(): 2 - (n == 5) for n in range(6)}
    pile |= {b"a/cat/odd.png": None, b"root.png": 1}
    project = make_project(tmp_path / "pile", pile)
    truth = run_export(project, tmp_path, what="none", truth="folders").truth
    assert truth is not None
    assert truth["purity"] == pytest.approx((5 + 5 + 1) / 13, abs=1e-6)
    assert 0 < truth["ari"] < 0.7
    assert (truth["classes"], truth["pictures"], truth["without_folder"]) == (2, 13, 1)
    selected = run_export(project, tmp_path, what="none", truth="folders", clusters=[1])
    assert selected.truth == truth  # of the whole clustering, whatever was chosen


def test_the_class_is_the_whole_folder_path(tmp_path):
    pile = {b"train/cat/1.png": 1, b"val/cat/1.png": 2, b"train/cat/2.png": 1, b"val/cat/2.png": 2}
    truth = run_export(make_project(tmp_path / "pile", pile), tmp_path, what="none", truth="folders").truth
    assert truth is not None and truth["classes"] == 2


def test_without_any_folder_it_says_so_and_writes_nothing(tmp_path):
    pile = {b"1.png": 1, b"2.png": 2}
    project = make_project(tmp_path / "pile", pile)
    with pytest.raises(ShoeboxError, match="--truth"):
        run_export(project, tmp_path, truth="folders")
    assert [p.name for p in tmp_path.iterdir()] == ["pile"]
