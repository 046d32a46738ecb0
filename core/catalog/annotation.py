"""Runs of annotation: their settings and figures are kept, and the pictures of the last two.

What the user corrects shows at once: a picture counts to the class that it was said to be of.
"""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog import clusterings, edits
from core.catalog.database import Database

KEPT = 2
"""Runs whose pictures are kept: the last, and the one to compare it with."""
TOP = struct.Struct("<HHh")
"""One of the likeliest classes: its place in the run's list, its share of 65535, its cosine times 32767."""
_one_at_a_time = threading.Lock()  # what one lane has half written is not what a crash left

_THERE = "i.missing = 0 AND i.trashed = 0 AND i.status = 'ready'"


@dataclass(frozen=True, slots=True)
class RunClass:
    """A class as a run knew it: the name it had, and the sentences it was compared by."""

    id: int
    name: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnotationRun:
    """One run. `settings`: as asked. `iterations`: the fields of `Iteration`. `summary`: see `core.annotation.run`."""

    id: int
    created: float
    method: str
    settings: dict[str, Any]
    encoders: list[int]
    classes: list[RunClass]
    iterations: list[dict[str, Any]]
    summary: dict[str, Any]
    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ClassCount:
    """What a class holds now. `id` and `name` are None for the pictures of none of the classes."""

    id: int | None
    name: str | None
    pictures: int
    corrected: int
    confidence: float | None
    """The mean over its pictures; 1 counts for those that were corrected."""


@dataclass(frozen=True, slots=True)
class Likely:
    """One of the likeliest classes of a picture: its share of the probability, and the raw cosine to its prompts."""

    id: int
    name: str
    share: float
    similarity: float


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture with its class (None: none of them), what the run found, and what else it might be."""

    image: int
    source: int
    path: bytes
    hash: bytes
    width: int
    height: int
    class_id: int | None
    found: int | None
    corrected: bool
    confidence: float
    margin: float
    none_score: float | None
    top: list[Likely]


@dataclass(frozen=True, slots=True)
class Move:
    """A picture that has another class than in the run before; ids of classes, None for none of them."""

    image: int
    before: int | None
    after: int | None


NewRow = tuple[int, int | None, int | None, int, float, float, float | None, bytes]
"""A picture to be recorded: the columns of `annotations` behind `run`, with `class` as the run found it."""


def record(
    db: Database,
    *,
    method: str,
    settings: dict[str, Any],
    encoders: Sequence[int],
    classes: Sequence[RunClass],
    iterations: Sequence[dict[str, Any]],
    summary: dict[str, Any],
    seconds: float,
    rows: Sequence[NewRow],
    check: Callable[[], None] = lambda: None,
) -> int:
    """Writes a run and its pictures; gives its id. It shows only when all of it is written.

    What was corrected while it was made counts. It is journaled: to undo it is to go back to the run before. `check` is
    called last and may raise: the run then never shows, and one that was undone can still be done again.
    Only the worker records runs, in either of its lanes.
    """
    with _one_at_a_time:
        with db.transaction():
            db.execute(
                "DELETE FROM annotation_runs WHERE complete = 0 AND id NOT IN (SELECT value FROM json_each(?))",
                (json.dumps(edits.undone_annotations(db)),),
            )
            run = int(
                db.execute(
                    "INSERT INTO annotation_runs (created, method, settings, encoders, classes, iterations, summary,"
                    " images, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        time.time(),
                        method,
                        json.dumps(settings),
                        json.dumps(list(encoders)),
                        json.dumps([[c.id, c.name, list(c.prompts)] for c in classes]),
                        json.dumps(list(iterations)),
                        json.dumps(summary),
                        len(rows),
                        seconds,
                    ),
                ).lastrowid
                or 0
            )
        for start in range(0, len(rows), clusterings.CHUNK):
            with db.transaction():
                db.executemany(
                    "INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    ((run, *row) for row in rows[start : start + clusterings.CHUNK]),
                )
        with db.transaction():
            check()
            edits.correct_run(db, run)
            db.execute("UPDATE annotation_runs SET complete = 1 WHERE id = ?", (run,))
            edits.append_annotation(db, run, f"annotated {len(rows):,} picture{'' if len(rows) == 1 else 's'}")
        _forget_old(db)
    return run


def add_to_summary(db: Database, run: int, values: dict[str, Any]) -> None:
    """Adds to what a run tells of itself, or replaces it."""
    with db.transaction():
        text = db.value("SELECT summary FROM annotation_runs WHERE id = ?", (run,))
        db.execute("UPDATE annotation_runs SET summary = ? WHERE id = ?", (json.dumps(json.loads(text) | values), run))


def latest(db: Database) -> AnnotationRun | None:
    """The last complete run, or None."""
    row = db.one("SELECT * FROM annotation_runs WHERE complete = 1 ORDER BY id DESC LIMIT 1")
    return None if row is None else _run(row)


def pictures_of_latest(db: Database) -> int:
    """How many pictures the last complete run has; 0 where there is none."""
    return int(db.value("SELECT images FROM annotation_runs WHERE complete = 1 ORDER BY id DESC LIMIT 1") or 0)


def all_runs(db: Database) -> list[AnnotationRun]:
    """Every complete run, oldest first: their figures; the pictures of the last KEPT alone are there."""
    return [_run(row) for row in db.execute("SELECT * FROM annotation_runs WHERE complete = 1 ORDER BY id")]


def counts(db: Database, run: AnnotationRun) -> list[ClassCount]:
    """What each class holds now, in the run's order, empty ones too; then classes added since, and none if any is."""
    found = {
        row[0]: row[1:]
        for row in db.execute(
            "SELECT a.class, count(*), sum(a.corrected), avg(CASE a.corrected WHEN 1 THEN 1.0 ELSE a.confidence END)"
            f" FROM annotations a JOIN images i ON i.id = a.image WHERE a.run = ? AND {_THERE} GROUP BY a.class",
            (run.id,),
        )
    }
    named: dict[int | None, str | None] = {c.id: c.name for c in run.classes}
    named |= db.execute("SELECT id, name FROM classes WHERE place IS NOT NULL ORDER BY place").fetchall()
    named |= {id_: name for id_, name in _named(db).items() if id_ in found}
    if None in found:
        named[None] = None
    return [ClassCount(id_, name, *found.get(id_, (0, 0, None))) for id_, name in named.items()]


def image_ids(db: Database, run: AnnotationRun, class_id: int | None, *, lowest_first: bool = True) -> list[int]:
    """The pictures of a class (None: of none) that are there, by margin: the least sure first, or last."""
    order = "" if lowest_first else " DESC"
    rows = db.execute(
        "SELECT a.image FROM annotations a CROSS JOIN images i ON i.id = a.image"
        f" WHERE a.run = ? AND a.class IS ? AND {_THERE} ORDER BY a.margin{order}, a.image{order}",
        (run.id, class_id),
    )
    return [row[0] for row in rows]


def pictures(db: Database, run: AnnotationRun, images: Sequence[int]) -> list[Annotated]:
    """What a run says of these pictures, in their order: a page of `image_ids` or of `review_queue`."""
    names = _named(db)
    rows = db.execute(
        "SELECT a.image, i.source, i.path, i.hash, c.width, c.height, a.class, a.found, a.corrected, a.confidence,"
        " a.margin, a.none_score, a.top FROM annotations a JOIN images i ON i.id = a.image"
        " JOIN contents c ON c.hash = i.hash WHERE a.run = ? AND a.image IN (SELECT value FROM json_each(?))",
        (run.id, json.dumps(list(images))),
    )
    found = {row["image"]: _annotated(row, run, names) for row in rows}
    return [found[image] for image in images if image in found]


def all_pictures(db: Database, run: AnnotationRun) -> Iterable[Annotated]:
    """Every picture of a run that is there, by id, which is the order of paths; without its likeliest classes."""
    for row in db.execute(
        "SELECT a.image, i.source, i.path, i.hash, c.width, c.height, a.class, a.found, a.corrected, a.confidence,"
        " a.margin, a.none_score, x'' AS top FROM annotations a JOIN images i ON i.id = a.image"
        f" JOIN contents c ON c.hash = i.hash WHERE a.run = ? AND {_THERE} ORDER BY a.image",
        (run.id,),
    ):
        yield _annotated(row, run, {})


def scores(db: Database, run: AnnotationRun) -> list[tuple[int, float, float]]:
    """Of every picture, by id: the image, its margin, its confidence."""
    rows = db.execute("SELECT image, margin, confidence FROM annotations WHERE run = ? ORDER BY image", (run.id,))
    return [tuple(row) for row in rows]


def review_queue(db: Database, run: AnnotationRun) -> list[int]:
    """The pictures to ask the user about, in order: those of the run's queue that nothing was said of yet."""
    queue: list[int] = run.summary.get("queue", [])
    still = {
        row[0]
        for row in db.execute(
            "SELECT a.image FROM annotations a JOIN images i ON i.id = a.image WHERE a.run = ? AND a.corrected = 0"
            f" AND a.image IN (SELECT value FROM json_each(?)) AND {_THERE}",
            (run.id, json.dumps(queue)),
        )
    }
    return [image for image in queue if image in still]


def moves(db: Database, run: AnnotationRun) -> list[Move]:
    """The pictures that have another class than in the run before, by image; empty where there was none."""
    before = db.value("SELECT max(id) FROM annotation_runs WHERE complete = 1 AND id < ?", (run.id,))
    rows = db.execute(
        "SELECT a.image, b.class, a.class FROM annotations a JOIN annotations b ON b.run = ? AND b.image = a.image"
        " WHERE a.run = ? AND a.class IS NOT b.class ORDER BY a.image",
        (before, run.id),
    )
    return [Move(*row) for row in rows]


def _forget_old(db: Database) -> None:
    """Deletes the pictures of all but the last runs, a part at a time."""
    last = db.execute("SELECT id FROM annotation_runs WHERE complete = 1 ORDER BY id DESC LIMIT ?", (KEPT,)).fetchall()
    oldest = last[-1][0]
    with db.transaction():
        edits.forget_annotations(db, oldest if len(last) == KEPT else 0)
    while True:
        with db.transaction():
            row = db.one("SELECT run, image FROM annotations WHERE run < ? ORDER BY run, image LIMIT 1", (oldest,))
            if row is None:
                return
            db.execute(
                "DELETE FROM annotations WHERE run = ?1 AND image <= coalesce((SELECT image FROM annotations"
                " WHERE run = ?1 ORDER BY image LIMIT 1 OFFSET ?2), 9223372036854775807)",
                (row["run"], clusterings.CHUNK),
            )


def _named(db: Database) -> dict[int, str]:
    return dict(db.execute("SELECT id, name FROM classes").fetchall())


def _annotated(row: Any, run: AnnotationRun, names: dict[int, str]) -> Annotated:
    top = [
        Likely(run.classes[place].id, names[run.classes[place].id], share / 65535, cosine / 32767)
        for place, share, cosine in TOP.iter_unpack(row["top"])
    ]
    corrected = bool(row["corrected"])
    return Annotated(
        image=row["image"],
        source=row["source"],
        path=row["path"],
        hash=row["hash"],
        width=row["width"],
        height=row["height"],
        class_id=row["class"],
        found=row["found"],
        corrected=corrected,
        confidence=1.0 if corrected else row["confidence"],
        margin=row["margin"],
        none_score=row["none_score"],
        top=top,
    )


def _run(row: Any) -> AnnotationRun:
    return AnnotationRun(
        row["id"],
        row["created"],
        row["method"],
        json.loads(row["settings"]),
        json.loads(row["encoders"]),
        [RunClass(id_, name, tuple(prompts)) for id_, name, prompts in json.loads(row["classes"])],
        json.loads(row["iterations"]),
        json.loads(row["summary"]),
        row["images"],
        row["seconds"],
    )
