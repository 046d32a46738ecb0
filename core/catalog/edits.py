"""The journal of edits: what was changed by hand, undone and redone in the order it was done.

An edit is a list of changes, each with what was before and what is after. Doing, undoing and redoing go through
the same few statements, so that undo restores exactly what was. A run of clustering is an edit too: to undo it is
to go back to the run before, and to the edits made on that one. So is a run of annotation, as long as the pictures of
the run before are kept. Clusters and annotation have nothing to do with each other: each can be undone by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from core.catalog import meta
from core.catalog.database import Database
from core.errors import ShoeboxError

Change = list[Any]
"""A change as the journal keeps it: its kind, then what it takes to do and to undo it. See `_carry_out`."""
UNSAID = False
"""Stands for a correction that there is not: None stands for one to none of the classes."""
Subject = Literal["clusters", "annotation"]
"""What edits are about: pictures in clusters, with their names and the trash; or pictures in the user's classes."""
_RUN = '[["run"]]'
"""The changes of a run of clustering, as the journal keeps them."""
_OF_ANNOTATION = ("annotated", "classes", "corrections")
"""The kinds of changes that are not of clusters."""
_ANNOTATED = '[["annotated",%'
"""How those of a run of annotation begin."""


class Standing(NamedTuple):
    """A cluster's row, but for its centre: as a run measured it, or as edits have left it."""

    name: str | None
    size: int
    representative: int
    cohesion: float
    silhouette: float | None
    changed: int
    previews: str
    frozen: int
    tags: str
    name_state: str | None = None
    proposal: int | None = None


_BEFORE_NAMES = 9
"""Fields of a Standing in a journal of before names had a state."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit as `history` tells of it."""

    id: int
    made: float
    said: str
    undone: bool


class Draft:
    """An edit in the making: each change is carried out at once, and remembered for the journal."""

    def __init__(self, db: Database, clustering: int | None) -> None:
        self.db = db
        self.clustering = clustering
        self.changes: list[Change] = []
        self.batch: int | None = None  # under which it was journaled, once it was

    def set_cluster(self, number: int, before: Standing | None, after: Standing) -> None:
        """Writes a cluster's row; None before: the cluster is new."""
        if before != after:
            self._do(["cluster", number, before and list(before), list(after)])

    def assign(self, image_ids: Sequence[int], before: int | None, after: int | None) -> None:
        """Puts pictures of one cluster (None: the unclustered) into another."""
        self._do(["assign", list(image_ids), before, after])

    def enlist(self, image_ids: Sequence[int]) -> None:
        """Adds pictures that the run does not know to its unclustered ones."""
        self._do(["enlist", list(image_ids)])

    def set_trashed(self, image_ids: Sequence[int], *, trashed: bool) -> None:
        """Puts pictures, all of them in the other state, into the trash or takes them out."""
        self._do(["trashed", list(image_ids), trashed])

    def count(self, *, images: int = 0, unclustered: int = 0) -> None:
        """Corrects the totals of the run by these."""
        if images or unclustered:
            self._do(["count", images, unclustered])

    def set_classes(self, before: list[Any], after: list[Any]) -> None:
        """Puts one list of classes, [[[name, phrases], ...], prompts], in place of another."""
        if before != after:
            self._do(["classes", before, after])

    def correct(self, changes: list[list[Any]]) -> None:
        """Sets corrections, each [hash in hex, before, after]: the id of a class, None, or UNSAID."""
        if changes:
            self._do(["corrections", changes])

    def _do(self, change: Change) -> None:
        _carry_out(self.db, self.clustering, change, forward=True)
        self.changes.append(change)


@contextmanager
def editing(db: Database, clustering: int | None, said: str, *, batch: int | None = None) -> Iterator[Draft]:
    """One edit in one transaction: what the draft is told is done and journaled as `said`, or nothing is.

    `clustering` is the run the caller looks at. Raises ShoeboxError where it is no longer the latest. `batch` is that
    of the edit which this one goes on with: the two are undone as one.
    """
    with db.transaction():
        _require_current(db, clustering, f"cannot do that ({said})")
        draft = Draft(db, clustering)
        yield draft
        if draft.changes:
            draft.batch = _append(db, clustering, said, draft.changes, batch)


@contextmanager
def editing_any(db: Database, said: str, *, batch: int | None = None) -> Iterator[Draft]:
    """An edit as `editing` makes it, of what no run of clustering is about: it is none too late for any."""
    with db.transaction():
        draft = Draft(db, current_run(db))
        yield draft
        if draft.changes:
            draft.batch = _append(db, draft.clustering, said, draft.changes, batch)


def append_run(db: Database, clustering: int, said: str) -> None:
    """Journals a run that has just been completed. Inside a transaction of the caller's."""
    _append(db, clustering, said, [["run"]], None)


def append_annotation(db: Database, run: int, said: str) -> None:
    """Journals a run of annotation that has just been completed. Inside a transaction of the caller's."""
    _append(db, current_run(db), said, [["annotated", run]], None)


def undone_annotations(db: Database) -> list[int]:
    """The runs of annotation that can be done again, by id."""
    rows = db.execute(
        "SELECT json_extract(changes, '$[0][1]') FROM edits WHERE undone = 1 AND changes LIKE ?", (_ANNOTATED,)
    )
    return [row[0] for row in rows]


def forget_annotations(db: Database, run: int) -> None:
    """Says that runs of annotation up to this one can no longer be undone. Inside a transaction of the caller's."""
    db.execute("DELETE FROM edits WHERE changes LIKE ? AND json_extract(changes, '$[0][1]') <= ?", (_ANNOTATED, run))


def undo(db: Database, *, of: Subject | None = None, kinds: Collection[str] | None = None) -> str | None:
    """Undoes the last edit, `of` a subject where one is given; gives it in words, or None where there is none.

    Raises ShoeboxError where the edit is about a run that is not the latest, or has a change of another kind than
    `kinds`, where these are given.
    """
    return _go_through(db, forward=False, of=of, kinds=kinds)


def redo(db: Database, *, of: Subject | None = None) -> str | None:
    """Does again what was undone last, `of` a subject where one is given; gives it in words, or None.

    Raises ShoeboxError where the edit is about a run that is not the latest.
    """
    return _go_through(db, forward=True, of=of)


def history(db: Database, limit: int) -> list[Edit]:
    """The last edits, newest first; those undone, which can be redone, come before the others."""
    rows = db.execute(
        "SELECT batch, min(made), said, max(undone) FROM edits GROUP BY batch ORDER BY batch DESC LIMIT ?", (limit,)
    )
    return [Edit(batch, made, said, bool(undone)) for batch, made, said, undone in rows]


def made_on(db: Database, clustering: int) -> list[Edit]:
    """The edits that shaped a run after it was made, oldest first; those undone are not among them."""
    rows = db.execute(
        "SELECT batch, min(made), said FROM edits WHERE clustering = ? AND undone = 0 AND changes <> ?"
        " AND changes NOT LIKE ? GROUP BY batch ORDER BY batch",
        (clustering, _RUN, _ANNOTATED),
    )
    return [Edit(batch, made, said, False) for batch, made, said in rows]


def position(db: Database) -> int:
    """Where in the journal the project stands: the id of the last edit that is not undone, 0 before the first.

    Nothing was edited between two moments of the same position.
    """
    return int(db.value("SELECT coalesce(max(id), 0) FROM edits WHERE undone = 0"))


def current_run(db: Database) -> int | None:
    """The id of the latest complete run that is not undone, or None."""
    found = db.value("SELECT max(id) FROM clusterings WHERE complete = 1 AND undone = 0")
    return None if found is None else int(found)


def _go_through(db: Database, *, forward: bool, of: Subject | None, kinds: Collection[str] | None = None) -> str | None:
    """Undoes or redoes the next edit with all of its batch, one transaction each; gives it in words."""
    said, batch = None, None
    while True:
        with db.transaction():
            edit = _next(db, forward=forward, of=of)
            if edit is None or batch not in (None, edit["batch"]):
                return said
            said, batch = edit["said"], edit["batch"]
            changes: list[Change] = json.loads(edit["changes"])
            if kinds is not None and any(change[0] not in kinds for change in changes):
                raise ShoeboxError(f"the last edit is of another kind: {said}", "undo it in the app: u")
            # A run becomes the latest by being redone; annotation is of pictures, whatever their clusters.
            if not (forward and changes == [["run"]]) and changes[0][0] not in _OF_ANNOTATION:
                _require_current(db, edit["clustering"], f"cannot {'redo' if forward else 'undo'} ({said})")
            for change in changes if forward else reversed(changes):
                _carry_out(db, edit["clustering"], change, forward=forward)
            db.execute("UPDATE edits SET undone = ? WHERE id = ?", (int(not forward), edit["id"]))


def _next(db: Database, *, forward: bool, of: Subject | None) -> Any:
    """The row of the edit to redo or to undo next, or None."""
    chosen = {None: "", "annotation": " AND kind IN (?, ?, ?)", "clusters": " AND kind NOT IN (?, ?, ?)"}[of]
    order = "undone = 1{} ORDER BY id" if forward else "undone = 0{} ORDER BY id DESC"
    rows = f"(SELECT *, json_extract(changes, '$[0][0]') AS kind FROM edits) WHERE {order.format(chosen)} LIMIT 1"
    return db.one(f"SELECT * FROM {rows}", _OF_ANNOTATION if of else ())


def _append(db: Database, clustering: int | None, said: str, changes: list[Change], batch: int | None) -> int:
    db.execute("DELETE FROM edits WHERE undone = 1")
    cursor = db.execute(
        "INSERT INTO edits (batch, made, clustering, said, changes) VALUES (?, ?, ?, ?, ?)",
        (batch or 0, time.time(), clustering, said, json.dumps(changes, separators=(",", ":"))),
    )
    if batch is None:
        batch = int(cursor.lastrowid or 0)
        db.execute("UPDATE edits SET batch = id WHERE id = ?", (batch,))
    return batch


def _require_current(db: Database, clustering: int | None, refused: str) -> None:
    current = current_run(db)
    if clustering != current:
        about = "before the first clustering" if clustering is None else f"about clustering {clustering}"
        raise ShoeboxError(
            f"{refused}: it is {about}, and {'none' if current is None else current} is the latest now",
            "look at the clusters as they are now, and do it there",
        )


def _carry_out(db: Database, clustering: int | None, change: Change, *, forward: bool) -> None:
    """Does one change, or undoes it."""
    match change:
        case ["cluster", number, before, after]:
            _put_cluster(db, clustering, number, after if forward else before)
        case ["assign", image_ids, before, after]:
            db.execute(
                "UPDATE assignments SET cluster = ? WHERE clustering = ? AND image IN (SELECT value FROM json_each(?))",
                (after if forward else before, clustering, json.dumps(image_ids)),
            )
        case ["enlist", image_ids] if forward:
            db.executemany("INSERT INTO assignments VALUES (?, ?, NULL, 0.0)", ((clustering, i) for i in image_ids))
        case ["enlist", image_ids]:
            db.executemany(
                "DELETE FROM assignments WHERE clustering = ? AND image = ?", ((clustering, i) for i in image_ids)
            )
        case ["trashed", image_ids, trashed]:
            db.execute(
                "UPDATE images SET trashed = ? WHERE id IN (SELECT value FROM json_each(?))",
                (int(trashed is forward), json.dumps(image_ids)),
            )
        case ["count", images, unclustered]:
            sign = 1 if forward else -1
            db.execute(
                "UPDATE clusterings SET images = images + ?, unclustered = unclustered + ? WHERE id = ?",
                (sign * images, sign * unclustered, clustering),
            )
        case ["classes", before, after]:
            _put_classes(db, *(after if forward else before))
        case ["corrections", changes]:
            _put_corrections(db, [(content, new if forward else old) for content, old, new in changes])
        case ["annotated", run]:
            db.execute("UPDATE annotation_runs SET complete = ? WHERE id = ?", (int(forward), run))
            _correct_latest(db)
        case ["run"]:
            db.execute("UPDATE clusterings SET undone = ? WHERE id = ?", (int(not forward), clustering))
        case _:
            raise ValueError(f"no such change: {change[0]}")


def _put_cluster(db: Database, clustering: int | None, number: int, row: Sequence[Any] | None) -> None:
    if row is None:
        db.execute("DELETE FROM clusters WHERE clustering = ? AND number = ?", (clustering, number))
        return
    standing = Standing(*row)
    if len(row) == _BEFORE_NAMES and standing.name:
        standing = standing._replace(name_state="edited")  # journaled when only users gave names
    fields = Standing._fields
    # A cluster made by hand has no centre until the next run measures one.
    db.execute(
        f"INSERT INTO clusters (clustering, number, {', '.join(fields)}, centre)"
        f" VALUES (?, ?, {', '.join('?' for _ in fields)}, x'') ON CONFLICT (clustering, number)"
        f" DO UPDATE SET {', '.join(f'{field} = excluded.{field}' for field in fields)}",
        (clustering, number, *standing),
    )


def _put_classes(db: Database, classes: Sequence[tuple[str, list[str]]], prompts: Any) -> None:
    db.execute("UPDATE classes SET place = NULL")
    db.executemany(
        "INSERT INTO classes (name, phrases, place) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET phrases = excluded.phrases, place = excluded.place",
        ((name, json.dumps(phrases), place) for place, (name, phrases) in enumerate(classes)),
    )
    meta.put(db, meta.PROMPTS, json.dumps(prompts))


def correct_run(db: Database, run: int) -> None:
    """Puts what was said of pictures into a run that knows nothing of it yet. Inside a transaction of the caller's."""
    rows = db.execute(
        "SELECT c.class, i.id FROM corrections c CROSS JOIN images i ON i.missing IN (0, 1) AND i.trashed IN (0, 1)"
        " AND i.status = 'ready' AND i.hash = c.hash"
    ).fetchall()
    db.executemany(
        "UPDATE annotations SET class = ?, corrected = 1 WHERE run = ? AND image = ?",
        ((class_, run, image) for class_, image in rows),
    )


def _correct_latest(db: Database) -> None:
    """The run of annotation that is the latest now may know nothing of what was said since it was not."""
    run = db.value("SELECT max(id) FROM annotation_runs WHERE complete = 1")
    if run is not None:
        db.execute("UPDATE annotations SET class = found, corrected = 0 WHERE run = ? AND corrected = 1", (run,))
        correct_run(db, run)


def _put_corrections(db: Database, given: Sequence[tuple[str, Any]]) -> None:
    """Sets what is said of contents, and the class of their pictures in the last run of annotation with it."""
    run = db.value("SELECT max(id) FROM annotation_runs WHERE complete = 1")
    # All states are named, for the index that has the hash behind them.
    copies = (
        "run = ? AND image IN (SELECT id FROM images WHERE missing IN (0, 1) AND trashed IN (0, 1)"
        " AND status IN ('ready', 'pending') AND hash = ?)"
    )
    for text, class_ in given:
        content = bytes.fromhex(text)
        if class_ is UNSAID:
            db.execute("DELETE FROM corrections WHERE hash = ?", (content,))
            db.execute(f"UPDATE annotations SET class = found, corrected = 0 WHERE {copies}", (run, content))
        else:
            db.execute("INSERT OR REPLACE INTO corrections VALUES (?, ?, ?)", (content, class_, time.time()))
            db.execute(f"UPDATE annotations SET class = ?, corrected = 1 WHERE {copies}", (class_, run, content))
