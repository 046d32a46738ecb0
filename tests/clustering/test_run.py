"""Runs over a project: what is frozen stays, what is marked is grouped anew, and the rest is left as it was."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from core.catalog import clusterings, curation, edits, encoders, images
from core.catalog.database import Database
from core.clustering.run import Within, cluster_project, recluster
from core.clustering.settings import ClusterSettings
from core.errors import ShoeboxError, UsageError
from core.jobs.context import Control, JobContext
from core.jobs.kinds import run_job
from core.jobs.models import LoadedEncoders
from core.project import Project, open_project
from core.settings import Settings
from tests.clustering.planted import planted

COUNT, CLASSES, DIMENSION = 240, 6, 64
K6 = ClusterSettings(method="kmeans", clusters=6)


def embed(db: Database, project: Project, spec: str, seed: int) -> encoders.EncoderRecord:
    """Vectors of CLASSES planted classes for every picture; image id - 1 is the row."""
    record = encoders.register(db, fingerprint=spec, spec=spec, options={}, dimension=DIMENSION)
    vectors, _ = planted(COUNT, CLASSES, dimension=DIMENSION, seed=seed)
    project.vector_file(record).append(vectors.astype(np.float32), 0)
    with db.transaction():
        encoders.add_embeddings(db, record.id, [i.to_bytes(16, "big") for i in range(COUNT)], 0)
    return encoders.get(db, record.id)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(tmp_path)


@pytest.fixture
def db(project):
    with project.database() as db:
        contents = [i.to_bytes(16, "big") for i in range(COUNT)]
        with db.transaction():
            images.add(db, 1, [(b"%03d.jpg" % i, 1, 1) for i in range(COUNT)])
            images.add_contents(db, [(content, 8, 8, "PNG") for content in contents])
            images.mark_ready(db, [(i + 1, content) for i, content in enumerate(contents)])
        yield db


@pytest.fixture
def record(db, project) -> encoders.EncoderRecord:
    return embed(db, project, "first", 0)


@pytest.fixture
def run(db, project, record) -> int:
    return cluster_project(project, record, K6)


def groups(db: Database, run: int) -> dict[int | None, set[int]]:
    found: dict[int | None, set[int]] = {}
    for image, number in clusterings.assigned(db, run):
        found.setdefault(number, set()).add(image)
    return found


def by_number(db: Database, run: int) -> dict[int, clusterings.Cluster]:
    return {c.number: c for c in clusterings.clusters_of(db, run)}


def route(db: Database) -> str:
    latest = clusterings.latest(db)
    assert latest is not None
    return latest.route


def test_names_tags_and_marks_carry_over(db, project, record, run):
    curation.rename(db, run, 2, "sea")
    curation.tag(db, run, 2, ["blue"])
    curation.trash(db, sorted(groups(db, run)[3])[:2])
    following = cluster_project(project, record, K6)
    found = by_number(db, following)[2]
    assert (found.name, found.tags, found.frozen, found.changed) == ("sea", ("blue",), False, False)


def test_a_frozen_cluster_keeps_number_name_and_members_and_the_rest_is_grouped(db, project, record, run):
    before = groups(db, run)
    stranger = min(before[5])
    curation.move(db, run, [stranger], 4)
    curation.rename(db, run, 4, "mine")
    curation.freeze(db, run, 4, True)
    hidden = max(before[4])
    curation.trash(db, [hidden])
    settings = ClusterSettings(clusters=3, min_cluster_ratio=0.33)
    following = cluster_project(project, record, settings)
    after = groups(db, following)
    assert after[4] == before[4] | {stranger}, "what was moved in and what is in the trash, too"
    found = by_number(db, following)
    assert (found[4].name, found[4].frozen, found[4].size) == ("mine", True, len(after[4]) - 1)
    rest = COUNT - len(after[4])
    assert len(found) == 4
    assert min(c.size for c in found.values() if c.number != 4) >= int(0.33 * rest)
    assert f"cluster 4 is frozen and kept as before ({len(after[4])} pictures)" in route(db)
    assert f"about the other {rest}" in route(db)
    latest = clusterings.latest(db)
    assert latest is not None and latest.images == COUNT - 1
    curation.restore(db, [hidden])
    assert by_number(db, following)[4].size == len(after[4])
    scores = {m.image: m.score for m in clusterings.members(db, following, 4)}
    assert scores[stranger] == min(scores.values()), "measured in the cluster it is in now"


def test_a_frozen_cluster_stays_with_another_encoder(db, project, record, run):
    curation.freeze(db, run, 1, True)
    other = embed(db, project, "second", 5)
    following = cluster_project(project, other, K6)
    assert groups(db, following)[1] == groups(db, run)[1]
    found = by_number(db, following)[1]
    assert found.frozen
    assert found.cohesion < by_number(db, run)[1].cohesion, "measured with the vectors of the run"


def test_where_all_is_frozen_there_is_nothing_to_group(db, project, record, run):
    for number in range(1, CLASSES + 1):
        curation.freeze(db, run, number, True)
    with pytest.raises(ShoeboxError, match="every picture is in a frozen cluster"):
        cluster_project(project, record, K6)


def test_where_no_picture_is_embedded_as_it_is_now_the_reason_is_told(db, project, record, run):
    curation.trash(db, range(1, COUNT + 1))
    with pytest.raises(ShoeboxError, match="every picture is in the trash"):
        cluster_project(project, record, K6)
    edits.undo(db)
    images.mark_changed(db, [(i + 1, 2, 2) for i in range(COUNT)])  # a copy of the folder, say
    with pytest.raises(ShoeboxError, match=r"240 pictures changed or came since .*: shoebox embed"):
        cluster_project(project, record, K6)


def test_what_is_frozen_while_a_run_is_made_is_not_lost(db, project, record, run):
    def freeze_meanwhile(words: str, share: float) -> None:
        if share == 1.0:
            with project.database() as other:
                curation.freeze(other, run, 2, True)

    with pytest.raises(ShoeboxError, match="frozen clusters were edited"):
        cluster_project(project, record, ClusterSettings(clusters=2), progress=freeze_meanwhile)
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == run


def test_a_cluster_is_split_in_two_and_the_rest_is_as_it_was(db, project, run):
    curation.merge(db, run, [6], 1)
    curation.rename(db, run, 1, "both")
    curation.trash(db, [min(groups(db, run)[1])])
    before, clusters = groups(db, run), by_number(db, run)
    following = recluster(project, ClusterSettings(), {"cluster": 1})
    after, found = groups(db, following), by_number(db, following)
    assert after.keys() == before.keys() - {6} | {7}
    assert after[1] | after[7] == before[1]
    for number in (2, 3, 4, 5):
        assert after[number] == before[number]
        assert found[number] == clusters[number]
    assert (found[1].name, found[7].name) == ("both", None)
    assert found[1].size + found[7].size == len(before[1]) - 1
    latest = clusterings.latest(db)
    assert latest is not None
    assert latest.settings["clusters"] == 6, "what a run of all would go on with"
    assert "cluster 1 split into 2 by" in latest.route and f"as in clustering {run}" in latest.route
    assert edits.undo(db) == "cluster 1 split into 2"
    assert route(db) != latest.route
    assert groups(db, run) == before
    assert edits.redo(db) == "cluster 1 split into 2"
    assert route(db) == latest.route


def test_marked_pictures_of_several_clusters_are_grouped_anew(db, project, run):
    before, clusters = groups(db, run), by_number(db, run)
    marked = sorted(before[1])[:20] + sorted(before[2])
    following = recluster(project, ClusterSettings(clusters=2), {"images": [*marked, 9999]})
    after, found = groups(db, following), by_number(db, following)
    assert after[1] == before[1] - set(marked), "a cluster that keeps pictures keeps its number"
    assert after[2] == before[2], "one that was marked whole gets it back with its pictures"
    assert after[7] == set(sorted(before[1])[:20])
    assert found[1].size == len(after[1]) < clusters[1].size
    assert set(found[1].previews) <= after[1]
    assert {n: found[n] for n in (3, 4, 5, 6)} == {n: clusters[n] for n in (3, 4, 5, 6)}
    held = list(clusterings.members(db, following, 1))
    assert found[1].cohesion == pytest.approx(np.mean([m.score for m in held]), abs=1e-5)
    assert found[1].representative == held[0].image


def test_what_cannot_be_grouped_anew_is_refused(db, project, run):
    refused: list[Within] = [{"cluster": 99}, {"images": []}, {"images": [1]}, {"images": [1, 9999]}]
    for within in refused:
        with pytest.raises(UsageError):
            recluster(project, ClusterSettings(), within)
    with pytest.raises(UsageError, match="cannot be made of"):
        recluster(project, ClusterSettings(clusters=5), {"images": [1, 2]})
    assert len(clusterings.all_clusterings(db)) == 1


def test_edits_made_meanwhile_are_not_lost_by_a_split(db, project, run):
    def rename_meanwhile(words: str, share: float) -> None:
        with project.database() as other:
            curation.rename(other, run, 3, "meanwhile")

    with pytest.raises(ShoeboxError, match="were edited while"):
        recluster(project, ClusterSettings(), {"cluster": 1}, progress=rename_meanwhile)
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == run
    assert by_number(db, run)[3].name == "meanwhile"


def test_the_job_splits_a_cluster(db, project, run):
    context = JobContext(project, Settings(), {}, LoadedEncoders(), Control(), lambda _: None)
    params = {"clustering": dataclasses.asdict(ClusterSettings()), "within": {"cluster": 2}}
    result = run_job("cluster", context, params)
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == result["clustering"] != run
    assert len(by_number(db, latest.id)) == CLASSES + 1
