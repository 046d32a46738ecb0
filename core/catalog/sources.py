"""Where a project's pictures come from."""

from __future__ import annotations

import time
from dataclasses import dataclass

from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class Source:
    """A place that pictures come from. `root` is as stored: the project tells where it lies now."""

    id: int
    kind: str
    root: bytes


def add(db: Database, kind: str, root: bytes) -> Source:
    """The source of this kind and root, recorded where it is new."""
    with db.transaction():
        db.execute("INSERT OR IGNORE INTO sources (kind, root, added) VALUES (?, ?, ?)", (kind, root, time.time()))
        row = db.one("SELECT id FROM sources WHERE kind = ? AND root = ?", (kind, root))
    return Source(row["id"], kind, root)


def all_sources(db: Database) -> list[Source]:
    """Every source, oldest first."""
    return [Source(r["id"], r["kind"], r["root"]) for r in db.execute("SELECT * FROM sources ORDER BY id")]
