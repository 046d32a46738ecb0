"""A picture's life in the catalog: found, read, changed, gone, renamed, back."""

import pytest

from core.catalog import clusterings, curation, edits, encoders, images
from core.catalog.database import Database
from core.catalog.images import Counts
from tests.catalog.library import add, by_path, content, embed

A, B, C = content("a"), content("b"), content("c")


def clustered(db: Database, encoder: int, ids: list[int]) -> int:
    """A run with one cluster of these pictures."""
    return clusterings.record(
        db,
        encoder=encoder,
        method="balanced",
        route="",
        settings={},
        seed=0,
        silhouette=None,
        seconds=0,
        clusters=[],
        assignments=[(image, 1, 0.5) for image in ids],
    )


def rename(db, source, old: int, new_path: bytes) -> int:
    """What a scan does about a renamed file; gives the id of the new row."""
    with db.transaction():
        images.mark_missing(db, [old], missing=True)
    return add(db, source, new_path)[0]


def test_a_new_file_is_pending_then_ready(db, source, encoder):
    (image_id,) = add(db, source, b"a.jpg")
    new = images.get(db, image_id)
    assert (new.status, new.hash, new.path, new.missing, new.trashed) == ("pending", None, b"a.jpg", False, False)
    assert embed(db, encoder, [(image_id, A)]) == [image_id]
    ready = images.get(db, image_id)
    assert (ready.status, ready.hash, ready.width, ready.height, ready.format) == ("ready", A, 64, 48, "JPEG")
    assert images.to_embed(db, encoder.id, after=0, limit=10) == []


def test_adding_a_known_path_again_leaves_it_alone(db, source, encoder):
    (image_id,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(image_id, A)])
    assert add(db, source, b"a.jpg") == [image_id]
    assert images.get(db, image_id).status == "ready"


def test_a_changed_file_is_embedded_again(db, source, encoder):
    (image_id,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(image_id, A)])
    with db.transaction():
        images.mark_changed(db, [(image_id, 200, 2)])
    assert [i.id for i in images.to_embed(db, encoder.id, after=0, limit=10)] == [image_id]
    assert images.count_to_embed(db, encoder.id) == 1
    assert images.count_embedded(db, encoder.id) == 0
    embed(db, encoder, [(image_id, B)])
    changed = images.get(db, image_id)
    assert (changed.hash, changed.size, changed.mtime_ns, changed.status) == (B, 200, 2, "ready")
    assert encoders.embedded_images(db, encoder.id) == ([image_id], [1])


def test_a_missing_file_is_left_out_and_comes_back_as_it_was(db, source, encoder):
    first, second = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(first, A), (second, B)])
    run = clustered(db, encoder.id, [first, second])
    with db.transaction():
        images.mark_missing(db, [first], missing=True)
    assert encoders.embedded_images(db, encoder.id) == ([second], [1])
    assert [m.image for m in clusterings.members(db, run, 1)] == [second]
    assert images.count_to_embed(db, encoder.id) == 0
    with db.transaction():
        images.mark_missing(db, [first], missing=False)
    assert encoders.embedded_images(db, encoder.id) == ([first, second], [0, 1])
    assert [m.image for m in clusterings.members(db, run, 1)] == [first, second]


def test_a_renamed_file_keeps_its_marks_and_its_cluster(db, source, encoder):
    first, second = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(first, A), (second, B)])
    run = clustered(db, encoder.id, [first, second])
    with db.transaction():
        images.set_trashed(db, [second], trashed=True)
    for old, path, what in ((first, b"x/a.jpg", A), (second, b"x/b.jpg", B)):
        new = rename(db, source, old, path)
        assert embed(db, encoder, [(new, what)]) == [old]
    assert set(by_path(db, source)) == {b"x/a.jpg", b"x/b.jpg"}
    assert images.counts(db) == Counts(images=1, failed=0, missing=0, trashed=1)
    assert [(m.image, m.path) for m in clusterings.members(db, run, 1)] == [(first, b"x/a.jpg")]
    assert images.get(db, second).trashed
    assert encoders.get(db, encoder.id).rows == 2, "nothing was embedded twice"


def test_a_copy_shares_the_embedding_and_is_a_picture_of_its_own(db, source, encoder):
    first, copy = add(db, source, b"a.jpg", b"copy.jpg")
    embed(db, encoder, [(first, A)])
    assert embed(db, encoder, [(copy, A)]) == [copy]
    assert encoders.embedded_images(db, encoder.id) == ([first, copy], [0, 0])
    with db.transaction():
        images.set_trashed(db, [first], trashed=True)
    assert not images.get(db, copy).trashed


def test_of_two_copies_of_a_missing_file_one_is_it(db, source, encoder):
    (first,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(first, A)])
    one, two = rename(db, source, first, b"b.jpg"), add(db, source, b"c.jpg")[0]
    assert embed(db, encoder, [(one, A), (two, A)]) == [first, two]
    assert {path: image.id for path, image in by_path(db, source).items()} == {b"b.jpg": first, b"c.jpg": two}
    assert images.counts(db).missing == 0


def test_two_missing_copies_are_taken_up_one_by_one(db, source, encoder):
    old = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(image_id, A) for image_id in old])
    new = [rename(db, source, image_id, b"x/%d.jpg" % image_id) for image_id in old]
    assert sorted(embed(db, encoder, [(image_id, A) for image_id in new])) == sorted(old)
    assert images.counts(db) == Counts(images=2, failed=0, missing=0, trashed=0)


def test_a_clustered_picture_that_takes_over_a_content_keeps_its_own_row(db, source, encoder):
    gone, stays = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(gone, A), (stays, B)])
    run = clustered(db, encoder.id, [gone, stays])
    with db.transaction():
        images.mark_missing(db, [gone], missing=True)
        images.mark_changed(db, [(stays, 1, 2)])
    assert embed(db, encoder, [(stays, A)]) == [stays]
    assert [m.image for m in clusterings.members(db, run, 1)] == [stays]
    assert images.get(db, gone).missing


def test_content_is_not_taken_up_from_another_source(db, source, encoder):
    from core.catalog import sources

    other = sources.add(db, "folder", b"/other")
    (old,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(old, A)])
    with db.transaction():
        images.mark_missing(db, [old], missing=True)
    (new,) = add(db, other, b"b.jpg")
    assert embed(db, encoder, [(new, A)]) == [new]
    assert images.get(db, old).missing


def test_another_encoder_needs_embeddings_of_its_own(db, source, encoder):
    ids = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(ids[0], A), (ids[1], B)])
    other = encoders.register(db, fingerprint="second", spec="pocket", options={"weights": "/w"}, dimension=8)
    assert images.count_to_embed(db, other.id) == 2
    assert images.count_embedded(db, other.id) == 0
    assert encoders.embedded_images(db, other.id) == ([], [])
    embed(db, other, [(ids[1], B)])
    assert [i.id for i in images.to_embed(db, other.id, after=0, limit=10)] == [ids[0]]
    assert encoders.embedded_images(db, other.id) == ([ids[1]], [0])
    assert encoders.embedded_images(db, encoder.id) == (ids, [0, 1])
    last = encoders.last(db)
    assert last is not None and (last.id, last.options, last.rows) == (other.id, {"weights": "/w"}, 1)


def test_registering_a_known_fingerprint_finds_it_again_with_its_rows(db, source, encoder):
    (image_id,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(image_id, A)])
    encoders.register(db, fingerprint="second", spec="other", options={}, dimension=8)
    again = encoders.register(db, fingerprint="first", spec="pocket", options={"weights": "moved"}, dimension=4)
    assert (again.id, again.rows, again.options) == (encoder.id, 1, {"weights": "moved"})
    assert encoders.last(db) == again
    assert len(encoders.all_encoders(db)) == 2


def test_failures_are_listed_by_path_with_their_reasons_and_tried_again(db, source, encoder):
    ids = add(db, source, b"c.jpg", b"a.jpg", b"b.jpg")
    embed(db, encoder, [(ids[0], C)])
    with db.transaction():
        images.mark_failed(db, [(ids[0], "cut short"), (ids[1], "no picture"), (ids[2], "gone")])
        images.mark_missing(db, [ids[2]], missing=True)
    assert [(i.path, i.error) for i in images.failed(db)] == [(b"a.jpg", "no picture"), (b"c.jpg", "cut short")]
    assert images.counts(db) == Counts(images=2, failed=2, missing=1, trashed=0)
    assert [i.id for i in images.to_embed(db, encoder.id, after=0, limit=10)] == sorted(ids[:2])
    embed(db, encoder, [(ids[1], A)])
    assert images.get(db, ids[1]).error is None
    assert [i.path for i in images.failed(db)] == [b"c.jpg"]


def test_counts_are_by_state_and_each_picture_is_in_one(db, source, encoder):
    ids = add(db, source, *(b"%02d.jpg" % n for n in range(20)))
    embed(db, encoder, [(i, content(str(i))) for i in ids[:10]])
    with db.transaction():
        images.mark_failed(db, [(i, "broken") for i in ids[10:14]])
        images.mark_missing(db, [ids[0], ids[1], ids[10]], missing=True)
        images.set_trashed(db, [ids[1], ids[2], ids[3], ids[11]], trashed=True)
    assert images.counts(db) == Counts(images=14, failed=2, missing=3, trashed=3)
    assert images.count_embedded(db, encoder.id) == 6
    assert images.count_to_embed(db, encoder.id) == 8
    with db.transaction():
        images.set_trashed(db, ids, trashed=False)
    assert images.counts(db) == Counts(images=17, failed=3, missing=3, trashed=0)


def test_nothing_trashed_is_embedded(db, source, encoder):
    ids = add(db, source, b"a.jpg", b"b.jpg")
    with db.transaction():
        images.set_trashed(db, ids[:1], trashed=True)
    assert [i.id for i in images.to_embed(db, encoder.id, after=0, limit=10)] == ids[1:]
    assert images.count_to_embed(db, encoder.id) == 1


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_give_every_picture_once_though_rows_change_meanwhile(db, path, source, encoder, limit):
    ids = add(db, source, *(b"%03d.jpg" % n for n in range(50)))
    embed(db, encoder, [(i, content(str(i))) for i in ids[::5]])
    seen, last = [], 0
    with Database(path) as reading:
        while page := images.to_embed(reading, encoder.id, after=last, limit=limit):
            assert len(page) <= limit
            last = page[-1].id
            seen += [image.id for image in page]
            failed, ready = page[::3], [image for image in page if image not in page[::3]]
            with db.transaction():
                images.mark_failed(db, [(image.id, "broken") for image in failed])
            embed(db, encoder, [(image.id, content(str(image.id))) for image in ready])
    assert seen == [i for i in ids if i not in ids[::5]]


def test_a_listing_is_in_the_order_of_path_bytes(db, source):
    paths = [b"a/b.jpg", b"a.jpg", b"a-b.jpg", b"A.jpg", b"\xe9.jpg", "é.jpg".encode(), b"a/b/c.jpg", b"a\n.jpg"]
    add(db, source, *paths)
    assert [listed.path for listed in images.listed(db, source.id)] == sorted(paths)


def test_hot_queries_read_no_table_from_end_to_end(connections, path, source, encoder):
    """At a million pictures a scan, or a sort of all for one page, is felt. Looked up in SQLite's own plans."""
    db, plans = Database(path), list[str]()
    (image_id,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(image_id, A)])
    run = clustered(db, encoder.id, [image_id])
    new = rename(db, source, image_id, b"b.jpg")
    statements: list[str] = []
    connections[-1].set_trace_callback(statements.append)
    images.to_embed(db, encoder.id, after=5, limit=10)
    images.count_embedded(db, encoder.id)
    images.count_to_embed(db, encoder.id)
    list(clusterings.members(db, run, 1))
    with db.transaction():
        images.mark_ready(db, [(new, A)])
    connections[-1].set_trace_callback(None)
    for statement in statements:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            plans += [f"{row[3]}: {statement}" for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert len(plans) > 10
    assert [p for p in plans if p.startswith(("SCAN", "USE TEMP")) and not p.startswith("SCAN r:")] == []
    db.close()


def test_the_id_of_a_picture_that_proved_to_be_another_renamed_is_never_given_again(db, source, encoder):
    (old,) = add(db, source, b"a.jpg")
    embed(db, encoder, [(old, A)])
    new = rename(db, source, old, b"b.jpg")
    curation.trash(db, [new])  # the user saw it before it was read
    curation.restore(db, [new])
    assert embed(db, encoder, [(new, A)]) == [old]
    (next_one,) = add(db, source, b"c.jpg")
    assert next_one > new
    assert edits.undo(db) and edits.undo(db)
    assert edits.redo(db)  # of the picture that is gone: no other one goes into the trash for it
    assert images.counts(db).trashed == 0


@pytest.mark.parametrize("how", ["annotated", "trashed"])
def test_a_picture_that_was_annotated_or_thrown_out_is_no_new_file(db, source, encoder, how):
    missing, kept = add(db, source, b"a.jpg", b"b.jpg")
    embed(db, encoder, [(missing, A), (kept, B)])
    if how == "trashed":
        curation.trash(db, [kept])
    else:
        db.execute(
            "INSERT INTO annotation_runs VALUES (1, 0, 1, 'text', '{}', '[]', '[]', '[]', '{}', 1, 1)",
        )
        db.execute("INSERT INTO annotations VALUES (1, ?, NULL, NULL, 0, 0.5, 0.1, NULL, x'')", (kept,))
    with db.transaction():
        images.mark_missing(db, [missing], missing=True)
        images.mark_changed(db, [(kept, 100, 2)])
    assert embed(db, encoder, [(kept, A)]) == [kept]
    assert images.get(db, kept).path == b"b.jpg"
