"""Names as the catalog keeps them: what namers may replace, what users decide, and what undo brings back."""

import json

import pytest

from core.catalog import clusterings, curation, edits, names
from core.catalog.names import Measured, Proposed, Quality
from core.errors import ShoeboxError, UsageError
from tests.catalog.library import add, content, embed
from tests.catalog.test_edits import record


@pytest.fixture
def ids(db, source, encoder) -> list[int]:
    found = add(db, source, *(b"%02d.jpg" % n for n in range(27)))
    embed(db, encoder, [(i, content(str(i))) for i in found])
    return found


@pytest.fixture
def run(db, encoder, ids) -> int:
    return record(db, encoder, ids)


def propose(db, run: int, *proposals: Proposed) -> int:
    changed, _ = names.record(db, run, "vocabulary", proposals, said="named clusters")
    return changed


def standing(db, run: int) -> dict[int, tuple[str | None, str]]:
    return {n.number: (n.name, n.state) for n in names.names_of(db, run)}


def measured(db, run: int, figures: dict[int, float], **options) -> None:
    found = {n.number: n for n in names.names_of(db, run)}
    names.put_quality(
        db,
        run,
        [
            Measured(number, str(found[number].name), found[number].basis, Quality(f, f, f, 3), **options)
            for number, f in figures.items()
        ],
    )


def test_a_namer_names_what_has_no_name_and_never_what_the_user_decided_on(db, run):
    curation.rename(db, run, 1, "mine")
    propose(db, run, *(Proposed(n, f"first {n}") for n in (1, 2, 3)))
    names.accept(db, run, 2)
    assert propose(db, run, *(Proposed(n, f"second {n}", ["other"]) for n in (1, 2, 3, 99))) == 1
    assert standing(db, run) == {
        1: ("mine", "edited"),
        2: ("first 2", "accepted"),
        3: ("second 3", "proposed"),
        4: (None, ""),
    }
    first = names.names_of(db, run)[0]
    assert [a.name for a in first.alternatives] == ["second 1", "other"], "what was proposed can still be taken"


def test_every_decision_can_be_undone_and_redone(db, run):
    states = [standing(db, run)]
    for decide in (
        lambda: propose(db, run, *(Proposed(n, f"name {n}", ["one", "two"]) for n in (1, 2, 3, 4))),
        lambda: names.accept(db, run, 1),
        lambda: names.take(db, run, 2, "two"),
        lambda: curation.rename(db, run, 3, "typed"),
        lambda: curation.rename(db, run, 4, None),
        lambda: curation.merge(db, run, [2], 4),
    ):
        decide()
        states.append(standing(db, run))
    assert states[-1][4] == ("two", "accepted"), "a merged cluster's name comes with its state"
    for before in reversed(states[:-1]):
        edits.undo(db)
        assert standing(db, run) == before
    for after in states[1:]:
        edits.redo(db)
        assert standing(db, run) == after


def test_to_type_the_proposed_name_is_to_accept_it(db, run):
    propose(db, run, Proposed(1, "lake"))
    curation.rename(db, run, 1, " lake ")
    assert standing(db, run)[1] == ("lake", "accepted")
    curation.rename(db, run, 1, "pond")
    assert standing(db, run)[1] == ("pond", "edited")


def test_alternatives_are_what_is_left_and_only_those_can_be_taken(db, run):
    propose(db, run, Proposed(1, "lake", ["pond", "lake", "sea"]))
    names.take(db, run, 1, "sea")
    (first,) = [n for n in names.names_of(db, run) if n.number == 1]
    assert (first.name, first.state) == ("sea", "accepted")
    assert [a.name for a in first.alternatives] == ["lake", "pond"]
    with pytest.raises(UsageError, match="was not proposed"):
        names.take(db, run, 1, "ocean")
    with pytest.raises(UsageError, match="no name to accept"):
        names.accept(db, run, 2)


def test_no_name_comes_with_its_reason(db, run):
    propose(db, run, Proposed(1, "lake"))
    propose(db, run, Proposed(1, None, reason="the model said nothing"), Proposed(2, None, reason="cut off"))
    found = {n.number: n for n in names.names_of(db, run)}
    assert (found[1].name, found[1].reason) == ("lake", None), "a failed second try takes no name away"
    assert (found[2].name, found[2].reason, found[2].state) == (None, "cut off", "")


def test_what_comes_from_outside_stays_on_one_line(db, run):
    propose(db, run, Proposed(1, "two\nlines\x1b[31m", ["\u202eback"]))
    assert names.names_of(db, run)[0].name == "two lines [31m"


def test_accept_all_takes_the_good_ones_and_leaves_twins_to_look_at(db, run):
    propose(db, run, *(Proposed(n, name) for n, name in enumerate(["lake", "Lake", "dog", "cat"], 1)))
    measured(db, run, {1: 0.99, 2: 0.99, 3: 0.95, 4: 0.6})
    assert [n.twins for n in names.names_of(db, run)] == [[2], [1], [], []]
    assert names.accept_all(db, run, 0.9) == 1
    assert standing(db, run)[3] == ("dog", "accepted")
    edits.undo(db)
    assert standing(db, run)[3] == ("dog", "proposed")


def test_quality_holds_until_the_members_change_and_comes_back_with_undo(db, run, ids):
    propose(db, run, Proposed(1, "lake"), Proposed(2, "dog"))
    measured(db, run, {1: 0.9, 2: 0.8})
    assert names.is_measured(db, run)
    assert names.overall(names.names_of(db, run)).quality == pytest.approx(0.85)
    moved = [image for image, place in clusterings.assigned(db, run) if place == 1][:1]
    curation.move(db, run, moved, 2)
    assert not names.is_measured(db, run)
    edits.undo(db)
    assert names.is_measured(db, run)


def test_a_twin_by_meaning_is_told_only_while_both_have_those_names(db, run):
    propose(db, run, Proposed(1, "lake"), Proposed(2, "pond"))
    measured(db, run, {1: 0.9}, twins=[(2, "pond")])
    assert names.names_of(db, run)[0].twins == [2]
    curation.rename(db, run, 2, "desert")
    assert names.names_of(db, run)[0].twins == []


def test_names_and_what_was_proposed_go_on_to_the_next_run(db, run, encoder, ids):
    propose(db, run, Proposed(1, "lake", ["pond"], "A lake."), Proposed(2, "dog"))
    names.accept(db, run, 1)
    after = record(db, encoder, ids, continues=run)
    found = {n.number: n for n in names.names_of(db, after)}
    assert (found[1].name, found[1].state, found[1].description) == ("lake", "accepted", "A lake.")
    assert [a.name for a in found[1].alternatives] == ["pond"]
    assert found[1].quality is None, "it is measured anew"
    with pytest.raises(ShoeboxError, match="latest"):
        names.accept(db, run, 2)


def test_a_journal_from_before_names_had_a_state_can_be_undone(db, run):
    curation.rename(db, run, 1, "old")
    curation.rename(db, run, 1, "new")
    for edit_id, changes in db.execute("SELECT id, changes FROM edits WHERE said LIKE 'named%'").fetchall():
        ((kind, number, before, after),) = json.loads(changes)
        db.execute(
            "UPDATE edits SET changes = ? WHERE id = ?",
            (json.dumps([[kind, number, before[:9], after[:9]]]), edit_id),
        )
    edits.undo(db)
    assert standing(db, run)[1] == ("old", "edited")
    edits.undo(db)
    assert standing(db, run)[1] == (None, "")


def test_two_thousand_names_are_one_edit(db, source, encoder):
    ids = add(db, source, *(b"%05d.jpg" % n for n in range(2000)))
    embed(db, encoder, [(i, content(str(i))) for i in ids])
    many = [clusterings.NewCluster(i, None, 1, i, 1.0, None, False, [i], b"") for i in ids]
    run = clusterings.record(
        db,
        encoder=encoder.id,
        method="kmeans",
        route="",
        settings={},
        seed=0,
        silhouette=None,
        seconds=0.0,
        clusters=many,
        assignments=[(i, i, 1.0) for i in ids],
    )
    assert propose(db, run, *(Proposed(i, f"name {i}") for i in ids)) == 2000
    edits.undo(db)
    assert not any(n.name for n in names.names_of(db, run))
