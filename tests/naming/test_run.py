"""Naming a project by a vocabulary, with the real pocket model: right names, measured, and the user's own kept."""

import dataclasses

import pytest

from core.catalog import clusterings, curation, edits, encoders, names
from core.clustering.settings import ClusterSettings
from core.encoders.spec import parse_spec
from core.errors import CancelledError, UsageError
from core.jobs.context import Control, JobContext
from core.jobs.kinds import run_job
from core.jobs.models import LoadedEncoders
from core.naming.texts import Texts
from core.project import Project, open_project
from core.settings import Settings
from tests.conftest import KINDS

MODELS = LoadedEncoders()


def job(project: Project, kind: str, **params):
    context = JobContext(
        project=project,
        settings=Settings(),
        environment={},
        models=MODELS,
        control=Control(),
        report=lambda _: None,
    )
    return run_job(kind, context, params)


@pytest.fixture
def clustered(embedded) -> Project:
    project = open_project(embedded)
    job(project, "cluster", clustering=dataclasses.asdict(ClusterSettings(method="balanced", clusters=4)))
    return project


@pytest.fixture
def db(clustered):
    with clustered.database() as db:
        yield db


def found(db) -> dict[int, names.ClusterName]:
    return {n.number: n for n in names.names_of(db, run_of(db))}


def run_of(db) -> int:
    run = clusterings.latest(db)
    assert run is not None
    return run.id


def true_kinds(db) -> dict[int, str]:
    """What the files of each cluster are called."""
    run = run_of(db)
    return {
        number: next(iter(clusterings.members(db, run, number))).path.decode().split("-")[0] for number in found(db)
    }


def test_every_cluster_gets_its_kind_and_a_figure(clustered, db):
    result = job(clustered, "name", naming={"vocabulary": "auto"})
    assert {number: n.name for number, n in found(db).items()} == true_kinds(db)
    assert set(true_kinds(db).values()) == set(KINDS)
    assert result["named"] == 4 and result["quality"] > 0.95 and result["first"] > 0.95
    for n in found(db).values():
        assert n.state == "proposed" and len(n.alternatives) == 2
        assert n.quality is not None and n.proposal is not None
        shown = set(n.proposal.shown)
        assert n.quality.pictures + len(shown) == n.size, "measured on pictures that the words were not chosen by"
        assert all(a.quality is not None and a.quality.figure < n.quality.figure for a in n.alternatives)


def test_a_typed_name_stays_and_its_figure_tells_right_from_wrong(clustered, db):
    job(clustered, "name", naming={})
    run = run_of(db)
    kinds = true_kinds(db)
    first, second = list(kinds)[:2]
    curation.rename(db, run, first, kinds[second])
    assert found(db)[first].quality is None and not names.is_measured(db, run)
    assert found(db)[first].twins == [second], "equal names are told before anything is measured"
    job(clustered, "measure")
    wrong, right = found(db)[first].quality, found(db)[second].quality
    assert wrong is not None and right is not None
    assert wrong.figure < 0.7 < 0.95 < right.figure
    job(clustered, "name", naming={})
    assert (found(db)[first].name, found(db)[first].state) == (kinds[second], "edited")
    assert found(db)[second].name != kinds[second], "no word is given that another cluster has"
    for _ in range(2):
        edits.undo(db)
    assert {number: n.name for number, n in found(db).items()} == kinds
    assert names.is_measured(db, run), "what was undone needs no new measuring"


def test_only_the_clusters_asked_for(clustered, db):
    number = next(iter(found(db)))
    job(clustered, "name", naming={"clusters": [number]})
    assert [n.number for n in found(db).values() if n.name] == [number]
    with pytest.raises(UsageError, match="no cluster 77"):
        job(clustered, "name", naming={"clusters": [77]})


def test_names_go_on_to_the_next_run_and_are_measured_there_without_the_model(clustered, db):
    job(clustered, "name", naming={})
    before = {n.name for n in found(db).values()}
    job(clustered, "cluster", clustering=dataclasses.asdict(ClusterSettings(method="kmeans", clusters=4)))
    assert {n.name for n in found(db).values()} == before
    assert all(n.quality is not None and n.quality.first is not None for n in found(db).values())


def test_a_vocabulary_of_too_few_words_names_some_and_says_why_not_the_others(clustered, db, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("car\nfish\n")
    result = job(clustered, "name", naming={"vocabulary": str(file)})
    assert sorted(n.name for n in found(db).values() if n.name) == ["car", "fish"]
    assert result["named"] == 2
    assert all("no word left" in str(n.reason) for n in found(db).values() if not n.name)


def test_same_seed_same_names(clustered, db, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(["vehicle", "animal", "shape", "thing", "rain", "toy", "leaf", "red", "boat", "sea"]))
    job(clustered, "name", naming={"vocabulary": str(file)})
    first = [(n.name, n.quality, n.alternatives) for n in found(db).values()]
    job(clustered, "name", naming={"vocabulary": str(file)})
    assert [(n.name, n.quality, n.alternatives) for n in found(db).values()] == first


def test_words_are_read_once_for_an_encoder_and_a_stop_loses_none(clustered, tmp_path):
    with clustered.database() as db:
        record = encoders.last(db)
    assert record is not None
    encoder = MODELS.get(parse_spec("pocket"), "cpu", lambda _: None)[0]
    words, path = [f"word{n}" for n in range(300)], tmp_path / "cache" / "texts.sqlite"

    def stop(said: str, share: float) -> None:
        if share > 0:
            raise CancelledError("cancelled")

    with Texts(record.fingerprint, encoder, pocket=True, path=path) as texts, pytest.raises(CancelledError):
        texts.encode(words, stop)
    with Texts(record.fingerprint, pocket=True, path=path) as texts:
        assert 0 < len(texts.known(words)) < len(words)
    told: list[str] = []
    with Texts(record.fingerprint, encoder, pocket=True, path=path) as texts:
        first = texts.encode(words, lambda said, share: told.append(said))
    with Texts(record.fingerprint, pocket=True, path=path) as texts:
        assert (texts.encode(words) == first).all(), "without the encoder"
    assert told[0].endswith(f"of {len(words) - 128:,}"), "what was read before the stop is not read again"


def test_a_cache_that_cannot_be_used_is_done_without(clustered, tmp_path):
    encoder = MODELS.get(parse_spec("pocket"), "cpu", lambda _: None)[0]
    broken = tmp_path / "texts.sqlite"
    broken.write_bytes(b"no database" * 100)
    with Texts("any", encoder, pocket=True, path=broken) as texts:
        assert texts.encode(["car", "fish", "car"]).shape == (3, encoder.dimension)
