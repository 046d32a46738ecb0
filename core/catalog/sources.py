"""Where a project's pictures come from."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.catalog.database import Database


@dataclass(frozen=True, slots=True)
class Source:
    """A place that pictures come from. `root` is as stored: the project tells where it lies now.

    `options` is what was asked of it (a sample, a limit, dates), and stays until something else is asked.
    """

    id: int
    kind: str
    root: bytes
    options: dict[str, Any] = field(default_factory=dict, compare=False)


def add(db: Database, kind: str, root: bytes) -> Source:
    """The source of this kind and root, recorded where it is new."""
    with db.transaction():
        db.execute("INSERT OR IGNORE INTO sources (kind, root, added) VALUES (?, ?, ?)", (kind, root, time.time()))
        row = db.one("SELECT * FROM sources WHERE kind = ? AND root = ?", (kind, root))
    return _source(row)


def all_sources(db: Database) -> list[Source]:
    """Every source, oldest first."""
    return [_source(row) for row in db.execute("SELECT * FROM sources ORDER BY id")]


def set_options(db: Database, source_id: int, options: Mapping[str, Any]) -> None:
    """Remembers what is asked of a source from now on."""
    db.execute("UPDATE sources SET options = ? WHERE id = ?", (json.dumps(dict(options)), source_id))


def cursor(db: Database, source_id: int) -> dict[str, Any] | None:
    """Where the listing of a source stopped; None where it begins anew."""
    text = db.value("SELECT cursor FROM sources WHERE id = ?", (source_id,))
    return None if text is None else dict(json.loads(text))


def set_cursor(db: Database, source_id: int, cursor: Mapping[str, Any]) -> None:
    """Remembers how far a listing is. Inside the transaction that records what was listed."""
    db.execute("UPDATE sources SET cursor = ? WHERE id = ?", (json.dumps(dict(cursor)), source_id))


def _source(row: Any) -> Source:
    return Source(row["id"], row["kind"], row["root"], json.loads(row["options"]))
