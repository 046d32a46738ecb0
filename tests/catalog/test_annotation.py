"""The user's classes and corrections in the catalog: kept, undone, done again; and the runs that they are about."""

import pytest

from core.annotation.last_run import new_queue
from core.annotation.run import Used, annotate_project
from core.annotation.settings import AnnotateSettings
from core.catalog import annotation, classes, curation, edits, encoders
from core.errors import CancelledError, UsageError
from core.project import find_project
from tests.annotation.pile import pocket

NAMES = ("car", "fish", "star", "umbrella")


@pytest.fixture
def db(embedded):
    with find_project(embedded).database() as opened:
        classes.set_classes(opened, [(name, ()) for name in NAMES])
        yield opened


def annotated(embedded, db, settings=None, **more):
    used = [Used(encoder_of(db), pocket)]
    annotate_project(find_project(embedded), settings or AnnotateSettings(), used, **more)
    return last(db)


def encoder_of(db):
    return encoders.last(db)


def last(db):
    return annotation.latest(db)


def kinds(db, run):
    """The true kind of each picture (its name begins with it), and the class it has."""
    names = classes.names(db)
    return {
        p.image: (p.path.decode().split("-")[0], names.get(p.class_id or 0)) for p in annotation.all_pictures(db, run)
    }


def test_a_run_has_every_picture_with_its_class_what_else_it_may_be_and_how_sure(embedded, db):
    run = annotated(embedded, db, AnnotateSettings(method="graph", review=12))
    found = kinds(db, run)
    assert len(found) == 64
    assert sum(kind == name for kind, name in found.values()) >= 60
    counts = annotation.counts(db, run)
    assert [c.name for c in counts] == list(NAMES)
    assert sum(c.pictures for c in counts) == 64
    ids = annotation.image_ids(db, run, counts[0].id)
    assert ids == annotation.image_ids(db, run, counts[0].id, lowest_first=False)[::-1]
    page = annotation.pictures(db, run, ids)
    assert [p.image for p in page] == ids
    assert [p.margin for p in page] == sorted(p.margin for p in page)
    for picture in page:
        assert {t.name for t in picture.top} == set(NAMES)
        assert picture.top[0].id == picture.class_id or picture.confidence < 0.5
        assert sum(t.share for t in picture.top) == pytest.approx(1, abs=1e-3)
        assert picture.none_score is not None and 0 <= picture.none_score <= 1
    assert len(run.iterations) >= 1
    assert sum(run.iterations[-1]["distribution"]) == 64
    assert len(annotation.review_queue(db, run)) == 12


def test_corrections_show_at_once_are_asked_no_more_survive_a_run_and_can_be_undone(embedded, db):
    run = annotated(embedded, db)
    [first, second, *_] = annotation.review_queue(db, run)
    before = {p.image: p.class_id for p in annotation.pictures(db, run, [first, second])}
    other = next(c.id for c in classes.in_force(db) if c.id != before[first])
    assert classes.correct(db, {first: other}) == 1
    assert classes.correct(db, {second: None}) == 1
    [now, none] = annotation.pictures(db, run, [first, second])
    assert (now.class_id, now.corrected, now.confidence, now.found) == (other, True, 1.0, before[first])
    assert (none.class_id, none.corrected) == (None, True)
    assert {first, second}.isdisjoint(annotation.review_queue(db, run))
    assert annotation.counts(db, run)[-1].pictures == 1  # of none of the classes

    again = annotated(embedded, db)
    assert [p.class_id for p in annotation.pictures(db, again, [first, second])] == [other, None]
    assert again.summary["corrections"] == 2

    assert edits.undo(db) == "annotated 64 pictures"
    assert edits.undo(db) == "said that a picture is none of the classes"
    edits.undo(db)
    assert classes.corrections(db) == {}
    assert not any(p.corrected for p in annotation.pictures(db, run, [first, second]))
    edits.redo(db)
    [redone] = annotation.pictures(db, run, [first])
    assert (redone.class_id, redone.corrected) == (other, True)


def test_a_run_that_misled_is_undone_and_done_again_as_long_as_the_one_before_is_kept(embedded, db):
    first = annotated(embedded, db, AnnotateSettings(method="text"))
    before = {p.image: p.class_id for p in annotation.all_pictures(db, first)}
    image, other = annotation.review_queue(db, first)[:2]
    star = next(c.id for c in classes.in_force(db) if c.name == "star")
    classes.correct(db, {image: star})
    second = annotated(embedded, db)
    assert edits.undo(db) == "annotated 64 pictures"
    assert last(db) == first
    assert {p.image: p.class_id for p in annotation.all_pictures(db, first)} == before | {image: star}
    edits.redo(db)
    assert last(db) == second
    edits.undo(db)
    classes.correct(db, {other: None})  # from here on the second run is no more
    assert edits.redo(db) is None
    third, fourth = annotated(embedded, db), annotated(embedded, db)
    assert edits.undo(db) == "annotated 64 pictures"
    assert last(db) == third != fourth
    assert edits.undo(db) == "said that a picture is none of the classes"  # the first run's pictures are gone
    assert last(db) == third
    [picture] = annotation.pictures(db, third, [other])
    assert not picture.corrected


def test_copies_of_a_picture_share_what_is_said_of_it(embedded, db):
    run = annotated(embedded, db)
    image = annotation.image_ids(db, run, classes.in_force(db)[0].id)[0]
    [picture] = annotation.pictures(db, run, [image])
    source, path = picture.source, picture.path
    copy = db.execute(
        "INSERT INTO images (source, path, size, mtime_ns, hash, status) VALUES (?, ?, 1, 1, ?, 'ready')",
        (source, b"copy-" + path, picture.hash),
    ).lastrowid
    run = annotated(embedded, db)
    classes.correct(db, {copy: None})
    assert [p.class_id for p in annotation.pictures(db, run, [image, copy])] == [None, None]
    assert classes.forget(db, [image]) == 1
    assert [p.corrected for p in annotation.pictures(db, run, [image, copy])] == [False, False]


def test_a_class_added_while_reviewing_and_one_taken_out_that_comes_back(embedded, db):
    run = annotated(embedded, db)
    new = classes.add_class(db, "boat")
    image = annotation.review_queue(db, run)[0]
    classes.correct(db, {image: new.id})
    assert {c.name: c.pictures for c in annotation.counts(db, run)}["boat"] == 1
    classes.set_classes(db, [(name, ()) for name in NAMES])
    without = annotated(embedded, db)
    assert without.summary["corrections"] == 0  # it names a class that is not in force
    assert any("not in the list" in note for note in without.summary["notes"])
    edits.undo(db)
    edits.undo(db)
    assert [c.name for c in classes.in_force(db)] == [*NAMES, "boat"]
    assert annotated(embedded, db).summary["corrections"] == 1
    with pytest.raises(UsageError):
        classes.correct(db, {image: 999})


def test_many_corrections_are_one_edit_beside_edits_of_other_things(embedded, db):
    run = annotated(embedded, db)
    star = next(c for c in classes.in_force(db) if c.name == "star")
    images = [p.image for p in annotation.all_pictures(db, run)]
    old, classes.CHUNK = classes.CHUNK, 10
    try:
        assert classes.correct(db, dict.fromkeys(images, star.id)) == 64
    finally:
        classes.CHUNK = old
    curation.trash(db, images[:1])
    assert edits.undo(db)
    assert edits.undo(db) == "corrected 64 pictures"
    assert classes.corrections(db) == {}


def test_the_effect_of_corrections_is_told_and_an_accuracy_once_held_out_ones_are_there(embedded, db):
    first = annotated(embedded, db)
    ids = {c.name: c.id for c in classes.in_force(db)}
    truth = {image: ids[kind] for image, (kind, _) in kinds(db, first).items()}
    classes.correct(db, truth)
    run = annotated(embedded, db)
    assert {m.image for m in annotation.moves(db, run)} == set()  # what was said showed in the run before, too
    told = run.summary["accuracy"]
    assert 0 < told["count"] < 40
    assert told["low"] <= told["share"] <= told["high"]
    assert annotation.review_queue(db, run) == []


def test_a_run_that_was_undone_is_done_again_after_one_that_was_cancelled_half_way(embedded, db):
    first, second = annotated(embedded, db), annotated(embedded, db)
    found = list(annotation.all_pictures(db, second))
    edits.undo(db)
    with pytest.raises(CancelledError):
        annotation.record(
            db,
            method="graph",
            settings={},
            encoders=[],
            classes=[],
            iterations=[],
            summary={},
            seconds=1.0,
            rows=[],
            check=cancel,
        )
    assert last(db) == first
    assert edits.redo(db) == "annotated 64 pictures"
    assert last(db) == second
    assert list(annotation.all_pictures(db, second)) == found


def cancel():
    raise CancelledError("cancelled")


def test_the_pictures_of_the_last_two_runs_are_kept_and_the_figures_of_all(embedded, db):
    runs = [annotated(embedded, db).id for _ in range(4)]
    kept = {row[0] for row in db.execute("SELECT DISTINCT run FROM annotations")}
    assert kept == set(runs[-2:])
    assert [r.id for r in annotation.all_runs(db)] == runs


def test_a_run_that_is_cancelled_leaves_the_last_one(embedded, db):
    first = annotated(embedded, db)
    with pytest.raises(CancelledError):
        annotated(embedded, db, cancelled=lambda: True)
    assert last(db).id == first.id


def test_a_second_run_needs_neither_the_encoder_nor_the_search_for_neighbours(embedded, db):
    settings = AnnotateSettings(method="graph")
    first = annotated(embedded, db, settings)
    project, record = find_project(embedded), encoder_of(db)

    def never():
        raise AssertionError("the encoder was loaded again")

    told = []
    annotate_project(project, settings, [Used(record, never)], progress=lambda data: told.append(data["message"]))
    assert not any("finding neighbours" in words for words in told)
    found = kinds(db, first)
    assert kinds(db, last(db)) == found
    # A damaged file of neighbours is made again.
    file = project.vector_file(record).path.with_suffix(".near.npz")
    file.write_bytes(file.read_bytes()[:100])
    annotate_project(project, settings, [Used(record, never)])
    assert kinds(db, last(db)) == found


def test_a_new_queue_is_as_long_as_asked_and_asks_the_unsure_alone_where_that_is_wanted(embedded, db):
    run = annotated(embedded, db)
    project = find_project(embedded)
    assert len(new_queue(project, 7)) == 7
    sure = {p.image: p.confidence for p in annotation.all_pictures(db, run)}
    middle = sorted(sure.values())[20]
    queue = new_queue(project, 64, below=middle)
    assert 0 < len(queue) <= 20
    assert all(sure[image] < middle for image in queue)
    assert annotation.review_queue(db, last(db)) == queue


def test_without_classes_it_is_said(embedded):
    with find_project(embedded).database() as db, pytest.raises(UsageError, match="class"):
        annotated(embedded, db)


def test_clusters_and_annotation_are_undone_each_by_themselves(embedded, db):
    first = annotated(embedded, db)
    image = next(iter(annotation.all_pictures(db, first))).image
    curation.trash(db, [image])
    second = annotated(embedded, db)
    assert edits.undo(db, of="clusters") == "moved 1 picture to the trash"
    assert last(db) == second, "the run of annotation, which came later, is left alone"
    assert "annotated" in (edits.undo(db, of="annotation") or "")
    assert last(db) == first
    assert edits.redo(db, of="clusters") == "moved 1 picture to the trash"
    assert last(db) == first
    assert "annotated" in (edits.redo(db, of="annotation") or "")
    assert last(db) == second
    assert "set 4 classes" in [edits.undo(db, of="annotation") for _ in range(3)]
