"""What becomes of names when clusters change: merged, moved out of, split, grouped anew, and undone."""

import dataclasses

import pytest

from core.catalog import clusterings, curation, edits, encoders, names
from core.catalog.names import ClusterName, Proposed
from core.clustering.run import cluster_project, recluster
from core.clustering.settings import ClusterSettings
from core.project import Project


@pytest.fixture
def db(clustered):
    with clustered.database() as db:
        yield db


@pytest.fixture
def proposed(db) -> list[int]:
    """The numbers of four clusters, largest first; each has a name that was proposed for it, from half its pictures."""
    run = run_of(db)
    numbers = [c.number for c in clusterings.clusters_of(db, run)]
    shown = {number: pictures(db, number)[::2] for number in numbers}
    proposals = [Proposed(n, f"name {n}", ("other",), shown=shown[n], model="seer") for n in numbers]
    names.record(db, run, "openai", proposals, said="named them")
    return numbers


def run_of(db) -> int:
    latest = clusterings.latest(db)
    assert latest is not None
    return latest.id


def found(db) -> dict[int, ClusterName]:
    return {n.number: n for n in names.names_of(db, run_of(db))}


def pictures(db, number: int) -> list[int]:
    return [member.image for member in clusterings.members(db, run_of(db), number)]


def outdated(db) -> set[int]:
    return {number for number, n in found(db).items() if n.outdated}


def cluster_again(project: Project, clusters: int) -> None:
    with project.database() as db:
        record = encoders.last(db)
    assert record is not None
    cluster_project(project, record, ClusterSettings(method="kmeans", clusters=clusters))


def test_a_merge_keeps_the_users_name_and_undo_gives_each_its_own_back(db, proposed):
    target, other, *_ = proposed
    before = {number: (n.name, n.state, n.quality) for number, n in found(db).items()}
    curation.merge(db, run_of(db), [other], target)
    assert (found(db)[target].name, outdated(db)) == (f"name {target}", {target}), "of both now"
    edits.undo(db)
    curation.rename(db, run_of(db), other, "mine")
    curation.merge(db, run_of(db), [other], target)
    assert (found(db)[target].name, found(db)[target].state) == ("mine", "edited")
    assert not outdated(db), "what the user says holds"
    for _ in range(2):
        edits.undo(db)
    assert {number: (n.name, n.state, n.quality) for number, n in found(db).items()} == before


def test_a_few_pictures_more_or_less_leave_a_name_as_it_is_and_many_do_not(db, proposed):
    first, second, *_ = proposed
    moving = pictures(db, first)
    curation.move(db, run_of(db), moving[:1], second)
    assert not outdated(db)
    curation.move(db, run_of(db), moving[1 : len(moving) // 2], second)
    assert outdated(db) == {first, second}
    names.accept(db, run_of(db), first)
    assert outdated(db) == {second}, "who accepts it has seen it"
    again = Proposed(second, "of these", shown=pictures(db, second)[:4])
    names.record(db, run_of(db), "openai", [again], said="asked again")
    assert not outdated(db)
    for _ in range(4):
        edits.undo(db)
    assert not outdated(db)


def test_pictures_in_the_trash_are_gone_and_others_in_their_place_are_not_those_that_were_named(db, proposed):
    first, second, *_ = proposed
    mine, others = pictures(db, first), pictures(db, second)
    curation.move(db, run_of(db), mine[1:], second)
    curation.move(db, run_of(db), others[1:], first)
    assert first in outdated(db), "though it is about as large"
    for _ in range(2):
        edits.undo(db)
    curation.trash(db, mine[: len(mine) // 2])
    assert outdated(db) == {first}


def test_a_split_leaves_the_name_with_what_goes_on_and_says_that_it_is_another(clustered, db, proposed):
    first = proposed[0]
    recluster(clustered, ClusterSettings(method="balanced", clusters=4), {"cluster": first})
    after = found(db)
    assert len(after) == 7
    assert after[first].name == f"name {first}" and first in outdated(db)
    for new in set(after) - set(proposed):
        assert (after[new].name, after[new].alternatives) == (None, [])
    edits.undo(db)
    assert not outdated(db)


def test_names_of_the_user_outlive_clusters_that_a_new_run_does_away_with(clustered, db, proposed):
    typed = {number: f"mine {number}" for number in proposed}
    for number in proposed[:-1]:
        curation.rename(db, run_of(db), number, typed[number])
    before = {number: (n.name, n.state) for number, n in found(db).items()}
    cluster_again(clustered, 2)
    left = list(found(db).values())
    assert len(left) == 2
    assert {n.state for n in left} == {"edited"}
    assert {n.name for n in left} <= set(typed.values())
    edits.undo(db)
    assert {number: (n.name, n.state) for number, n in found(db).items()} == before


def test_a_name_that_the_user_gave_goes_where_its_pictures_went(clustered, db, proposed):
    run = run_of(db)
    *others, smallest = sorted(proposed, key=lambda number: -len(pictures(db, number)))
    part = pictures(db, others[0])[:3]  # the smallest of all: no new cluster will go on from it
    few = curation.new_cluster(db, run, part, "the three")
    cluster_again(clustered, 4)
    after = found(db)
    assert few not in after
    (heir,) = [n for n in after.values() if n.name == "the three"]
    assert set(part) <= set(pictures(db, heir.number)) and heir.state == "edited"
    assert "the three" not in {n.name for n in after.values() if n is not heir}
    assert dataclasses.asdict(heir)["outdated"] is False
    assert smallest in after
