"""Edits by hand: each does what it says, undo restores exactly what was, and a new run is an edit like any other."""

import json
import random
import sqlite3
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from core.catalog import clusterings, curation, edits, encoders, images
from core.catalog.clusterings import NewCluster
from core.catalog.database import Database, migrate
from core.errors import ShoeboxError, UsageError
from tests.catalog.library import add, content, embed

CLUSTERS, EACH, LOOSE = 4, 6, 3
Row = tuple[Any, ...]


def record(db: Database, encoder, ids: list[int], **options) -> int:
    """A run of CLUSTERS clusters of EACH pictures, in turns; the last LOOSE ones are unclustered."""
    grouped = ids[: CLUSTERS * EACH]
    of = {number: grouped[number - 1 :: CLUSTERS] for number in range(1, CLUSTERS + 1)}
    score = {image: 1 - place / 50 for place, image in enumerate(grouped)}
    return clusterings.record(
        db,
        encoder=encoder.id,
        method="balanced",
        route="",
        settings={},
        seed=0,
        silhouette=0.5,
        seconds=1.0,
        clusters=[
            NewCluster(n, None, EACH, m[0], sum(map(score.__getitem__, m)) / EACH, 0.25, n == 1, m[:3], b"centre")
            for n, m in of.items()
        ],
        assignments=[(image, n, score[image]) for n, m in of.items() for image in m]
        + [(image, None, 0.1) for image in ids[CLUSTERS * EACH :]],
        **options,
    )


@pytest.fixture
def ids(db, source, encoder) -> list[int]:
    found = add(db, source, *(b"%02d.jpg" % n for n in range(CLUSTERS * EACH + LOOSE)))
    embed(db, encoder, [(i, content(str(i))) for i in found])
    return found


@pytest.fixture
def run(db, encoder, ids) -> int:
    return record(db, encoder, ids)


def everything(db: Database) -> dict[str, list[Row]]:
    """All that edits may change, to the last bit."""
    tables = {"clusters": "clustering, number", "assignments": "clustering, image", "images": "id", "clusterings": "id"}
    return {
        table: list(map(tuple, db.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()))
        for table, order in tables.items()
    }


def cluster(db, run, number):
    return next(c for c in clusterings.clusters_of(db, run) if c.number == number)


def members(db, run, number) -> list[int]:
    return [m.image for m in clusterings.members(db, run, number)]


def check_figures(db: Database) -> None:
    """Every figure of the latest run is what its members come to."""
    latest = clusterings.latest(db)
    assert latest is not None
    total = 0
    for found in clusterings.clusters_of(db, latest.id):
        held = list(clusterings.members(db, latest.id, found.number))
        ids = [m.image for m in held]
        assert found.size == len(held)
        assert found.cohesion == pytest.approx(sum(m.score for m in held) / len(held))
        assert found.representative in ids
        assert found.previews
        assert set(found.previews) <= set(ids)
        total += len(held)
    loose = len(members(db, latest.id, None))
    assert (latest.unclustered, latest.images) == (loose, total + loose)
    shown = {c.number for c in clusterings.clusters_of(db, latest.id)}
    numbers = {number for _, number in clusterings.assigned(db, latest.id)}
    assert all(members(db, latest.id, n) == [] for n in numbers - shown - {None})


def test_a_name_is_given_taken_away_and_tidied(db, run):
    curation.rename(db, run, 2, "  Ж  cars\nand more ")
    assert cluster(db, run, 2).name == "Ж cars and more"
    curation.rename(db, run, 2, " ")
    assert cluster(db, run, 2).name is None
    assert edits.undo(db) == "took the name of cluster 2 away"
    assert cluster(db, run, 2).name == "Ж cars and more"


def test_what_changes_nothing_is_no_edit(db, run, ids):
    curation.rename(db, run, 2, None)
    curation.freeze(db, run, 2, False)
    curation.tag(db, run, 2, [" ", ""])
    assert curation.move(db, run, members(db, run, 2), 2) == 0
    assert curation.restore(db, ids) == 0
    curation.merge(db, run, [2], 2)
    assert len(edits.history(db, 9)) == 1, "the run alone"


def test_frozen_tags_and_the_mark_of_change(db, run):
    curation.freeze(db, run, 1, True)
    curation.tag(db, run, 1, ["sea", " sand ", "sea", ""])
    assert cluster(db, run, 1).changed
    curation.unmark_changed(db, run, 1)
    found = cluster(db, run, 1)
    assert (found.frozen, found.tags, found.changed) == (True, ("sea", "sand"), False)


def test_pictures_move_and_the_clusters_follow(db, run, ids):
    first, second = members(db, run, 1), members(db, run, 2)
    moving = [first[0], first[1], ids[-1]]
    assert curation.move(db, run, moving, 2) == 3
    assert set(members(db, run, 2)) == {*second, *moving}
    assert cluster(db, run, 1).representative == first[2], "the nearest that is left"
    assert cluster(db, run, 2).representative == second[0], "what joins does not push it out"
    assert cluster(db, run, 2).silhouette is None, "nobody measured this cluster"
    assert curation.move(db, run, first[2:4], None) == 2
    assert set(members(db, run, None)) == {*first[2:4], *ids[-LOOSE:-1]}
    check_figures(db)


def test_a_cluster_that_lost_all_is_gone_until_undo(db, run):
    whole = members(db, run, 3)
    curation.move(db, run, whole, 4)
    assert [c.number for c in clusterings.clusters_of(db, run)] == [4, 1, 2]
    with pytest.raises(UsageError, match="there is no cluster 3"):
        curation.rename(db, run, 3, "gone")
    edits.undo(db)
    assert members(db, run, 3) == whole


def test_words_mean_clusters_by_number_and_name(db, run):
    curation.rename(db, run, 1, "hat, red")
    curation.rename(db, run, 2, "Headgear")
    assert clusterings.all_called(db, run, "hat, red") == [1]
    assert clusterings.all_called(db, run, "headgear, 1") == [2, 1]
    for words, todo in (("hedgear", "is it Headgear"), ("9", "by its number or its name"), (" ,", "1,3,hat")):
        with pytest.raises(UsageError, match=todo):
            clusterings.all_called(db, run, words)


def test_a_new_cluster_has_a_number_of_its_own(db, run, ids):
    marked = [*members(db, run, 1)[:2], ids[-1]]
    number = curation.new_cluster(db, run, marked, " odd ones ")
    found = cluster(db, run, number)
    assert (number, found.name, set(found.previews)) == (CLUSTERS + 1, "odd ones", set(marked))
    assert found.representative == marked[0]
    check_figures(db)
    with pytest.raises(UsageError, match="needs pictures"):
        curation.new_cluster(db, run, [10_000])


def test_clusters_merge_with_names_tags_and_trash(db, run):
    curation.rename(db, run, 2, "two")
    curation.tag(db, run, 2, ["b", "a"])
    curation.tag(db, run, 3, ["a"])
    hidden = members(db, run, 2)[1]
    curation.trash(db, [hidden])
    curation.merge(db, run, [2, 4, 3], 3)
    found = cluster(db, run, 3)
    assert (found.name, found.tags, found.size) == ("two", ("a", "b"), 3 * EACH - 1)
    assert len(found.previews) == 8, "those of all three, nearest first"
    curation.restore(db, [hidden])
    assert hidden in members(db, run, 3), "what was in the trash went along"
    check_figures(db)
    with pytest.raises(UsageError, match="there is no cluster 2"):
        curation.merge(db, run, [1], 2)


def test_trash_leaves_the_clusters_and_comes_back_to_its_place(db, run, ids):
    first = members(db, run, 1)
    assert curation.trash(db, [*first[:2], *first[:2], ids[-1]]) == 3
    assert members(db, run, 1) == first[2:]
    assert images.counts(db).trashed == 3
    check_figures(db)
    assert curation.trash(db, first) == EACH - 2
    assert 1 not in [c.number for c in clusterings.clusters_of(db, run)]
    assert curation.restore(db, first) == EACH
    assert members(db, run, 1) == first
    check_figures(db)


def test_trash_works_before_the_first_run(db, ids):
    curation.trash(db, ids[:2])
    assert images.counts(db).trashed == 2
    assert edits.undo(db) == "moved 2 pictures to the trash"
    assert images.counts(db).trashed == 0


def test_what_a_run_left_out_is_restored_among_the_unclustered(db, encoder, ids):
    curation.trash(db, ids[-2:])
    run = record(db, encoder, ids[:-2])
    before = everything(db)
    curation.restore(db, ids[-2:])
    assert set(members(db, run, None)) == {ids[-3], *ids[-2:]}
    check_figures(db)
    edits.undo(db)
    assert everything(db) == before


def test_pictures_trashed_while_a_run_is_made_do_not_count_in_it(db, encoder, ids):
    curation.trash(db, [ids[0], ids[-1]])
    run = record(db, encoder, ids)  # it was begun when both were there
    assert cluster(db, run, 1).size == EACH - 1
    latest = clusterings.latest(db)
    assert latest is not None and (latest.images, latest.unclustered) == (len(ids) - 2, LOOSE - 1)


def test_names_given_while_a_run_is_written_are_taken_over(db, encoder, run, ids):
    curation.rename(db, run, 2, "late")
    curation.freeze(db, run, 3, True)
    following = record(db, encoder, ids, continues=run)
    assert cluster(db, following, 2).name == "late"
    assert cluster(db, following, 3).frozen


def test_a_run_that_its_check_refuses_never_shows(db, encoder, run, ids):
    def refuse() -> None:
        raise ShoeboxError("no")

    with pytest.raises(ShoeboxError, match="no"):
        record(db, encoder, ids, check=refuse)
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == run
    assert len(edits.history(db, 9)) == 1


def test_undo_of_a_run_goes_back_to_the_one_before_and_its_edits(db, encoder, run, ids):
    curation.rename(db, run, 1, "first")
    following = record(db, encoder, ids, said="clustered anew")
    curation.rename(db, following, 1, "second")
    assert [edits.undo(db) for _ in range(2)] == ["named cluster 1 second", "clustered anew"]
    for which in (None, encoder.id):
        latest = clusterings.latest(db, which)
        assert latest is not None and latest.id == run
    assert edits.undo(db) == "named cluster 1 first"
    assert edits.undo(db) == f"clustered {len(ids)} pictures"
    assert clusterings.latest(db) is None
    assert edits.undo(db) is None
    assert [edits.redo(db) for _ in range(3)][-1] == "clustered anew"
    latest = clusterings.latest(db)
    assert latest is not None and latest.id == following
    assert cluster(db, run, 1).name == "first"
    edits.redo(db)
    assert edits.redo(db) is None
    assert cluster(db, following, 1).name == "second"


def test_an_edit_of_a_run_that_is_no_longer_the_latest_is_refused_in_words(db, encoder, run, ids):
    following = record(db, encoder, ids)
    before = everything(db)
    with pytest.raises(ShoeboxError, match=rf"named cluster 1 late.*clustering {run}, and {following} is the latest"):
        curation.rename(db, run, 1, "late")
    with pytest.raises(ShoeboxError, match="is the latest"):
        curation.move(db, run, ids[:2], 2)
    assert everything(db) == before


def test_undo_of_an_edit_whose_run_is_not_the_latest_is_refused_in_words(db, encoder, run, ids):
    curation.rename(db, run, 1, "kept")
    record(db, encoder, ids)
    db.execute("DELETE FROM edits WHERE id = (SELECT max(id) FROM edits)")  # a run that no journal knows of
    with pytest.raises(ShoeboxError, match=r"cannot undo \(named cluster 1 kept\)"):
        edits.undo(db)
    assert cluster(db, run, 1).name == "kept"


def test_a_new_edit_drops_what_could_be_redone(db, run):
    curation.rename(db, run, 1, "one")
    edits.undo(db)
    position = edits.position(db)
    curation.rename(db, run, 2, "two")
    assert edits.redo(db) is None
    assert edits.position(db) > position
    assert [(e.said, e.undone) for e in edits.history(db, 1)] == [("named cluster 2 two", False)]


def test_a_large_edit_is_undone_and_told_as_one(db, run, monkeypatch):
    monkeypatch.setattr(curation, "CHUNK", 4)
    monkeypatch.setattr(curation, "TRASH_CHUNK", 4)
    states = [everything(db)]
    curation.merge(db, run, [1, 2], 3)
    states.append(everything(db))
    curation.new_cluster(db, run, members(db, run, 3), "all")
    states.append(everything(db))
    curation.trash(db, members(db, run, CLUSTERS + 1))
    states.append(everything(db))
    check_figures(db)
    assert [e.said for e in edits.history(db, 3)] == [
        "moved 18 pictures to the trash",
        "made a new cluster of 18 pictures",
        "merged clusters 1 and 2 into cluster 3",
    ]
    for state in states[-2::-1]:
        edits.undo(db)
        assert everything(db) == state
    for state in states[1:]:
        edits.redo(db)
        assert everything(db) == state


def any_edit(db: Database, encoder, ids: list[int], dice: random.Random) -> None:
    """One edit of any kind, of any pictures and clusters there are; some come to nothing, some are refused."""
    latest = clusterings.latest(db)
    assert latest is not None
    run = latest.id
    numbers = [c.number for c in clusterings.clusters_of(db, run)] or [1]
    some = dice.sample(ids, dice.randint(1, 9))
    number = dice.choice(numbers)
    kinds = {
        "rename": lambda: curation.rename(db, run, number, dice.choice(["a", "b", None])),
        "freeze": lambda: curation.freeze(db, run, number, dice.random() < 0.5),
        "tag": lambda: curation.tag(db, run, number, dice.sample(["x", "y", "z"], dice.randint(0, 3))),
        "unmark": lambda: curation.unmark_changed(db, run, number),
        "move": lambda: curation.move(db, run, some, dice.choice([*numbers, None])),
        "new": lambda: curation.new_cluster(db, run, some, "new"),
        "merge": lambda: curation.merge(db, run, dice.sample(numbers, min(2, len(numbers))), number),
        "trash": lambda: curation.trash(db, some),
        "restore": lambda: curation.restore(db, some),
        "run": lambda: record(db, encoder, [i for i in ids if not images.get(db, i).trashed][:99]),
    }
    weights = [1 if kind == "run" else 4 for kind in kinds]
    kind = dice.choices(list(kinds), weights)[0]
    if kind == "run" and images.counts(db).trashed:
        return  # `record` here needs them all
    try:
        kinds[kind]()
    except UsageError as refused:
        assert refused.todo


@pytest.mark.parametrize("seed", range(12))
def test_undoing_all_is_the_beginning_and_redoing_all_the_end_whenever_it_is_reopened(
    db, path, encoder, run, ids, seed, monkeypatch
):
    monkeypatch.setattr(curation, "CHUNK", 5)
    monkeypatch.setattr(curation, "TRASH_CHUNK", 3)
    dice = random.Random(seed)
    states, before = [everything(db)], len(edits.history(db, 999))
    while len(states) < 30:
        any_edit(db, encoder, ids, dice)
        check_figures(db)
        if len(edits.history(db, 999)) - before == len(states):
            states.append(everything(db))
        if dice.random() < 0.2:  # there and back again on the way
            assert edits.undo(db)
            assert edits.redo(db)
            assert everything(db) == states[-1]
    for state in states[-2::-1]:
        with Database(path) as reopened:
            assert edits.undo(reopened)
            assert left_of(everything(reopened)) == left_of(state)
    for state in states[1:]:
        with Database(path) as reopened:
            assert edits.redo(reopened)
            assert left_of(everything(reopened)) == left_of(state)
    assert edits.redo(db) is None
    assert everything(db) == states[-1]


def left_of(state: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """A state without the runs undone in it: they are kept, but do not show."""
    undone = {row[0] for row in state["clusterings"] if row[-1]} | {
        row[0]
        for row in state["clusterings"]
        if row[0] > max((r[0] for r in state["clusterings"] if not r[-1]), default=0)
    }
    return {table: [row for row in rows if table == "images" or row[0] not in undone] for table, rows in state.items()}


def test_an_edit_cut_short_leaves_nothing_behind(db, run):
    before = everything(db)
    with pytest.raises(KeyboardInterrupt), edits.editing(db, run, "half") as draft:
        draft.assign([1], 1, 2)
        raise KeyboardInterrupt
    assert everything(db) == before
    assert len(edits.history(db, 9)) == 1


def version_1(path: Path) -> None:
    """A catalog as the first version made it."""
    script = (resources.files("core.catalog") / "migrations" / "0001_initial.sql").read_text()
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
        connection.execute("PRAGMA user_version = 1")
        connection.executescript("""
            INSERT INTO sources VALUES (1, 'folder', x'2e2e', 0);
            INSERT INTO encoders VALUES (1, 'first', 'pocket', '{}', 4, 3);
            INSERT INTO images (id, source, path, size, mtime_ns, hash, status) VALUES
                (1, 1, 'a', 1, 1, x'01', 'ready'), (2, 1, 'b', 1, 1, x'02', 'ready'), (3, 1, 'c', 1, 1, x'03', 'ready');
            INSERT INTO contents VALUES (x'01', 1, 1, 'PNG'), (x'02', 1, 1, 'PNG'), (x'03', 1, 1, 'PNG');
            INSERT INTO embeddings VALUES (1, x'01', 0), (1, x'02', 1), (1, x'03', 2);
            INSERT INTO clusterings VALUES (7, 1, 0, 1, 'balanced', 'route', '{}', 0, 3, 1, 0.5, 1);
            INSERT INTO clusters VALUES (7, 4, 'cars', 2, 1, 0.8, 0.1, 1, '[1, 2]', x'0000');
            INSERT INTO assignments VALUES (7, 1, 4, 0.9), (7, 2, 4, 0.7), (7, 3, NULL, 0.1);
        """)


def test_a_project_of_version_1_is_kept_and_can_be_edited(tmp_path):
    path = tmp_path / "catalog.sqlite"
    version_1(path)
    migrate(path)
    with Database(path) as db:
        latest = clusterings.latest(db)
        assert latest is not None and (latest.id, latest.route, latest.unclustered) == (7, "route", 1)
        (found,) = clusterings.clusters_of(db, 7)
        assert (found.number, found.name, found.size, found.previews) == (4, "cars", 2, [1, 2])
        assert (found.frozen, found.tags, found.changed) == (False, (), True)
        assert edits.undo(db) is None
        before = everything(db)
        curation.move(db, 7, [3], 4)
        curation.freeze(db, 7, 4, True)
        assert cluster(db, 7, 4).size == 3
        following = clusterings.record(
            db,
            encoder=encoders.all_encoders(db)[0].id,
            method="balanced",
            route="",
            settings={},
            seed=0,
            silhouette=None,
            seconds=0,
            clusters=[],
            assignments=[(1, None, 0.0)],
        )
        assert following == 8
        for _ in range(3):
            assert edits.undo(db)
        assert edits.undo(db) is None
        assert left_of(everything(db)) == before
        assert json.loads(db.value("SELECT tags FROM clusters")) == []


def test_pictures_are_found_by_their_paths(db, source, tmp_path, monkeypatch):
    here, other = add(db, source, b"sub/caf\xe9.jpg", b"b.jpg")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    monkeypatch.chdir(tmp_path)
    roots = {source.id: bytes(tmp_path)}
    asked = ["b.jpg", "link/caf\udce9.jpg", str(tmp_path / "sub" / ".." / "b.jpg"), "nowhere.jpg", "/b.jpg"]
    assert images.find(db, roots, asked) == ([other, here, other], ["nowhere.jpg", "/b.jpg"])
