"""Runs of clustering: whole or not there, kept for good, and read without what is gone."""

import signal
import threading

import pytest

from core.catalog import clusterings, encoders, images
from core.catalog.clusterings import NewCluster
from core.catalog.database import Database
from tests import programs
from tests.catalog.library import add, content, embed

RECORD_AND_DIE = """
import os, signal, sys
from core.catalog import clusterings
from core.catalog.database import Database
class Deadly(list):
    def __getitem__(self, key):
        if isinstance(key, slice) and key.start >= 2 * clusterings.CHUNK:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(key)
members = Deadly((image, 1, 0.5) for image in range(1, 3 * clusterings.CHUNK))
with Database(sys.argv[1]) as db:
    clusterings.record(db, encoder=1, method="balanced", route="", settings={}, seed=0, silhouette=None, seconds=0,
                       clusters=[], assignments=members)
"""


def cluster(number: int, *members: int, name: str | None = None) -> NewCluster:
    return NewCluster(number, name, len(members), members[0], 0.9, 0.25, False, members, b"\0\0")


def record(db, encoder, clusters, unclustered=()):
    members = [(image, c.number, 1 - place / 10) for c in clusters for place, image in enumerate(c.previews)]
    return clusterings.record(
        db,
        encoder=encoder.id,
        method="balanced",
        route="one step",
        settings={"clusters": 2},
        seed=7,
        silhouette=0.5,
        seconds=1.5,
        clusters=clusters,
        assignments=members + [(image, None, 0.0) for image in unclustered],
    )


@pytest.fixture
def ids(db, source, encoder) -> list[int]:
    ids = add(db, source, *(b"%d.jpg" % n for n in range(8)))
    embed(db, encoder, [(i, content(str(i))) for i in ids])
    return ids


def test_a_run_is_read_as_it_was_recorded(db, encoder, ids):
    run = record(db, encoder, [cluster(2, *ids[:2]), cluster(1, *ids[2:6], name="cars")], ids[6:])
    found = clusterings.latest(db)
    assert found is not None and found.id == run
    assert (found.encoder, found.method, found.route) == (encoder.id, "balanced", "one step")
    assert (found.settings, found.seed, found.silhouette, found.seconds) == ({"clusters": 2}, 7, 0.5, 1.5)
    assert (found.images, found.unclustered) == (8, 2)
    first, second = clusterings.clusters_of(db, run)
    assert (first.number, first.name, first.size, first.representative) == (1, "cars", 4, ids[2])
    assert (first.previews, first.cohesion, first.silhouette, first.changed) == (ids[2:6], 0.9, 0.25, False)
    assert (second.number, second.name, second.size) == (2, None, 2)
    members = list(clusterings.members(db, run, 1))
    assert [(m.image, m.score) for m in members] == list(zip(ids[2:6], (1.0, 0.9, 0.8, 0.7), strict=True))
    assert (members[0].path, members[0].hash, members[0].width) == (b"2.jpg", content(str(ids[2])), 64)
    assert [m.image for m in clusterings.members(db, run, None)] == ids[6:]
    assert dict(clusterings.assigned(db, run)) == dict(zip(ids, (2, 2, 1, 1, 1, 1, None, None), strict=True))


def test_members_leave_out_what_is_missing_trashed_or_to_be_read_again(db, encoder, ids):
    run = record(db, encoder, [cluster(1, *ids)])
    with db.transaction():
        images.mark_missing(db, ids[:1], missing=True)
        images.set_trashed(db, ids[1:2], trashed=True)
        images.mark_changed(db, [(ids[2], 5, 5)])
        images.mark_failed(db, [(ids[3], "broken")])
    assert [m.image for m in clusterings.members(db, run, 1)] == ids[4:]


def test_every_run_is_kept_and_the_latest_is_by_encoder_if_asked(db, encoder, ids):
    other = encoders.register(db, fingerprint="second", spec="other", options={}, dimension=4)
    runs = [
        record(db, encoder, [cluster(1, *ids)]),
        record(db, other, [cluster(4, *ids)]),
        record(db, encoder, [cluster(3, *ids)]),
    ]
    assert [r.id for r in clusterings.all_clusterings(db)] == runs
    for which, run in ((None, runs[2]), (encoder.id, runs[2]), (other.id, runs[1])):
        found = clusterings.latest(db, which)
        assert found is not None and found.id == run
    assert [c.number for c in clusterings.clusters_of(db, runs[0])] == [1]


def test_a_number_once_given_is_not_given_again(db, encoder, ids):
    assert clusterings.highest_number(db) == 0
    record(db, encoder, [cluster(9, *ids)])
    record(db, encoder, [cluster(2, *ids)])
    assert clusterings.highest_number(db) == 9


def test_there_is_no_latest_run_at_first(db):
    assert clusterings.latest(db) is None
    assert clusterings.all_clusterings(db) == []


def test_a_run_cut_short_by_kill_9_never_shows_and_is_cleared_by_the_next(db, path, encoder, ids):
    whole = record(db, encoder, [cluster(1, *ids)])
    assert programs.run(RECORD_AND_DIE, path).returncode == -signal.SIGKILL
    assert db.value("SELECT count(*) FROM assignments") == len(ids) + 2 * clusterings.CHUNK, "half of it is there"
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == whole
    assert [r.id for r in clusterings.all_clusterings(db)] == [whole]
    following = record(db, encoder, [cluster(1, *ids)])
    assert [r.id for r in clusterings.all_clusterings(db)] == [whole, following]
    assert db.value("SELECT count(*) FROM assignments") == 2 * len(ids)


def test_numbers_of_a_run_that_never_was_are_free(db, path, encoder, ids):
    assert programs.run(RECORD_AND_DIE.replace("clusters=[]", CLUSTER_9), path).returncode == -signal.SIGKILL
    record(db, encoder, [cluster(1, *ids)])
    assert clusterings.highest_number(db) == 1


CLUSTER_9 = "clusters=[clusterings.NewCluster(9, None, 1, 1, 0, None, False, [1], b'')]"


def test_two_lanes_that_record_at_once_both_end_with_their_runs(path, encoder, ids, connections):
    """The lanes of one worker: `run` clusters in one while `cluster` does in the other."""
    transactions: list[str] = []

    def record_run(number: int) -> None:
        with Database(path) as own:
            record(own, encoder, [], range(1, number))

    other = threading.Thread(target=record_run, args=(100,))

    def begin_the_other(statement: str) -> None:
        transactions.extend([statement] if statement.startswith("BEGIN") else [])
        if len(transactions) == 3 and not other.ident:  # between two chunks: no lock is held
            other.start()
            other.join(0.5)

    with Database(path) as own:
        connections[-1].set_trace_callback(begin_the_other)
        record(own, encoder, [], range(1, 5 * clusterings.CHUNK))
        other.join()
        sizes = [len(list(clusterings.assigned(own, run.id))) for run in clusterings.all_clusterings(own)]
    assert sizes == [5 * clusterings.CHUNK - 1, 99]


def test_a_live_snapshot_is_replaced_and_is_the_encoders_own(db, encoder):
    other = encoders.register(db, fingerprint="second", spec="other", options={}, dimension=4)
    assert clusterings.live(db, encoder.id) is None
    clusterings.publish_live(db, encoder.id, {"clusters": [1]})
    clusterings.publish_live(db, encoder.id, {"clusters": [1, 2]})
    clusterings.publish_live(db, other.id, {"clusters": []})
    assert clusterings.live(db, encoder.id) == {"clusters": [1, 2]}
    assert clusterings.live(db, other.id) == {"clusters": []}
