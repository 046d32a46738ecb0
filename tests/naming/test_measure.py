"""What a language model proposed, put in order by how well it measures on a real pile."""

import pytest

from core.catalog import clusterings, curation, encoders, names
from core.catalog.names import Proposed
from core.encoders.encoder import load_encoder
from core.naming.measure import ranked
from core.naming.texts import Texts
from core.project import Project


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("pocket", device="cpu")


@pytest.fixture
def kinds(clustered) -> dict[str, int]:
    """The number of the cluster that holds each kind."""
    with clustered.database() as db:
        run = run_of(db)
        return {
            next(iter(clusterings.members(db, run, c.number))).path.decode().split("-")[0]: c.number
            for c in clusterings.clusters_of(db, run)
        }


def run_of(db) -> int:
    latest = clusterings.latest(db)
    assert latest is not None
    return latest.id


def put_in_order(project: Project, encoder, *proposals: Proposed) -> dict[int, list[str]]:
    with project.database() as db:
        record = encoders.last(db)
        assert record is not None
        with Texts(record.fingerprint, encoder, pocket=True) as texts:
            found = ranked(project, db, run_of(db), record, texts, proposals)
    return {p.cluster: p.candidates for p in found}


def test_a_name_that_is_clearly_wrong_gives_way_and_the_others_follow_by_quality(clustered, encoder, kinds):
    found = put_in_order(clustered, encoder, Proposed(kinds["car"], "umbrella", ("star", "car")))
    assert found[kinds["car"]][0] == "car"


def test_the_models_own_choice_stays_where_another_is_better_by_a_hair(clustered, encoder, kinds):
    number = kinds["car"]
    for own, other in (("car", "blue car"), ("blue car", "car"), ("a car", "car"), ("car", "a car")):
        assert put_in_order(clustered, encoder, Proposed(number, own, (other,)))[number] == [own, other]


def test_a_name_that_two_propose_goes_to_whom_it_fits_and_none_goes_to_a_cluster_that_keeps_it(
    clustered, encoder, kinds
):
    car, fish, star = kinds["car"], kinds["fish"], kinds["star"]
    proposals = Proposed(fish, "car", ("fish",)), Proposed(car, "car", ("vehicle",))
    found = put_in_order(clustered, encoder, *proposals)
    assert (found[car][0], found[fish][0]) == ("car", "fish")
    with clustered.database() as db:
        curation.rename(db, run_of(db), star, "Car")
    assert put_in_order(clustered, encoder, *proposals)[car] == ["vehicle", "car"], "the user gave it to another"


def test_where_all_are_taken_the_models_choice_is_a_twin_and_no_reason_is_lost(clustered, encoder, kinds):
    car, fish = kinds["car"], kinds["fish"]
    with clustered.database() as db:
        curation.rename(db, run_of(db), fish, "car")
    without = Proposed(fish, None, reason="it was of no use")
    found = put_in_order(clustered, encoder, Proposed(car, "car"), without)
    assert found == {car: ["car"], fish: []}
    with clustered.database() as db:
        names.record(db, run_of(db), "openai", [Proposed(car, "car")], said="named")
        twins = {n.number: n.twins for n in names.names_of(db, run_of(db))}
    assert (twins[car], twins[fish]) == ([fish], [car])
