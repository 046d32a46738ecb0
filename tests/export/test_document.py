"""clusters.json, as other programs read it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from core.catalog import clusterings, curation, edits, images, names, replies
from core.catalog.clusterings import ClusteringRecord
from core.catalog.database import Database
from core.errors import UsageError
from core.export.document import clusters_document
from core.export.run import member_paths
from core.project import Project
from tests.export.piles import NAMES, PILE, image_id, make_project, run_export


def document_of(project: Project, numbers: list[int] | None = None) -> dict[str, Any]:
    with project.database() as db:
        return clusters_document(project, db, latest_of(db), numbers)


def latest_of(db: Database) -> ClusteringRecord:
    latest = clusterings.latest(db)
    assert latest is not None
    return latest


def test_it_has_the_keys_that_programs_rely_on(tmp_path):
    document = document_of(make_project(tmp_path / "pile"))
    assert {"generatedAt", "model", "settings", "summary", "clusters", "unclustered"} <= document.keys()
    assert document["summary"] == {"total_images": 9, "num_clusters": 2, "num_unclustered": 1}
    assert document["model"] == "pocket"
    assert document["encoder"] == {
        **{"spec": "pocket", "weights": None, "model_config": None},
        **{"fingerprint": "f" * 16, "dimension": 8},
    }
    assert (document["seed"], document["method"], document["silhouette"]) == (7, "balanced", 0.25)
    assert document["settings"]["choice"] == {"tried": [0.333333, 2]}
    assert document["sources"] == [{"kind": "folder", "path": str(tmp_path / "pile")}]
    beach, forest = document["clusters"]
    assert (beach["id"], beach["name"], beach["size"], beach["changed"]) == (1, "beach at dusk", 5, False)
    assert (forest["id"], forest["name"], forest["size"], forest["changed"]) == (2, None, 3, True)
    assert [m["path"] for m in document["unclustered"]] == ["beach/odd.png"]
    json.dumps(document, allow_nan=False)


def test_members_come_nearest_first_and_the_representative_is_one_of_them(tmp_path):
    for cluster in document_of(make_project(tmp_path / "pile"))["clusters"]:
        members = cluster["members"]
        assert [m["score"] for m in members] == sorted((m["score"] for m in members), reverse=True)
        assert members[cluster["representative_index"]]["path"] == cluster["representative"]
        assert cluster["previews"] == [0, 1, 2]
        assert all((m["width"], m["height"], len(m["hash"])) == (32, 24, 32) for m in members)


def test_the_representative_is_the_one_recorded_wherever_it_stands(tmp_path):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        sand = image_id(project, b"beach/sand.png")
        db.execute("UPDATE clusters SET representative = ? WHERE number = 1", (sand,))
    cluster = document_of(project)["clusters"][0]
    assert cluster["representative"] == "beach/sand.png"
    assert cluster["members"][cluster["representative_index"]]["path"] == "beach/sand.png"
    assert cluster["representative_index"] > 0


def test_a_path_that_is_no_text_comes_with_its_bytes(tmp_path):
    members = document_of(make_project(tmp_path / "pile"))["clusters"][0]["members"]
    (odd,) = [m for m in members if "path_b64" in m]
    assert odd["path"] == r"beach/caf\xe9.png"
    assert base64.b64decode(odd["path_b64"]) == b"beach/caf\xe9.png"


def test_pictures_in_the_trash_or_missing_are_not_in_it(tmp_path):
    project = make_project(tmp_path / "pile")
    before = document_of(project)["clusters"][0]
    assert before["representative"] == r"beach/caf\xe9.png"
    with project.database() as db:
        images.set_trashed(db, [image_id(project, b"beach/caf\xe9.png")], trashed=True)
        gone = [image_id(project, path) for path, number in PILE.items() if number == 2]
        images.mark_missing(db, gone, missing=True)
    document = document_of(project)
    (after,) = document["clusters"]
    assert after["size"] == before["size"] - 1 == len(after["members"])
    assert before["representative"] not in [m["path"] for m in after["members"]]
    assert after["representative"] == after["members"][0]["path"]
    assert after["previews"] == [0, 1]
    assert document["summary"] == {"total_images": 5, "num_clusters": 1, "num_unclustered": 1}


def test_a_selection_has_its_clusters_alone(tmp_path):
    document = document_of(make_project(tmp_path / "pile"), [2])
    assert [c["id"] for c in document["clusters"]] == document["selection"] == [2]
    assert document["unclustered"] == []
    assert document["summary"] == {"total_images": 3, "num_clusters": 1, "num_unclustered": 0}


def test_the_written_file_is_the_same_document(tmp_path):
    project = make_project(tmp_path / "pile")
    result = run_export(project, tmp_path, what="none")
    written = json.loads((result.directory / "clusters.json").read_text(encoding="utf-8"))
    document = document_of(project)
    for key in document.keys() - {"generatedAt"}:
        assert written[key] == document[key], key
    assert written["skipped"] == []


def test_a_cluster_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    project = make_project(tmp_path / "pile")
    with pytest.raises(UsageError, match=r"cluster 5, 9 .*there are: 1, 2"):
        document_of(project, [9, 2, 5])
    with pytest.raises(UsageError, match="cluster 9"):
        run_export(project, tmp_path, clusters=[9])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pile"]
    with project.database() as db, pytest.raises(UsageError, match="cluster 9"):
        member_paths(project, db, latest_of(db), [9])


def test_member_paths_are_the_absolute_bytes(tmp_path):
    project = make_project(tmp_path / "pile")
    root = bytes(tmp_path / "pile") + b"/"
    with project.database() as db:
        latest = latest_of(db)
        assert sorted(member_paths(project, db, latest, [1])) == sorted(root + p for p, n in PILE.items() if n == 1)
        assert {*member_paths(project, db, latest)} == {root + p for p, n in PILE.items() if n in NAMES}


def test_names_come_with_where_they_are_from_and_how_well_they_fit(tmp_path):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        run = latest_of(db)
        curation.rename(db, run.id, 1, None)
        proposed = names.Proposed(1, "beach <b>", ["sea"], "Sand and <i>water</i>.", model="m", prompt="1")
        names.record(db, run.id, "openai", [proposed], said="named")
        (first, *_) = names.names_of(db, run.id)
        quality = names.Quality(0.9, 0.8, 0.5, 3)
        names.put_quality(db, run.id, [names.Measured(1, "beach <b>", first.basis, quality, [(2, "gone")])])
        content = next(iter(clusterings.members(db, run.id, 1))).hash
        replies.put_label(db, content, replies.Label("a wave", None, "m", "1"))
    folder = run_export(project, tmp_path).directory
    document = json.loads((folder / "clusters.json").read_text())
    entry = next(c for c in document["clusters"] if c["id"] == 1)
    assert (entry["name"], entry["state"], entry["description"]) == ("beach <b>", "proposed", "Sand and <i>water</i>.")
    assert entry["quality"] == {"quality": 0.85, "auroc": 0.9, "near": 0.8, "first": 0.5, "pictures": 3}
    assert entry["alternatives"] == [{"name": "sea", "quality": None}] and entry["twins"] == []
    assert document["names"]["quality"] == 0.85 and document["names"]["named"] == 1
    listed = json.loads((folder / "cluster_names.json").read_text())
    assert [(n["cluster_id"], n["category"], n["descriptions"]) for n in listed] == [
        (1, "beach <b>", ["a wave"]),
        (2, None, []),
    ]
    described = json.loads((folder / "cluster_descriptions.json").read_text())
    assert [d["description"] for d in described["1"]] == ["a wave"] and described["2"] == []
    assert described["1"][0]["path"] == entry["members"][0]["path"]
    page = (folder / "clusters.html").read_text()
    assert "Sand and &lt;i&gt;water&lt;/i&gt;." in page and "name 0.85" in page


def test_what_the_user_did_to_the_clusters_is_in_it_unless_it_was_undone(tmp_path):
    project = make_project(tmp_path / "pile")
    with project.database() as db:
        run = latest_of(db).id
        curation.freeze(db, run, 1, frozen=True)
        curation.tag(db, run, 1, ["sea", "summer"])
        curation.rename(db, run, 2, "undone in a moment")
        edits.undo(db)
    document = document_of(project)
    beach, forest = document["clusters"]
    assert (beach["frozen"], beach["tags"]) == (True, ["sea", "summer"])
    assert (forest["frozen"], forest["tags"]) == (False, [])
    assert len(document["edits"]) == 2
    assert all(edit["said"] and edit["at"] for edit in document["edits"])
