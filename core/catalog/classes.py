"""The user's classes, and what the user corrected. Each change is one short transaction, journaled: it can be undone.

A correction is of a picture's content: copies share it, it survives every new run, and a class taken out of the list
brings its corrections back with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog import edits, meta
from core.catalog.database import Database
from core.catalog.edits import UNSAID
from core.errors import UsageError

CHUNK = 300
"""Corrections in one transaction, so that it stays under 20 ms."""
DEFAULT_PROMPTS = "auto"

Prompts = str | list[str]
"""The name of a set of prompts, or templates of the user's own."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project: its id stays its own, whatever list it is in."""

    id: int
    name: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What was said of a picture: the name of a class (None: none of them), whether that is in force, and when."""

    source: int
    path: bytes
    name: str | None
    in_force: bool
    made: float


def in_force(db: Database) -> list[Class]:
    """The classes in the user's order."""
    rows = db.execute("SELECT id, name, phrases FROM classes WHERE place IS NOT NULL ORDER BY place")
    return [Class(row["id"], row["name"], tuple(json.loads(row["phrases"]))) for row in rows]


def names(db: Database) -> dict[int, str]:
    """The name of every class by its id, of those no longer in force too."""
    return dict(db.execute("SELECT id, name FROM classes").fetchall())


def prompts(db: Database) -> Prompts:
    """The prompts in force."""
    stored = meta.get(db, meta.PROMPTS)
    chosen: Prompts = DEFAULT_PROMPTS if stored is None else json.loads(stored)
    return chosen


def set_classes(
    db: Database, classes: Iterable[tuple[str, Sequence[str]]], prompts_: Prompts | None = None
) -> list[Class]:
    """Makes these, each (name, phrases), the classes in place of those in force; gives them.

    The prompts stay where none are given. Nothing is journaled where nothing changes.
    """
    listed = [[name, list(phrases)] for name, phrases in classes]
    with edits.editing_any(db, f"set {_many(len(listed), 'class', 'classes')}") as draft:
        before = [[c.name, list(c.phrases)] for c in in_force(db)]
        draft.set_classes([before, prompts(db)], [listed, prompts(db) if prompts_ is None else prompts_])
    return in_force(db)


def add_class(db: Database, name: str, phrases: Sequence[str] = ()) -> Class:
    """Adds a class at the end; gives it, or the one in force that has the name already."""
    known = {c.name: c for c in in_force(db)}
    if name in known:
        return known[name]
    if not name.strip():
        raise UsageError("a class needs a name", "type one")
    with edits.editing_any(db, f"added the class {name}") as draft:
        before = [[c.name, list(c.phrases)] for c in in_force(db)]
        draft.set_classes([before, prompts(db)], [[*before, [name, list(phrases)]], prompts(db)])
    return next(c for c in in_force(db) if c.name == name)


def correct(db: Database, given: Mapping[int, int | None]) -> int:
    """Says of pictures, by image id, which class each is of (None: none of them); gives how many that changed.

    Pictures that were never read are left alone. Raises UsageError for a class there is not.
    """
    unknown = {c for c in given.values() if c is not None} - names(db).keys()
    if unknown:
        raise UsageError("that class does not exist", "look at the classes as they are now")
    if len(given) == 1:
        [class_] = given.values()
        said = "said that a picture is none of the classes" if class_ is None else f"said {names(db)[class_]}"
    else:
        said = f"corrected {_many(len(given), 'picture')}"
    return _write(db, dict(given), said)


def forget(db: Database, image_ids: Iterable[int]) -> int:
    """Takes back what was said of pictures; gives of how many there was anything."""
    given: dict[int, Any] = dict.fromkeys(image_ids, UNSAID)
    return _write(db, given, f"took back what was said of {_many(len(given), 'picture')}")


def corrections(db: Database) -> dict[bytes, int | None]:
    """What was said, by content: the id of a class, or None for none of them."""
    return dict(db.execute("SELECT hash, class FROM corrections").fetchall())


def all_corrections(db: Database) -> list[Correction]:
    """What was said of every picture that the project knows, copies and missing ones too, in the order it was said."""
    rows = db.execute(  # all states are named, for the index that has the hash behind them
        "SELECT i.source, i.path, k.name, c.class IS NULL OR k.place IS NOT NULL, c.made FROM corrections c"
        " CROSS JOIN images i ON i.missing IN (0, 1) AND i.trashed IN (0, 1) AND i.status IN ('ready', 'pending')"
        " AND i.hash = c.hash LEFT JOIN classes k ON k.id = c.class ORDER BY c.made, i.source, i.path"
    )
    return [Correction(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


def _write(db: Database, given: dict[int, Any], said: str) -> int:
    images = list(given)
    batch, changed = None, 0
    for start in range(0, len(images), CHUNK):
        with edits.editing_any(db, said, batch=batch) as draft:
            part = images[start : start + CHUNK]
            rows = db.execute(
                "SELECT i.id, i.hash, c.hash IS NOT NULL, c.class FROM images i LEFT JOIN corrections c"
                " ON c.hash = i.hash WHERE i.id IN (SELECT value FROM json_each(?)) AND i.hash IS NOT NULL",
                (json.dumps(part),),
            )
            wanted: dict[bytes, tuple[Any, Any]] = {}
            for image, content, was_said, class_ in rows.fetchall():
                wanted[content] = (class_ if was_said else UNSAID, given[image])
            changes = [[content.hex(), *both] for content, both in wanted.items() if both[0] != both[1]]
            draft.correct(changes)
            changed += len(changes)
        batch = draft.batch if batch is None else batch
    return changed


def _many(number: int, one: str, many: str = "") -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {many or one + 's'}"
